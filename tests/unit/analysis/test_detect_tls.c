#include "unit/analysis/play.h"

/* ---- STARTTLS ------------------------------------------------------------------------- */

struct starttls_case {
    const char *ehlo, *reply, *ids;
    enum confidence confidence;
};

#define OFFERED "250-mx.example.com\r\n250 STARTTLS\r\n"

static const struct starttls_case starttls[] = {
    { OFFERED, "220 2.0.0 Ready\r\n", "", 0 },
    { OFFERED, "454 TLS not available due to temporary reason\r\n", "SV-09", CONFIDENCE_HIGH },
    { OFFERED, "501 Syntax error\r\n", "SV-09", CONFIDENCE_HIGH },
    { OFFERED, "200 whatever\r\n", "SV-09", CONFIDENCE_HIGH },
    { OFFERED, "500 5.5.1 what?\r\n", "SV-09", CONFIDENCE_MEDIUM },
    { OFFERED, "454 4.7.0 TLS not available\r\n", "SV-09", CONFIDENCE_MEDIUM },
    /* traps */
    { OFFERED, "454 4.7.0 TLS not available due to local problem\r\n", "", 0 },
    { OFFERED, "503 5.5.1 TLS is already active\r\n", "", 0 },
    { OFFERED, "421 4.7.0 closing\r\n", "", 0 },
    { OFFERED, "", "", 0 },
    { "250-mx.example.com\r\n250 HELP\r\n", "502 5.5.1 no\r\n", "", 0 },
};

static void test_starttls(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    for (size_t i = 0; i < ARRAY_LEN(starttls); i++) {
        const struct starttls_case *c = &starttls[i];
        char upstream[32];
        snprintf(upstream, sizeof upstream, "198.51.100.%zu:25", i);
        play_open(&p, "192.0.2.1:4711", upstream);
        play_command(&p, "EHLO a\r\n", c->ehlo);
        play_command(&p, "STARTTLS\r\n", c->reply);
        EXPECT(&p, c->ids);
        if (c->ids[0] != '\0')
            assert_int_equal(last_found(&p)->confidence, c->confidence);
    }
    play_stop(&p);
}

/* ---- certificates ------------------------------------------------------------------------ */

struct tls_case {
    const char *issuer;
    enum tls_failure failure;
    bool client, server;
    unsigned seconds;
    const char *ids, *product;
};

static const struct tls_case handshakes[] = {
    { "C=US, O=Let's Encrypt, CN=R3", TLS_FAILURE_NONE, true, true, 0, "", NULL },
    { "O=Avast Web/Mail Shield, CN=Avast Web/Mail Shield Root", TLS_FAILURE_NONE, true, true, 0,
      "SV-10", "avast-tls-mitm" },
    { "CN=Fortinet_CA_SSL", TLS_FAILURE_UNKNOWN_CA, true, true, 0, "SV-10", "tls-intercept" },
    { "CN=savgate.example", TLS_FAILURE_NONE, true, true, 0, "", NULL },
    { "CN=own", TLS_FAILURE_SELF_SIGNED, true, true, 0, "", NULL },
    { "", TLS_FAILURE_PIN, true, true, 0, "SV-10", NULL },
    /* no answer */
    { "", TLS_FAILURE_TIMEOUT, true, false, 3, "SV-11", "clienthello-drop" },
    { "", TLS_FAILURE_TIMEOUT, true, false, 0, "", NULL },
    { "", TLS_FAILURE_EOF, true, false, 9, "", NULL },
    { "", TLS_FAILURE_EOF, true, false, 10, "SV-11", NULL },
    { "", TLS_FAILURE_RESET, true, false, 60, "SV-11", NULL },
    { "", TLS_FAILURE_TIMEOUT, true, true, 60, "", NULL },
    { "", TLS_FAILURE_TIMEOUT, false, false, 60, "", NULL },
    { "", TLS_FAILURE_PLAINTEXT, true, false, 60, "", NULL },
    { "", TLS_FAILURE_ALERT, true, false, 60, "", NULL },
};

static void see_tls(struct play *p, const struct tls_case *c, bool through, enum side side)
{
    struct tls_facts f = { .failure = c->failure,
                           .hello_client = c->client,
                           .hello_server = c->server };

    snprintf(f.issuer, sizeof f.issuer, "%s", c->issuer);
    play_see(p, (struct record_view){ .kind = VIEW_TLS,
                                      .tls = &f,
                                      .tls_side = side,
                                      .tls_through = through,
                                      .tls_us = c->seconds * UINT64_C(1000000) });
}

static void test_handshakes(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    for (size_t i = 0; i < ARRAY_LEN(handshakes); i++)
        for (unsigned how = 0; how < 3; how++) {
            const struct tls_case *c = &handshakes[i];
            OPEN(&p);
            see_tls(&p, c, how == 0, how == 1 ? SERVER : CLIENT);
            EXPECT(&p, how == 2 ? "" : c->ids); /* the client's own certificate is its own */
            if (how != 2 && c->product != NULL)
                assert_true(names_product(last_found(&p), c->product));
        }
    play_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starttls),
        cmocka_unit_test(test_handshakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
