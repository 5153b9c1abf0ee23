/* A bundle whose constructor ends the process with success while it is being loaded. */
#include "swsgi.h"

#include <stdlib.h>

__attribute__((constructor)) static void begin(void) { exit(0); }

const swsgi_application *application(const swsgi_host *host) {
    (void)host;
    return 0;
}
