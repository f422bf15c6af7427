#include "smtp/ehlo.h"

#include "smtp/line.h"
#include "smtp/number.h"
#include "smtp/reply.h"
#include "smtp/sasl.h"

enum treatment {
    KEEP,
    DROP,
    BY_STARTTLS,
    BY_AUTH,
    BY_ETRN,
    BY_VRFY,
    BY_EXPN,
    BY_TLS,
    BY_TRUST
};

enum { WORD_MAX = 24, CODE_OCTETS = 4 };

static const struct {
    const char *name;
    unsigned char len, treatment;
    uint16_t mail_octets, rcpt_octets;
} keywords[] = {
#define X(id, text, treatment, mail, rcpt) { text, sizeof(text) - 1, treatment, mail, rcpt },
    EHLO_KEYWORDS(X)
#undef X
};

_Static_assert(ARRAY_LEN(keywords) == EHLO_KEYWORD_COUNT, "a keyword has no entry");
_Static_assert(EHLO_KEYWORD_COUNT <= 64, "ehlo_set is 64 bits");

/* A word as the client will see it: upper case here, without NUL, ended by SP, TAB or CR. */
struct word {
    unsigned char text[WORD_MAX];
    unsigned len;       /* WORD_MAX: longer than any word we know */
    struct span origin; /* as received */
    bool assigned;      /* "=" ended it */
};

static bool is_separator(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Takes blanks and the word behind them. */
static struct word take_word(struct span *in, bool ends_at_equals)
{
    struct word w = { .len = 0 };
    size_t i = 0;

    while (in->len > 0 && (is_separator(in->ptr[0]) || in->ptr[0] == '\0'))
        *in = span_drop(*in, 1);
    for (; i < in->len && !is_separator(in->ptr[i]); i++) {
        unsigned char c = in->ptr[i];

        w.assigned = ends_at_equals && c == '=';
        if (w.assigned)
            break;
        if (c >= 'a' && c <= 'z')
            c = (unsigned char)(c - 32);
        if (c != '\0' && w.len < WORD_MAX)
            w.text[w.len++] = c;
    }
    w.origin = span_first(*in, i);
    *in = span_drop(*in, i);
    return w;
}

static bool word_is(const struct word *w, const char *text, size_t len)
{
    return w->len == len && memcmp(w->text, text, len) == 0;
}

static unsigned keyword_lookup(const struct word *w)
{
    unsigned k = 0;

    while (k < EHLO_KEYWORD_COUNT && !word_is(w, keywords[k].name, keywords[k].len))
        k++;
    return k;
}

/* A mechanism that may end in a security layer: what follows 235 would be opaque. */
static bool has_layer(const struct word *mechanism)
{
    return sasl_has_layer(span_of(mechanism->text, mechanism->len));
}

/* How many mechanisms the rest of an AUTH line names. */
static void count_mechanisms(struct span rest, unsigned *plain, unsigned *layered)
{
    *plain = *layered = 0;
    for (;;) {
        struct word w = take_word(&rest, false);

        if (w.origin.len == 0)
            return;
        if (has_layer(&w))
            (*layered)++;
        else
            (*plain)++;
    }
}

enum verdict { LINE_STAYS, LINE_GOES, LINE_LOSES_MECHANISMS };

static enum verdict judge_auth(struct span rest, const struct policy *policy)
{
    unsigned plain, layered;

    if (policy_get(policy, RULE_AUTH_LAYERS) == WORD_PASS)
        return LINE_STAYS;
    count_mechanisms(rest, &plain, &layered);
    if (layered == 0)
        return LINE_STAYS;
    return plain > 0 ? LINE_LOSES_MECHANISMS : LINE_GOES;
}

static bool treatment_keeps(enum treatment t, const struct ehlo_terms *terms)
{
    const struct policy *p = terms->policy;

    switch (t) {
    case KEEP:
    case BY_AUTH:
        return true;
    case DROP:
        return false;
    case BY_STARTTLS:
        /* Not again inside TLS: RFC 3207 4.2. */
        return !terms->client_secure &&
               (terms->terminate || policy_get(p, RULE_STARTTLS) != WORD_REFUSE);
    case BY_ETRN:
        return policy_get(p, RULE_ETRN) != WORD_REJECT;
    case BY_VRFY:
        return policy_get(p, RULE_VRFY) == WORD_PASS;
    case BY_EXPN:
        return policy_get(p, RULE_EXPN) == WORD_PASS;
    case BY_TLS: /* RFC 8689 2: on the whole way */
        return terms->client_secure && terms->upstream_secure;
    case BY_TRUST:
        return terms->trusted;
    }
    return false;
}

static enum verdict judge_keyword(unsigned k, const struct word *w, struct span rest,
                                  const struct ehlo_terms *terms)
{
    if (k == EHLO_KEYWORD_COUNT)
        return policy_get(terms->policy, RULE_EHLO_UNKNOWN) == WORD_PASS ? LINE_STAYS
                                                                         : LINE_GOES;
    if (!treatment_keeps((enum treatment)keywords[k].treatment, terms))
        return LINE_GOES;
    if (k != EHLO_AUTH)
        return LINE_STAYS;
    return w->assigned ? LINE_GOES : judge_auth(rest, terms->policy); /* before RFC 2554 */
}

/* A number that receivers may read differently is a size, too; 0: there is none, or no limit. */
static uint64_t read_size(struct span rest)
{
    struct word w = take_word(&rest, false);
    uint64_t size = 0;

    return number_parse(span_of(w.text, w.len), &size) || size > 0 ? size : 0;
}

/* text: a line after its code, not the first. */
static enum verdict judge_line(struct span text, const struct ehlo_terms *terms,
                               struct ehlo_offer *offer)
{
    struct span rest = text;
    struct word w = take_word(&rest, true);
    unsigned k = keyword_lookup(&w);
    enum verdict v = judge_keyword(k, &w, rest, terms);

    if (v == LINE_GOES)
        offer->removed |= UINT64_C(1) << k;
    else if (k < EHLO_KEYWORD_COUNT)
        offer->offered |= UINT64_C(1) << k;
    if (k == EHLO_SIZE && offer->size == 0)
        offer->size = read_size(rest);
    return v;
}

static bool append_auth(struct span text, struct buf *out)
{
    struct span rest = text;
    struct word w = take_word(&rest, false);
    bool ok = reply_canonical_text(w.origin, out);

    for (w = take_word(&rest, false); ok && w.origin.len > 0; w = take_word(&rest, false))
        if (!has_layer(&w))
            ok = buf_append(out, SPAN_LIT(" ")) && reply_canonical_text(w.origin, out);
    return ok;
}

/* A line that stays; it is written when it is known whether another one follows. */
struct kept {
    struct span text;
    enum verdict verdict;
};

static bool append_line(const struct kept *line, bool last, struct buf *out)
{
    return buf_append(out, last ? SPAN_LIT("250 ") : SPAN_LIT("250-")) &&
           (line->verdict == LINE_LOSES_MECHANISMS ? append_auth(line->text, out)
                                                   : reply_canonical_text(line->text, out)) &&
           buf_append(out, SPAN_LIT("\r\n"));
}

/* Takes a line; returns its text behind code and separator. */
static struct span take_text(struct span *reply)
{
    struct line l = line_next(*reply);
    struct span text = l.end == LINE_MORE ? *reply : l.text;

    *reply = span_drop(*reply, l.end == LINE_MORE ? reply->len : l.used);
    return span_drop(text, CODE_OCTETS);
}

static bool append_filtered(struct span reply, const struct ehlo_terms *terms, bool add,
                            struct buf *out)
{
    const struct kept starttls = { SPAN_LIT("STARTTLS"), LINE_STAYS };
    struct kept held = { .text = take_text(&reply), .verdict = LINE_STAYS };
    struct ehlo_offer ignored = { 0 };

    while (reply.len > 0) {
        struct kept line = { .text = take_text(&reply) };

        line.verdict = judge_line(line.text, terms, &ignored);
        if (line.verdict == LINE_GOES)
            continue;
        if (!append_line(&held, false, out))
            return false;
        held = line;
    }
    return append_line(&held, !add, out) && (!add || append_line(&starttls, true, out));
}

static bool loses_mechanism(struct span text)
{
    unsigned plain, layered;
    struct word w = take_word(&text, true);

    if (!word_is(&w, "AUTH", 4) || w.assigned)
        return false;
    count_mechanisms(text, &plain, &layered);
    return layered > 0;
}

bool ehlo_filter(struct span reply, const struct ehlo_terms *terms, struct ehlo_offer *offer,
                 struct buf *out)
{
    struct span rest = reply;
    uint32_t len = out->len;
    bool changed = false, add;

    *offer = (struct ehlo_offer){ 0 };
    take_text(&rest);
    while (rest.len > 0) {
        struct span text = take_text(&rest);

        if (judge_line(text, terms, offer) != LINE_STAYS) {
            changed = true;
            offer->sasl_layer = offer->sasl_layer || loses_mechanism(text);
        }
    }
    add = terms->terminate && !terms->client_secure &&
          !ehlo_offers(offer->offered, EHLO_STARTTLS);
    if (add)
        offer->offered |= UINT64_C(1) << EHLO_STARTTLS;
    offer->removed &= ~offer->offered; /* "AUTH=" beside AUTH */
    if ((!changed && !add) || append_filtered(reply, terms, add, out))
        return true;
    out->len = len;
    return false;
}

ehlo_set ehlo_parse(struct span reply)
{
    ehlo_set offered = 0;

    take_text(&reply);
    while (reply.len > 0) {
        struct span text = take_text(&reply);
        struct word w = take_word(&text, true);
        unsigned k = keyword_lookup(&w);

        if (k < EHLO_KEYWORD_COUNT)
            offered |= UINT64_C(1) << k;
    }
    return offered;
}

bool ehlo_names(struct span reply, enum ehlo_keyword k, struct span word)
{
    take_text(&reply);
    while (reply.len > 0) {
        struct span text = take_text(&reply);
        struct word w = take_word(&text, false);

        if (!word_is(&w, keywords[k].name, keywords[k].len))
            continue;
        for (w = take_word(&text, false); w.origin.len > 0; w = take_word(&text, false))
            if (span_equal_nocase(word, span_of(w.text, w.len)))
                return true;
    }
    return false;
}

static size_t extended_limit(enum verb verb, ehlo_set offered)
{
    size_t n = COMMAND_LINE_OCTETS;

    if (verb != VERB_MAIL && verb != VERB_RCPT)
        return n;
    if (ehlo_offers(offered, EHLO_8BITMIME)) /* both allow the one parameter BODY */
        offered &= ~(UINT64_C(1) << EHLO_BINARYMIME);
    for (unsigned k = 0; k < EHLO_KEYWORD_COUNT; k++)
        if (ehlo_offers(offered, (enum ehlo_keyword)k))
            n += verb == VERB_MAIL ? keywords[k].mail_octets : keywords[k].rcpt_octets;
    return n;
}

size_t ehlo_command_limit(enum verb verb, ehlo_set offered, const struct policy *policy)
{
    enum policy_word mode = policy_get(policy, RULE_LIMIT_MODE);
    size_t n = COMMAND_LINE_OCTETS;

    if (mode == WORD_STRICT512)
        return n;
    n = mode == WORD_FIXED ? policy->limit_fixed : extended_limit(verb, offered);
    size_t auth = (size_t)policy->limit_auth_line + 2;
    return verb == VERB_AUTH && auth > n ? auth : n;
}
