/*
 * detect_ehlo - the reply to EHLO, as the upstream gave it.
 *
 * SV-02 keywords of X, SV-03 keywords that cannot be, SV-05 a reply that is one of NOOP, SV-06
 * a first line that is a template, SV-12 a line that names a product.
 */
#include "analysis/detect_private.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- the first line -----------------------------------------------------------------------
 */

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

static void look_at_single(const struct look *k, const struct reply_line *line)
{
    struct span text = detect_plain_text(line->text);
    struct hint h = detect_hint(SV_05);

    if (text.len == 0 || names_host(k->d, text))
        return;
    h.confidence = CONFIDENCE_LOW;
    h.place = PLACE_EHLO;
    h.line = line->text;
    hint_show(&h, "reply", k->e->reply, line->text);
    detect_tell(k, &h,
                "EHLO was answered by one line, \"%s\", without a name and without keywords: a "
                "reply to NOOP looks like that, and some boxes send NOOP in place of EHLO.",
                detect_show(h.bytes).text);
}

static void look_at_first(const struct look *k, const struct reply_line *line)
{
    const struct catalogue_entry *e;
    struct hint h = detect_hint(SV_06);

    if (!is_template(line->text))
        return;
    e = detect_match(k, PLACE_EHLO, line->text, SV_06);
    if (k->d->is_product || (e != NULL && e->severity == SEVERITY_INFO))
        h.severity = SEVERITY_INFO; /* the mail server itself is like that */
    h.place = PLACE_EHLO;
    h.line = line->text;
    hint_show(&h, "reply", k->e->reply, line->text);
    detect_tell(
        k, &h,
        "The reply to EHLO begins with \"%s\" where the name of the server should stand: "
        "something answers from a template.",
        detect_show(h.bytes).text);
}

/* ---- keywords ------------------------------------------------------------------------------
 */

/* XXXXXXXA: X and nothing else, but for a last letter. */
static bool is_crossed_out(struct span word)
{
    struct span run = detect_find_x(word, 2);

    if (word.len < 3 || run.ptr != word.ptr || run.len + 1 < word.len)
        return false;
    unsigned char last = word.ptr[word.len - 1];
    return last >= 'A' && last <= 'Z';
}

static void append(char *out, size_t size, const char *text, const char *between)
{
    size_t len = strlen(out);

    snprintf(out + len, size - len, "%s%s", len > 0 ? between : "", text);
}

/* The keywords of this length: one of them is hidden, which one nobody can say. */
static void list_candidates(char *out, size_t size, size_t len)
{
    static const char *const words[] = {
#define X(id, text, treatment, mail, rcpt) text,
        EHLO_KEYWORDS(X)
#undef X
    };

    out[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strlen(words[i]) == len && words[i][0] != 'X')
            append(out, size, words[i], ", ");
    if (out[0] == '\0')
        append(out, size, "no keyword we know", "");
}

static void tell_crossed_out(const struct look *k, struct span word, unsigned count)
{
    struct hint h = detect_hint(SV_02);
    char candidates[160];

    h.confidence = count > 1 ? CONFIDENCE_CERTAIN : CONFIDENCE_HIGH;
    h.place = PLACE_EHLO;
    h.line = word;
    hint_show(&h, "reply", k->e->reply, word);
    list_candidates(candidates, sizeof candidates, word.len);
    detect_tell(
        k, &h,
        "%u of the keywords in the reply to EHLO %s written over with X; the first has %zu "
        "letters, as %s.",
        count, count == 1 ? "is" : "are", word.len, candidates);
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

/* "AUTH=LOGIN" is an old way to write it. */
static struct span keyword_of(struct span text)
{
    struct span word = detect_first_word(text);

    return span_first(word, span_find(word, '='));
}

static void tell_illegal(const struct look *k, struct span text, struct span word, size_t at)
{
    struct hint h = detect_hint(SV_03);
    bool star = word.ptr[at] == '*';

    h.confidence = star ? CONFIDENCE_HIGH : CONFIDENCE_LOW;
    h.place = PLACE_EHLO;
    h.line = text;
    hint_show(&h, "reply", k->e->reply, word);
    detect_tell(k, &h,
                "The keyword \"%s\" in the reply to EHLO holds an octet no keyword has: %s.",
                detect_show(h.bytes).text,
                star ? "a box hides it so that clients do not use it"
                     : "it was changed, or the server is at fault");
}

/* ---- the whole reply
 * ------------------------------------------------------------------------- */

static void look_for_product(const struct look *k, struct span text)
{
    const struct catalogue_entry *e = detect_match(k, PLACE_EHLO, text, SV_12);
    struct hint h = detect_hint(SV_12);

    if (e == NULL)
        return;
    h.confidence = e->confidence;
    h.place = PLACE_EHLO;
    h.line = text;
    hint_show(&h, "reply", k->e->reply, text);
    detect_tell(k, &h,
                "\"%s\" in the reply to EHLO is what %s says; that is no damage when it is the "
                "mail server itself.",
                detect_show(h.bytes).text, e->product);
}

static bool is_known(struct span word)
{
    static const char *const common[] = { "PIPELINING", "SIZE",     "8BITMIME",
                                          "STARTTLS",   "DSN",      "ENHANCEDSTATUSCODES",
                                          "CHUNKING",   "SMTPUTF8", "HELP",
                                          "AUTH",       "VRFY",     "ETRN" };

    for (size_t i = 0; i < ARRAY_LEN(common); i++)
        if (span_equal_nocase(word, span_str(common[i])))
            return true;
    return false;
}

static void look_at_keywords(const struct look *k, struct span rest)
{
    struct reply_line line;
    struct span crossed = { NULL, 0 };
    unsigned count = 0;

    while (detect_next_line(&rest, &line)) {
        struct span word = keyword_of(line.text);
        size_t illegal;
        if (is_known(word)) {
            if (span_equal_nocase(word, SPAN_LIT("SIZE")))
                k->d->size_offered = detect_number(span_drop(line.text, word.len + 1));
            continue;
        }
        if (is_crossed_out(word)) {
            crossed = count++ == 0 ? word : crossed;
            continue;
        }
        illegal = find_illegal(word);
        if (illegal < word.len)
            tell_illegal(k, line.text, word, illegal);
        look_for_product(k, line.text);
    }
    if (count > 0)
        tell_crossed_out(k, crossed, count);
}

void ehlo_look(const struct look *k)
{
    struct detect *d = k->d;
    struct span rest = k->e->reply;
    struct reply_line line;

    if (k->e->verb == VERB_HELO && k->e->code / 100 == 2)
        d->offered = 0;
    if (k->e->verb != VERB_EHLO || detect_code(k->e->reply) != 250 ||
        !detect_next_line(&rest, &line))
        return;
    d->size_offered = 0;
    d->offered = ehlo_parse(k->e->reply);
    if (rest.len == 0) {
        look_at_single(k, &line);
    } else {
        look_at_first(k, &line);
        look_at_keywords(k, rest);
    }
    greeting_settle(k);
    memory_look_ehlo(k, d->offered);
}
