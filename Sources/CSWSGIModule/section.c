/* <WSGIInterpreterOptions>: httpd's tree of directives. */
#include "module_private.h"

static const char *const section_name = "<WSGIInterpreterOptions";

int is_in_section(cmd_parms *cmd) {
    const ap_directive_t *parent = cmd->directive->parent;
    return parent && !ap_cstr_casecmp(parent->directive, section_name);
}

const char *interpreter_options(cmd_parms *cmd, void *unused, const char *arguments) {
    char error[1024];
    swsgi_place place = place_of(cmd);
    const char *end = ap_strrchr_c(arguments, '>'), *failure;
    (void)unused;
    if (!end) return apr_pstrcat(cmd->pool, section_name, "> directive missing closing '>'", NULL);
    for (const ap_directive_t *line = cmd->directive->first_child; line; line = line->next) {
        if (swsgi_section_check(line->directive, error, sizeof error)) continue;
        cmd->err_directive = line;
        return apr_pstrdup(cmd->pool, error);
    }
    arguments = apr_pstrmemdup(cmd->temp_pool, arguments, end - arguments);
    if (!swsgi_section_begin(arguments, &place, error, sizeof error)) return apr_pstrdup(cmd->pool, error);
    failure = ap_walk_config(cmd->directive->first_child, cmd, cmd->context);
    swsgi_section_end();
    return failure;
}
