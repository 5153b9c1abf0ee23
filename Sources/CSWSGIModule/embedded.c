/* What embedded mode needs of httpd besides what daemon mode needs. */
#include "module_private.h"

static apr_status_t end_child(void *unused) {
    (void)unused;
    swsgi_child_end();
    return APR_SUCCESS;
}

void embedded_child_init(apr_pool_t *p) {
    swsgi_child_begin();
    apr_pool_cleanup_register(p, NULL, end_child, apr_pool_cleanup_null);
}

const char *swsgi_request_text(request_rec *r, const char *text) { return apr_pstrdup(r->pool, text); }

swsgi_child_facts swsgi_child_facts_get(void) {
    int threads = 0, children = 0, is_threaded = 0;
    ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    ap_mpm_query(AP_MPMQ_MAX_DAEMONS, &children);
    ap_mpm_query(AP_MPMQ_IS_THREADED, &is_threaded);
    return (swsgi_child_facts){.threads = threads > 1 ? threads : 1, .children = children > 1 ? children : 1,
                               .is_threaded = is_threaded, .graceful_timeout = ap_graceful_shutdown_timeout};
}
