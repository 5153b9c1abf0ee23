/* Logs what happens to its process. With EVENTS=deaf in its environment it also ignores and blocks every signal it can;
   with EVENTS=slow it takes a minute over each event. */
#include "plain_text.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *mode(void) {
    const char *value = getenv("EVENTS");
    return value ? value : "";
}

static int respond(void *context, const swsgi_host *host, swsgi_exchange *exchange) {
    swsgi_text reason = {"OK", 2};
    char text[32];
    int length = snprintf(text, sizeof text, "%d", (int)getpid());
    (void)context;
    if (strcmp(mode(), "deaf") == 0) {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, 0);
        for (int number = 1; number < 32; number++) signal(number, SIG_IGN);
    }
    if (host->start_response(exchange, 200, reason, &plain_text, 1) < 0) return 1;
    return host->write(exchange, text, (size_t)length) < 0;
}

static void say(const swsgi_host *host, const char *what, swsgi_text detail) {
    char line[128];
    int length = snprintf(line, sizeof line, "C event %s %.*s", what, (int)detail.length, detail.bytes);
    host->log(host, 0, SWSGI_LOG_INFO, line, (size_t)length);
}

static void event(void *context, const swsgi_host *host, int number, swsgi_text detail) {
    (void)context;
    say(host, number == SWSGI_EVENT_DRAINING ? "draining" : number == SWSGI_EVENT_SIGNAL ? "signal" : "stopping", detail);
    if (strcmp(mode(), "slow") == 0) sleep(60);
}

static void stopping(void *context, const swsgi_host *host) {
    (void)context;
    say(host, "end", (swsgi_text){"", 0});
}

const swsgi_application *application(const swsgi_host *host) {
    static const swsgi_application table = {
        .abi_version = SWSGI_ABI_VERSION,
        .size = sizeof(swsgi_application),
        .sdk = {"C with events", 13},
        .respond = respond,
        .stopping = stopping,
        .event = event,
    };
    return host->abi_version == SWSGI_ABI_VERSION ? &table : 0;
}
