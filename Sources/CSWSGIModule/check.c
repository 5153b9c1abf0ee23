/* What concerns other modules' directives and httpd's command line; its own structures and hooks. */
#include "module_private.h"

const char *other_module(cmd_parms *cmd, void *unused, const char *name, const char *path) {
    const char *own = swsgi_module_path(), *file = ap_server_root_relative(cmd->pool, path);
    char error[1024];
    (void)unused;
    /* The same file twice is harmless: httpd says that it skips the second. */
    if (strcmp(name, "wsgi_module") || !own || !file || !strcmp(own, file)) return NULL;
    swsgi_second_module(own, file, error, sizeof error);
    return apr_pstrdup(cmd->pool, error);
}

void dump_configuration(apr_pool_t *p, server_rec *s) {
    (void)p;
    if (ap_exists_config_define("DUMP_WSGI")) swsgi_dump(s);
}
