#include "swsgi.h"
