/* From a URL to an entry file: httpd's regular expressions, arrays and request fields. */
#include "module_private.h"

swsgi_alias adopt(apr_pool_t *p, swsgi_alias alias) {
    swsgi_alias own = alias;
    own.location = apr_pstrdup(p, alias.location), own.target = ap_server_root_relative(p, alias.target);
    own.process_group = apr_pstrdup(p, alias.process_group), own.symbol = apr_pstrdup(p, alias.symbol);
    own.application_group = apr_pstrdup(p, alias.application_group);
    free((void *)alias.location), free((void *)alias.target), free((void *)alias.process_group);
    free((void *)alias.application_group), free((void *)alias.symbol);
    return own;
}

const char *script_alias(cmd_parms *cmd, void *unused, const char *arguments) {
    char error[1024];
    swsgi_alias alias;
    swsgi_place place = place_of(cmd);
    struct server_config *config = ap_get_module_config(cmd->server->module_config, &wsgi_module);
    (void)unused;
    if (!swsgi_define_alias((int)(intptr_t)cmd->info, arguments, &alias, error, sizeof error)) return apr_pstrdup(cmd->pool, error);
    alias = adopt(cmd->pool, alias);
    alias.file = place.file, alias.line = place.line;
    if (alias.kind == SWSGI_ALIAS_MATCH && !(alias.pattern = ap_pregcomp(cmd->pool, alias.location, AP_REG_EXTENDED))) {
        swsgi_refuse_pattern(alias.location, error, sizeof error);
        return apr_pstrdup(cmd->pool, error);
    }
    APR_ARRAY_PUSH(config->aliases, swsgi_alias) = alias;
    if (alias.process_group) swsgi_use_group(alias.process_group, &place);
    return NULL;
}

int is_fixed(const swsgi_alias *alias) {
    return alias->kind != SWSGI_ALIAS_MATCH || !strchr(alias->target, '$');
}

/* How many bytes of the URI belong to the mount point, 0 for none; the target then has its $1 replaced. */
static size_t match(request_rec *r, const swsgi_alias *alias, const char **target) {
    ap_regmatch_t parts[AP_MAX_REG_MATCH];
    *target = alias->target;
    if (alias->kind == SWSGI_ALIAS_PATH) return swsgi_alias_match(r->uri, alias->location);
    if (ap_regexec(alias->pattern, r->uri, AP_MAX_REG_MATCH, parts, 0) || parts[0].rm_eo <= parts[0].rm_so) return 0;
    *target = ap_pregsub(r->pool, alias->target, r->uri, AP_MAX_REG_MATCH, parts);
    return *target ? (size_t)parts[0].rm_eo : 0;
}

int translate_name(request_rec *r) {
    struct server_config *config = ap_get_module_config(r->server->module_config, &wsgi_module);
    if (r->uri[0] != '/') return DECLINED;
    for (int i = 0; i < config->aliases->nelts; i++) {
        swsgi_alias *alias = &APR_ARRAY_IDX(config->aliases, i, swsgi_alias);
        const char *target;
        size_t length = match(r, alias, &target);
        if (!length) continue;
        /* Of the whole site the whole URI is the rest, and not what follows its slash. */
        int is_root = alias->kind == SWSGI_ALIAS_PATH ? !alias->location[1] : length == 1;
        r->filename = apr_pstrcat(r->pool, target, r->uri + (is_root ? 0 : length), NULL);
        r->handler = handler_name;
        apr_table_setn(r->notes, "alias-forced-type", handler_name);
        ap_set_module_config(r->request_config, &wsgi_module, alias);
        return OK;
    }
    return DECLINED;
}

/* ---- Handlers ---- */

const char *handler_script(cmd_parms *cmd, void *mconfig, const char *arguments) {
    char error[1024];
    swsgi_alias handler;
    swsgi_place place = place_of(cmd);
    struct directory_config *config = mconfig;
    if (!swsgi_define_alias(SWSGI_ALIAS_HANDLER, arguments, &handler, error, sizeof error)) return apr_pstrdup(cmd->pool, error);
    handler = adopt(cmd->pool, handler);
    if (!config->handlers) config->handlers = apr_array_make(cmd->pool, 1, sizeof handler);
    APR_ARRAY_PUSH(config->handlers, swsgi_alias) = handler;
    swsgi_note_script(&handler, &place);
    return NULL;
}

int find_handler_script(request_rec *r) {
    apr_array_header_t *handlers = directory_config_of(r)->handlers;
    /* The innermost section's come last, and in a section the last one counts. */
    for (int i = handlers ? handlers->nelts : 0; i--;) {
        swsgi_alias *handler = &APR_ARRAY_IDX(handlers, i, swsgi_alias);
        if (strcmp(handler->location, r->handler)) continue;
        ap_set_module_config(r->request_config, &wsgi_module, handler);
        return 1;
    }
    return 0;
}

/* ---- WSGIRestrictProcess ---- */

const char *restrict_process(cmd_parms *cmd, void *mconfig, const char *arguments) {
    char error[1024];
    swsgi_place place = place_of(cmd);
    apr_array_header_t *names = apr_array_make(cmd->pool, 2, sizeof(const char *));
    while (*arguments) {
        const char *name = ap_getword_conf(cmd->pool, &arguments);
        if (!*name) continue;
        if (!swsgi_check_name(cmd->cmd->name, name, error, sizeof error)) return apr_pstrdup(cmd->pool, error);
        APR_ARRAY_PUSH(names, const char *) = strcmp(name, "%{GLOBAL}") ? name : "";
        swsgi_note_allowed(name, &place);
    }
    if (!names->nelts) {
        swsgi_refuse_empty_list(cmd->cmd->name, error, sizeof error);
        return apr_pstrdup(cmd->pool, error);
    }
    /* The last one of a section counts, as that of an inner section does. */
    ((struct directory_config *)mconfig)->allowed_groups = names;
    return NULL;
}
