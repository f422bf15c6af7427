#include "analysis/diff/fingerprint.h"

#include "base/hash64.h"

#include "analysis/diff/raw.h"

enum { FOLDED_MAX = 1024, RCPT_WEIGHT = 1, MAIL_WEIGHT = 3 };

static uint64_t hash_of(struct span s)
{
    return hash64(s) | 1; /* 0 is: none */
}

static uint32_t short_hash(struct span s)
{
    return (uint32_t)(hash_of(s) >> 32) | 1;
}

static uint32_t address_hash(const struct fields *f, enum field_id id)
{
    struct span text = fields_text(f, id);

    return text.len > 0 ? short_hash(text) : 0;
}

/*
 * Of an argument as it is written, without case, blanks, brackets and what follows the path: a
 * box that changes those changes no fingerprint.
 */
static uint32_t folded_hash(struct span written, bool path)
{
    unsigned char text[FOLDED_MAX];
    size_t n = 0;

    for (size_t i = 0; i < written.len && n < sizeof text; i++) {
        unsigned char c = written.ptr[i];
        if (c == '\\' || (path && c == '>'))
            break;
        if (c > ' ' && c != '<')
            text[n++] = (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    return short_hash(span_of(text, n));
}

/* In any order, but for the first ones. */
static void add_path(struct entry *e, struct span argument, uint32_t weight)
{
    size_t at = span_find(argument, '@');
    uint32_t hash = folded_hash(argument, true);

    if (e->first == 0 || (weight == RCPT_WEIGHT && (e->flags & ENTRY_RCPT) == 0))
        e->first += weight * hash;
    if (weight == RCPT_WEIGHT)
        e->flags |= ENTRY_RCPT;
    e->envelope += weight * hash;
    e->domains += weight * folded_hash(span_drop(argument, at), true);
    if (at >= 3 && at < argument.len && memcmp(argument.ptr + at - 3, "***", 3) == 0)
        e->flags |= ENTRY_REDACTED;
}

/* The line that passed between the two, as written; empty: none did. */
static struct span passed(const struct fields *f, enum diff_vantage v)
{
    struct span action = fields_text(f, MEMBER_ACTION);

    if (v == FAR)
        return fields_text(f, MEMBER_RECEIVED);
    if (f->v[MEMBER_FORWARDED].len > 0)
        return fields_text(f, MEMBER_FORWARDED);
    if (span_equal(action, SPAN_LIT("relayed")))
        return fields_text(f, MEMBER_RECEIVED);
    return (struct span){ NULL, 0 };
}

/* Behind the verb. */
static struct span argument(struct span line)
{
    size_t colon = span_find(line, ':'), blank = span_find(line, ' ');

    return span_drop(line, (colon < line.len ? colon : blank) + 1);
}

static void add_command(struct entry *e, enum diff_vantage v, const struct fields *f)
{
    struct span verb = fields_text(f, MEMBER_VERB), line = passed(f, v);

    if (fields_text(f, MEMBER_REPLY).len > 0)
        e->flags |= ENTRY_SPOKE;
    if (line.len == 0)
        return;
    if (e->commands < UINT16_MAX)
        e->commands++;
    if (span_equal(verb, SPAN_LIT("EHLO")) || span_equal(verb, SPAN_LIT("HELO")))
        e->helo = (uint16_t)folded_hash(argument(line), false);
    else if (span_equal(verb, SPAN_LIT("MAIL")))
        add_path(e, argument(line), MAIL_WEIGHT);
    else if (span_equal(verb, SPAN_LIT("RCPT")))
        add_path(e, argument(line), RCPT_WEIGHT);
}

static void add_content(struct entry *e, enum diff_vantage v, const struct fields *f)
{
    struct span hash = { NULL, 0 };
    bool altered = v == NEAR && f->v[MEMBER_OCTETS_SENT].len > 0;

    if (v == NEAR)
        hash = raw_text(raw_find(f->v[MEMBER_DIGEST], "sent"));
    if (hash.len == 0)
        hash = raw_text(raw_find(f->v[MEMBER_DIGEST], "whole"));
    if (e->messages < UINT16_MAX)
        e->messages++;
    uint64_t octets = e->octets + fields_count(f, altered ? MEMBER_OCTETS_SENT : MEMBER_OCTETS);
    e->octets = octets < UINT32_MAX ? (uint32_t)octets : UINT32_MAX;
    if (hash.len > 0)
        e->contents += hash_of(hash);
}

/* What an intercepted connection was going to is what the other side dialled. */
static void add_open(struct entry *e, enum diff_vantage v, const struct fields *f)
{
    bool original = fields_text(f, MEMBER_ORIGINAL).len > 0;

    e->outer = address_hash(f, MEMBER_CLIENT);
    if (v == FAR)
        e->server = (uint16_t)address_hash(f, original ? MEMBER_ORIGINAL : MEMBER_SERVER);
}

static void add_connect(struct entry *e, enum diff_vantage v, const struct fields *f)
{
    if (f->v[MEMBER_ERROR].len > 0) {
        e->flags |= ENTRY_REFUSED;
        return;
    }
    e->flags |= ENTRY_CONNECTED;
    e->inner = address_hash(f, MEMBER_LOCAL);
    if (v == NEAR)
        e->server = (uint16_t)address_hash(f, MEMBER_UPSTREAM);
}

void fingerprint_add(struct entry *e, enum diff_vantage v, enum diff_kind kind,
                     const struct fields *f, uint64_t t)
{
    uint64_t ms;

    if (e->t_us == 0 || t < e->t_us)
        e->t_us = t;
    ms = (t - e->t_us) / 1000;
    if (ms > e->ms)
        e->ms = ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
    switch (kind) {
    case KIND_OPEN:
        add_open(e, v, f);
        break;
    case KIND_CONNECT:
        add_connect(e, v, f);
        break;
    case KIND_GREETING:
        if (fields_text(f, MEMBER_REPLY).len > 0) {
            e->greeting = (uint16_t)short_hash(fields_text(f, MEMBER_REPLY));
            e->flags |= ENTRY_SPOKE;
        }
        break;
    case KIND_COMMAND:
        add_command(e, v, f);
        break;
    case KIND_CONTENT:
        add_content(e, v, f);
        break;
    case KIND_CLOSE:
        e->flags |= ENTRY_CLOSED;
        break;
    default:
        break;
    }
}
