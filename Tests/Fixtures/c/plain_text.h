/* The Content-Type of fixtures that answer with text: content without one is warned of. */
#pragma once
#include "swsgi.h"

static const swsgi_header plain_text = {{"Content-Type", 12}, {"text/plain", 10}};
