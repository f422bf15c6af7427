/* tls_watch - records and alerts, and how a handshake ends. */
#include "tlswatch/watch_private.h"

#include <stdio.h>
#include <stdlib.h>

enum record_type {
    RECORD_CHANGE_CIPHER_SPEC = 20,
    RECORD_ALERT = 21,
    RECORD_HANDSHAKE = 22,
    RECORD_DATA = 23,
};

enum {
    CLEAR_MAX = 16384,            /* octets in a record (RFC 8446 5.1) */
    ENCRYPTED_MAX = 16384 + 2048, /* RFC 5246 6.2.3; RFC 8446 allows less */
    ENCRYPTED_ALERT = 19,         /* level, description, type, tag of 16 (RFC 8446 5.2) */
    ALERT_WARNING = 1,
    ALERT_FATAL = 2,
    CLOSE_NOTIFY = 0,
};

/* ---- ends ------------------------------------------------------------------------ */

void watch_refuse(struct tls_watch *w, enum side from, const char *what)
{
    tls_failing_protocol(&w->facts, from, what);
    w->done = true;
}

static void watch_alert(struct tls_watch *w, enum side from, int number)
{
    tls_failing_alert(&w->facts, from, number, w->offered);
    w->done = true;
}

static void watch_finished(struct tls_watch *w, enum side from)
{
    w->lane[from].finished = true;
    w->last = from == CLIENT ? "the client's Finished" : "the server's encrypted answer";
    w->done = w->lane[CLIENT].finished && w->lane[SERVER].finished;
}

/* ---- alerts ---------------------------------------------------------------------- */

/* Up to TLS 1.2 the handshake goes on after a warning (RFC 5246 7.2.2). */
static void alert(struct tls_watch *w, enum side from, unsigned level, int number)
{
    if (level != ALERT_WARNING && level != ALERT_FATAL) {
        watch_refuse(w, from, "a malformed alert");
    } else if (level == ALERT_WARNING && number != CLOSE_NOTIFY && !watch_is_tls13(w)) {
        w->warned = number;
        w->warned_by = from;
    } else if (number == CLOSE_NOTIFY && w->warned != TLS_ALERT_UNKNOWN) {
        watch_alert(w, w->warned_by, w->warned);
    } else {
        watch_alert(w, from, number);
    }
}

static void alert_octets(struct tls_watch *w, enum side from, struct span in)
{
    struct lane *l = &w->lane[from];

    for (size_t i = 0; i < in.len && !w->done; i++) {
        unsigned level = l->alert_level;
        l->alert_level = level == 0 ? in.ptr[i] : 0;
        if (level != 0)
            alert(w, from, level, in.ptr[i]);
        else if (in.ptr[i] == 0)
            watch_refuse(w, from, "a malformed alert");
    }
}

/* ---- records --------------------------------------------------------------------- */

static unsigned record_octets(const struct lane *l)
{
    return (unsigned)l->head[3] << 8 | l->head[4];
}

/* TLS 1.3 has it to look like TLS 1.2, and means nothing by it (RFC 8446 D.4). */
static void change_cipher_spec(struct tls_watch *w, enum side from)
{
    if (w->version == TLS_VERSION_UNKNOWN || watch_is_tls13(w))
        return;
    w->lane[from].encrypted = true;
    if (from == SERVER && !w->hello_done)
        w->facts.resumed = true; /* no certificate, no key exchange: RFC 5246 7.3 */
    w->last =
        from == CLIENT ? "the client's ChangeCipherSpec" : "the server's ChangeCipherSpec";
}

static void data_record(struct tls_watch *w, enum side from)
{
    struct lane *l = &w->lane[from];

    if (watch_is_tls13(w)) {
        if (record_octets(l) == ENCRYPTED_ALERT && !l->finished)
            watch_alert(w, from, from == CLIENT ? TLS_ALERT_FOR_FINISHED : TLS_ALERT_HIDDEN);
        else
            watch_finished(w, from);
    } else if (!l->encrypted && (from == SERVER || w->version != TLS_VERSION_UNKNOWN ||
                                 !w->facts.hello_client)) {
        watch_refuse(w, from, "application data before the end of the handshake");
    } /* else early data (RFC 8446 2.3), or a false start (RFC 7918) */
}

static void record_end(struct tls_watch *w, enum side from)
{
    struct lane *l = &w->lane[from];

    l->head_len = 0;
    if (l->head[0] == RECORD_CHANGE_CIPHER_SPEC)
        change_cipher_spec(w, from);
    else if (l->head[0] == RECORD_DATA)
        data_record(w, from);
    else if (l->head[0] == RECORD_HANDSHAKE && l->encrypted)
        watch_finished(w, from);
    else if (l->head[0] == RECORD_ALERT && l->encrypted)
        watch_alert(w, from, TLS_ALERT_HIDDEN);
}

static void record_begin(struct tls_watch *w, enum side from)
{
    struct lane *l = &w->lane[from];
    bool hidden = l->encrypted || l->head[0] == RECORD_DATA;
    char what[64];

    l->left = record_octets(l);
    l->octets += RECORD_HEAD + l->left;
    if (l->head[1] != 3) {
        snprintf(what, sizeof what, "a record of version 0x%02x%02x", l->head[1], l->head[2]);
        watch_refuse(w, from, what);
    } else if (l->left == 0 || l->left > (hidden ? ENCRYPTED_MAX : CLEAR_MAX)) {
        snprintf(what, sizeof what, "a record of %u octets", (unsigned)l->left);
        watch_refuse(w, from, what);
    } else if (l->head[0] == RECORD_CHANGE_CIPHER_SPEC && l->left != 1) {
        watch_refuse(w, from, "a malformed ChangeCipherSpec");
    } else if (l->head[0] != RECORD_HANDSHAKE && l->message_len > 0) {
        watch_refuse(w, from, "another record inside a handshake message");
    } else if (l->octets > TLS_WATCH_SIDE_MAX) {
        watch_refuse(w, from, "more than a handshake has");
    }
}

/* Neither TLS nor anything like it. */
static struct span stranger(struct tls_watch *w, enum side from, struct span in)
{
    struct lane *l = &w->lane[from];
    struct tls_stranger *st = &w->stranger;

    if (!st->there) {
        st->there = true;
        st->from = (uint8_t)from;
        st->first = l->octets == 0;
    }
    if (st->from == from)
        w->done = tls_stranger_take(st, in, &w->facts);
    return span_drop(in, in.len);
}

static struct span record_head(struct tls_watch *w, enum side from, struct span in)
{
    struct lane *l = &w->lane[from];
    unsigned type = in.ptr[0];

    if (l->head_len == 0 && (type < RECORD_CHANGE_CIPHER_SPEC || type > RECORD_DATA))
        return stranger(w, from, in);
    l->head[l->head_len++] = in.ptr[0];
    if (l->head_len == RECORD_HEAD)
        record_begin(w, from);
    return span_drop(in, 1);
}

static struct span record_body(struct tls_watch *w, enum side from, struct span in)
{
    struct lane *l = &w->lane[from];
    struct span part = span_first(in, l->left);

    if (l->head[0] == RECORD_HANDSHAKE && !l->encrypted)
        watch_handshake(w, from, part);
    else if (l->head[0] == RECORD_ALERT && !l->encrypted)
        alert_octets(w, from, part);
    l->left -= (uint32_t)part.len;
    if (l->left == 0 && !w->done)
        record_end(w, from);
    return span_drop(in, part.len);
}

/* ---- the interface --------------------------------------------------------------- */

struct tls_watch *tls_watch_new(void)
{
    struct tls_watch *w = calloc(1, sizeof *w);

    if (w == NULL)
        return NULL;
    w->facts.alert_received = w->facts.alert_sent = TLS_ALERT_UNKNOWN;
    w->warned = TLS_ALERT_UNKNOWN;
    return w;
}

void tls_watch_free(struct tls_watch **wp)
{
    struct tls_watch *w = *wp;

    *wp = NULL;
    if (w == NULL)
        return;
    buf_release(&w->lane[CLIENT].body);
    buf_release(&w->lane[SERVER].body);
    free(w);
}

size_t tls_watch_memory(const struct tls_watch *w)
{
    return sizeof *w + w->lane[CLIENT].body.size + w->lane[SERVER].body.size;
}

void tls_watch_bytes(struct tls_watch *w, enum side from, struct span in)
{
    while (in.len > 0 && !w->done) {
        if (w->stranger.there)
            in = stranger(w, from, in);
        else
            in = w->lane[from].left > 0 ? record_body(w, from, in) : record_head(w, from, in);
    }
}

static bool is_within(const struct lane *l)
{
    return l->head_len > 0 || l->message_len > 0;
}

static void watch_end(struct tls_watch *w, enum tls_ending how, enum side from)
{
    bool within = is_within(&w->lane[from]);

    if (w->done)
        return;
    w->done = true;
    if (w->stranger.there)
        return; /* what there is of it has been told */
    if (w->warned != TLS_ALERT_UNKNOWN)
        watch_alert(w, w->warned_by, w->warned);
    else
        tls_failing_end(&w->facts, how, from, w->last, within);
}

void tls_watch_end(struct tls_watch *w, enum side from, bool reset)
{
    watch_end(w, reset ? TLS_ENDING_RESET : TLS_ENDING_EOF, from);
}

void tls_watch_stop(struct tls_watch *w, enum tls_failure why)
{
    bool timeout = why == TLS_FAILURE_TIMEOUT;

    watch_end(w, timeout ? TLS_ENDING_TIMEOUT : TLS_ENDING_STOPPED,
              is_within(&w->lane[SERVER]) ? SERVER : CLIENT);
}

bool tls_watch_done(const struct tls_watch *w)
{
    return w->done;
}

const struct tls_facts *tls_watch_facts(const struct tls_watch *w)
{
    return &w->facts;
}
