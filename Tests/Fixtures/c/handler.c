/* Installs a handler for SIGSEGV when it is loaded, as other languages' runtimes do, and says whose handler stands there. */
#include "plain_text.h"

#include <signal.h>
#include <string.h>

static void mine(int number) { (void)number; }

__attribute__((constructor)) static void install(void) { signal(SIGSEGV, mine); }

static int respond(void *context, const swsgi_host *host, swsgi_exchange *exchange) {
    struct sigaction action;
    sigaction(SIGSEGV, NULL, &action);
    const char *text = action.sa_handler == mine ? "SIGSEGV is the application's\n" : "SIGSEGV is the host's\n";
    (void)context;
    if (host->start_response(exchange, 200, (swsgi_text){"OK", 2}, &plain_text, 1) < 0) return 1;
    return host->write(exchange, text, strlen(text)) < 0;
}

const swsgi_application *application(const swsgi_host *host) {
    static const swsgi_application table = {
        .abi_version = SWSGI_ABI_VERSION, .size = sizeof(swsgi_application), .respond = respond};
    (void)host;
    return &table;
}
