/*
 * detect_ehlo - the reply to EHLO, as the upstream gave it.
 *
 * SV-02 keywords of X, SV-03 keywords that cannot be, SV-05 a reply that is one of NOOP, SV-06
 * a first line that is a template, SV-12 a line that names a product; beside what it was before
 * SV-08 STARTTLS is gone, SV-19 other keywords came or went.
 */
#include "analysis/detect_private.h"

#include <stdio.h>

/* ---- the first line ---- */

static bool is_ok(struct span word)
{
    return span_equal_nocase(word, SPAN_LIT("ok")) || span_equal_nocase(word, SPAN_LIT("okay"));
}

/* mx.example.com, [192.0.2.1], localhost */
static bool is_host(struct span word)
{
    for (size_t i = 0; i < word.len; i++) {
        unsigned char c = word.ptr[i] | 0x20;
        bool good = (c >= 'a' && c <= 'z') || (word.ptr[i] >= '0' && word.ptr[i] <= '9') ||
                    memchr("-._[]:", word.ptr[i], 6) != NULL;
        if (!good)
            return false;
    }
    return word.len > 0;
}

/* A host's name; a single word is one where it stands alone or in the greeting. */
static bool names_host(const struct detect *d, struct span text)
{
    struct span word = detect_first_word(text);

    if (!is_host(word) || is_ok(word))
        return false;
    if (span_find(word, '.') < word.len || word.ptr[0] == '[' || word.len == text.len)
        return true;
    return (uint32_t)detect_hash(word.ptr, word.len) == d->banner_hash;
}

static bool is_template(struct span text)
{
    static const char *const texts[] = { "Requested mail action okay, completed",
                                         "Requested mail action ok, completed",
                                         "Requested action okay, completed", "OK", "Okay" };

    text = span_trim_right(detect_plain_text(text));
    if (text.len > 0 && text.ptr[text.len - 1] == '.')
        text.len--;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (span_equal_nocase(text, span_str(texts[i])))
            return true;
    return text.len == 0;
}

void noop_reply(const struct detect_ctx *k)
{
    struct span rest = k->e->reply;
    struct reply_line line;

    if (!detect_next_line(&rest, &line) || rest.len > 0)
        return;
    struct span text = detect_plain_text(line.text);
    if (text.len == 0 || names_host(k->d, text))
        return;
    struct finding_draft h = draft_of_reply(k, SV_05, PLACE_EHLO, line.text, line.text);
    h.confidence = CONFIDENCE_LOW;
    detect_report(
        k, &h,
        "EHLO was answered by one line, \"%s\", without a name and without keywords: a "
        "reply to NOOP looks like that, and some boxes send NOOP in place of EHLO.",
        detect_show(h.bytes).text);
}

void ehlo_template(const struct detect_ctx *k)
{
    struct span rest = k->e->reply;
    struct reply_line line;

    if (!detect_next_line(&rest, &line) || rest.len == 0 || !is_template(line.text))
        return;
    const struct catalogue_entry *e = detect_match(k, PLACE_EHLO, line.text, SV_06);
    struct finding_draft h = draft_of_reply(k, SV_06, PLACE_EHLO, line.text, line.text);
    if (k->d->is_product || (e != NULL && e->severity == SEVERITY_INFO))
        h.severity = SEVERITY_INFO; /* the mail server itself is like that */
    detect_report(
        k, &h,
        "The reply to EHLO begins with \"%s\" where the name of the server should stand: "
        "something answers from a template.",
        detect_show(h.bytes).text);
}

/* ---- keywords ---- */

/* The next line whose keyword is none of those that any server offers; false: no more. */
static bool next_uncommon(struct span *rest, struct span *text, struct span *word)
{
    struct reply_line line;

    while (detect_next_line(rest, &line)) {
        *text = line.text;
        *word = detect_keyword(line.text);
        if (!detect_is_common_keyword(*word))
            return true;
    }
    return false;
}

/* XXXXXXXA: X and nothing else, but for a last letter. */
static bool is_crossed_out(struct span word)
{
    struct span run = detect_find_x(word, 2);

    if (word.len < 3 || run.ptr != word.ptr || run.len + 1 < word.len)
        return false;
    unsigned char last = word.ptr[word.len - 1];
    return last >= 'A' && last <= 'Z';
}

static const char *const keywords[] = {
#define X(id, text, treatment, mail, rcpt) text,
    EHLO_KEYWORDS(X)
#undef X
};

/* Those of `set`; len > 0: those that are not private and have so many letters. */
static void list_keywords(char *out, size_t size, ehlo_set set, size_t len, const char *between,
                          const char *none)
{
    size_t used = 0;

    for (unsigned i = 0; i < EHLO_KEYWORD_COUNT; i++)
        if ((set >> i & 1) != 0 && used < size &&
            (len == 0 || (strlen(keywords[i]) == len && keywords[i][0] != 'X')))
            used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? between : "",
                                     keywords[i]);
    if (used == 0)
        snprintf(out, size, "%s", none);
}

void ehlo_x_mask(const struct detect_ctx *k)
{
    struct span rest = k->keywords, word, first = { NULL, 0 };
    char candidates[160];
    struct span text;
    unsigned count = 0;

    while (next_uncommon(&rest, &text, &word))
        if (is_crossed_out(word))
            first = count++ == 0 ? word : first;
    if (count == 0)
        return;
    struct finding_draft h = draft_of_reply(k, SV_02, PLACE_EHLO, first, first);
    h.confidence = count > 1 ? CONFIDENCE_CERTAIN : CONFIDENCE_HIGH;
    /* One of the keywords of this length is hidden, which one nobody can say. */
    list_keywords(candidates, sizeof candidates, ~UINT64_C(0), first.len, ", ",
                  "no keyword we know");
    detect_report(
        k, &h,
        "%u of the keywords in the reply to EHLO %s written over with X; the first has %zu "
        "letters, as %s.",
        count, count == 1 ? "is" : "are", first.len, candidates);
}

/* The octet that no keyword has (RFC 5321 4.1.1.1); word.len: there is none. */
static size_t find_illegal(struct span word)
{
    if (word.len > 0 && word.ptr[0] == '-')
        return 0;
    for (size_t i = 0; i < word.len; i++) {
        unsigned char c = word.ptr[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        /* "_" is wrong, too, but servers that are well known use it. */
        if (!letter && (c < '0' || c > '9') && c != '-' && c != '_')
            return i;
    }
    return word.len;
}

static void report_illegal(const struct detect_ctx *k, struct span text, struct span word,
                           bool star)
{
    struct finding_draft h = draft_of_reply(k, SV_03, PLACE_EHLO, text, word);

    h.confidence = star ? CONFIDENCE_HIGH : CONFIDENCE_LOW;
    detect_report(k, &h,
                  "The keyword \"%s\" in the reply to EHLO holds a byte no keyword has: %s.",
                  detect_show(h.bytes).text,
                  star ? "a box hides it so that clients do not use it"
                       : "it was changed, or the server is at fault");
}

void ehlo_illegal_keyword(const struct detect_ctx *k)
{
    struct span rest = k->keywords, text, word;

    while (next_uncommon(&rest, &text, &word)) {
        size_t at = is_crossed_out(word) ? word.len : find_illegal(word);
        if (at < word.len)
            report_illegal(k, text, word, word.ptr[at] == '*');
    }
}

/* ---- products ---- */

void ehlo_product(const struct detect_ctx *k)
{
    struct span rest = k->keywords, text, word;

    while (next_uncommon(&rest, &text, &word)) {
        const struct catalogue_entry *e = NULL;
        if (!is_crossed_out(word))
            e = detect_match(k, PLACE_EHLO, text, SV_12);
        if (e == NULL)
            continue;
        struct finding_draft h = draft_of_reply(k, SV_12, PLACE_EHLO, text, text);
        h.confidence = e->confidence;
        detect_report(k, &h,
                      "\"%s\" in the reply to EHLO is what %s says; that is no damage when it "
                      "is the mail server itself.",
                      detect_show(h.bytes).text, e->product);
    }
}

/* ---- what it offered before ---- */

enum {
    SAMPLES_MIN = 3,
    DRIFTS_MAX = 3, /* an upstream that changes more often than that is a pool */
    COUNT_MAX = 255,
};

/* What depends on who asks, or is reported by another detector. */
static const ehlo_set personal = 1ull << EHLO_STARTTLS | 1ull << EHLO_AUTH |
                                 1ull << EHLO_XCLIENT | 1ull << EHLO_XFORWARD |
                                 1ull << EHLO_REQUIRETLS;

static uint8_t count_up(uint8_t n)
{
    return (uint8_t)(n < COUNT_MAX ? n + 1 : COUNT_MAX);
}

void tls_missing(const struct detect_ctx *k)
{
    struct peer_history *u = history_get(k->env->memory, k->d->upstream);
    struct finding_draft h = detect_draft(SV_08);

    if (u == NULL || k->d->secure)
        return;
    if (ehlo_offers(k->d->offered, EHLO_STARTTLS)) {
        u->tls_seen = count_up(u->tls_seen);
        return;
    }
    if (u->tls_seen == 0)
        return;
    /* A server may stop to offer TLS to a client that failed with it. */
    bool sure = u->tls_seen >= SAMPLES_MIN && u->tls_failed == 0;
    h.severity = sure ? SEVERITY_CRITICAL : SEVERITY_MEDIUM;
    h.confidence = sure ? CONFIDENCE_MEDIUM : CONFIDENCE_LOW;
    h.field = "reply";
    detect_report(
        k, &h, "The server does not offer STARTTLS, and offered it in %u session%s before%s.",
        (unsigned)u->tls_seen, u->tls_seen == 1 ? "" : "s",
        u->tls_failed > 0 ? "; TLS with it has failed since" : "");
}

static void report_drift(const struct detect_ctx *k, ehlo_set before, ehlo_set now)
{
    struct finding_draft h = detect_draft(SV_19);
    char gone[120], came[120];

    list_keywords(gone, sizeof gone, before & ~now, 0, " ", "nothing");
    list_keywords(came, sizeof came, now & ~before, 0, " ", "nothing");
    h.confidence = CONFIDENCE_LOW;
    h.field = "reply";
    detect_report(k, &h,
                  "The reply to EHLO is not what this server said before: %s went, %s came.",
                  gone, came);
}

void capability_drift(const struct detect_ctx *k)
{
    struct peer_history *u = history_get(k->env->memory, k->d->upstream);
    ehlo_set now = k->d->offered & ~personal;
    unsigned leg = k->d->secure;

    if (u == NULL)
        return;
    if (u->samples[leg] > 0 && u->offered[leg] == now) {
        u->samples[leg] = count_up(u->samples[leg]);
        return;
    }
    if (u->samples[leg] >= SAMPLES_MIN && u->drifts < DRIFTS_MAX &&
        !detect_is_reported(k->d, SV_02)) {
        u->drifts++;
        report_drift(k, u->offered[leg], now);
    }
    u->offered[leg] = now;
    u->samples[leg] = 1;
}
