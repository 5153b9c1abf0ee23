/* A bundle of a later ABI: the host must use nothing of its table but the version. */
#include "swsgi.h"

#include <stdlib.h>

static int respond(void *context, const swsgi_host *host, swsgi_exchange *exchange) {
    (void)context, (void)host, (void)exchange;
    abort();
}

const swsgi_application *application(const swsgi_host *host) {
    static const swsgi_application table = {.abi_version = 99, .size = sizeof(swsgi_application), .respond = respond};
    (void)host;
    return &table;
}
