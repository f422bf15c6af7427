#include "tlswatch/watch.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "tlswatch/certificate.h"
#include "tlswatch/failing.h"
#include "tlswatch/hello.h"
#include "base/octets.h"

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

enum message_type {
    MESSAGE_CLIENT_HELLO = 1,
    MESSAGE_SERVER_HELLO = 2,
    MESSAGE_CERTIFICATE = 11,
    MESSAGE_SERVER_HELLO_DONE = 14,
};

enum { RECORD_HEAD = 5, MESSAGE_HEAD = 4 };

/*
 * One direction.
 *
 *   record    [head: type, version, length][fragment: `left` octets to come]
 *   message        [message: type, length][`message_left` octets to come]
 */
struct lane {
    unsigned char head[RECORD_HEAD];
    unsigned char message[MESSAGE_HEAD];
    uint8_t head_len, message_len; /* octets of them that are there */
    uint8_t alert_level;           /* of an alert of which the rest is to come, or 0 */
    uint32_t left, message_left;
    uint32_t octets; /* in records */
    struct buf body; /* of a message that is looked into */
    bool keeps;      /* it is */
    bool hello;      /* the one expected was seen */
    bool encrypted;  /* up to TLS 1.2: ChangeCipherSpec passed */
    bool finished;
};

struct tls_watch {
    struct tls_facts facts;
    struct lane lane[2];
    struct tls_stranger stranger; /* what came instead of a record */
    unsigned offered;             /* the client's highest version */
    unsigned version;             /* the server's choice */
    const char *last;             /* what passed last, for people */
    int warned;                   /* a warning, which may be why the connection ends */
    enum side warned_by;
    bool retry, hello_done, done;
};

static bool is_tls13(const struct tls_watch *w)
{
    return w->version >= TLS_VERSION_1_3;
}

/* ---- ends ------------------------------------------------------------------------ */

static void refuse(struct tls_watch *w, enum side from, const char *what)
{
    tls_failing_protocol(&w->facts, from, what);
    w->done = true;
}

static void fail_by_alert(struct tls_watch *w, enum side from, int number)
{
    tls_failing_alert(&w->facts, from, number, w->offered);
    w->done = true;
}

static void finished(struct tls_watch *w, enum side from)
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
        refuse(w, from, "a malformed alert");
    } else if (level == ALERT_WARNING && number != CLOSE_NOTIFY && !is_tls13(w)) {
        w->warned = number;
        w->warned_by = from;
    } else if (number == CLOSE_NOTIFY && w->warned != TLS_ALERT_UNKNOWN) {
        fail_by_alert(w, w->warned_by, w->warned);
    } else {
        fail_by_alert(w, from, number);
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
            refuse(w, from, "a malformed alert");
    }
}

/* ---- handshake messages ----------------------------------------------------------- */

static void client_hello(struct tls_watch *w, struct span body)
{
    struct tls_client_hello h;

    if (!tls_client_hello_parse(body, &h)) {
        refuse(w, CLIENT, "a malformed ClientHello");
        return;
    }
    tls_client_hello_facts(&h, &w->facts);
    w->facts.hello_client = true;
    w->lane[CLIENT].hello = true;
    w->offered = h.version;
    w->last = w->retry ? "the second ClientHello" : "the ClientHello";
}

static void server_hello(struct tls_watch *w, struct span body)
{
    struct tls_server_hello h;

    if (!tls_server_hello_parse(body, &h) || (h.retry && w->retry)) {
        refuse(w, SERVER, "a malformed ServerHello");
        return;
    }
    tls_server_hello_facts(&h, &w->facts);
    if (h.retry) {
        w->retry = true;
        w->lane[CLIENT].hello = false; /* another one is to come, of both */
        w->last = "the HelloRetryRequest";
        return;
    }
    w->facts.hello_server = true;
    w->lane[SERVER].hello = true;
    w->version = h.version;
    w->last = "the ServerHello";
}

/* Its first is the server's own; it may be longer than what was kept. */
static void certificate(struct tls_watch *w, struct span body, uint32_t len)
{
    struct span first;
    uint32_t list;

    w->last = "the server's certificate";
    if (!octets_number(&body, 3, &list) || list + 3 != len)
        refuse(w, SERVER, "a malformed Certificate");
    else if (octets_vector(&body, 3, &first))
        tls_certificate_facts(first, &w->facts);
}

static uint32_t message_octets(const struct lane *l)
{
    return (uint32_t)l->message[1] << 16 | (uint32_t)l->message[2] << 8 | l->message[3];
}

static void message_end(struct tls_watch *w, enum side from)
{
    struct lane *l = &w->lane[from];

    if (l->keeps && from == CLIENT)
        client_hello(w, buf_span(&l->body));
    else if (l->keeps && l->message[0] == MESSAGE_SERVER_HELLO)
        server_hello(w, buf_span(&l->body));
    else if (l->keeps)
        certificate(w, buf_span(&l->body), message_octets(l));
    else if (l->message[0] == MESSAGE_SERVER_HELLO_DONE && from == SERVER)
        w->hello_done = true;
    buf_release(&l->body);
    l->message_len = 0;
}

/* A hello is the first of each side, and there is one (RFC 5246 7.4, RFC 8446 4). */
static void message_begin(struct tls_watch *w, enum side from)
{
    struct lane *l = &w->lane[from];
    unsigned type = l->message[0];
    unsigned hello = from == CLIENT ? MESSAGE_CLIENT_HELLO : MESSAGE_SERVER_HELLO;
    char what[64];

    l->message_left = message_octets(l);
    if (is_tls13(w) || (type == hello) == l->hello ||
        (type == MESSAGE_SERVER_HELLO && !w->lane[CLIENT].hello)) {
        snprintf(what, sizeof what, "handshake message %u out of order", type);
        refuse(w, from, what);
    } else if (type == hello && l->message_left > TLS_WATCH_HELLO_MAX) {
        refuse(w, from, "a hello that is too long");
    }
    l->keeps = type == hello || (type == MESSAGE_CERTIFICATE && from == SERVER);
    buf_init(&l->body, type == hello ? TLS_WATCH_HELLO_MAX : TLS_WATCH_CERTIFICATE_MAX);
    if (l->message_left == 0 && !w->done)
        message_end(w, from);
}

static struct span message_head(struct tls_watch *w, enum side from, struct span in)
{
    struct lane *l = &w->lane[from];

    l->message[l->message_len++] = in.ptr[0];
    if (l->message_len == MESSAGE_HEAD)
        message_begin(w, from);
    return span_drop(in, 1);
}

static struct span message_body(struct tls_watch *w, enum side from, struct span in)
{
    struct lane *l = &w->lane[from];
    struct span part = span_first(in, l->message_left);

    if (l->keeps && !buf_append(&l->body, span_first(part, l->body.max - l->body.len))) {
        w->facts.failure = TLS_FAILURE_MEMORY;
        w->done = true;
    }
    l->message_left -= (uint32_t)part.len;
    if (l->message_left == 0 && !w->done)
        message_end(w, from);
    return span_drop(in, part.len);
}

static void handshake(struct tls_watch *w, enum side from, struct span in)
{
    while (in.len > 0 && !w->done)
        in = w->lane[from].message_len < MESSAGE_HEAD ? message_head(w, from, in)
                                                      : message_body(w, from, in);
}

/* ---- records --------------------------------------------------------------------- */

static unsigned record_octets(const struct lane *l)
{
    return (unsigned)l->head[3] << 8 | l->head[4];
}

/* TLS 1.3 has it to look like TLS 1.2, and means nothing by it (RFC 8446 D.4). */
static void change_cipher_spec(struct tls_watch *w, enum side from)
{
    if (w->version == TLS_VERSION_UNKNOWN || is_tls13(w))
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

    if (is_tls13(w)) {
        if (record_octets(l) == ENCRYPTED_ALERT && !l->finished)
            fail_by_alert(w, from, from == CLIENT ? TLS_ALERT_FOR_FINISHED : TLS_ALERT_HIDDEN);
        else
            finished(w, from);
    } else if (!l->encrypted && (from == SERVER || w->version != TLS_VERSION_UNKNOWN ||
                                 !w->facts.hello_client)) {
        refuse(w, from, "application data before the end of the handshake");
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
        finished(w, from);
    else if (l->head[0] == RECORD_ALERT && l->encrypted)
        fail_by_alert(w, from, TLS_ALERT_HIDDEN);
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
        refuse(w, from, what);
    } else if (l->left == 0 || l->left > (hidden ? ENCRYPTED_MAX : CLEAR_MAX)) {
        snprintf(what, sizeof what, "a record of %u octets", (unsigned)l->left);
        refuse(w, from, what);
    } else if (l->head[0] == RECORD_CHANGE_CIPHER_SPEC && l->left != 1) {
        refuse(w, from, "a malformed ChangeCipherSpec");
    } else if (l->head[0] != RECORD_HANDSHAKE && l->message_len > 0) {
        refuse(w, from, "another record inside a handshake message");
    } else if (l->octets > TLS_WATCH_SIDE_MAX) {
        refuse(w, from, "more than a handshake has");
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
        handshake(w, from, part);
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
        fail_by_alert(w, w->warned_by, w->warned);
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
