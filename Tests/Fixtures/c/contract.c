/* Breaks the contract of swsgi.h in every way that the SDK prevents, and answers with what the host's functions returned. */
#include "plain_text.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define TEXT(literal) ((swsgi_text){(literal), sizeof(literal) - 1})

static const swsgi_host *table;
static swsgi_exchange *kept;
static atomic_int going;
static atomic_long refused, wrong;

static int is(swsgi_exchange *exchange, const char *wanted) {
    swsgi_text value;
    return table->environ_get(exchange, "PATH_INFO", 9, &value) && value.length == strlen(wanted)
        && memcmp(value.bytes, wanted, value.length) == 0;
}

struct answer {
    char text[8192];
    size_t length;
};

static void add(struct answer *answer, const char *format, ...) {
    va_list list;
    va_start(list, format);
    answer->length += (size_t)vsnprintf(answer->text + answer->length, sizeof answer->text - answer->length, format, list);
    va_end(list);
}

static int one(swsgi_exchange *exchange, swsgi_text name, swsgi_text value) {
    swsgi_header header = {name, value};
    return table->start_response(exchange, 200, TEXT("OK"), &header, 1);
}

static int two(swsgi_exchange *exchange, const char *first, const char *second) {
    swsgi_header headers[] = {{TEXT("Content-Length"), {first, strlen(first)}}, {TEXT("content-length"), {second, strlen(second)}}};
    return table->start_response(exchange, 200, TEXT("OK"), headers, 2);
}

/* All that start_response has to refuse: each refusal leaves the response as it was. */
static void heads(swsgi_exchange *exchange, struct answer *answer) {
    static const uint32_t statuses[] = {0, 99, 100, 101, 103, 199, 600, 999, 1000, 0xffffffff};
    static char long_reason[257];
    static const swsgi_text names[] = {{"", 0}, {"A B", 3}, {"A:", 2}, {"A(", 2}, {"A\r", 2}, {"A\n", 2}, {"A\0", 2}, {"A\x7f", 2},
                                       {"\xc3\x84", 2}};
    static const swsgi_text values[] = {{"a\rb", 3}, {"a\nb", 3}, {"a\0b", 3}, {"a\x1b", 2}, {"a\x7f", 2}};
    static const char *const lengths[] = {"-1", "abc", "4,4", "+5", " 5", "", "18446744073709551616", "0x10"};
    static const swsgi_text reasons[] = {{"a\rb", 3}, {"a\nb", 3}, {"a\0b", 3}, {"a\tb", 3}, {"\x7f", 1}, {"\xe4", 1}, {long_reason, 257}};
    size_t i;

    memset(long_reason, 'r', sizeof long_reason);
    for (i = 0; i < sizeof statuses / sizeof *statuses; i++)
        add(answer, "status %u: %d\n", statuses[i], table->start_response(exchange, statuses[i], TEXT("OK"), 0, 0));
    for (i = 0; i < sizeof reasons / sizeof *reasons; i++)
        add(answer, "reason %zu: %d\n", i, table->start_response(exchange, 200, reasons[i], 0, 0));
    for (i = 0; i < sizeof names / sizeof *names; i++) add(answer, "name %zu: %d\n", i, one(exchange, names[i], TEXT("x")));
    for (i = 0; i < sizeof values / sizeof *values; i++) add(answer, "value %zu: %d\n", i, one(exchange, TEXT("X"), values[i]));
    for (i = 0; i < sizeof lengths / sizeof *lengths; i++)
        add(answer, "length '%s': %d\n", lengths[i],
            one(exchange, TEXT("Content-Length"), (swsgi_text){lengths[i], strlen(lengths[i])}));
    add(answer, "lengths 4 and 4: %d\nlengths 4 and 5: %d\n", two(exchange, "4", "4"), two(exchange, "4", "5"));
}

/* Lengths and numbers that no memory has. */
static void lies(swsgi_exchange *exchange, struct answer *answer) {
    swsgi_header header = {TEXT("X"), TEXT("x")};
    swsgi_text value;
    char byte;
    add(answer, "headers 1000000: %d\n", table->start_response(exchange, 200, TEXT("OK"), &header, 1000000));
    add(answer, "headers -1: %d\n", table->start_response(exchange, 200, TEXT("OK"), &header, (size_t)-1));
    add(answer, "name -1: %d\n", one(exchange, (swsgi_text){"X", (size_t)-1}, TEXT("x")));
    add(answer, "value max: %d\n", one(exchange, TEXT("X"), (swsgi_text){"x", SIZE_MAX / 2}));
    add(answer, "environ -1: %d\n", table->environ_get(exchange, "X", (size_t)-1, &value));
    add(answer, "read -1: %lld\n", (long long)table->read(exchange, &byte, (size_t)-1));
    add(answer, "write before start: %d\n", table->write(exchange, "x", 1));
    table->log(table, exchange, SWSGI_LOG_INFO, "x", (size_t)-1);
}

/* Everything with an exchange that is over, or never was. */
static void stale(swsgi_exchange *old, struct answer *answer) {
    swsgi_text name, value;
    char byte;
    add(answer, "environ: %d %zu %d\n", table->environ_get(old, "PATH_INFO", 9, &value), table->environ_count(old),
        table->environ_at(old, 0, &name, &value));
    add(answer, "read: %lld\n", (long long)table->read(old, &byte, 1));
    add(answer, "start: %d\n", table->start_response(old, 200, TEXT("Stolen"), 0, 0));
    add(answer, "write: %d\n", table->write(old, "stolen", 6));
    add(answer, "flush: %d\n", table->flush(old));
    add(answer, "cancelled: %d\n", table->cancelled(old));
    table->log(table, old, SWSGI_LOG_INFO, "a line of an exchange that is over", 34);
}

/* Uses the kept exchange until it is told to stop, whoever it belongs to. */
static void *intruder(void *context) {
    char buffer[1024];
    (void)context;
    while (atomic_load(&going)) {
        int64_t results[] = {table->write(kept, "intruder", 8), table->flush(kept), table->read(kept, buffer, sizeof buffer)};
        table->log(table, kept, SWSGI_LOG_DEBUG, "from the other thread", 21);
        for (int i = 0; i < 3; i++) {
            if (results[i] == SWSGI_ERROR_IN_USE || results[i] == SWSGI_ERROR_ENDED) atomic_fetch_add(&refused, 1);
            else if (results[i] < 0) atomic_fetch_add(&wrong, 1);
        }
    }
    return 0;
}

/* Writes while another thread does, which goes on when the exchange is over, until the next /stop. */
static int shared(swsgi_exchange *exchange) {
    pthread_t thread;
    kept = exchange;
    atomic_store(&going, 1);
    if (pthread_create(&thread, 0, intruder, 0)) return 1;
    pthread_detach(thread);
    for (int i = 0; i < 20000; i++) {
        int result = table->write(exchange, "owner...", 8);
        if (result < 0 && result != SWSGI_ERROR_IN_USE) return 1;
    }
    return 0;
}

static int respond(void *context, const swsgi_host *host, swsgi_exchange *exchange) {
    struct answer answer = {.length = 0};
    (void)context;
    table = host;

    if (is(exchange, "/heads")) heads(exchange, &answer);
    else if (is(exchange, "/lies")) lies(exchange, &answer);
    else if (is(exchange, "/keep")) kept = exchange;
    else if (is(exchange, "/stale")) stale(kept, &answer);
    else if (is(exchange, "/forged")) stale((swsgi_exchange *)(uintptr_t)0x7fffffffffffffffu, &answer);
    else if (is(exchange, "/stop")) {
        atomic_store(&going, 0);
        add(&answer, "refused: %s, wrong: %ld\n", atomic_load(&refused) ? "some" : "none", atomic_load(&wrong));
    }
    if (host->start_response(exchange, 200, TEXT("OK"), &plain_text, 1) < 0) return 1;
    if (is(exchange, "/shared")) return shared(exchange);
    add(&answer, "again: %d\n", host->start_response(exchange, 200, TEXT("OK"), 0, 0));
    return host->write(exchange, answer.text, answer.length) < 0;
}

const swsgi_application *application(const swsgi_host *host) {
    static const swsgi_application application = {
        .abi_version = SWSGI_ABI_VERSION, .size = sizeof(swsgi_application), .respond = respond};
    (void)host;
    return &application;
}
