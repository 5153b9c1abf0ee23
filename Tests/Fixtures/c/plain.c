/* A whole bundle in C, written against swsgi.h alone: a greeting, and at /echo the request's body. */
#include "swsgi.h"

#include <string.h>

#define TEXT(literal) ((swsgi_text){(literal), sizeof(literal) - 1})

static int is(const swsgi_host *host, swsgi_exchange *exchange, const char *name, const char *wanted) {
    swsgi_text value;
    return host->environ_get(exchange, name, strlen(name), &value) && value.length == strlen(wanted)
        && memcmp(value.bytes, wanted, value.length) == 0;
}

static int echo(const swsgi_host *host, swsgi_exchange *exchange) {
    char buffer[16384];
    for (;;) {
        int64_t count = host->read(exchange, buffer, sizeof(buffer));
        if (count == 0) return 0;
        if (count < 0 || host->write(exchange, buffer, (size_t)count) < 0) return 1;
    }
}

static int respond(void *context, const swsgi_host *host, swsgi_exchange *exchange) {
    static const char greeting[] = "Hello from C!\n";
    const swsgi_header headers[] = {{TEXT("Content-Type"), TEXT("text/plain")}};
    (void)context;

    if (host->start_response(exchange, 200, TEXT("OK"), headers, 1) < 0) return 1;
    if (is(host, exchange, "PATH_INFO", "/echo")) return echo(host, exchange);
    return host->write(exchange, greeting, sizeof(greeting) - 1) < 0;
}

const swsgi_application *application(const swsgi_host *host) {
    static const swsgi_application table = {
        .abi_version = SWSGI_ABI_VERSION,
        .size = sizeof(swsgi_application),
        .sdk = {"plain C", 7},
        .respond = respond,
    };
    return host->abi_version == SWSGI_ABI_VERSION ? &table : 0;
}
