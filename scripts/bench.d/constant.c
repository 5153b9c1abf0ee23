/*
 * The least that any module can do for a request: a constant behind an alias, flushed in the handler.
 * What httpd does between the two, the walk over the directories of a real file above all, is httpd's own; with "ConstantWalk Off"
 * each child walks once and remembers the merged sections, and one stat is left. Unchecked: made to be measured.
 * Compiled by scripts/bench with apxs.
 */
#include "httpd.h"
#include "http_config.h"
#include "http_core.h"
#include "http_protocol.h"
#include "http_request.h"
#include "util_filter.h"

#include "apr_strings.h"
#include "apr_thread_mutex.h"

static const char body[] = "Hello, world!\n";
static const char *target;
static int walks = 1;

/* In a child that does not walk. */
static apr_pool_t *pool;
static apr_thread_mutex_t *lock;
static ap_conf_vector_t *remembered;

static const char *set_target(cmd_parms *cmd, void *config, const char *path)
{
    (void)config;
    target = ap_server_root_relative(cmd->pool, path);
    return target ? NULL : "ConstantAlias: no such path";
}

static const char *set_walk(cmd_parms *cmd, void *config, int on)
{
    (void)cmd;
    (void)config;
    walks = on;
    return NULL;
}

static const command_rec commands[] = {
    AP_INIT_FLAG("ConstantWalk", set_walk, NULL, RSRC_CONF, "Off: the walk to the file is done once and remembered"),
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

static void begin_child(apr_pool_t *p, server_rec *s)
{
    (void)s;
    apr_pool_create(&pool, p);
    apr_thread_mutex_create(&lock, APR_THREAD_MUTEX_DEFAULT, p);
}

/* Walks for this request; what is merged lasts as long as the child. */
static int walk(request_rec *r)
{
    apr_pool_t *own = r->pool;
    int status;

    r->pool = pool;
    status = ap_directory_walk(r);
    if (status == OK) {
        status = ap_file_walk(r);
    }
    r->pool = own;
    if (status == OK) {
        __atomic_store_n(&remembered, r->per_dir_config, __ATOMIC_RELEASE);
    }
    return status;
}

static int map_to_storage(request_rec *r)
{
    ap_conf_vector_t *known;
    int status = OK;

    if (walks || !r->handler || strcmp(r->handler, "constant")) {
        return DECLINED;
    }
    known = __atomic_load_n(&remembered, __ATOMIC_ACQUIRE);
    if (!known) {
        apr_thread_mutex_lock(lock);
        status = walk(r);
        apr_thread_mutex_unlock(lock);
        return status;
    }
    if (apr_stat(&r->finfo, r->filename, APR_FINFO_MIN, r->pool) != APR_SUCCESS) {
        return DECLINED;
    }
    r->per_dir_config = known;
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

static void register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_child_init(begin_child, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_translate_name(translate, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_map_to_storage(map_to_storage, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(constant) = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, commands, register_hooks};
