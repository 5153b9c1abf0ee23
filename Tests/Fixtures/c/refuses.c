/* A bundle that refuses to serve, and says why. */
#include "swsgi.h"

const swsgi_application *application(const swsgi_host *host) {
    static const char reason[] = "the fixture refuses to serve";
    host->log(host, 0, SWSGI_LOG_ERROR, reason, sizeof(reason) - 1);
    return 0;
}
