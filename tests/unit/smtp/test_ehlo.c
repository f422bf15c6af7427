#include "unit/check.h"

#include "base/attributes.h"
#include "smtp/ehlo.h"

#define BIT(id) (UINT64_C(1) << EHLO_##id)

struct ehlo_case {
    const char *in;
    const char *out; /* "": nothing to change */
    ehlo_set offered;
    bool sasl_layer;
};

/* Under the default preset. */
static const struct ehlo_case cases[] = {
    { "250 mx.example.org\r\n", "", 0, false },
    { "250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 10485760\r\n250 8BITMIME\r\n", "",
      BIT(PIPELINING) | BIT(SIZE) | BIT(8BITMIME), false },
    { "250-mx\r\n250-size\r\n250 StartTLS\r\n", "", BIT(SIZE) | BIT(STARTTLS), false },
    { "250-mx\r\n250-SIZE=100\r\n250 DSN\r\n", "", BIT(SIZE) | BIT(DSN), false },

    /* removed: in the middle, at the end, all */
    { "250-mx\r\n250-XCLIENT NAME ADDR\r\n250 SIZE\r\n", "250-mx\r\n250 SIZE\r\n", BIT(SIZE),
      false },
    { "250-mx\r\n250-SIZE\r\n250 PRDR\r\n", "250-mx\r\n250 SIZE\r\n", BIT(SIZE), false },
    { "250-mx\r\n250 BURL\r\n", "250 mx\r\n", 0, false },
    { "250-mx hello\r\n250-VRFY\r\n250-EXPN\r\n250 FOO bar\r\n", "250 mx hello\r\n", 0, false },
    { "250-mx\r\n250-\r\n250 SIZE\r\n", "250-mx\r\n250 SIZE\r\n", BIT(SIZE), false },
    { "250-mx\r\n250 ABCDEFGHIJKLMNOPQRSTUVWXYZ\r\n", "250 mx\r\n", 0, false },

    /* the first line is no keyword */
    { "250-XCLIENT\r\n250 SIZE\r\n", "", BIT(SIZE), false },

    /* AUTH */
    { "250-mx\r\n250 AUTH PLAIN LOGIN\r\n", "", BIT(AUTH), false },
    { "250-mx\r\n250 AUTH\r\n", "", BIT(AUTH), false },
    { "250-mx\r\n250 AUTH NTLM\r\n", "", BIT(AUTH), false },
    { "250-mx\r\n250-AUTH PLAIN gssapi  LOGIN\r\n250 DSN\r\n",
      "250-mx\r\n250-AUTH PLAIN LOGIN\r\n250 DSN\r\n", BIT(AUTH) | BIT(DSN), true },
    { "250-mx\r\n250 auth DIGEST-MD5 XOAUTH2 KERBEROS_V4\r\n", "250-mx\r\n250 auth XOAUTH2\r\n",
      BIT(AUTH), true },
    { "250-mx\r\n250-DSN\r\n250 AUTH GSSAPI DIGEST-MD5\r\n", "250-mx\r\n250 DSN\r\n", BIT(DSN),
      true },
    { "250-mx\r\n250-AUTH=LOGIN PLAIN\r\n250 AUTH LOGIN PLAIN\r\n",
      "250-mx\r\n250 AUTH LOGIN PLAIN\r\n", BIT(AUTH), false },
    { "250-mx\r\n250 AUTH=GSSAPI\r\n", "250 mx\r\n", 0, false },

    /* what leaves is canonical */
    { "250-mx\n250-a\rb\n250 SIZE\n", "250-mx\r\n250 SIZE\r\n", BIT(SIZE), false },
    { "250-m\rx\r\n250-PRDR\r\n250 SIZE\r1\r\n", "250-m x\r\n250 SIZE 1\r\n", BIT(SIZE),
      false },
};

static void check_filter(const struct ehlo_terms *terms, const struct ehlo_case *c)
{
    struct buf out;
    struct ehlo_offer offer;

    buf_init(&out, 4096);
    assert_true(ehlo_filter(guarded_str(c->in), terms, &offer, &out));
    check_span(buf_span(&out), span_str(c->out), c->in);
    check_number(offer.offered, c->offered, c->in);
    check_number(offer.sasl_layer, c->sasl_layer, c->in);
    buf_release(&out);
}

static void keywords_by_default(void **state)
{
    struct policy policy;

    (void)state;
    policy_init(&policy, PRESET_DEFAULT);
    assert_true(policy_set(&policy, RULE_AUTH_LAYERS, SPAN_LIT("strip")));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_filter(&(struct ehlo_terms){ .policy = &policy }, &cases[i]);
}

static void a_hidden_octet_hides_no_keyword(void **state)
{
    static const char in[] =
        "250-mx\r\n250-START\0TLS\r\n250-PR\0DR\r\n250-\0\rPRDR\r\n250 AUTH A GSS\0API\r\n";
    struct policy policy;
    struct buf out;
    struct ehlo_offer offer;

    (void)state;
    policy_init(&policy, PRESET_OBSERVE);
    assert_true(policy_set(&policy, RULE_STARTTLS, SPAN_LIT("refuse")));
    assert_true(policy_set(&policy, RULE_AUTH_LAYERS, SPAN_LIT("strip")));
    buf_init(&out, 4096);
    struct span reply = guarded(span_of(in, sizeof in - 1));
    assert_true(ehlo_filter(reply, &(struct ehlo_terms){ .policy = &policy }, &offer, &out));
    check_span(buf_span(&out), SPAN_LIT("250-mx\r\n250 AUTH A\r\n"), "out");
    assert_int_equal(offer.offered, BIT(AUTH));
    assert_true(offer.sasl_layer);
    buf_release(&out);
}

static void rules_decide(void **state)
{
    static const struct {
        enum policy_rule rule;
        const char *word;
        struct ehlo_case then;
    } rules[] = {
        { RULE_STARTTLS, "refuse", { "250-mx\r\n250 STARTTLS\r\n", "250 mx\r\n", 0, false } },
        { RULE_VRFY, "pass", { "250-mx\r\n250 VRFY\r\n", "", BIT(VRFY), false } },
        { RULE_VRFY, "reject502", { "250-mx\r\n250 VRFY\r\n", "250 mx\r\n", 0, false } },
        { RULE_EXPN, "pass", { "250-mx\r\n250 EXPN\r\n", "", BIT(EXPN), false } },
        { RULE_ETRN, "advertised", { "250-mx\r\n250 ETRN\r\n", "", BIT(ETRN), false } },
        { RULE_ETRN, "reject", { "250-mx\r\n250 ETRN\r\n", "250 mx\r\n", 0, false } },
        { RULE_AUTH_LAYERS,
          "pass",
          { "250-mx\r\n250 AUTH GSSAPI PLAIN\r\n", "", BIT(AUTH), false } },
        { RULE_AUTH_LAYERS,
          "strip",
          { "250-mx\r\n250 AUTH GSSAPI PLAIN\r\n", "250-mx\r\n250 AUTH PLAIN\r\n", BIT(AUTH),
            true } },
        { RULE_EHLO_UNKNOWN, "pass", { "250-mx\r\n250 FOO\r\n", "", 0, false } },
        { RULE_EHLO_UNKNOWN, "pass", { "250-mx\r\n250 PRDR\r\n", "250 mx\r\n", 0, false } },
    };
    struct policy policy;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        policy_init(&policy, PRESET_DEFAULT);
        assert_true(policy_set(&policy, rules[i].rule, span_str(rules[i].word)));
        check_filter(&(struct ehlo_terms){ .policy = &policy }, &rules[i].then);
    }
}

/* Each keyword alone: it passes and is offered, or it goes and is not. */
/* STARTTLS, REQUIRETLS, XCLIENT: who the legs belong to decides. */
static void terms_decide(void **state)
{
    static const char plain[] = "250-mx\r\n250 SIZE\r\n", both[] = "250-mx\r\n250 STARTTLS\r\n",
                      require[] = "250-mx\r\n250-REQUIRETLS\r\n250 SIZE\r\n",
                      who[] = "250-mx\r\n250-XCLIENT NAME ADDR\r\n250 XFORWARD NAME\r\n";
    static const struct {
        const char *word;
        struct ehlo_terms terms;
        struct ehlo_case then;
    } rules[] = {
        /* ended here: kept, added, not again */
        { "terminate", { .terminate = true }, { both, "", BIT(STARTTLS), false } },
        { "terminate",
          { .terminate = true },
          { plain, "250-mx\r\n250-SIZE\r\n250 STARTTLS\r\n", BIT(SIZE) | BIT(STARTTLS),
            false } },
        { "terminate",
          { .terminate = true },
          { "250 mx hello\r\n", "250-mx hello\r\n250 STARTTLS\r\n", BIT(STARTTLS), false } },
        { "terminate",
          { .terminate = true },
          { "250-mx\r\n250 PRDR\r\n", "250-mx\r\n250 STARTTLS\r\n", BIT(STARTTLS), false } },
        { "terminate",
          { .terminate = true, .upstream_secure = true },
          { "250 mx\r\n", "250-mx\r\n250 STARTTLS\r\n", BIT(STARTTLS), false } },
        { "terminate",
          { .terminate = true, .client_secure = true },
          { both, "250 mx\r\n", 0, false } },
        { "terminate",
          { .terminate = true, .client_secure = true },
          { plain, "", BIT(SIZE), false } },
        { "passthrough", { .client_secure = true }, { both, "250 mx\r\n", 0, false } },
        { "passthrough", { .client_secure = false }, { both, "", BIT(STARTTLS), false } },
        { "passthrough", { .client_secure = false }, { plain, "", BIT(SIZE), false } },
        /* REQUIRETLS: only where both legs have TLS */
        { "terminate",
          { .client_secure = true, .upstream_secure = true },
          { require, "", BIT(REQUIRETLS) | BIT(SIZE), false } },
        { "terminate", { .client_secure = true }, { require, plain, BIT(SIZE), false } },
        { "passthrough", { .upstream_secure = true }, { require, plain, BIT(SIZE), false } },
        /* who may say for whom it speaks */
        { "passthrough",
          { .trusted = true },
          { who, "", BIT(XCLIENT) | BIT(XFORWARD), false } },
        { "passthrough", { .trusted = false }, { who, "250 mx\r\n", 0, false } },
    };
    struct policy policy;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        struct ehlo_terms terms = rules[i].terms;

        policy_init(&policy, PRESET_DEFAULT);
        assert_true(policy_set(&policy, RULE_STARTTLS, span_str(rules[i].word)));
        terms.policy = &policy;
        check_filter(&terms, &rules[i].then);
    }
}

static void parameters_of_a_keyword(void **state)
{
    static const struct {
        const char *reply, *word;
        bool named;
    } rows[] = {
        { "250-mx\r\n250 XCLIENT NAME ADDR PORT\r\n", "NAME", true },
        { "250-mx\r\n250 xclient name addr\r\n", "ADDR", true },
        { "250-mx\r\n250-XCLIENT NAME  ADDR\r\n250 SIZE\r\n", "addr", true },
        { "250-mx\r\n250-XCLIENT NAME\r\n250 XCLIENT ADDR\r\n", "ADDR", true },
        { "250-mx\r\n250 XCLIENT NAME ADDR\r\n", "PORT", false },
        { "250-mx\r\n250 XCLIENT NAME ADDR\r\n", "NAM", false },
        { "250-mx\r\n250 XCLIENT NAME ADDR\r\n", "XCLIENT", false },
        { "250-mx\r\n250 XCLIENT NAME ADDR\r\n", "", false },
        { "250-mx\r\n250 XFORWARD NAME ADDR\r\n", "NAME", false },
        { "250-XCLIENT NAME\r\n250 SIZE\r\n", "NAME", false },
        { "250 mx\r\n", "NAME", false },
        { "250-mx\r\n250 XCLIENT\r\n", "NAME", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_number(
            ehlo_names(guarded_str(rows[i].reply), EHLO_XCLIENT, span_str(rows[i].word)),
            rows[i].named, rows[i].reply);
}

static void every_keyword_is_known(void **state)
{
    static const char *const names[] = {
#define X(id, text, treatment, mail, rcpt) text,
        EHLO_KEYWORDS(X)
#undef X
    };
    struct policy policy;

    (void)state;
    policy_init(&policy, PRESET_DEFAULT);
    for (unsigned k = 0; k < EHLO_KEYWORD_COUNT; k++) {
        char in[64];
        struct buf out;
        struct ehlo_offer offer;

        snprintf(in, sizeof in, "250-mx\r\n250 %s\r\n", names[k]);
        assert_true(ehlo_parse(guarded_str(in)) == UINT64_C(1) << k);
        buf_init(&out, 256);
        assert_true(ehlo_filter(guarded_str(in), &(struct ehlo_terms){ .policy = &policy },
                                &offer, &out));
        check_number(offer.offered, out.len == 0 ? UINT64_C(1) << k : 0, names[k]);
        buf_release(&out);
    }
}

static void parse_removes_nothing(void **state)
{
    (void)state;
    assert_int_equal(ehlo_parse(guarded_str("250-PRDR\r\n250-BURL\r\n250-x\r\n250 AUTH=A\r\n")),
                     BIT(BURL) | BIT(AUTH));
    assert_int_equal(ehlo_parse(guarded_str("250 mx\r\n")), 0);
    assert_int_equal(ehlo_parse(guarded_str("")), 0);
}

static void what_is_removed_is_told(void **state)
{
    static const struct {
        const char *in;
        ehlo_set removed;
    } replies[] = {
        { "250-mx\r\n250-SIZE\r\n250 DSN\r\n", 0 },
        { "250-mx\r\n250-PRDR\r\n250-XVERP\r\n250 SIZE\r\n", BIT(PRDR) | BIT(XVERP) },
        { "250-mx\r\n250-FOO\r\n250 REQUIRETLS\r\n",
          UINT64_C(1) << EHLO_KEYWORD_COUNT | BIT(REQUIRETLS) },
        { "250-mx\r\n250-AUTH=PLAIN\r\n250 AUTH PLAIN\r\n", 0 },
        { "250-mx\r\n250 AUTH=PLAIN\r\n", BIT(AUTH) },
        { "250-mx\r\n250 AUTH GSSAPI\r\n", BIT(AUTH) },
    };
    struct policy policy;
    struct buf out;
    struct ehlo_offer offer;

    (void)state;
    policy_init(&policy, PRESET_DEFAULT);
    assert_true(policy_set(&policy, RULE_AUTH_LAYERS, SPAN_LIT("strip")));
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        buf_init(&out, 4096);
        assert_true(ehlo_filter(guarded_str(replies[i].in),
                                &(struct ehlo_terms){ .policy = &policy }, &offer, &out));
        check_number(offer.removed, replies[i].removed, replies[i].in);
        buf_release(&out);
    }
}

static void parameters_of_removed_keywords(void **state)
{
    static const struct {
        const char *parameter;
        ehlo_set keyword;
    } parameters[] = {
        { "SIZE=1", BIT(SIZE) },
        { "BODY=BINARYMIME", BIT(BINARYMIME) },
        { "body=binarymime", BIT(BINARYMIME) },
        { "BODY=8BITMIME", BIT(8BITMIME) },
        { "SMTPUTF8", BIT(SMTPUTF8) },
        { "AUTH=<>", BIT(AUTH) },
        { "RET=HDRS", BIT(DSN) },
        { "ENVID=a", BIT(DSN) },
        { "NOTIFY=NEVER", BIT(DSN) },
        { "ORCPT=rfc822;a", BIT(DSN) },
        { "REQUIRETLS", BIT(REQUIRETLS) },
        { "BY=1;R", BIT(DELIVERBY) },
        { "MT-PRIORITY=1", BIT(MT_PRIORITY) },
        { "HOLDFOR=1", BIT(FUTURERELEASE) },
        { "HOLDUNTIL=1", BIT(FUTURERELEASE) },
        { "SOLICIT=a", BIT(NO_SOLICITING) },
        { "MTRK=a", BIT(MTRK) },
        { "RRVS=1", BIT(RRVS) },
        { "SUBMITTER=a", BIT(SUBMITTER) },
        { "TRANSID=a", BIT(CHECKPOINT) },
        { "XVERP", BIT(XVERP) },
        { "XVERP=+=", BIT(XVERP) },
        { "FOO", UINT64_C(1) << EHLO_KEYWORD_COUNT },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(parameters); i++) {
        struct span p = guarded_str(parameters[i].parameter);

        assert_null(ehlo_parameter_removed(0, p));
        assert_null(ehlo_parameter_removed(~parameters[i].keyword, p));
        assert_non_null(ehlo_parameter_removed(parameters[i].keyword, p));
    }
    assert_non_null(ehlo_parameter_removed(0, guarded_str("PRDR")));
}

static void memory_runs_out(void **state)
{
    struct policy policy;
    struct buf out;
    struct ehlo_offer offer;

    (void)state;
    policy_init(&policy, PRESET_DEFAULT);
    for (uint32_t max = 1; max < 21; max++) {
        buf_init(&out, max);
        assert_true(buf_append(&out, SPAN_LIT("x")));
        assert_false(ehlo_filter(guarded_str("250-mx\r\n250-PRDR\r\n250 AUTH A GSSAPI\r\n"),
                                 &(struct ehlo_terms){ .policy = &policy }, &offer, &out));
        assert_int_equal(out.len, 1);
        buf_release(&out);
    }
}

static void command_limits(void **state)
{
    static const ehlo_set typical =
        BIT(SIZE) | BIT(8BITMIME) | BIT(SMTPUTF8) | BIT(AUTH) | BIT(DSN);
    struct policy p;

    (void)state;
    policy_init(&p, PRESET_DEFAULT);
    assert_int_equal(ehlo_command_limit(VERB_NOOP, typical, &p), 512);
    assert_int_equal(ehlo_command_limit(VERB_MAIL, 0, &p), 512);
    assert_int_equal(ehlo_command_limit(VERB_MAIL, typical, &p), 1180);
    assert_int_equal(ehlo_command_limit(VERB_RCPT, typical, &p), 1048);
    assert_int_equal(ehlo_command_limit(VERB_MAIL, BIT(8BITMIME), &p), 528);
    assert_int_equal(ehlo_command_limit(VERB_MAIL, BIT(BINARYMIME), &p), 528);
    assert_int_equal(ehlo_command_limit(VERB_MAIL, BIT(8BITMIME) | BIT(BINARYMIME), &p), 528);
    assert_int_equal(ehlo_command_limit(VERB_RCPT, BIT(DSN) | BIT(RRVS), &p), 1081);
    assert_int_equal(ehlo_command_limit(VERB_AUTH, 0, &p), 12290);
    assert_int_equal(ehlo_command_limit(VERB_UNKNOWN, typical, &p), 512);

    assert_true(policy_set(&p, RULE_LIMIT_MODE, SPAN_LIT("strict512")));
    assert_int_equal(ehlo_command_limit(VERB_MAIL, typical, &p), 512);
    assert_int_equal(ehlo_command_limit(VERB_AUTH, typical, &p), 512);

    assert_true(policy_set(&p, RULE_LIMIT_MODE, SPAN_LIT("fixed")));
    p.limit_fixed = 2048;
    assert_int_equal(ehlo_command_limit(VERB_MAIL, typical, &p), 2048);
    assert_int_equal(ehlo_command_limit(VERB_NOOP, typical, &p), 2048);
    assert_int_equal(ehlo_command_limit(VERB_AUTH, typical, &p), 12290);
    p.limit_fixed = 20000;
    assert_int_equal(ehlo_command_limit(VERB_AUTH, typical, &p), 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keywords_by_default),
        cmocka_unit_test(a_hidden_octet_hides_no_keyword),
        cmocka_unit_test(rules_decide),
        cmocka_unit_test(terms_decide),
        cmocka_unit_test(parameters_of_a_keyword),
        cmocka_unit_test(every_keyword_is_known),
        cmocka_unit_test(parse_removes_nothing),
        cmocka_unit_test(what_is_removed_is_told),
        cmocka_unit_test(parameters_of_removed_keywords),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(command_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
