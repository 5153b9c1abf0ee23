/* A bundle whose constructor crashes while it is being loaded. */
#include "swsgi.h"

#include <stdlib.h>

__attribute__((constructor)) static void begin(void) { abort(); }

const swsgi_application *application(const swsgi_host *host) {
    (void)host;
    return 0;
}
