/* A bundle whose table ends where the first table of version 1 did: without `event`, and with something else behind it. */
#include "plain_text.h"

#include <stdlib.h>

static int respond(void *context, const swsgi_host *host, swsgi_exchange *exchange) {
    swsgi_text reason = {"OK", 2};
    (void)context;
    return host->start_response(exchange, 200, reason, &plain_text, 1) < 0;
}

static void never(void *context, const swsgi_host *host, int number, swsgi_text detail) {
    (void)context, (void)host, (void)number, (void)detail;
    abort();
}

const swsgi_application *application(const swsgi_host *host) {
    static const swsgi_application table = {
        .abi_version = SWSGI_ABI_VERSION,
        .size = offsetof(swsgi_application, event),
        .respond = respond,
        .event = never,
    };
    return host->abi_version == SWSGI_ABI_VERSION ? &table : 0;
}
