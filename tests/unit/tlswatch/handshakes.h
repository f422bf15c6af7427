/*
 * handshakes - streams for the watch: facts in the form of fuzz/corpus/fuzz_tls_watch.tar.
 *
 * A fact is one octet what (0 client's octets, 1 server's, 2 and 3 their end, 4 and 5 their
 * reset, 6 and 7 nobody waits any longer), two octets length, the octets.
 */
#ifndef UNIT_HANDSHAKES_H
#define UNIT_HANDSHAKES_H

#include "tlswatch/watch.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { FACT_HEAD = 3, HANDSHAKE_MAX = 8192 };

/* Gives octets in pieces of `cut` (0: whole), each from a block of exactly its size. */
static inline void give(struct tls_watch *w, enum side from, struct span in, size_t cut)
{
    while (in.len > 0) {
        struct span part = span_first(in, cut > 0 ? cut : in.len);
        unsigned char *block = malloc(part.len);

        assert(block != NULL);
        memcpy(block, part.ptr, part.len);
        tls_watch_bytes(w, from, span_of(block, part.len));
        free(block);
        in = span_drop(in, part.len);
    }
}

/* Takes one fact off the front; lengths that are too long are cut. */
static inline unsigned next_fact(struct span *in, struct span *octets)
{
    unsigned what = in->ptr[0] % 8u;
    size_t len = in->len < FACT_HEAD ? 0 : (size_t)in->ptr[1] << 8 | in->ptr[2];

    *in = span_drop(*in, FACT_HEAD);
    *octets = span_first(*in, len);
    *in = span_drop(*in, octets->len);
    return what;
}

/* `at` is where the whole stream is cut once more, SIZE_MAX for nowhere. */
static inline struct tls_watch *play(struct span in, size_t cut, size_t at)
{
    struct tls_watch *w = tls_watch_new();
    size_t before = 0;
    struct span octets;

    assert(w != NULL);
    while (in.len > 0) {
        unsigned what = next_fact(&in, &octets);
        enum side side = what % 2 == 0 ? CLIENT : SERVER;

        if (what < 2) {
            size_t first = at >= before ? at - before : 0;
            give(w, side, span_first(octets, first), cut);
            give(w, side, span_drop(octets, first), cut);
            before += octets.len;
        } else if (what < 6) {
            tls_watch_end(w, side, what > 3);
        } else {
            tls_watch_stop(w, what == 6 ? TLS_FAILURE_TIMEOUT : TLS_FAILURE_EOF);
        }
    }
    return w;
}

/* Everything the facts say, in one string that is valid until the next call but one. */
static inline const char *facts_text(const struct tls_watch *w)
{
    static char room[2][2048];
    static unsigned turn;
    const struct tls_facts *f = tls_watch_facts(w);
    char *out = room[turn++ % 2];

    snprintf(
        out, sizeof room[0],
        "%s|%s|received=%d sent=%d|%s%s%s%s|%s|%s|sni=%s|alpn=%s of %s|%s|%s|%s..%s|%s|%s|%s",
        tls_failure_name(f->failure), f->detail, f->alert_received, f->alert_sent,
        tls_watch_done(w) ? "done " : "", f->resumed ? "resumed " : "",
        f->hello_client ? "client " : "", f->hello_server ? "server" : "", f->version,
        f->cipher, f->server_name, f->alpn, f->alpn_offered, f->subject, f->issuer,
        f->not_before, f->not_after, f->sha256, f->spki_sha256, f->verify);
    return out;
}

/* A file of fuzz/corpus/fuzz_tls_watch.tar. Valid until the next call. */
static inline struct span load(const char *name)
{
    static unsigned char octets[HANDSHAKE_MAX];
    char path[4096];
    FILE *f;
    size_t n;

    snprintf(path, sizeof path, CORPUS "/fuzz_tls_watch/%s", name);
    f = fopen(path, "rb");
    assert(f != NULL);
    n = fread(octets, 1, sizeof octets, f);
    fclose(f);
    assert(n > 0 && n < sizeof octets);
    return span_of(octets, n);
}

/* The octets of one side in the first fact that has some. */
static inline struct span first_octets(struct span facts, enum side side)
{
    struct span octets = { NULL, 0 };

    while (facts.len > 0)
        if (next_fact(&facts, &octets) == (unsigned)side)
            return octets;
    assert(!"no octets of that side");
    return octets;
}

#endif
