/*
 * The least that any module can do for a request: a constant behind an alias, flushed in the handler.
 * What httpd does between the two, the walk over the directories of a real file above all, is httpd's own.
 * Compiled by scripts/bench with apxs.
 */
#include "httpd.h"
#include "http_config.h"
#include "http_core.h"
#include "http_protocol.h"
#include "http_request.h"
#include "util_filter.h"

#include "apr_strings.h"

static const char body[] = "Hello, world!\n";
static const char *target;

static const char *set_target(cmd_parms *cmd, void *config, const char *path)
{
    (void)config;
    target = ap_server_root_relative(cmd->pool, path);
    return target ? NULL : "ConstantAlias: no such path";
}

static const command_rec commands[] = {
    AP_INIT_TAKE1("ConstantAlias", set_target, NULL, RSRC_CONF, "the file that every URL is mapped to"),
    {NULL}
};

static int translate(request_rec *r)
{
    if (!target) {
        return DECLINED;
    }
    r->filename = apr_pstrdup(r->pool, target);
    r->handler = "constant";
    return OK;
}

static int handle(request_rec *r)
{
    apr_bucket_brigade *brigade;

    if (!r->handler || strcmp(r->handler, "constant")) {
        return DECLINED;
    }
    if (r->finfo.filetype != APR_REG) {
        return HTTP_NOT_FOUND;
    }
    ap_set_content_type(r, "text/plain");
    ap_set_content_length(r, sizeof body - 1);
    brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_immortal_create(body, sizeof body - 1, brigade->bucket_alloc));
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_flush_create(brigade->bucket_alloc));
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(brigade->bucket_alloc));
    return ap_pass_brigade(r->output_filters, brigade) == APR_SUCCESS ? OK : AP_FILTER_ERROR;
}

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_translate_name(translate, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(constant) = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, commands, register_hooks};
