#include "dkim/dkim.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "dkim/body.h"
#include "dkim/tags.h"

enum { AFTER_CR = 1, AFTER_CRLF, HEADER_PIECE = 512 };

enum place {
    PLACE_LINE,  /* at the start of a header line */
    PLACE_CR,    /* nothing but CRs in it */
    PLACE_NAME,  /* all of it may be the name of a signature */
    PLACE_COLON, /* it is: blanks may stand before the colon */
    PLACE_VALUE, /* of a signature: kept */
    PLACE_SKIP,  /* the rest of a line of no interest */
    PLACE_BODY,  /* behind the header: signed */
    PLACE_DONE,  /* behind the header: nothing to do */
};

/* What a mail with a signature needs. */
struct oath {
    struct dkim_verdict verdict;
    struct buf value; /* of the signature being read */
    struct dkim_body simple, relaxed;
    int8_t hash[DKIM_SIGNATURES_MAX]; /* of each signature, in simple or relaxed */
    struct buf kept;                  /* the body */
};

struct dkim {
    struct oath *oath; /* NULL: no signature yet */
    uint8_t place;     /* enum place */
    uint8_t field;     /* which of the names */
    uint8_t matched;   /* octets of it */
    uint8_t ending;    /* DATA: what came last, for dots behind CRLF */
    bool open;         /* a signature's value was begun, its end is not known yet */
    bool too_long;     /* that value is */
    bool keep_body, finished;
};

const char *dkim_result_name(enum dkim_result r)
{
    static const char *const result_names[] = {
#define X(id, name) [DKIM_##id] = name,
        DKIM_RESULTS(X)
#undef X
    };

    return result_names[r];
}

struct dkim *dkim_new(bool keep_body)
{
    struct dkim *d = calloc(1, sizeof *d);

    if (d == NULL)
        return NULL;
    d->keep_body = keep_body;
    d->ending = AFTER_CRLF;
    return d;
}

void dkim_free(struct dkim **dp)
{
    struct dkim *d = *dp;

    *dp = NULL;
    if (d != NULL && d->oath != NULL) {
        dkim_body_deinit(&d->oath->simple);
        dkim_body_deinit(&d->oath->relaxed);
        buf_release(&d->oath->value);
        buf_release(&d->oath->kept);
        free(d->oath);
    }
    free(d);
}

/* ---- the header section ---- */

static const char *const field_names[] = { "dkim-signature", "arc-message-signature" };

static bool oath_begin(struct dkim *d)
{
    if (d->oath != NULL)
        return true;
    d->oath = calloc(1, sizeof *d->oath);
    if (d->oath == NULL)
        return false;
    dkim_body_init(&d->oath->simple, false);
    dkim_body_init(&d->oath->relaxed, true);
    buf_init(&d->oath->value, DKIM_HEADER_MAX);
    buf_init(&d->oath->kept, DKIM_BODY_MAX);
    return true;
}

/* The header line that was open is not continued. */
static void close_value(struct dkim *d)
{
    struct oath *o = d->oath;

    if (!d->open)
        return;
    d->open = false;
    if (o->verdict.count == DKIM_SIGNATURES_MAX || d->too_long) {
        o->verdict.more = true;
    } else {
        struct dkim_signature *s = &o->verdict.signatures[o->verdict.count++];
        dkim_tags_read(buf_span(&o->value), d->field == 1, s);
    }
    d->too_long = false;
    o->value.len = 0;
}

static void begin_hashes(struct oath *o)
{
    for (unsigned i = 0; i < o->verdict.count; i++) {
        struct dkim_signature *s = &o->verdict.signatures[i];
        struct dkim_body *b = s->relaxed ? &o->relaxed : &o->simple;
        if (s->result != DKIM_OK)
            continue;
        o->hash[i] = (int8_t)dkim_body_hash(b, s->sha1, s->limited, s->length);
        if (o->hash[i] < 0)
            s->result = DKIM_UNKNOWN;
    }
}

/* The empty line, or the end of a mail that has none. */
static void dkim_header_end(struct dkim *d)
{
    close_value(d);
    if (d->oath == NULL) {
        d->place = PLACE_DONE;
        return;
    }
    begin_hashes(d->oath);
    d->place = d->oath->simple.count + d->oath->relaxed.count > 0 ? PLACE_BODY : PLACE_DONE;
}

/* The mail ends in the header, and that is not its end: of a signature that was open nothing
 * is known, since more of it may have been on its way. */
static void dkim_header_cut(struct dkim *d)
{
    struct dkim_verdict *v = d->oath != NULL ? &d->oath->verdict : NULL;
    unsigned before = v != NULL ? v->count : 0;

    close_value(d);
    if (v != NULL && v->count > before) {
        bool arc = v->signatures[before].arc;
        v->signatures[before] = (struct dkim_signature){ .result = DKIM_CUT, .arc = arc };
    }
    dkim_header_end(d);
}

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

static enum place step_line(struct dkim *d, unsigned char c)
{
    if (span_is_blank_char(c) && d->open) {
        d->too_long |= !buf_append(&d->oath->value, SPAN_LIT(" "));
        return PLACE_VALUE;
    }
    if (span_is_blank_char(c))
        return PLACE_SKIP;
    if (c == '\r')
        return PLACE_CR;
    close_value(d);
    for (unsigned i = 0; i < ARRAY_LEN(field_names); i++) {
        if (lower(c) != field_names[i][0])
            continue;
        d->field = (uint8_t)i;
        d->matched = 1;
        return PLACE_NAME;
    }
    return PLACE_SKIP;
}

static enum place step_name(struct dkim *d, unsigned char c)
{
    if (lower(c) != field_names[d->field][d->matched])
        return PLACE_SKIP;
    return field_names[d->field][++d->matched] == '\0' ? PLACE_COLON : PLACE_NAME;
}

static enum place step_colon(struct dkim *d, unsigned char c)
{
    if (span_is_blank_char(c))
        return PLACE_COLON;
    d->open = c == ':' && oath_begin(d);
    return d->open ? PLACE_VALUE : PLACE_SKIP;
}

static void step(struct dkim *d, unsigned char c)
{
    enum place p = (enum place)d->place;

    if (c == '\n') { /* in a line's middle its end, else the header's */
        if (p == PLACE_LINE || p == PLACE_CR)
            dkim_header_end(d);
        else
            d->place = PLACE_LINE;
        return;
    }
    switch (p) {
    case PLACE_LINE:
        p = step_line(d, c);
        break;
    case PLACE_CR:
        p = c == '\r' ? PLACE_CR : PLACE_SKIP;
        break;
    case PLACE_NAME:
        p = step_name(d, c);
        break;
    case PLACE_COLON:
        p = step_colon(d, c);
        break;
    case PLACE_VALUE:
    case PLACE_SKIP:
    case PLACE_BODY:
    case PLACE_DONE:
        break;
    }
    d->place = (uint8_t)p;
}

/* Octets up to a line's end that need no step each. */
static size_t rest_of_line(struct dkim *d, struct span in)
{
    size_t n = 0;

    if (d->place == PLACE_SKIP || d->place == PLACE_VALUE)
        n = span_find(in, '\n');
    if (d->place == PLACE_VALUE && !d->too_long)
        d->too_long = !buf_append(&d->oath->value, span_first(in, n));
    return n;
}

/* Returns what is behind the header. */
static struct span dkim_header_add(struct dkim *d, struct span in)
{
    while (in.len > 0 && d->place < PLACE_BODY) {
        in = span_drop(in, rest_of_line(d, in));
        if (in.len == 0)
            break;
        step(d, in.ptr[0]);
        in = span_drop(in, 1);
    }
    return in;
}

/* ---- the body ---- */

static void keep(struct oath *o, struct span in)
{
    if (o->verdict.body_too_large || buf_append(&o->kept, in))
        return;
    o->verdict.body_too_large = true;
    buf_release(&o->kept);
}

static void add_content(struct dkim *d, struct span in)
{
    in = dkim_header_add(d, in);
    if (in.len == 0 || d->place != PLACE_BODY)
        return;
    dkim_body_add(&d->oath->simple, in);
    dkim_body_add(&d->oath->relaxed, in);
    if (d->keep_body)
        keep(d->oath, in);
}

/* The dot at `at`, or in.len: the first octet of a line (RFC 5321 4.5.2). */
static size_t find_stuffed(const struct dkim *d, struct span in)
{
    for (size_t at = 0; at < in.len; at++) {
        at += span_find(span_drop(in, at), '.');
        if (at == in.len || (at == 0 && d->ending == AFTER_CRLF))
            return at;
        if (at > 0 && in.ptr[at - 1] == '\n' &&
            (at > 1 ? in.ptr[at - 2] == '\r' : d->ending == AFTER_CR))
            return at;
    }
    return in.len;
}

static void remember_ending(struct dkim *d, struct span in)
{
    unsigned char last = in.ptr[in.len - 1];
    bool cr = in.len > 1 ? in.ptr[in.len - 2] == '\r' : d->ending == AFTER_CR;

    d->ending = last == '\r' ? AFTER_CR : last == '\n' && cr ? AFTER_CRLF : 0;
}

static void add_stuffed(struct dkim *d, struct span in)
{
    while (in.len > 0) {
        size_t dot = find_stuffed(d, in);
        if (dot > 0)
            add_content(d, span_first(in, dot));
        if (dot == in.len) {
            remember_ending(d, in);
            return;
        }
        d->ending = 0;
        in = span_drop(in, dot + 1);
    }
}

void dkim_add(struct dkim *d, struct span bytes, bool stuffed)
{
    if (!stuffed) {
        add_content(d, bytes);
        return;
    }
    /* Little by little: behind the header there may be no reason to look for dots. */
    while (bytes.len > 0 && d->place < PLACE_BODY) {
        add_stuffed(d, span_first(bytes, HEADER_PIECE));
        bytes = span_drop(bytes, HEADER_PIECE);
    }
    if (d->place == PLACE_BODY)
        add_stuffed(d, bytes);
}

/* The end. */

static enum dkim_result judge(struct oath *o, unsigned i, bool complete)
{
    struct dkim_signature *s = &o->verdict.signatures[i];
    struct dkim_body *b = s->relaxed ? &o->relaxed : &o->simple;

    if (s->result != DKIM_OK)
        return s->result;
    if (!complete)
        return DKIM_CUT;
    memcpy(s->computed, dkim_body_digest(b, (unsigned)o->hash[i]), s->hash_len);
    return memcmp(s->computed, s->expected, s->hash_len) == 0 ? DKIM_OK : DKIM_CHANGED;
}

/* True: a body was changed. */
static bool judge_all(struct oath *o, bool complete)
{
    bool changed = false;

    for (unsigned i = 0; i < o->verdict.count; i++) {
        o->verdict.signatures[i].result = judge(o, i, complete);
        if (o->verdict.signatures[i].result != DKIM_CHANGED)
            continue;
        changed = true;
        if (o->verdict.body_too_large)
            snprintf(o->verdict.signatures[i].damage_text, DKIM_DAMAGE_SIZE,
                     "not searched: the body is larger than %d MiB", DKIM_BODY_MAX >> 20);
    }
    return changed;
}

const struct dkim_verdict *dkim_finish(struct dkim *d, bool complete)
{
    struct oath *o = d->oath;

    if (!d->finished && d->place < PLACE_BODY)
        complete ? dkim_header_end(d) : dkim_header_cut(d);
    if (o == NULL)
        return NULL;
    if (!d->finished) {
        dkim_body_finish(&o->simple);
        dkim_body_finish(&o->relaxed);
        d->keep_body &= judge_all(o, complete);
    }
    d->finished = true;
    return &o->verdict;
}

bool dkim_body(const struct dkim *d, struct span *body)
{
    if (d->oath == NULL || !d->keep_body || d->oath->verdict.body_too_large)
        return false;
    *body = buf_span(&d->oath->kept);
    return true;
}

void dkim_set_damage(struct dkim *d, unsigned i, const char *damage, const char *text)
{
    struct dkim_signature *s;

    if (d->oath == NULL || i >= d->oath->verdict.count)
        return;
    s = &d->oath->verdict.signatures[i];
    s->damage = damage;
    snprintf(s->damage_text, sizeof s->damage_text, "%s", text);
}
