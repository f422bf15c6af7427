/*
 * fuzz_tls_watch - two sides that may say anything, each stream played several times.
 *
 * Input: facts as in unit/tlswatch/handshakes.h. Always true: however the octets are cut, the
 * facts are equal; nothing changes them once the watch is done; after an end it is; text is
 * printable; without a failure both hellos were seen.
 */
#include "fuzz/always.h"
#include "unit/tlswatch/handshakes.h"

static void check_text(const char *text)
{
    for (; *text != '\0'; text++)
        ALWAYS(*text >= ' ' && *text <= '~');
}

static void check_facts(const struct tls_watch *w)
{
    const struct tls_facts *f = tls_watch_facts(w);

    check_text(facts_text(w));
    ALWAYS(f->failure == TLS_FAILURE_NONE || f->detail[0] != '\0');
    if (!tls_watch_done(w))
        return;
    ALWAYS(f->failure != TLS_FAILURE_NONE || (f->hello_client && f->hello_server));
    ALWAYS(!f->hello_server || f->hello_client);
    ALWAYS(f->subject[0] == '\0' || f->spki_sha256[0] != '\0');
}

static void check_that_done_is_done(struct tls_watch *w)
{
    char before[2048];

    if (!tls_watch_done(w))
        tls_watch_end(w, SERVER, false);
    ALWAYS(tls_watch_done(w));
    snprintf(before, sizeof before, "%s", facts_text(w));
    give(w, CLIENT, SPAN_LIT("\x15\x03\x03\0\2\2\x28 after all"), 0);
    tls_watch_end(w, CLIENT, true);
    tls_watch_stop(w, TLS_FAILURE_TIMEOUT);
    ALWAYS(strcmp(before, facts_text(w)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t cuts[] = { 1, 13 };
    struct span in = span_of(data, size);
    struct tls_watch *whole = play(in, 0, SIZE_MAX);

    check_facts(whole);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct tls_watch *cut = play(in, cuts[i], SIZE_MAX);

        ALWAYS(strcmp(facts_text(whole), facts_text(cut)) == 0);
        tls_watch_free(&cut);
    }
    check_that_done_is_done(whole);
    tls_watch_free(&whole);
    return 0;
}
