/* A bundle whose `application` crashes. */
#include "swsgi.h"

#include <stdlib.h>

const swsgi_application *application(const swsgi_host *host) {
    (void)host;
    abort();
}
