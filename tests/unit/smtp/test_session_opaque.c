/*
 * Sessions whose stream becomes opaque: octets pass as they are, the handshake is told once,
 * then what passed.
 */
#include "unit/check.h"
#include "unit/tlswatch/handshakes.h"

#include "base/attributes.h"
#include "smtp/session.h"

enum { OCTETS_MAX = 16384, T0 = 1000, TICK = 10 };

struct octets {
    unsigned char ptr[OCTETS_MAX];
    size_t len;
};

struct rig {
    struct pool exchanges, contents;
    struct policy policy;
    struct session_env env;
    struct session s;
    struct octets in[2], out[2];
    char told[4096]; /* the records, a line each */
    struct tls_facts facts;
    uint64_t now_us, tls_t_us, tls_us, passed[2];
    struct opaque_sample sample;
    bool closed;
};

static void add(struct octets *o, struct span s)
{
    assert_true(s.len <= sizeof o->ptr - o->len);
    if (s.len > 0)
        memcpy(o->ptr + o->len, s.ptr, s.len);
    o->len += s.len;
}

static void take_event(struct rig *r, const struct event *e)
{
    static const char *const kinds[] = { "greeting", "command", "content", "tls", "opaque" };
    size_t at = strlen(r->told);

    snprintf(r->told + at, sizeof r->told - at, "%s%s%s\n", kinds[e->kind],
             e->kind == EVENT_OPAQUE ? " " : "", e->kind == EVENT_OPAQUE ? e->opaque_why : "");
    if (e->kind == EVENT_TLS) {
        r->facts = *e->tls;
        r->tls_t_us = e->t_us;
        r->tls_us = e->tls_us;
    } else if (e->kind == EVENT_OPAQUE) {
        r->passed[CLIENT] = e->opaque_octets[CLIENT];
        r->passed[SERVER] = e->opaque_octets[SERVER];
        if (e->opaque_sample != NULL)
            r->sample = *e->opaque_sample;
    }
}

static void pump(struct rig *r)
{
    struct action action;

    while (session_next(&r->s, &action)) {
        assert_false(r->closed);
        if (action.kind == ACTION_FORWARD || action.kind == ACTION_ANSWER)
            add(&r->out[action.side], action.bytes);
        else if (action.kind == ACTION_RECORD)
            take_event(r, action.event);
        r->closed = action.kind == ACTION_CLOSE;
    }
}

static void say(struct rig *r, enum side from, struct span in)
{
    unsigned char *block = malloc(in.len);

    assert_non_null(block);
    memcpy(block, in.ptr, in.len);
    add(&r->in[from], in);
    r->now_us += TICK;
    session_bytes(&r->s, from, span_of(block, in.len), r->now_us);
    pump(r);
    free(block);
}

/* Facts as in a file, octets in pieces of `cut`; the ends too. */
static void say_facts(struct rig *r, struct span facts, size_t cut)
{
    struct span octets;

    while (facts.len > 0) {
        unsigned what = next_fact(&facts, &octets);
        enum side side = what % 2 == 0 ? CLIENT : SERVER;

        for (; what < 2 && octets.len > 0;
             octets = span_drop(octets, cut > 0 ? cut : octets.len))
            say(r, side, span_first(octets, cut > 0 ? cut : octets.len));
        if (what >= 2)
            session_eof(&r->s, side, what > 3 ? END_RESET : END_FIN, r->now_us);
        pump(r);
    }
}

static void rig_greet(struct rig *r, bool observe)
{
    memset(r, 0, sizeof *r);
    policy_init(&r->policy, PRESET_DEFAULT);
    pool_init(&r->exchanges, session_exchange_size(), 0);
    pool_init(&r->contents, session_content_size(), 0);
    r->env.policy = &r->policy;
    r->env.observe = observe;
    r->env.helo_name = "proxy.test";
    r->env.exchanges = &r->exchanges;
    r->env.contents = &r->contents;
    r->now_us = T0;
    session_init(&r->s, &r->env);
    say(r, SERVER, SPAN_LIT("220 mx.test ESMTP\r\n"));
}

/* Up to the 220 of STARTTLS; its octets are not counted. */
static void rig_begin(struct rig *r, bool observe)
{
    rig_greet(r, observe);
    say(r, CLIENT, SPAN_LIT("EHLO c.test\r\n"));
    say(r, SERVER, SPAN_LIT("250-mx.test\r\n250 STARTTLS\r\n"));
    say(r, CLIENT, SPAN_LIT("STARTTLS\r\n"));
    say(r, SERVER, SPAN_LIT("220 2.0.0 go ahead\r\n"));
    assert_string_equal(r->told, "greeting\ncommand\ncommand\n");
    r->told[0] = '\0';
    for (int side = CLIENT; side <= SERVER; side++)
        r->in[side].len = r->out[side].len = 0;
}

static void rig_end(struct rig *r)
{
    for (int side = CLIENT; side <= SERVER; side++)
        check_span(span_of(r->out[side].ptr, r->out[side].len),
                   span_of(r->in[!side].ptr, r->in[!side].len), "forwarded");
    session_deinit(&r->s);
    pool_deinit(&r->exchanges);
    pool_deinit(&r->contents);
}

/* The octets of a file of facts, without the ends. */
static struct span without_ends(struct span facts)
{
    struct span rest = facts, octets;

    for (size_t keep = 0; rest.len > 0; keep = facts.len - rest.len)
        if (next_fact(&rest, &octets) >= 2)
            return span_first(facts, keep);
    return facts;
}

static void handshake_is_told_once_and_forgotten(void **state)
{
    static const char *const names[] = { "tls12-ecdsa", "tls13", "tls13-retry",
                                         "tls12-resumed" };

    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(names); i++) {
        static struct rig r;

        rig_begin(&r, i % 2 == 0);
        assert_non_null(r.s.watch);
        say_facts(&r, without_ends(load(names[i / 2])), i % 3 == 0 ? 0 : i);
        assert_string_equal(r.told, "tls\n");
        assert_null(r.s.watch);
        assert_int_equal(r.facts.failure, TLS_FAILURE_NONE);
        assert_true(r.facts.hello_client && r.facts.hello_server);
        assert_int_not_equal(r.tls_us, 0);
        session_eof(&r.s, CLIENT, END_FIN, r.now_us);
        session_eof(&r.s, SERVER, END_FIN, r.now_us);
        pump(&r);
        assert_string_equal(r.told, "tls\nopaque starttls\n");
        assert_int_equal(r.passed[CLIENT], r.in[CLIENT].len);
        assert_int_equal(r.passed[SERVER], r.in[SERVER].len);
        assert_true(r.closed);
        rig_end(&r);
    }
}

/* A session that ends in the middle says how far it came, whatever ended it. */
static void broken_handshake_is_told_before_what_passed(void **state)
{
    static const struct {
        int what; /* as in a file of facts; 6: time is up, 7: shut from outside */
        enum tls_failure why;
        const char *detail;
    } cases[] = {
        { 2, TLS_FAILURE_EOF, "the client closed the connection right after the ClientHello" },
        { 3, TLS_FAILURE_EOF, "the server closed the connection right after the ClientHello" },
        { 4, TLS_FAILURE_RESET, "the client reset the connection right after the ClientHello" },
        { 5, TLS_FAILURE_RESET, "the server reset the connection right after the ClientHello" },
        { 6, TLS_FAILURE_TIMEOUT, "time ran out right after the ClientHello" },
        { 7, TLS_FAILURE_EOF, "the session ended right after the ClientHello" },
    };

    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
        static struct rig r;
        int what = cases[i / 2].what;
        enum side side = what % 2 == 0 ? CLIENT : SERVER;

        if (what == 6 && i % 2 == 0)
            continue; /* nobody waits in observe mode */
        rig_begin(&r, i % 2 == 0);
        say(&r, CLIENT, first_octets(load("tls13"), CLIENT));
        assert_string_equal(r.told, "");
        if (what == 6)
            session_timeout(&r.s, r.now_us);
        else if (what == 7)
            session_end(&r.s, CLOSE_INTERNAL, r.now_us);
        else
            session_eof(&r.s, side, what > 3 ? END_RESET : END_FIN, r.now_us);
        pump(&r);
        if (what == 2 || what == 3) { /* the other side may still speak */
            assert_string_equal(r.told, "tls\n");
            assert_null(r.s.watch);
            session_eof(&r.s, side == CLIENT ? SERVER : CLIENT, END_FIN, r.now_us);
            pump(&r);
        }
        assert_string_equal(r.told, "tls\nopaque starttls\n");
        assert_int_equal(r.facts.failure, cases[i / 2].why);
        assert_string_equal(r.facts.detail, cases[i / 2].detail);
        assert_true(r.closed);
        rig_end(&r);
    }
}

/* TLS or not, what comes is passed on; only the watching ends. */
static void plaintext_passes_and_is_told(void **state)
{
    (void)state;
    for (int observe = 0; observe <= 1; observe++) {
        static struct rig r;

        rig_begin(&r, observe);
        say(&r, CLIENT, SPAN_LIT("EHLO again\r\n"));
        assert_string_equal(r.told, "tls\n");
        assert_int_equal(r.facts.failure, TLS_FAILURE_PLAINTEXT);
        assert_int_equal(r.tls_us, TICK);
        say(&r, SERVER, SPAN_LIT("250 mx.test\r\n"));
        assert_string_equal(r.told, "tls\n");
        session_end(&r.s, CLOSE_INTERNAL, r.now_us);
        pump(&r);
        assert_string_equal(r.told, "tls\nopaque starttls\n");
        rig_end(&r);
    }
}

/* Records cannot be taken for a while: the end counts when the octets before it do. */
static void held_octets_come_before_the_end(void **state)
{
    static struct rig r;
    struct span hello;
    struct action action;

    (void)state;
    rig_begin(&r, false);
    hello = first_octets(load("tls13"), CLIENT);
    add(&r.in[CLIENT], hello);
    session_bytes(&r.s, CLIENT, hello, r.now_us);
    session_hold(&r.s);
    session_eof(&r.s, CLIENT, END_FIN, r.now_us);
    assert_true(session_next(&r.s, &action));
    assert_int_equal(action.kind, ACTION_FORWARD);
    add(&r.out[action.side], action.bytes);
    pump(&r);
    assert_string_equal(r.told, "tls\n");
    assert_string_equal(r.facts.detail,
                        "the client closed the connection right after the ClientHello");
    rig_end(&r);
}

static void say_cut(struct rig *r, enum side from, struct span in, size_t cut)
{
    for (; in.len > 0; in = span_drop(in, cut))
        say(r, from, span_first(in, cut));
}

/* Of another protocol the first octets of both sides are kept, however they come. */
static void another_protocol_is_sampled(void **state)
{
    static const size_t cuts[] = { 1, 7, 255, 256, 257, 1000 };
    static const size_t lens[] = { 20, 255, 256, 257, 600 };
    char from_client[600], from_server[600];

    (void)state;
    memset(from_client, 'c', sizeof from_client);
    memset(from_server, 's', sizeof from_server);
    memcpy(from_client, "GET / HTTP/1.1\r\n", 16);
    for (size_t i = 0; i < ARRAY_LEN(cuts) * ARRAY_LEN(lens); i++) {
        static struct rig r;
        size_t cut = cuts[i / ARRAY_LEN(lens)], len = lens[i % ARRAY_LEN(lens)];
        size_t kept = len < OPAQUE_SAMPLE_MAX ? len : OPAQUE_SAMPLE_MAX;

        rig_greet(&r, true);
        size_t before = session_memory(&r.s);
        say_cut(&r, CLIENT, span_of(from_client, len), cut);
        assert_true(session_memory(&r.s) >= before + sizeof(struct opaque_sample));
        say_cut(&r, SERVER, span_of(from_server, len), cut);
        session_eof(&r.s, CLIENT, END_FIN, r.now_us);
        session_eof(&r.s, SERVER, END_FIN, r.now_us);
        pump(&r);
        assert_string_equal(r.told, "greeting\ncommand\nopaque not-smtp\n");
        check_span(span_of(r.sample.octets[CLIENT], r.sample.len[CLIENT]),
                   span_of(from_client, kept), "client");
        check_span(span_of(r.sample.octets[SERVER], r.sample.len[SERVER]),
                   span_of(from_server, kept), "server");
        rig_end(&r);
    }
}

/* Given up in the middle, it holds nothing: the leak checker looks on. */
static void session_may_be_dropped_at_any_time(void **state)
{
    struct span facts;

    (void)state;
    facts = without_ends(load("tls12-rsa"));
    for (size_t n = FACT_HEAD + 1; n < facts.len; n += 13) {
        static struct rig r;

        rig_begin(&r, false);
        say_facts(&r, span_first(facts, n), 0);
        rig_end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake_is_told_once_and_forgotten),
        cmocka_unit_test(broken_handshake_is_told_before_what_passed),
        cmocka_unit_test(plaintext_passes_and_is_told),
        cmocka_unit_test(another_protocol_is_sampled),
        cmocka_unit_test(held_octets_come_before_the_end),
        cmocka_unit_test(session_may_be_dropped_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
