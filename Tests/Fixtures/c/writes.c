/* Writes in ways that the SDK does not: the path says how. */
#include "swsgi.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT(literal) ((swsgi_text){(literal), sizeof(literal) - 1})

static int is(const swsgi_host *host, swsgi_exchange *exchange, const char *wanted) {
    swsgi_text value;
    return host->environ_get(exchange, "PATH_INFO", 9, &value) && value.length == strlen(wanted)
        && memcmp(value.bytes, wanted, value.length) == 0;
}

/* 100,000 bytes without a flush, then nothing until the file of the query is there. */
static int pause_for_file(const swsgi_host *host, swsgi_exchange *exchange) {
    static char bytes[100000];
    swsgi_text path;
    memset(bytes, 'a', sizeof bytes);
    host->write(exchange, bytes, sizeof bytes);
    host->environ_get(exchange, "QUERY_STRING", 12, &path);
    for (int i = 0; i < 2000 && access(path.bytes, F_OK); i++) usleep(10000);
    return host->write(exchange, "the end", 7);
}

static int many(const swsgi_host *host, swsgi_exchange *exchange, int count, size_t length, int flushes) {
    int result = 0;
    for (int i = 0; i < count && result >= 0; i++) {
        result = host->write(exchange, "x", length);
        if (flushes) host->flush(exchange), host->flush(exchange);
    }
    return result;
}

/* Pieces that are sent at once, with pauses between them and no flush. */
static int in_steps(const swsgi_host *host, swsgi_exchange *exchange) {
    static char bytes[40000];
    int result = 0;
    for (int i = 0; i < 8 && result >= 0; i++) {
        result = host->write(exchange, bytes, sizeof bytes);
        usleep(20000);
    }
    return result;
}

static int huge(const swsgi_host *host, swsgi_exchange *exchange) {
    size_t length = (size_t)256 << 20;
    void *bytes = calloc(1, length);
    int result = host->write(exchange, bytes, length);
    free(bytes);
    return result;
}

static int respond(void *context, const swsgi_host *host, swsgi_exchange *exchange) {
    const swsgi_header headers[] = {{TEXT("Content-Type"), TEXT("text/plain")}, {TEXT("X-Latin"), TEXT("gr\xfcn")}};
    int result = host->start_response(exchange, 200, TEXT("OK"), headers, 2);
    (void)context;
    if (result < 0) return result;
    if (is(host, exchange, "/pause")) result = pause_for_file(host, exchange);
    else if (is(host, exchange, "/empty")) result = many(host, exchange, 1000000, 0, 0);
    else if (is(host, exchange, "/tiny")) result = many(host, exchange, 1000000, 1, 0);
    else if (is(host, exchange, "/storm")) result = many(host, exchange, 100000, 1, 1);
    else if (is(host, exchange, "/steps")) result = in_steps(host, exchange);
    else if (is(host, exchange, "/huge")) result = huge(host, exchange);
    return result < 0 ? result : 0;
}

const swsgi_application *application(const swsgi_host *host) {
    static const swsgi_application table = {
        .abi_version = SWSGI_ABI_VERSION, .size = sizeof(swsgi_application), .respond = respond};
    (void)host;
    return &table;
}
