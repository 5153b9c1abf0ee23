/* The module record, the directives and the hooks. The file's name is known to configurations: <IfModule mod_wsgi.c>. */
#define _GNU_SOURCE
#include "module_private.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

const char *const handler_name = "wsgi-script";
static const char *const media_type = "application/x-httpd-wsgi";

/* ---- The Swift runtime's signal handlers: not in httpd ---- */

static char *backtrace_setting;

/* Runs before the Swift runtime's constructors, which have no priority: without this they would take httpd's fatal signals. */
__attribute__((constructor(101))) static void keep_signal_handlers(void) {
    const char *before = getenv("SWIFT_BACKTRACE");
    backtrace_setting = before ? strdup(before) : NULL;
    setenv("SWIFT_BACKTRACE", "enable=no", 1);
}

static void restore_environment(void) {
    static int restored;
    if (restored++) return;
    if (backtrace_setting) setenv("SWIFT_BACKTRACE", backtrace_setting, 1);
    else unsetenv("SWIFT_BACKTRACE");
    free(backtrace_setting);
}

/* ---- Configuration ---- */

static void *create_server_config(apr_pool_t *p, server_rec *s) {
    (void)s;
    struct server_config *config = apr_pcalloc(p, sizeof *config);
    config->aliases = apr_array_make(p, 2, sizeof(swsgi_alias));
    config->remember_walk = -1;
    return config;
}

static int merge_number(int outer, int inner) { return inner >= 0 ? inner : outer; }

static void *merge_server_config(apr_pool_t *p, void *outer, void *inner) {
    struct server_config *base = outer, *add = inner, *config = apr_pcalloc(p, sizeof *config);
    config->aliases = apr_array_append(p, add->aliases, base->aliases);
    config->remember_walk = merge_number(base->remember_walk, add->remember_walk);
    return config;
}

static void *create_directory_config(apr_pool_t *p, char *path) {
    (void)path;
    struct directory_config *config = apr_pcalloc(p, sizeof *config);
    config->reloading = config->pass_authorization = config->chunked_request = -1;
    config->map_head = config->local_redirect = config->error_override = -1;
    config->sendfile = config->ignore_activity = -1;
    return config;
}

static apr_array_header_t *merge_lists(apr_pool_t *p, apr_array_header_t *outer, apr_array_header_t *inner) {
    return !inner ? outer : !outer ? inner : apr_array_append(p, outer, inner);
}

static void *merge_directory_config(apr_pool_t *p, void *outer, void *inner) {
    struct directory_config *base = outer, *add = inner, *config = apr_pcalloc(p, sizeof *config);
    config->process_group = add->process_group ? add->process_group : base->process_group;
    config->application_group = add->application_group ? add->application_group : base->application_group;
    config->symbol = add->symbol ? add->symbol : base->symbol;
    config->reloading = merge_number(base->reloading, add->reloading);
    config->pass_authorization = merge_number(base->pass_authorization, add->pass_authorization);
    config->chunked_request = merge_number(base->chunked_request, add->chunked_request);
    config->map_head = merge_number(base->map_head, add->map_head);
    config->local_redirect = merge_number(base->local_redirect, add->local_redirect);
    config->ignore_activity = merge_number(base->ignore_activity, add->ignore_activity);
    config->error_override = merge_number(base->error_override, add->error_override);
    config->error_statuses = add->error_override >= 0 ? add->error_statuses : base->error_statuses;
    config->proxies = merge_lists(p, base->proxies, add->proxies);
    config->proxy_headers = merge_lists(p, base->proxy_headers, add->proxy_headers);
    config->sendfile = merge_number(base->sendfile, add->sendfile);
    config->handlers = merge_lists(p, base->handlers, add->handlers);
    for (size_t i = 0; i < sizeof config->scripts / sizeof *config->scripts; i++)
        config->scripts[i] = add->scripts[i] ? add->scripts[i] : base->scripts[i];
    config->allowed_groups = add->allowed_groups ? add->allowed_groups : base->allowed_groups;
    return config;
}

swsgi_place place_of(cmd_parms *cmd) {
    return (swsgi_place){cmd->directive->filename, cmd->directive->line_num, cmd->server};
}

static const char *daemon_process(cmd_parms *cmd, void *unused, const char *arguments) {
    char error[1024];
    swsgi_place place = place_of(cmd);
    (void)unused;
    return swsgi_define_group(arguments, &place, error, sizeof error) ? NULL : apr_pstrdup(cmd->pool, error);
}

static const char *process_group(cmd_parms *cmd, void *mconfig, const char *name) {
    char error[1024];
    swsgi_place place = place_of(cmd);
    if (!swsgi_check_name(cmd->cmd->name, name, error, sizeof error)) return apr_pstrdup(cmd->pool, error);
    ((struct directory_config *)mconfig)->process_group = name;
    swsgi_use_group(name, &place);
    return NULL;
}

static const char *application_group(cmd_parms *cmd, void *mconfig, const char *name) {
    char error[1024];
    if (!swsgi_check_name(cmd->cmd->name, name, error, sizeof error)) return apr_pstrdup(cmd->pool, error);
    ((struct directory_config *)mconfig)->application_group = name;
    return NULL;
}

static const char *callable_object(cmd_parms *cmd, void *mconfig, const char *name) {
    char error[1024];
    if (!swsgi_check_callable(cmd->cmd->name, name, error, sizeof error)) return apr_pstrdup(cmd->pool, error);
    ((struct directory_config *)mconfig)->symbol = name;
    return NULL;
}

static const char *set_flag(cmd_parms *cmd, void *mconfig, const char *value) {
    char error[1024];
    int flag = swsgi_flag(cmd->cmd->name, value, error, sizeof error);
    if (flag < 0) return apr_pstrdup(cmd->pool, error);
    *(int *)((char *)mconfig + (size_t)cmd->info) = flag;
    return NULL;
}

static const char *map_head(cmd_parms *cmd, void *mconfig, const char *value) {
    char error[1024];
    int mapping = swsgi_parse_head(value, error, sizeof error);
    if (mapping < 0) return apr_pstrdup(cmd->pool, error);
    ((struct directory_config *)mconfig)->map_head = mapping;
    return NULL;
}

static const char *error_override(cmd_parms *cmd, void *mconfig, const char *arguments) {
    char error[1024];
    unsigned char *statuses = apr_pcalloc(cmd->pool, SWSGI_STATUS_SET);
    int override = swsgi_parse_override(arguments, statuses, error, sizeof error);
    if (override < 0) return apr_pstrdup(cmd->pool, error);
    ((struct directory_config *)mconfig)->error_override = override;
    ((struct directory_config *)mconfig)->error_statuses = statuses;
    return NULL;
}

static const char *trusted_proxy(cmd_parms *cmd, void *mconfig, const char *text) {
    char error[1024];
    swsgi_network network;
    swsgi_place place = place_of(cmd);
    struct directory_config *config = mconfig;
    if (!swsgi_parse_network(text, &network, error, sizeof error)) return apr_pstrdup(cmd->pool, error);
    if (!config->proxies) config->proxies = apr_array_make(cmd->pool, 2, sizeof network);
    APR_ARRAY_PUSH(config->proxies, swsgi_network) = network;
    swsgi_note_network(&network, &place);
    return NULL;
}

static const char *trusted_proxy_header(cmd_parms *cmd, void *mconfig, const char *name) {
    char error[1024];
    swsgi_place place = place_of(cmd);
    struct directory_config *config = mconfig;
    int header = swsgi_parse_proxy_header(name, error, sizeof error);
    if (header < 0) return apr_pstrdup(cmd->pool, error);
    if (!config->proxy_headers) config->proxy_headers = apr_array_make(cmd->pool, 2, sizeof(int32_t));
    APR_ARRAY_PUSH(config->proxy_headers, int32_t) = header;
    swsgi_note_header(header, &place);
    return NULL;
}

static const char *slow_requests(cmd_parms *cmd, void *unused, const char *value) {
    char error[1024];
    const char *misplaced = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    (void)unused;
    if (misplaced) return misplaced;
    return swsgi_slow_requests(value, error, sizeof error) ? NULL : apr_pstrdup(cmd->pool, error);
}

static const char *restricted(cmd_parms *cmd, void *unused, int on) {
    const char *misplaced = is_in_section(cmd) ? NULL : ap_check_cmd_context(cmd, GLOBAL_ONLY);
    swsgi_place place = place_of(cmd);
    (void)unused;
    if (!misplaced) swsgi_restrict((int)(intptr_t)cmd->info, on, cmd->cmd->name, &place);
    return misplaced;
}

static const char *import_script(cmd_parms *cmd, void *unused, const char *arguments) {
    char error[1024];
    swsgi_place place = place_of(cmd);
    const char *path = ap_getword_conf(cmd->pool, &arguments);
    (void)unused;
    if (!*path) return "WSGIImportScript needs the path of an entry file";
    path = ap_server_root_relative(cmd->pool, path);
    return swsgi_import_script(path, arguments, &place, error, sizeof error) ? NULL : apr_pstrdup(cmd->pool, error);
}

static const char *ignored(cmd_parms *cmd, void *unused, const char *arguments) {
    swsgi_place place = place_of(cmd);
    (void)unused, (void)arguments;
    swsgi_ignore_directive(cmd->cmd->name, &place);
    return NULL;
}

#define IGNORED_IN(name, where) AP_INIT_RAW_ARGS(name, ignored, NULL, where, "accepted for mod_wsgi's configurations, without effect")
#define IGNORED(name) IGNORED_IN(name, RSRC_CONF | ACCESS_CONF)
#define OTHERS(name, module) \
    AP_INIT_RAW_ARGS(name, require_directive, (void *)module, OR_AUTHCFG, "another module's; to warn of an alias that refuses everybody")
#define SCRIPT(name, kind, where, text) AP_INIT_RAW_ARGS(name, asked_script, (void *)kind, where, text)
#define FLAG(name, field, where, text) \
    AP_INIT_TAKE1(name, set_flag, (void *)offsetof(struct directory_config, field), where, text)

static const command_rec commands[] = {
    AP_INIT_TAKE2("LoadModule", other_module, NULL, RSRC_CONF | EXEC_ON_READ, "mod_so's; refuses another wsgi_module"),
    OTHERS("Require", "mod_authz_core.c"), OTHERS("AuthMerging", "mod_authz_core.c"), OTHERS("Satisfy", "mod_access_compat.c"),
    AP_INIT_RAW_ARGS("WSGIDaemonProcess", daemon_process, NULL, RSRC_CONF, "name and options of a group of daemon processes"),
    AP_INIT_RAW_ARGS("WSGIScriptAlias", script_alias, (void *)SWSGI_ALIAS_PATH, RSRC_CONF, "URL path, entry file and options"),
    AP_INIT_RAW_ARGS("WSGIScriptAliasMatch", script_alias, (void *)SWSGI_ALIAS_MATCH, RSRC_CONF, "regular expression, entry file and options"),
    AP_INIT_RAW_ARGS("WSGIHandlerScript", handler_script, NULL, ACCESS_CONF | RSRC_CONF, "name of a handler, entry file and options"),
    AP_INIT_RAW_ARGS("WSGIRestrictProcess", restrict_process, NULL, ACCESS_CONF | RSRC_CONF, "names of the process groups that requests may use"),
    SCRIPT("WSGIAccessScript", SWSGI_ALIAS_ACCESS, RSRC_CONF | OR_AUTHCFG, "entry file that says who may come, and options"),
    SCRIPT("WSGIAuthUserScript", SWSGI_ALIAS_USER, RSRC_CONF | OR_AUTHCFG, "entry file that knows users' passwords, and options"),
    SCRIPT("WSGIAuthGroupScript", SWSGI_ALIAS_GROUP, RSRC_CONF | OR_AUTHCFG, "entry file that knows users' groups, and options"),
    SCRIPT("WSGIDispatchScript", SWSGI_ALIAS_DISPATCH, ACCESS_CONF | RSRC_CONF, "entry file that says where requests go, and options"),
    AP_INIT_TAKE1("WSGIProcessGroup", process_group, NULL, ACCESS_CONF | RSRC_CONF, "name of the process group"),
    AP_INIT_TAKE1("WSGIApplicationGroup", application_group, NULL, ACCESS_CONF | RSRC_CONF, "name of the application group"),
    AP_INIT_TAKE1("WSGICallableObject", callable_object, NULL, OR_FILEINFO, "name of the function that the bundle exports"),
    FLAG("WSGIScriptReloading", reloading, OR_FILEINFO, "On or Off: replace processes when the entry file changes"),
    FLAG("WSGIEnableSendfile", sendfile, OR_FILEINFO, "On or Off: let the kernel send applications' files"),
    FLAG("WSGIPassAuthorization", pass_authorization, OR_FILEINFO, "On or Off: show the Authorization header to applications"),
    FLAG("WSGIChunkedRequest", chunked_request, OR_FILEINFO, "On or Off: take request bodies without a Content-Length"),
    FLAG("WSGILocalRedirect", local_redirect, OR_FILEINFO, "On or Off: serve a Location of this server, with status 200, in place of the response"),
    FLAG("WSGIIgnoreActivity", ignore_activity, OR_FILEINFO, "On or Off: requests are no activity for inactivity-timeout"),
    AP_INIT_TAKE1("WSGIMapHEADToGET", map_head, NULL, OR_FILEINFO, "On, Off or Auto: show applications HEAD as GET"),
    AP_INIT_RAW_ARGS("WSGIErrorOverride", error_override, NULL, OR_FILEINFO, "On, Off or statuses: replace error responses by httpd's"),
    AP_INIT_ITERATE("WSGITrustedProxies", trusted_proxy, NULL, OR_FILEINFO, "addresses and networks of proxies"),
    AP_INIT_ITERATE("WSGITrustedProxyHeaders", trusted_proxy_header, NULL, OR_FILEINFO, "headers of trusted proxies to believe"),
    AP_INIT_TAKE1("WSGIRememberWalk", walk_directive, NULL, RSRC_CONF, "On or Off: walk to an alias's entry file once, where that is the same"),
    AP_INIT_TAKE1("WSGISlowRequests", slow_requests, NULL, RSRC_CONF, "seconds after which a request is logged as slow"),
    AP_INIT_FLAG("WSGIRestrictStdin", restricted, (void *)1, RSRC_CONF, "On or Off: applications can't read standard input"),
    AP_INIT_FLAG("WSGIRestrictStdout", restricted, (void *)2, RSRC_CONF, "On or Off: applications can't write to standard output"),
    AP_INIT_FLAG("WSGIRestrictSignal", restricted, (void *)4, RSRC_CONF, "On or Off: handlers of applications for the host's signals are removed"),
    AP_INIT_RAW_ARGS("<WSGIInterpreterOptions", interpreter_options, NULL, RSRC_CONF, "process group and application group of what stands inside"),
    AP_INIT_FLAG("WSGIRestrictEmbedded", restricted, (void *)8, RSRC_CONF, "On or Off: requests need a process group"),
    AP_INIT_RAW_ARGS("WSGIImportScript", import_script, NULL, RSRC_CONF, "entry file, process group and application group"),
    IGNORED("WSGISocketPrefix"), IGNORED("WSGISocketRotation"), IGNORED("WSGIAcceptMutex"),
    IGNORED("WSGIPythonHome"), IGNORED("WSGIPythonPath"), IGNORED("WSGIPythonEggs"), IGNORED("WSGIPythonOptimize"),
    IGNORED("WSGIPythonWarnings"), IGNORED("WSGIPythonHashSeed"), IGNORED("WSGIDontWriteBytecode"),
    IGNORED("WSGISwitchInterval"), IGNORED("WSGIDestroyInterpreter"), IGNORED("WSGIPerInterpreterGIL"),
    IGNORED("WSGIFreeThreading"), IGNORED("WSGILazyInitialization"), IGNORED("WSGIVerboseDebugging"),
    IGNORED("WSGICaseSensitivity"), IGNORED("WSGIPy3kWarningFlag"), IGNORED("WSGINewRelicConfigFile"), IGNORED("WSGINewRelicEnvironment"),
    IGNORED("WSGIServerMetrics"), IGNORED("WSGITelemetryService"), IGNORED("WSGITelemetryOptions"), IGNORED("WSGIPassApacheRequest"),
    IGNORED_IN("WSGIReloadMechanism", OR_FILEINFO), IGNORED_IN("WSGIGroupAuthoritative", RSRC_CONF | OR_AUTHCFG),
    IGNORED_IN("WSGIUserAuthoritative", RSRC_CONF | OR_AUTHCFG), IGNORED_IN("WSGIAuthoritative", RSRC_CONF | OR_AUTHCFG),
    {.name = NULL}};

/* The literal value that a setting of a path has by the <Directory> sections, which httpd keeps in their order of merging. */
static const char *setting_of(server_rec *s, const char *path, size_t offset) {
    core_server_config *core = ap_get_core_module_config(s->module_config);
    struct directory_config *config = ap_get_module_config(s->lookup_defaults, &wsgi_module);
    const char *found = config ? *(const char **)((char *)config + offset) : NULL;
    for (int i = 0; i < core->sec_dir->nelts; i++) {
        ap_conf_vector_t *section = APR_ARRAY_IDX(core->sec_dir, i, ap_conf_vector_t *);
        core_dir_config *directory = ap_get_core_module_config(section);
        size_t length = directory->d ? strlen(directory->d) : 0;
        if (!length || directory->d_is_fnmatch || directory->r || strncmp(path, directory->d, length)) continue;
        if (directory->d[length - 1] != '/' && path[length] && path[length] != '/') continue;
        config = ap_get_module_config(section, &wsgi_module);
        if (config && *(const char **)((char *)config + offset)) found = *(const char **)((char *)config + offset);
    }
    return found;
}

static void find_preloads(apr_pool_t *p, server_rec *main_server) {
    for (server_rec *s = main_server; s; s = s->next) {
        struct server_config *config = ap_get_module_config(s->module_config, &wsgi_module);
        for (int i = 0; i < config->aliases->nelts; i++) {
            const swsgi_alias *alias = &APR_ARRAY_IDX(config->aliases, i, swsgi_alias);
            if (!is_fixed(alias)) continue;
            const char *group = alias->process_group, *application = alias->application_group;
            if (!group) group = setting_of(s, alias->target, offsetof(struct directory_config, process_group));
            if (!application) application = setting_of(s, alias->target, offsetof(struct directory_config, application_group));
            swsgi_note_alias(alias, group, application, denier_of(p, s, alias), s);
            if (!group || !strcmp(group, "%{GLOBAL}")) swsgi_embeds(alias, group ? application : NULL);
            if (!group || !application || strstr(group, "%{")) continue;
            if (!strcmp(application, "%{GLOBAL}")) application = "";
            if (!strstr(application, "%{")) swsgi_preload(alias, group, application, s);
        }
    }
}

/* ---- Hooks of the parent ---- */

static int pre_config(apr_pool_t *p, apr_pool_t *plog, apr_pool_t *ptemp) {
    (void)p, (void)plog, (void)ptemp;
    swsgi_configuration_begin();
    return OK;
}

static int check_config(apr_pool_t *p, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s) {
    (void)p, (void)plog;
    swsgi_configuration_read();
    find_preloads(ptemp, s);
    /* At a real start the same lines go to the error log, from post_config: here it is not open yet. */
    if (ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST) swsgi_configuration_remark(s, 1);
    return swsgi_configuration_check(s) ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

static apr_status_t leave_generation(void *unused) {
    (void)unused;
    swsgi_generation_left(ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_EXITING);
    return APR_SUCCESS;
}

static int post_config(apr_pool_t *p, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s) {
    (void)plog, (void)ptemp;
    ap_add_version_component(p, "mod_swsgi/0.1.0");
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) return OK;
    swsgi_configuration_remark(s, 0);
    /* Before there is anything to leave: a generation that can't begin has made a directory. Not in children: they only lose their copies. */
    apr_pool_cleanup_register(p, NULL, leave_generation, apr_pool_cleanup_null);
    return swsgi_generation_begin(s) ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

static int monitor(apr_pool_t *p, server_rec *s) {
    (void)p;
    swsgi_parent_turn(s);
    return OK;
}

struct watch {
    apr_pool_t *pool;
    apr_proc_t process;
};

/* Called by httpd's main loop for a child that is not one of its own. */
static void on_supervisor_event(int reason, void *data, apr_wait_t status) {
    struct watch *watch = data;
    int pid = watch->process.pid;
    if (reason != APR_OC_REASON_DEATH && reason != APR_OC_REASON_LOST) return;
    apr_proc_other_child_unregister(data);
    apr_pool_destroy(watch->pool);
    swsgi_supervisor_ended(pid, reason == APR_OC_REASON_DEATH ? (int)status : -1);
    swsgi_parent_turn(ap_server_conf);
}

void swsgi_watch(int pid) {
    apr_pool_t *pool;
    /* Of the process, not of the configuration: a supervisor outlives its generation's configuration. */
    if (apr_pool_create(&pool, ap_server_conf->process->pool) != APR_SUCCESS) return;
    struct watch *watch = apr_pcalloc(pool, sizeof *watch);
    watch->pool = pool;
    watch->process.pid = pid;
    apr_proc_other_child_register(&watch->process, on_supervisor_event, watch, NULL, pool);
}

const char *swsgi_module_path(void) {
    Dl_info info;
    return dladdr(&wsgi_module, &info) ? info.dli_fname : NULL;
}

/* ---- Hooks of the children ---- */

static void child_init(apr_pool_t *p, server_rec *s) {
    walk_child_init(p, s);
    apr_snprintf(server_pid, sizeof server_pid, "%d", (int)getpid());
    embedded_child_init(p);
}

static int handler(request_rec *r) {
    if (!r->handler) return DECLINED;
    if (strcmp(r->handler, handler_name) && strcmp(r->handler, media_type) && !find_handler_script(r)) return DECLINED;
    /* What an HTTP/1.0 proxy in between makes of chunks nobody knows: no other request comes after them. */
    if (r->proto_num < HTTP_VERSION(1, 1) && apr_table_get(r->headers_in, "Transfer-Encoding"))
        r->connection->keepalive = AP_CONN_CLOSE;
    return swsgi_handle(r);
}

static void register_hooks(apr_pool_t *p) {
    static const char *const before[] = {"mod_alias.c", NULL}, *const after[] = {"mod_userdir.c", "mod_vhost_alias.c", NULL};
    restore_environment();
    register_scripts(p);
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_test_config(dump_configuration, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_LAST);
    ap_hook_monitor(monitor, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_translate_name(translate_name, before, after, APR_HOOK_MIDDLE);
    ap_hook_map_to_storage(walk_map_to_storage, NULL, NULL, APR_HOOK_LAST);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(wsgi) = {
    STANDARD20_MODULE_STUFF, create_directory_config, merge_directory_config, create_server_config, merge_server_config,
    commands, register_hooks, 0};
