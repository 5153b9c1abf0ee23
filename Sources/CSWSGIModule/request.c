/* What Swift needs of httpd's servers and requests: fields, and functions that are macros or variadic. */
#define _GNU_SOURCE
#include "module_private.h"

#include "apr_portable.h"

APLOG_USE_MODULE(wsgi);

static int log_of(server_rec *server) {
    apr_os_file_t log = -1;
    if (server->error_log) apr_os_file_get(&log, server->error_log);
    return log;
}

int swsgi_request_log(request_rec *request) { return log_of(request->server); }

swsgi_server_facts swsgi_server_facts_get(server_rec *server) {
    return (swsgi_server_facts){
        .host_name = server->server_hostname ? server->server_hostname : "", .is_virtual = server->is_virtual, .log = log_of(server),
        .log_level = ap_get_server_module_loglevel(server, wsgi_module.module_index),
        .file = server->defn_name ? server->defn_name : "", .line = (int)server->defn_line_number,
        .timeout = server->timeout};
}

swsgi_httpd_facts swsgi_httpd_facts_get(void) {
    int children = 0;
    ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &children);
    return (swsgi_httpd_facts){
        .children = children,
        .uid = ap_unixd_config.user_id, .gid = ap_unixd_config.group_id, .is_root = geteuid() == 0,
        .user_name = ap_unixd_config.user_name ? ap_unixd_config.user_name : "",
        .dump_directory = ap_coredumpdir_configured ? ap_coredump_dir : NULL,
        .runtime_directory = ap_runtime_dir_relative(ap_server_conf->process->pconf, "")};
}

server_rec *swsgi_main_server(void) { return ap_server_conf; }

void swsgi_log_server(server_rec *server, int level, const char *text) {
    ap_log_error(APLOG_MARK, level | APLOG_NOERRNO, 0, server, "%s", text);
}

void swsgi_log_request(request_rec *request, int level, const char *text) {
    ap_log_rerror(APLOG_MARK, level | APLOG_NOERRNO, 0, request, "%s", text);
}

int *swsgi_request_thread(void) {
    static __thread int number;
    return &number;
}

/* ---- Group names ---- */

static const char *with_port(request_rec *r, const char *host) {
    apr_port_t port = ap_get_server_port(r);
    return port == DEFAULT_HTTP_PORT || port == DEFAULT_HTTPS_PORT ? host : apr_psprintf(r->pool, "%s:%u", host, port);
}

/* Where path info begins in the URI. httpd cuts path info off a file's name, in which it has merged slashes: those of the URI count. */
static size_t path_info_start(request_rec *r) {
    size_t end = strlen(r->uri), left = r->path_info ? strlen(r->path_info) : 0;
    for (; left && end && r->uri[end - 1] == r->path_info[left - 1]; left--, end--)
        while (r->uri[end - 1] == '/' && end > 1 && r->uri[end - 2] == '/') end--;
    /* After a rewrite to another file the URI may not end in its path info: then httpd's own way must do. */
    return left ? (size_t)ap_find_path_info(r->uri, r->path_info) : end;
}

const char *script_name(request_rec *r) {
    size_t length = path_info_start(r);
    if (length && r->uri[length - 1] == '/') length--;
    return apr_pstrmemdup(r->pool, r->uri, length);
}

static const char *path_info_of(request_rec *r) {
    const char *rest = r->uri + path_info_start(r);
    size_t length = strlen(rest), wanted = r->path_info ? strlen(r->path_info) : 0;
    return wanted && length >= wanted ? rest : r->path_info ? r->path_info : "";
}

/* The value of %{ENV:name}. */
static const char *variable(request_rec *r, const char *expansion, const char **undefined) {
    const char *name = apr_pstrmemdup(r->pool, expansion + 6, strlen(expansion) - 7), *value = apr_table_get(r->notes, name);
    if (!value) value = apr_table_get(r->subprocess_env, name);
    if (!value) value = getenv(name);
    if (!value) *undefined = name;
    return value ? value : "";
}

const char *expand_group(request_rec *r, const char *name, const char **undefined) {
    if (name[0] != '%' || name[1] != '{' || !strcmp(name, "%{GLOBAL}")) return name[0] == '%' && name[1] == '{' ? "" : name;
    if (!strcmp(name, "%{SERVER}")) return with_port(r, r->server->server_hostname);
    if (!strcmp(name, "%{HOST}")) return with_port(r, r->hostname ? r->hostname : r->server->server_hostname);
    if (!strcmp(name, "%{RESOURCE}"))
        return apr_pstrcat(r->pool, with_port(r, r->server->server_hostname), "|", script_name(r), NULL);
    if (strncmp(name, "%{ENV:", 6) || name[strlen(name) - 1] != '}') return name;
    const char *value = variable(r, name, undefined);
    return strncmp(value, "%{ENV:", 6) ? expand_group(r, value, undefined) : value;
}

/* ---- Facts ---- */

/* Whether the body is larger than LimitRequestBody, by its own account. */
static int announces_too_much(request_rec *r) {
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t limit = ap_get_limit_req_body(r), size;
    char *end;
    return length && limit > 0 && apr_strtoff(&size, length, &end, 10) == APR_SUCCESS && !*end && size > limit;
}

int kind_of(const apr_finfo_t *file) {
    switch (file->filetype) {
    case APR_NOFILE: return 0;
    case APR_REG: return 1;
    case APR_DIR: return 2;
    default: return 3;
    }
}

swsgi_request_facts swsgi_request_facts_get(request_rec *r, const swsgi_destination *chosen) {
    struct directory_config *config = directory_config_of(r);
    const swsgi_alias *alias = alias_of(r);
    const char *process_group = alias && alias->process_group ? alias->process_group : config->process_group;
    const char *application_group = alias && alias->application_group ? alias->application_group : config->application_group;
    const char *symbol = alias && alias->symbol ? alias->symbol : config->symbol;
    const char *encoding = apr_table_get(r->headers_in, "Transfer-Encoding"), *undefined = NULL;
    if (chosen && chosen->process_group) process_group = chosen->process_group;
    if (chosen && chosen->application_group) application_group = chosen->application_group;
    if (chosen && chosen->symbol) symbol = chosen->symbol;
    process_group = process_group ? expand_group(r, process_group, &undefined) : "";
    application_group = expand_group(r, application_group ? application_group : "%{RESOURCE}", &undefined);
    if (symbol && !strncmp(symbol, "%{ENV:", 6)) symbol = variable(r, symbol, &undefined);
    const int is_handler = alias && alias->kind == SWSGI_ALIAS_HANDLER;
    const apr_finfo_t *file = &r->finfo;
    apr_finfo_t script = {0};
    if (is_handler) {
        apr_stat(&script, alias->target, APR_FINFO_NORM, r->pool); /* zeros say that nothing is there */
        file = &script;
    }
    return (swsgi_request_facts){
        .dispatch_script = config->scripts[SWSGI_ALIAS_DISPATCH - SWSGI_ALIAS_ACCESS],
        .server = r->server, .file_name = is_handler ? alias->target : r->filename ? r->filename : "", .line = r->the_request ? r->the_request : "",
        .process_group = process_group, .application_group = application_group, .symbol = symbol ? symbol : "",
        .undefined = undefined, .is_alias = alias != NULL, .is_handler = is_handler,
        .allowed_groups = config->allowed_groups ? (const char *const *)config->allowed_groups->elts : NULL,
        .allowed_group_count = config->allowed_groups ? config->allowed_groups->nelts : 0,
        .may_execute = (ap_allow_options(r) & OPT_EXECCGI) != 0, .file_kind = kind_of(file),
        .refuses_path_info = r->used_path_info == AP_REQ_REJECT_PATH_INFO && r->path_info && *r->path_info,
        .refuses_chunks = !config->chunked_request && encoding, .is_encoded = encoding && ap_cstr_casecmp(encoding, "chunked"),
        .is_tunnel = r->method_number == M_CONNECT,
        .is_too_large = announces_too_much(r), .local_redirect = config->local_redirect > 0,
        .ignore_activity = config->ignore_activity > 0,
        .error_override = config->error_override > 0 ? config->error_override : SWSGI_OVERRIDE_NONE,
        .error_statuses = config->error_statuses, .peer = r->useragent_ip ? r->useragent_ip : "",
        .proxy_headers = config->proxy_headers ? (const int32_t *)config->proxy_headers->elts : NULL,
        .proxy_header_count = config->proxy_headers ? config->proxy_headers->nelts : 0,
        .proxies = config->proxies ? (const swsgi_network *)config->proxies->elts : NULL,
        .proxy_count = config->proxies ? config->proxies->nelts : 0,
        .sendfile = config->sendfile > 0,
        .reloading = config->reloading != 0, .has_body = ap_request_has_body(r), .header_only = r->header_only,
        .device = (uint64_t)file->device, .inode = (uint64_t)file->inode, .size = file->size,
        .modified = file->mtime, .changed = file->ctime, .start = r->request_time, .timeout = r->server->timeout};
}

/* ---- Environ ---- */

char server_pid[12];

_Static_assert(sizeof(swsgi_field) == sizeof(apr_table_entry_t) && offsetof(swsgi_field, value) == offsetof(apr_table_entry_t, val),
               "a field is an entry of APR's tables");

/* Set by httpd for CGI programs, and not part of this interface. */
static const char *const unwanted[] = {
    "PATH", "LD_LIBRARY_PATH", "GATEWAY_INTERFACE", "SERVER_SIGNATURE", "REMOTE_HOST", "REMOTE_IDENT", "HTTPS"};

/* Auto: only when an output filter wants to see the whole body, to make the same headers as for GET. */
static int maps_head(request_rec *r, const struct directory_config *config) {
    if (!r->header_only || r->method_number != M_GET || config->map_head == SWSGI_HEAD_OFF) return 0;
    return config->map_head == SWSGI_HEAD_ON || swsgi_response_is_filtered(r);
}

const swsgi_field *swsgi_environ(request_rec *r, int *count) {
    struct directory_config *config = directory_config_of(r);
    const swsgi_alias *alias = alias_of(r);
    apr_table_t *environ = r->subprocess_env;
    char *path_info = r->path_info;
    const char *path = path_info_of(r);
    const char *name = script_name(r), *authorization, *https;
    int passes = alias && alias->pass_authorization >= 0 ? alias->pass_authorization : config->pass_authorization > 0;
    ap_add_common_vars(r);
    r->path_info = NULL; /* else httpd maps PATH_TRANSLATED, by a whole subrequest */
    ap_add_cgi_vars(r);
    r->path_info = path_info;
    /* httpd writes the connection's port also where the address is another. */
    if (r->useragent_addr && r->useragent_addr != r->connection->client_addr)
        apr_table_setn(environ, "REMOTE_PORT", apr_itoa(r->pool, r->useragent_addr->port));
    if (r->useragent_addr && !r->useragent_addr->port) apr_table_unset(environ, "REMOTE_PORT");
    https = apr_table_get(environ, "HTTPS");
    apr_table_setn(environ, "wsgi.url_scheme",
                   https && (!ap_cstr_casecmp(https, "on") || !strcmp(https, "1")) ? "https" : ap_http_scheme(r));
    if (maps_head(r, config)) apr_table_setn(environ, "REQUEST_METHOD", "GET");
    for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; i++) apr_table_unset(environ, unwanted[i]);
    if (passes && (authorization = apr_table_get(r->headers_in, "Authorization")))
        apr_table_setn(environ, "HTTP_AUTHORIZATION", authorization);
    apr_table_setn(environ, "SCRIPT_NAME", name);
    apr_table_setn(environ, "PATH_INFO", path);
    apr_table_setn(environ, "mod_wsgi.script_name", name);
    apr_table_setn(environ, "mod_wsgi.path_info", path);
    apr_table_setn(environ, "mod_wsgi.request_handler", r->handler ? r->handler : "");
    apr_table_setn(environ, "mod_wsgi.handler_script", alias && alias->kind == SWSGI_ALIAS_HANDLER ? alias->target : "");
    apr_table_setn(environ, "mod_wsgi.listener_host", r->connection->local_addr->hostname ? r->connection->local_addr->hostname : "");
    apr_table_setn(environ, "mod_wsgi.listener_port", apr_itoa(r->pool, r->connection->local_addr->port));
    apr_table_setn(environ, "mod_wsgi.server_pid", server_pid);
    apr_table_setn(environ, "apache.version", AP_SERVER_BASEREVISION);
    /* The ids of ErrorLogFormat's %L are made when somebody asks: the application's own logs shall match them. */
    if (!r->connection->log_id) ap_run_generate_log_id(r->connection, NULL, &r->connection->log_id);
    if (!r->log_id) ap_run_generate_log_id(r->connection, r, &r->log_id);
    if (r->log_id) apr_table_setn(environ, "mod_wsgi.request_id", r->log_id);
    if (r->connection->log_id) apr_table_setn(environ, "mod_wsgi.connection_id", r->connection->log_id);
    const apr_array_header_t *entries = apr_table_elts(environ);
    *count = entries->nelts;
    return (const swsgi_field *)entries->elts;
}
