#include "transport/addr.h"
