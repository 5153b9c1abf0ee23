/* A service and an application in one bundle, without the SDK: the service ends when it is told to, after saying so. */
#include "swsgi.h"

#include <string.h>
#include <unistd.h>

static void say(const swsgi_host *host, const char *text) { host->log(host, 0, SWSGI_LOG_INFO, text, strlen(text)); }

static int run(void *context, const swsgi_host *host, const swsgi_control *control) {
    if (control->abi_version != SWSGI_ABI_VERSION || !SWSGI_HAS(control, wait)) return 2;
    say(host, control->stopping(control) ? "told too early" : "a service in C");
    if (control->wait(control, 0) != 0 || control->wait(control, 20) != 0) return 3;
    int stopped = control->wait(control, -1);
    say(host, stopped && control->stopping(control) && control->wait(control, 1000) ? context : "not told");
    return 0;
}

const swsgi_service *service(const swsgi_host *host) {
    static const swsgi_service table = {
        .abi_version = SWSGI_ABI_VERSION, .size = sizeof(swsgi_service), .context = "told to end", .run = run};
    return host->threads == 0 ? &table : 0;
}

const swsgi_service *refused(const swsgi_host *host) {
    say(host, "no service today");
    return 0;
}
