/*
 * fuzz_tls_wire - whatever comes over the wire, an engine answers within its bounds, and what
 * it says of it is printable and agrees with its results.
 *
 * Input: one octet of choices, one of the size of the pieces, then
 *   wire       octets for a server or for a client (TO_CLIENT), as they are; or
 *   mutations  of a handshake between two engines (MUTATE), to the one or the other:
 *              place (2 octets), value (1 octet) to be XORed. The place counts the octets
 *              carried to that side.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz/always.h"
#include "transport/tls.h"
#include "unit/transport/certificates.h"

enum { TO_CLIENT = 1, MUTATE = 2, CLIENT_CHECKS = 4, NO_NAME = 8, TIMEOUT = 16 };
enum { CLIENT, SERVER, CARRY_MAX = 1 << 18 };

static struct tls_context *server, *client, *checking_client;
static struct tls_wire wire;
static unsigned char carry[CARRY_MAX];

static void make_contexts(void)
{
    struct tls_key_pair pairs[] = { *certificate_files(CERTIFICATE_GOOD),
                                    *certificate_files(CERTIFICATE_RSA),
                                    *certificate_files(CERTIFICATE_WILDCARD) };
    struct tls_server_config s = { .pairs = pairs,
                                   .pair_count = ARRAY_LEN(pairs),
                                   .ask_client = true,
                                   .client_ca = certificate_ca() };
    struct tls_client_config c = { .verify = TLS_VERIFY_NO, .ca = certificate_ca() };
    struct tls_config_error error;

    server = tls_context_server(&s, &error);
    client = tls_context_client(&c, &error);
    c.verify = TLS_VERIFY_CA;
    checking_client = tls_context_client(&c, &error);
    wire = (struct tls_wire){ .bytes = malloc(TLS_WIRE_MIN), .size = TLS_WIRE_MIN };
    ALWAYS(server != NULL && client != NULL && checking_client != NULL && wire.bytes != NULL);
}

static void check_text(const char *text, size_t size)
{
    size_t len = strnlen(text, size);

    ALWAYS(len < size);
    for (size_t i = 0; i < len; i++)
        ALWAYS(text[i] >= ' ' && text[i] <= '~');
}

#define CHECK_TEXT(field) check_text(field, sizeof(field))

static void check_facts(const struct tls *t, enum tls_result result)
{
    struct tls_facts f;

    tls_facts(t, &f);
    ALWAYS((result == TLS_FAILED) == (f.failure != TLS_FAILURE_NONE));
    ALWAYS(f.hello_client || !f.hello_server || result == TLS_FAILED);
    CHECK_TEXT(f.detail);
    CHECK_TEXT(f.version);
    CHECK_TEXT(f.cipher);
    CHECK_TEXT(f.server_name);
    CHECK_TEXT(f.alpn);
    CHECK_TEXT(f.alpn_offered);
    CHECK_TEXT(f.subject);
    CHECK_TEXT(f.issuer);
    CHECK_TEXT(f.not_before);
    CHECK_TEXT(f.not_after);
    CHECK_TEXT(f.sha256);
    CHECK_TEXT(f.spki_sha256);
    CHECK_TEXT(f.verify);
}

/* As a connection drives it: the handshake, then reading; the wire goes nowhere. */
static enum tls_result drive(struct tls *t, bool *complete)
{
    char out[4096];
    size_t got;
    enum tls_result result = TLS_OK;

    if (!*complete) {
        result = tls_handshake(t);
        *complete = result == TLS_OK;
    }
    while (*complete && result == TLS_OK) {
        ALWAYS(wire.len <= wire.size);
        result = tls_read(t, out, sizeof out, &got);
        ALWAYS(result != TLS_OK || (got > 0 && got <= sizeof out));
    }
    ALWAYS(wire.len <= wire.size);
    return result;
}

static size_t piece_of(uint8_t choice)
{
    return choice == 0 ? 65536 : choice;
}

static void run_wire(uint8_t choices, size_t piece, struct span in)
{
    struct tls_context *ctx = choices & TO_CLIENT ? client : server;
    struct tls *t = tls_new(ctx, &wire, choices & NO_NAME ? NULL : "mx.test");
    enum tls_result result = TLS_MORE;
    bool complete = false;

    ALWAYS(t != NULL);
    if (choices & TO_CLIENT)
        result = drive(t, &complete);
    while (in.len > 0 && result == TLS_MORE) {
        struct span part = span_first(in, piece);
        unsigned char *copy = malloc(part.len); /* exact size */
        ALWAYS(copy != NULL);
        memcpy(copy, part.ptr, part.len);
        wire.len = 0;
        tls_put_wire(t, span_of(copy, part.len));
        result = drive(t, &complete);
        free(copy);
        in = span_drop(in, part.len);
    }
    wire.len = 0;
    check_facts(t, result);
    if (result == TLS_MORE && !complete) {
        tls_fail(t, choices & TIMEOUT ? TLS_FAILURE_TIMEOUT : TLS_FAILURE_EOF);
        check_facts(t, tls_handshake(t));
    }
    tls_free(&t);
}

static void mutate(unsigned char *bytes, size_t from, size_t len, struct span mutations)
{
    for (; mutations.len >= 3; mutations = span_drop(mutations, 3)) {
        size_t place = (size_t)mutations.ptr[0] << 8 | mutations.ptr[1];
        if (place >= from && place < from + len)
            bytes[place - from] ^= mutations.ptr[2];
    }
}

static void run_mutated(uint8_t choices, struct span mutations)
{
    struct tls_context *c = choices & CLIENT_CHECKS ? checking_client : client;
    struct tls *t[] = { tls_new(c, &wire, "mx.test"), tls_new(server, &wire, NULL) };
    enum tls_result result[] = { TLS_MORE, TLS_MORE };
    bool complete[] = { false, false };
    size_t carried[] = { 0, 0 };
    int to = SERVER, victim = choices & TO_CLIENT ? CLIENT : SERVER;

    ALWAYS(t[CLIENT] != NULL && t[SERVER] != NULL);
    result[CLIENT] = drive(t[CLIENT], &complete[CLIENT]);
    while (wire.len > 0 && result[to] == TLS_MORE) {
        size_t len = wire.len;
        ALWAYS(len <= sizeof carry);
        memcpy(carry, wire.bytes, len);
        wire.len = 0;
        if (to == victim)
            mutate(carry, carried[to], len, mutations);
        carried[to] += len;
        tls_put_wire(t[to], span_of(carry, len));
        result[to] = drive(t[to], &complete[to]);
        to = !to;
    }
    wire.len = 0;
    if (mutations.len < 3) /* nothing done to it: it must be well */
        ALWAYS(complete[CLIENT] && complete[SERVER]);
    for (int side = CLIENT; side <= SERVER; side++) {
        check_facts(t[side], result[side]);
        tls_free(&t[side]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    if (server == NULL)
        make_contexts();
    struct span rest = span_of(data + 2, size - 2);
    if (data[0] & MUTATE)
        run_mutated(data[0], rest);
    else
        run_wire(data[0], piece_of(data[1]), rest);
    return 0;
}
