/* A bundle whose constructor never returns while it is being loaded. */
#include "swsgi.h"

#include <unistd.h>

__attribute__((constructor)) static void begin(void) { for (;;) pause(); }

const swsgi_application *application(const swsgi_host *host) {
    (void)host;
    return 0;
}
