#include "dkim/private.h"

#include <stdio.h>
#include <stdlib.h>

enum { AFTER_CR = 1, AFTER_CRLF, HEADER_PIECE = 512 };

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

/* The body. */

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
