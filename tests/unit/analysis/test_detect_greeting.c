#include "unit/analysis/play.h"

struct greeting_case {
    const char *reply, *ids, *product;
    enum confidence confidence;
};

static const struct greeting_case greetings[] = {
    { "220 mx.example.com ESMTP Postfix\r\n", "", NULL, 0 },
    { "220 **20***************************2*0\r\n", "SV-01", "pix-banner-mask",
      CONFIDENCE_CERTAIN },
    { "220 *************************************\r\n", "SV-01", "pix4-banner-all-star",
      CONFIDENCE_CERTAIN },
    { "220-************\r\n220 **0 ***2\t\r\n", "SV-01", "pix-banner-mask",
      CONFIDENCE_CERTAIN },
    { "220-************\r\n220 hello\r\n", "", NULL, 0 },
    { "220 ***\r\n", "SV-01", "pix-banner-mask", CONFIDENCE_MEDIUM },
    { "220 ***********\r\n", "SV-01", "pix-banner-mask", CONFIDENCE_MEDIUM },
    { "220 ************\r\n", "SV-01", "pix-banner-mask", CONFIDENCE_CERTAIN },
    /* traps: no text, no stars, an ornament, no greeting */
    { "220 \r\n", "", NULL, 0 },
    { "220\r\n", "", NULL, 0 },
    { "220 **\r\n", "", NULL, 0 },
    { "220 2 0 2 0\r\n", "", NULL, 0 },
    { "220 ***** mx.example.com *****\r\n", "", NULL, 0 },
    { "554 ***************\r\n", "", NULL, 0 },
    { "421 ***************\r\n", "", NULL, 0 },
    /* products */
    { "220 SMTP/cmap ready_______________________\r\n", "SV-12", "pix4-banner-all-star",
      CONFIDENCE_MEDIUM },
    { "220 CheckPoint FireWall-1 secure ESMTP server\r\n", "SV-12", "checkpoint-sec-server",
      CONFIDENCE_HIGH },
    { "220 fw.example.com Generic SMTP handler\r\n", "SV-12", "raptor-generic-handler",
      CONFIDENCE_HIGH },
    { "220 mx.example.com avast! SMTP proxy ready.\r\n", "SV-12", "avast-mailshield-proxy",
      CONFIDENCE_HIGH },
    { "220 pc.local ESMTP BitDefender Proxy\r\n", "SV-12", "bitdefender-proxy",
      CONFIDENCE_HIGH },
    { "220-InterScan Version 3.6 Ready\r\n220 mx ESMTP Postfix\r\n", "SV-12", "trend-imss",
      CONFIDENCE_HIGH },
    { "220 mx.example.com ESMTP Service ready\r\n", "", NULL, 0 },
};

static void test_greetings(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    for (size_t i = 0; i < ARRAY_LEN(greetings); i++) {
        const struct greeting_case *c = &greetings[i];
        OPEN(&p);
        play_greeting(&p, c->reply);
        play_close(&p, (struct play_end){ .reason = CLOSE_CLIENT_EOF, .first = CLIENT });
        EXPECT(&p, c->ids);
        if (c->product == NULL)
            continue;
        const struct finding *f = last_found(&p);
        assert_int_equal(f->confidence, c->confidence);
        assert_string_equal(f->products[0] != NULL ? f->products[0] : "none",
                            strcmp(c->product, "pix4-banner-all-star") == 0 &&
                                    c->ids[4] == '1' && c->ids[3] == '0'
                                ? "pix-banner-mask"
                                : c->product);
        assert_true(names_product(f, c->product));
        assert_int_equal(f->side, BLAME_SERVER);
    }
    play_stop(&p);
}

/* Three stars are an ornament until something else is masked, too. */
static void test_few_stars_and_another_mask(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    OPEN(&p);
    play_greeting(&p, "220 *** 20\r\n");
    EXPECT(&p, "");
    play_command(&p, "EHLO a\r\n", "250-mx.example.com\r\n250 XXXXXXXA\r\n");
    EXPECT(&p, "SV-02 SV-01");
    assert_int_equal(last_found(&p)->confidence, CONFIDENCE_CERTAIN);
    assert_int_equal(last_found(&p)->record, 3);
    assert_int_equal(last_found(&p)->at, 4);
    check_span(last_found(&p)->bytes, SPAN_LIT("*** 20"), "the stars");
    play_stop(&p);
}

static void test_the_same_with_a_clean_ehlo(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    OPEN(&p);
    play_greeting(&p, "220 ***\r\n");
    play_command(&p, "EHLO a\r\n", EHLO_CLEAN);
    EXPECT(&p, "SV-01");
    assert_int_equal(last_found(&p)->confidence, CONFIDENCE_MEDIUM);
    play_quit(&p);
    EXPECT(&p, "SV-01");
    play_stop(&p);
}

/* What the proxy itself greets with is no evidence. */
static void test_our_own_greeting(void **state)
{
    struct play p;
    struct event e;

    (void)state;
    play_start(&p);
    OPEN(&p);
    e = event_of(&p, EVENT_GREETING, "");
    e.replied = SPAN_LIT("421 ************************\r\n");
    e.origin = ORIGIN_PROXY;
    play_see(&p, (struct record_view){ .kind = VIEW_GREETING, .event = &e });
    EXPECT(&p, "");
    play_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_greetings),
        cmocka_unit_test(test_few_stars_and_another_mask),
        cmocka_unit_test(test_the_same_with_a_clean_ehlo),
        cmocka_unit_test(test_our_own_greeting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
