#include "smtp/local_reply.h"

#include "base/attributes.h"

static const struct {
    unsigned code;
    const char *enhanced, *text;
    enum close_reason closes;
} replies[] = {
    { 0, "", "", CLOSE_NONE },
#define LOCAL(id, code, enhanced, text, reason) { code, enhanced, text, reason },
#include "smtp/local_replies.def"
#undef LOCAL
};

_Static_assert(ARRAY_LEN(replies) == LOCAL_COUNT, "a local reply has no entry");

unsigned local_reply_code(enum local_reply id)
{
    return replies[id].code;
}

struct span local_reply_enhanced(enum local_reply id)
{
    return span_str(replies[id].enhanced);
}

enum close_reason local_reply_closes(enum local_reply id)
{
    return replies[id].closes;
}

static size_t put(char *out, size_t len, struct span s)
{
    size_t room = LOCAL_REPLY_MAX - 2 - len; /* CRLF always fits */
    size_t n = s.len < room ? s.len : room;

    memcpy(out + len, s.ptr, n);
    return len + n;
}

struct span local_reply_text(enum local_reply id, const char *detail, char out[LOCAL_REPLY_MAX])
{
    unsigned code = replies[id].code;
    unsigned char digits[4] = { (unsigned char)('0' + code / 100),
                                (unsigned char)('0' + code / 10 % 10),
                                (unsigned char)('0' + code % 10), ' ' };
    struct span text = span_str(replies[id].text);
    size_t mark = span_find(text, '%');
    size_t len = put(out, 0, span_of(digits, sizeof digits));

    len = put(out, len, span_str(replies[id].enhanced));
    len = put(out, len, SPAN_LIT(" "));
    len = put(out, len, span_first(text, mark));
    if (mark < text.len) {
        len = put(out, len, span_str(detail != NULL ? detail : "this"));
        len = put(out, len, span_drop(text, mark + 2));
    }
    memcpy(out + len, "\r\n", 2);
    return span_of(out, len + 2);
}
