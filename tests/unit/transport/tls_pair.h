/*
 * tls_pair - two engines, no socket: what one puts into its wire is carried to the other.
 *
 * Both write into the same wire, as engines of one loop do.
 */
#ifndef UNIT_TLS_PAIR_H
#define UNIT_TLS_PAIR_H

#include <stdlib.h>
#include <string.h>

#include "transport/tls.h"
#include "unit/check.h"
#include "unit/transport/certificates.h"

enum { CLIENT, SERVER, FLIGHT_MAX = 1 << 20 };

/* On its way to an engine. */
struct flight {
    unsigned char *bytes;
    size_t len, done;
    size_t carried; /* octets in all */
    size_t room;    /* octets that will still be delivered */
};

struct tls_pair_rig {
    struct tls_wire wire;
    struct tls *engine[2];
    struct flight to[2];
    enum tls_result result[2];
    size_t chunk; /* octets put in at once */
};

static inline struct tls_wire rig_wire(void)
{
    struct tls_wire w = { .bytes = malloc(TLS_WIRE_MIN), .size = TLS_WIRE_MIN };

    assert_non_null(w.bytes);
    return w;
}

/* What engine `from` left in the wire goes to the other. */
static inline void rig_send(struct tls_pair_rig *r, int from)
{
    struct flight *f = &r->to[!from];

    assert_true(f->len + r->wire.len <= FLIGHT_MAX);
    memcpy(f->bytes + f->len, r->wire.bytes, r->wire.len);
    f->len += r->wire.len;
    f->carried += r->wire.len;
    memset(r->wire.bytes, 0xdd, r->wire.len);
    r->wire.len = 0;
}

/* The next octets for `to`, from a block of exact size that is freed with the next call. */
static inline bool rig_deliver(struct tls_pair_rig *r, int to)
{
    static unsigned char *block[2];
    struct flight *f = &r->to[to];
    size_t n = f->len - f->done < r->chunk ? f->len - f->done : r->chunk;

    n = n < f->room ? n : f->room;
    f->room -= n;
    free(block[to]);
    block[to] = NULL;
    if (n == 0)
        return false;
    block[to] = malloc(n);
    assert_non_null(block[to]);
    memcpy(block[to], f->bytes + f->done, n);
    tls_put_wire(r->engine[to], span_of(block[to], n));
    f->done += n;
    if (f->done == f->len)
        f->done = f->len = 0;
    return true;
}

static inline void rig_step(struct tls_pair_rig *r, int side)
{
    if (r->result[side] == TLS_MORE) {
        r->result[side] = tls_handshake(r->engine[side]);
        rig_send(r, side);
    }
}

/* One way and the other until nothing moves. */
static inline void rig_handshake(struct tls_pair_rig *r)
{
    bool moved = true;

    rig_step(r, CLIENT);
    while (moved) {
        moved = false;
        for (int side = SERVER; side >= CLIENT; side--) {
            while (r->result[side] == TLS_MORE && rig_deliver(r, side)) {
                rig_step(r, side);
                moved = true;
            }
        }
    }
}

static inline void rig_init(struct tls_pair_rig *r, struct tls_context *client,
                            struct tls_context *server, const char *name)
{
    memset(r, 0, sizeof *r);
    r->wire = rig_wire();
    r->chunk = SIZE_MAX;
    r->engine[CLIENT] = tls_new(client, &r->wire, name);
    r->engine[SERVER] = tls_new(server, &r->wire, NULL);
    for (int side = CLIENT; side <= SERVER; side++) {
        assert_non_null(r->engine[side]);
        r->to[side].bytes = malloc(FLIGHT_MAX);
        assert_non_null(r->to[side].bytes);
        r->result[side] = TLS_MORE;
        r->to[side].room = SIZE_MAX;
    }
}

/* The line to `to` is cut behind so many octets. */
static inline void rig_limit(struct tls_pair_rig *r, int to, size_t octets)
{
    r->to[to].room = octets;
}

static inline void rig_deinit(struct tls_pair_rig *r)
{
    for (int side = CLIENT; side <= SERVER; side++) {
        r->to[side].len = r->to[side].done = 0;
        rig_deliver(r, side);
        tls_free(&r->engine[side]);
        free(r->to[side].bytes);
    }
    free(r->wire.bytes);
}

/* Everything on its way to `side` is read, no more than fits; the last result. Appends. */
static inline enum tls_result rig_read(struct tls_pair_rig *r, int side, unsigned char *out,
                                       size_t max, size_t *len)
{
    enum tls_result result;
    unsigned char beyond;

    do {
        size_t got = 0;
        bool full = *len == max;
        result =
            tls_read(r->engine[side], full ? &beyond : out + *len, full ? 1 : max - *len, &got);
        assert_true(got == 0 || (result == TLS_OK && !full));
        *len += got;
        rig_send(r, side);
    } while (result == TLS_OK || (result == TLS_MORE && rig_deliver(r, side)));
    return result;
}

static inline void rig_write(struct tls_pair_rig *r, int side, struct span in)
{
    while (in.len > 0) {
        size_t took;
        assert_int_equal(tls_write(r->engine[side], in, &took), TLS_OK);
        assert_true(took > 0);
        rig_send(r, side);
        in = span_drop(in, took);
    }
}

static inline struct tls_context *rig_server(const enum certificate *which, unsigned count)
{
    struct tls_key_pair pairs[CERTIFICATES];
    struct tls_config_error error;

    for (unsigned i = 0; i < count; i++)
        pairs[i] = *certificate_files(which[i]);
    struct tls_server_config c = { .pairs = pairs, .pair_count = count };
    struct tls_context *ctx = tls_context_server(&c, &error);
    if (ctx == NULL)
        fail_msg("%s", error.text);
    return ctx;
}

static inline struct tls_context *rig_client(enum tls_verify verify)
{
    struct tls_client_config c = { .verify = verify, .ca = certificate_ca() };
    struct tls_config_error error;
    struct tls_context *ctx = tls_context_client(&c, &error);

    if (ctx == NULL)
        fail_msg("%s", error.text);
    return ctx;
}

#endif
