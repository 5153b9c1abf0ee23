/* Hands files over in ways that the SDK does not: the path says how, the query is the file. */
#include "plain_text.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT(literal) ((swsgi_text){(literal), sizeof(literal) - 1})

static int is(const swsgi_host *host, swsgi_exchange *exchange, const char *wanted) {
    swsgi_text value;
    return host->environ_get(exchange, "PATH_INFO", 9, &value) && value.length == strlen(wanted)
        && memcmp(value.bytes, wanted, value.length) == 0;
}

/* Parts of the file among bytes; its position is moved in between. */
static int mixed(const swsgi_host *host, swsgi_exchange *exchange, int file) {
    host->write(exchange, "<", 1);
    host->send_file(exchange, file, 0, -1);
    lseek(file, 5, SEEK_SET);
    host->write(exchange, "|", 1);
    host->send_file(exchange, file, 2, 3);
    host->flush(exchange);
    host->send_file(exchange, file, 0, 1);
    host->send_file(exchange, file, 1, 1);
    return host->write(exchange, ">", 1);
}

/* One descriptor for every exchange of the process, all at once. */
static int shared(const swsgi_host *host, swsgi_exchange *exchange, const char *path) {
    static int file = -1;
    if (file < 0) file = open(path, O_RDONLY | O_CLOEXEC);
    return host->send_file(exchange, file, 0, -1);
}

static int respond(void *context, const swsgi_host *host, swsgi_exchange *exchange) {
    swsgi_text path;
    int result = host->start_response(exchange, 200, TEXT("OK"), &plain_text, 1);
    (void)context;
    if (result < 0 || !SWSGI_HAS(host, send_file) || !host->environ_get(exchange, "QUERY_STRING", 12, &path)) return 1;
    if (is(host, exchange, "/shared")) return shared(host, exchange, path.bytes);
    int file = open(path.bytes, O_RDWR | O_CLOEXEC);
    if (file < 0) return 1;
    if (is(host, exchange, "/mixed")) result = mixed(host, exchange, file);
    else if (is(host, exchange, "/closed-mode")) {
        /* Nobody may open it any more: it travels as bytes. */
        fchmod(file, 0);
        result = host->send_file(exchange, file, 0, -1);
        fchmod(file, 0644);
    } else if (is(host, exchange, "/shrinks")) {
        result = host->send_file(exchange, file, 0, -1);
        if (ftruncate(file, 5)) result = -1;
    } else if (is(host, exchange, "/grows")) {
        result = host->send_file(exchange, file, 0, -1);
        if (pwrite(file, "more", 4, lseek(file, 0, SEEK_END)) != 4) result = -1;
    }
    close(file);
    return result < 0 ? result : 0;
}

const swsgi_application *application(const swsgi_host *host) {
    static const swsgi_application table = {
        .abi_version = SWSGI_ABI_VERSION, .size = sizeof(swsgi_application), .respond = respond};
    (void)host;
    return &table;
}
