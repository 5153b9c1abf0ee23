/* Answers with the status that the query string names, with the headers that a path asks for, and says the request's method. */
#include "plain_text.h"

#include <stdlib.h>
#include <string.h>

#define TEXT(literal) ((swsgi_text){(literal), sizeof(literal) - 1})

static swsgi_text value(const swsgi_host *host, swsgi_exchange *exchange, const char *name) {
    swsgi_text found = {"", 0};
    host->environ_get(exchange, name, strlen(name), &found);
    return found;
}

static int ends(swsgi_text text, const char *end) {
    size_t length = strlen(end);
    return text.length >= length && !memcmp(text.bytes + text.length - length, end, length);
}

static int respond(void *context, const swsgi_host *host, swsgi_exchange *exchange) {
    static const char body[] = "the application", block[65536];
    swsgi_text path = value(host, exchange, "PATH_INFO");
    swsgi_header headers[4] = {
        {TEXT("X-Method"), value(host, exchange, "REQUEST_METHOD")}, {TEXT("X-Other"), TEXT("other")},
        {TEXT("WWW-Authenticate"), TEXT("Basic realm=\"test\"")}, plain_text};
    int status = atoi(value(host, exchange, "QUERY_STRING").bytes);
    (void)context;
    if (!status) status = 200;
    if (ends(path, "/location")) headers[2] = (swsgi_header){TEXT("Location"), TEXT("/static")};
    if (ends(path, "/loop")) headers[2] = (swsgi_header){TEXT("Location"), TEXT("/on/loop?200")};
    if (host->start_response(exchange, (uint32_t)status, TEXT(""), headers, status == 204 || status == 205 || status == 304 ? 3 : 4) < 0) return 1;
    while (ends(path, "/endless")) {
        int result = host->write(exchange, block, sizeof block);
        if (result < 0) return result;
    }
    return host->write(exchange, body, sizeof body - 1) < 0;
}

const swsgi_application *application(const swsgi_host *host) {
    static const swsgi_application table = {
        .abi_version = SWSGI_ABI_VERSION, .size = sizeof(swsgi_application), .respond = respond};
    (void)host;
    return &table;
}
