#include "unit/check.h"

#include "analysis/report/figures.h"
#include "base/attributes.h"

#include <stdio.h>

static struct figures f;

static void see(const char *line)
{
    struct record r;
    char error[READER_ERROR_MAX];

    if (!record_parse(span_str(line), &r, error))
        fail_msg("%s", error);
    figures_see(&f, &r);
    record_free(&r);
}

#define HEAD                                                                                   \
    "\"t\":\"2026-11-23T09:00:00.000000Z\",\"sid\":\"01M83MCDR00000000000000000\",\"n\":1,"    \
    "\"vantage\":\"v\""

static void see_command(const char *verb, unsigned code, uint64_t us)
{
    char line[512];

    snprintf(
        line, sizeof line,
        "{\"v\":1,\"kind\":\"command\"," HEAD ",\"verb\":\"%s\",\"at\":0,"
        "\"received\":\"x\",\"action\":\"relayed\",\"origin\":\"upstream\",\"reply\":\"y\","
        "\"code\":%u,\"reply_us\":%llu}",
        verb, code, (unsigned long long)us);
    see(line);
}

/* To a tenth, whatever the size. */
static void percentiles_are_near(void **state)
{
    (void)state;
    for (uint64_t scale = 1; scale < 1ull << 36; scale *= 7) {
        f = (struct figures){ .records = 0 };
        for (uint64_t i = 1; i <= 100; i++)
            see_command("MAIL", 250, i * scale);
        const struct lapses *l = &f.verbs[0].lapses;
        static const unsigned percents[] = { 1, 50, 90, 99, 100 };
        for (size_t i = 0; i < ARRAY_LEN(percents); i++) {
            double want = (double)(percents[i] * scale);
            double got = (double)lapses_percentile(l, percents[i]);
            assert_true(got >= want * 0.9 && got <= want * 1.1);
        }
        assert_int_equal(l->longest_us, 100 * scale);
    }
}

static void nothing_has_no_percentile(void **state)
{
    struct lapses none = { .count = 0 };

    (void)state;
    assert_int_equal(lapses_percentile(&none, 50), 0);
}

static void replies_by_their_class(void **state)
{
    (void)state;
    f = (struct figures){ .records = 0 };
    see_command("RCPT", 250, 1);
    see_command("RCPT", 354, 1);
    see_command("RCPT", 450, 1);
    see_command("RCPT", 550, 1);
    assert_int_equal(f.verb_count, 1);
    assert_int_equal(f.verbs[0].commands, 4);
    assert_int_equal(f.verbs[0].good, 2);
    assert_int_equal(f.verbs[0].later, 1);
    assert_int_equal(f.verbs[0].refused, 1);
    assert_int_equal(f.bars[0], 4);
}

/* A client may say what it likes. */
static void verbs_have_a_limit(void **state)
{
    char verb[16];

    (void)state;
    f = (struct figures){ .records = 0 };
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(verb, sizeof verb, "V%u", i);
        see_command(verb, 250, UINT32_MAX * 1000ull);
    }
    assert_int_equal(f.verb_count, VERBS_MAX);
    assert_int_equal(f.verbs[VERBS_MAX - 1].commands, 1000 - (VERBS_MAX - 1));
    assert_int_equal(f.bars[LAPSE_BARS], 1000);
}

static void tallies_have_a_limit(void **state)
{
    char line[512];
    uint64_t all = 0;

    (void)state;
    f = (struct figures){ .records = 0 };
    for (unsigned i = 0; i < 300; i++) {
        snprintf(line, sizeof line,
                 "{\"v\":1,\"kind\":\"close\"," HEAD ",\"reason\":\"r%u\",\"text\":\"\","
                 "\"error\":false,\"first\":\"client\",\"how\":\"fin\",\"octets\":{"
                 "\"client_in\":1,\"client_out\":1,\"server_in\":2,\"server_out\":1},\"us\":1}",
                 i);
        see(line);
    }
    assert_int_equal(f.closes.count, TALLIES_MAX);
    for (unsigned i = 0; i < f.closes.count; i++)
        all += f.closes.list[i].count;
    assert_int_equal(all, 300);
    tallies_sort(&f.closes);
    assert_string_equal(f.closes.list[0].name, "other");
    assert_int_equal(f.octets_from_client, 300);
    assert_int_equal(f.octets_from_server, 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_near),   cmocka_unit_test(nothing_has_no_percentile),
        cmocka_unit_test(replies_by_their_class), cmocka_unit_test(verbs_have_a_limit),
        cmocka_unit_test(tallies_have_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
