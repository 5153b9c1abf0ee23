/* A bundle that needs a function which nobody has: it can't be loaded when symbols are resolved at once. */
#include "swsgi.h"

const swsgi_application *swsgi_fixture_missing(const swsgi_host *host);

const swsgi_application *application(const swsgi_host *host) { return swsgi_fixture_missing(host); }
