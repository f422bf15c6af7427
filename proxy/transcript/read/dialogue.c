#include "transcript/read/dialogue.h"

#include "transcript/read/note_words.h"

#include <stdlib.h>

enum { SLOW_US = 100000 }; /* a reply that took longer is worth a look */

struct wire {
    unsigned char *ptr;
    size_t len;
};

static struct wire wire_get(const struct record *r, const char *name)
{
    struct wire w;

    w.ptr = record_wire(r->root, name, &w.len);
    return w;
}

static struct span wire_span(struct wire w)
{
    return (struct span){ w.ptr, w.ptr != NULL ? w.len : 0 };
}

/* CR LF at the end is as it should be and not shown. */
static struct span without_crlf(struct span s)
{
    if (s.len >= 2 && s.ptr[s.len - 2] == '\r' && s.ptr[s.len - 1] == '\n' &&
        (s.len < 3 || s.ptr[s.len - 3] != '\r'))
        s.len -= 2;
    return s;
}

/* What is the same in both, at the beginning and at the end; the rest differs. */
static void difference(struct span a, struct span b, size_t *head, size_t *tail)
{
    size_t least = a.len < b.len ? a.len : b.len;

    *head = *tail = 0;
    while (*head < least && a.ptr[*head] == b.ptr[*head])
        ++*head;
    while (*tail < least - *head && a.ptr[a.len - 1 - *tail] == b.ptr[b.len - 1 - *tail])
        ++*tail;
}

static void put_marked(struct paint *p, struct span s, size_t head, size_t tail,
                       enum paint_color color)
{
    paint_octets(p, PLAIN, span_first(s, head));
    paint_octets(p, color, span_of(s.ptr + head, s.len - head - tail));
    paint_octets(p, PLAIN, span_drop(s, s.len - tail));
    paint_end(p);
}

/* Received and sent on: both with all their octets, so that the repair can be seen. */
static void put_both(struct dialogue *d, struct span received, struct span forwarded)
{
    size_t head, tail;

    difference(received, forwarded, &head, &tail);
    paint_line(&d->paint, CYAN, dialogue_marker(d, FROM_CLIENT));
    put_marked(&d->paint, received, head, tail, RED);
    paint_line(&d->paint, GREEN, dialogue_marker(d, TO_UPSTREAM));
    put_marked(&d->paint, forwarded, head, tail, GREEN);
}

static void put_hex(struct dialogue *d, const char *label, struct span s)
{
    if (d->hex)
        paint_hex(&d->paint, label, s);
}

static struct span next_reply_line(struct span *rest)
{
    size_t n = span_find(*rest, '\n');
    struct span line = span_first(*rest, n + 1);

    *rest = span_drop(*rest, n + 1);
    return line;
}

static void put_reply_text(struct dialogue *d, enum dialogue_marker marker,
                           enum paint_color color, struct span text)
{
    while (text.len > 0) {
        paint_line(&d->paint, color, dialogue_marker(d, marker));
        paint_octets(&d->paint, color, without_crlf(next_reply_line(&text)));
        if (text.len > 0)
            paint_end(&d->paint);
    }
}

static void put_lapse(struct dialogue *d, const struct record *r)
{
    uint64_t us = record_count(r->root, "reply_us");
    char lapse[32];

    if (us >= SLOW_US) {
        paint_time(lapse, us);
        paint_words(&d->paint, YELLOW, "   [after %s]", lapse);
    }
    paint_end(&d->paint);
}

static enum paint_color reply_color(const struct record *r)
{
    uint64_t code = record_count(r->root, "code");

    return code >= 500 ? RED : code >= 400 ? YELLOW : PLAIN;
}

/* What smtpscope says stands out, even when it is no refusal. */
static enum paint_color our_color(const struct record *r)
{
    return record_count(r->root, "code") >= 400 ? RED : YELLOW;
}

/* Sent by smtpscope of its own accord: the client knows nothing of it. */
static bool is_added(const struct record *r)
{
    return strcmp(record_text(r->root, "action"), "added") == 0;
}

static void put_reply(struct dialogue *d, const struct record *r)
{
    struct wire reply = wire_get(r, "reply"), replied = wire_get(r, "replied");
    bool ours = strcmp(record_text(r->root, "origin"), "proxy") == 0;
    bool differs = replied.ptr != NULL;

    if (reply.ptr != NULL) {
        put_reply_text(d, differs || is_added(r) ? FROM_UPSTREAM : TO_CLIENT,
                       differs ? DIM : reply_color(r), wire_span(reply));
        if (differs)
            paint_end(&d->paint);
        else
            put_lapse(d, r);
        put_hex(d, "reply", wire_span(reply));
    }
    if (differs) {
        put_reply_text(d, ours ? MADE_HERE : TO_CLIENT, ours ? our_color(r) : reply_color(r),
                       wire_span(replied));
        put_lapse(d, r);
        put_hex(d, "replied", wire_span(replied));
    }
    free(reply.ptr);
    free(replied.ptr);
}

/* Of another protocol: how each side began. */
static void put_sample(struct dialogue *d, const struct record *r)
{
    static const char *const names[] = { "client", "server" };
    static const enum dialogue_marker markers[] = { FROM_CLIENT, TO_CLIENT };
    const json_t *sample = json_object_get(r->root, "sample");

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct wire w;
        w.ptr = record_wire(sample, names[i], &w.len);
        if (wire_span(w).len > 0) {
            put_reply_text(d, markers[i], PLAIN, wire_span(w));
            paint_end(&d->paint);
            put_hex(d, names[i], wire_span(w));
        }
        free(w.ptr);
    }
}

static void put_action(struct dialogue *d, const struct record *r)
{
    static const struct {
        const char *action, *words;
    } told[] = {
        { "refused", "refused by smtpscope, never sent on" },
        { "stripped", "answered by smtpscope on purpose, never sent on" },
        { "swallowed", "swallowed by smtpscope: not sent on" },
    };
    const char *action = record_text(r->root, "action");

    for (size_t i = 0; i < ARRAY_LEN(told); i++) {
        if (strcmp(told[i].action, action) != 0)
            continue;
        paint_line(&d->paint, YELLOW, "***  ");
        paint_words(&d->paint, YELLOW, "%s", told[i].words);
        paint_end(&d->paint);
    }
}

static void put_note(struct dialogue *d, const json_t *note, uint64_t at, uint64_t len)
{
    const char *id = record_text(note, "id"), *words = note_words(id);
    uint64_t where = record_count(note, "at"), times = record_count(note, "count");

    paint_line(&d->paint, YELLOW, "     ! ");
    if (words != NULL)
        paint_words(&d->paint, YELLOW, "%s", words);
    paint_words(&d->paint, YELLOW, "%s", words != NULL ? " (" : "");
    paint_octets(&d->paint, YELLOW, span_str(id));
    paint_words(&d->paint, YELLOW, "%s", words != NULL ? ")" : "");
    if (where > at && where < at + len)
        paint_words(&d->paint, YELLOW, ", byte %llu", (unsigned long long)(where - at));
    else if (where != at)
        paint_words(&d->paint, YELLOW, ", stream byte %llu", (unsigned long long)where);
    if (times > 1)
        paint_words(&d->paint, YELLOW, ", %llu times", (unsigned long long)times);
    paint_end(&d->paint);
}

void dialogue_notes(struct dialogue *d, const struct record *r, uint64_t at, uint64_t len)
{
    const json_t *notes = json_object_get(r->root, "notes");

    for (size_t i = 0; i < json_array_size(notes); i++)
        put_note(d, json_array_get(notes, i), at, len);
}

static void put_sizes(struct dialogue *d, const struct record *r, size_t kept)
{
    uint64_t octets = record_count(r->root, "received_octets");
    const json_t *cuts = json_object_get(r->root, "redacted");

    if (octets > kept) {
        paint_line(&d->paint, YELLOW, "     ! ");
        paint_words(&d->paint, YELLOW, "%llu bytes in all; the rest is not shown",
                    (unsigned long long)octets);
        paint_end(&d->paint);
    }
    for (size_t i = 0; i < json_array_size(cuts); i++) {
        const json_t *cut = json_array_get(cuts, i);
        paint_line(&d->paint, DIM, "     ");
        paint_words(&d->paint, DIM, "(*** stands for %llu bytes at byte %llu)",
                    (unsigned long long)record_count(cut, "octets"),
                    (unsigned long long)record_count(cut, "at"));
        paint_end(&d->paint);
    }
}

static void put_no_reply(struct dialogue *d, const struct record *r, const char *words)
{
    if (json_object_get(r->root, "reply") != NULL ||
        json_object_get(r->root, "replied") != NULL)
        return;
    if (strcmp(record_text(r->root, "action"), "swallowed") == 0)
        return;
    paint_line(&d->paint, RED, "***  ");
    paint_words(&d->paint, RED, "%s", words);
    paint_end(&d->paint);
}

static void put_added(struct dialogue *d, struct span line)
{
    paint_line(&d->paint, GREEN, dialogue_marker(d, TO_UPSTREAM));
    paint_octets(&d->paint, PLAIN, without_crlf(line));
    paint_words(&d->paint, DIM, "   [sent by smtpscope itself]");
    paint_end(&d->paint);
}

static void dialogue_command(struct dialogue *d, const struct record *r)
{
    struct wire received = wire_get(r, "received"), forwarded = wire_get(r, "forwarded");

    if (is_added(r)) {
        put_added(d, wire_span(forwarded));
    } else if (forwarded.ptr != NULL) {
        put_both(d, wire_span(received), wire_span(forwarded));
    } else {
        paint_line(&d->paint, CYAN, dialogue_marker(d, FROM_CLIENT));
        paint_octets(&d->paint, PLAIN, without_crlf(wire_span(received)));
        if (without_crlf(wire_span(received)).len == 0)
            paint_words(&d->paint, DIM, "(an empty line)");
        paint_end(&d->paint);
    }
    put_hex(d, "received", wire_span(received));
    put_hex(d, is_added(r) ? "sent" : "sent on", wire_span(forwarded));
    put_sizes(d, r, received.len);
    dialogue_notes(d, r, record_count(r->root, "at"), received.len);
    put_action(d, r);
    put_reply(d, r);
    put_no_reply(d, r, "no reply");
    free(received.ptr);
    free(forwarded.ptr);
}

static void put_lost(struct dialogue *d, uint64_t records, const char *why)
{
    paint_line(&d->paint, RED, "***  ");
    paint_words(&d->paint, RED, "%llu records are missing here%s", (unsigned long long)records,
                why);
    paint_end(&d->paint);
}

/* The client hears the greeting, and the reply to its STARTTLS, when the upstream's leg has
 * been seen to; the upstream had said it before. */
static bool is_before_upgrade(const struct record *r)
{
    return r->kind == RECORD_GREETING || strcmp(record_text(r->root, "verb"), "STARTTLS") == 0;
}

void dialogue_print(struct dialogue *d, const struct record *r)
{
    d->early = is_before_upgrade(r);
    if (r->missing > 0)
        put_lost(d, r->missing, "");
    switch (r->kind) {
    case RECORD_OPEN:
        dialogue_open(d, r);
        break;
    case RECORD_CONNECT:
        dialogue_connect(d, r);
        break;
    case RECORD_TLS:
        dialogue_tls(d, r);
        break;
    case RECORD_GREETING:
        put_reply(d, r);
        put_no_reply(d, r, "no greeting");
        dialogue_notes(d, r, UINT64_MAX, 0);
        break;
    case RECORD_COMMAND:
        dialogue_command(d, r);
        break;
    case RECORD_CONTENT:
        dialogue_content(d, r);
        break;
    case RECORD_FINDING:
        dialogue_finding(d, r);
        break;
    case RECORD_OPAQUE:
        dialogue_opaque(d, r);
        put_sample(d, r);
        break;
    case RECORD_CLOSE:
        dialogue_close(d, r);
        break;
    case RECORD_LOST:
        put_lost(d, record_count(r->root, "records"), ": the disk was full or too slow");
        break;
    case RECORD_KIND_COUNT:
        break;
    }
}
