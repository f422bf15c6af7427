#include "smtp/close_reason.h"

#include "base/attributes.h"

static const struct {
    const char *name, *text;
    bool is_error;
} closes[] = {
#define CLOSE(id, name, is_error, text) { name, text, is_error },
#include "smtp/closes.def"
#undef CLOSE
};

_Static_assert(ARRAY_LEN(closes) == CLOSE_COUNT, "a close reason has no entry");

const char *close_name(enum close_reason r)
{
    return closes[r].name;
}

const char *close_text(enum close_reason r)
{
    return closes[r].text;
}

bool close_is_error(enum close_reason r)
{
    return closes[r].is_error;
}
