/* Who may come by httpd's Require, as far as the configuration says it before any request: whether nobody may.

   mod_authz_core keeps what it has merged to itself. This module reads the Require lines of each section too, and merges the
   sections for an alias's target in httpd's order. Where anything else may decide, it says nothing. */
#include "module_private.h"

/* Values of `access` in a directory's configuration, the stronger one last: who may come by the lines of a section. */
enum { ACCESS_INHERITED = 0, ACCESS_DENIED = 1, ACCESS_OPEN = 2, ACCESS_UNKNOWN = 3 };

const char *require_directive(cmd_parms *cmd, void *mconfig, const char *arguments) {
    struct directory_config *config = mconfig;
    const ap_directive_t *parent = cmd->directive->parent;
    int access = ACCESS_OPEN;
    /* Only known because this module looks at it: not to be accepted where no module obeys it. */
    if (!ap_find_linked_module(cmd->info)) return apr_pstrcat(cmd->pool, cmd->cmd->name, " needs ", cmd->info, NULL);
    if (ap_cstr_casecmp(cmd->cmd->name, "Require")) access = ACCESS_UNKNOWN;
    else if (cmd->limited == -1 && !(parent && !ap_cstr_casecmpn(parent->directive, "<Require", 8))
             && !ap_cstr_casecmp(ap_getword_conf(cmd->temp_pool, &arguments), "all")
             && !ap_cstr_casecmp(ap_getword_conf(cmd->temp_pool, &arguments), "denied"))
        access = ACCESS_DENIED;
    if (config->access < access) config->access = access;
    return NULL;
}

static int access_of(ap_conf_vector_t *section) {
    struct directory_config *config = ap_get_module_config(section, &wsgi_module);
    return config ? config->access : ACCESS_INHERITED;
}

/* Whether sections that apply to some requests, by a file's name or an expression, may let them pass. */
static int may_open(apr_array_header_t *sections) {
    for (int i = 0; sections && i < sections->nelts; i++)
        if (access_of(APR_ARRAY_IDX(sections, i, ap_conf_vector_t *)) >= ACCESS_OPEN) return 1;
    return 0;
}

/* What is known of an alias's access on the way through the sections; `denier` is null unless all of its requests are refused. */
struct access {
    const char *denier;
    int is_unknown;
};

static void merge_access(apr_pool_t *p, struct access *now, const char *kind, ap_conf_vector_t *vector) {
    core_dir_config *section = ap_get_core_module_config(vector);
    int access = access_of(vector);
    if (access == ACCESS_UNKNOWN || may_open(section->sec_file) || may_open(section->sec_if)) now->is_unknown = 1;
    if (!(section->override & OR_UNSET) && section->override & OR_AUTHCFG) now->is_unknown = 1;
    if (access) now->denier = access == ACCESS_DENIED ? apr_psprintf(p, "<%s %s>", kind, section->d) : NULL;
}

const char *denier_of(apr_pool_t *p, server_rec *s, const swsgi_alias *alias) {
    core_server_config *core = ap_get_core_module_config(s->module_config);
    struct access now = {NULL, 0};
    ap_conf_vector_t *section;
    const char *path = apr_pstrcat(p, alias->target, "/", NULL);
    unsigned level = 0;
    int next = 0;
    merge_access(p, &now, "Directory", s->lookup_defaults);
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        const char *place = apr_pstrmemdup(p, path, (apr_size_t)(slash - path) + 1);
        for (level++; (section = section_at(core->sec_dir, place, level, &next));) merge_access(p, &now, "Directory", section);
    }
    /* Of expressions and patterns: only that they may apply. */
    for (; next < core->sec_dir->nelts; next++) {
        section = APR_ARRAY_IDX(core->sec_dir, next, ap_conf_vector_t *);
        core_dir_config *directory = ap_get_core_module_config(section);
        if (directory->r && !ap_regexec(directory->r, alias->target, 0, NULL, 0)) merge_access(p, &now, "DirectoryMatch", section);
    }
    for (int i = 0; i < core->sec_url->nelts; i++) {
        section = APR_ARRAY_IDX(core->sec_url, i, ap_conf_vector_t *);
        core_dir_config *location = ap_get_core_module_config(section);
        if (location->r || location->d_is_fnmatch || alias->kind == SWSGI_ALIAS_MATCH)
            now.is_unknown |= access_of(section) >= ACCESS_OPEN;
        else if (swsgi_alias_match(alias->location, location->d)) merge_access(p, &now, "Location", section);
    }
    return now.is_unknown ? NULL : now.denier;
}
