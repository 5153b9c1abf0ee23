/* A bundle whose `application` ends the process with success. */
#include "swsgi.h"

#include <stdlib.h>

const swsgi_application *application(const swsgi_host *host) {
    (void)host;
    exit(0);
}
