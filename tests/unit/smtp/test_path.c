#include "unit/check.h"

#include "base/attributes.h"
#include "smtp/path.h"

#define BIT(id) (UINT64_C(1) << NOTE_##id)

enum { LENIENT, STRICT };

struct path_case {
    const char *arg;
    enum path_kind kind;
    bool strict;
    enum path_result result;
    uint64_t notes;
    const char *canonical; /* NULL: sent on as it is */
};

#define DIGITS20 "99999999999999999999"

static const struct path_case cases[] = {
    { "FROM:<a@example.com>", PATH_FROM, LENIENT, PATH_OK, 0, NULL },
    { "from:<a@example.com>", PATH_FROM, STRICT, PATH_OK, 0, NULL },
    { "FROM:<>", PATH_FROM, STRICT, PATH_OK, 0, NULL },
    { "TO:<Postmaster>", PATH_TO, STRICT, PATH_OK, 0, NULL },
    { "TO:<b@[192.0.2.25]>", PATH_TO, STRICT, PATH_OK, 0, NULL },
    { "TO:<b@[IPv6:2001:db8::1]>", PATH_TO, STRICT, PATH_OK, 0, NULL },
    { "TO:<\"a >b\"@example.org>", PATH_TO, STRICT, PATH_OK, 0, NULL },
    { "TO:<\"a\\\"b\"@example.org>", PATH_TO, STRICT, PATH_OK, 0, NULL },
    { "FROM:<j\xc3\xb6rg@example.com> SMTPUTF8", PATH_FROM, STRICT, PATH_OK, 0, NULL },
    { "FROM:<a@b>  SIZE=1\t BODY=7BIT", PATH_FROM, STRICT, PATH_OK, 0, NULL },
    { "TO:<@relay.example,@hop.example:b@example.org>", PATH_TO, STRICT, PATH_OK,
      BIT(PATH_SOURCE_ROUTE), NULL },

    /* forgiven, or not */
    { "FROM: <a@b>", PATH_FROM, LENIENT, PATH_OK, BIT(PATH_SPACE), "FROM:<a@b>" },
    { "FROM: <a@b>", PATH_FROM, STRICT, PATH_BAD_ARGS, BIT(PATH_SPACE), NULL },
    { "FROM\t:<a@b>", PATH_FROM, LENIENT, PATH_OK, BIT(PATH_SPACE), "FROM:<a@b>" },
    { "TO : <a@b>  X=1   Y", PATH_TO, LENIENT, PATH_OK, BIT(PATH_SPACE), "TO:<a@b> X=1 Y" },
    { "from:a@b", PATH_FROM, LENIENT, PATH_OK, BIT(PATH_MISSING_BRACKETS), "from:<a@b>" },
    { "FROM:a@b SIZE=100", PATH_FROM, LENIENT, PATH_OK, BIT(PATH_MISSING_BRACKETS),
      "FROM:<a@b> SIZE=100" },
    { "FROM:a@b\tSIZE=100", PATH_FROM, LENIENT, PATH_OK, BIT(PATH_MISSING_BRACKETS),
      "FROM:<a@b> SIZE=100" },
    { "TO:b@c", PATH_TO, STRICT, PATH_BAD_ARGS, BIT(PATH_MISSING_BRACKETS), NULL },
    { "TO: b@c", PATH_TO, LENIENT, PATH_OK, BIT(PATH_SPACE) | BIT(PATH_MISSING_BRACKETS),
      "TO:<b@c>" },

    { "TO:<b c@d>", PATH_TO, LENIENT, PATH_OK, BIT(PATH_UNQUOTED), NULL },
    { "TO:<a,b;c@d> X=1", PATH_TO, LENIENT, PATH_OK, BIT(PATH_UNQUOTED), NULL },
    { "FROM:<a(comment)@b>", PATH_FROM, LENIENT, PATH_OK, BIT(PATH_UNQUOTED), NULL },
    { "FROM:<a@b (c (d@e) f)>", PATH_FROM, LENIENT, PATH_OK, BIT(PATH_UNQUOTED), NULL },
    { "FROM:< a@b >", PATH_FROM, LENIENT, PATH_OK, BIT(PATH_UNQUOTED), NULL },
    { "FROM:a,b@c", PATH_FROM, LENIENT, PATH_OK,
      BIT(PATH_UNQUOTED) | BIT(PATH_MISSING_BRACKETS), "FROM:<a,b@c>" },
    { "FROM:<a(b)@c>", PATH_FROM, STRICT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },

    /* not even so: one reader would see another end than the next */
    { "FROM:<a(b@c>", PATH_FROM, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },
    { "FROM:<a)b(@c>", PATH_FROM, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },
    { "FROM:<a(>)@b>", PATH_FROM, LENIENT, PATH_BAD_ARGS, BIT(CMD_SYNTAX), NULL },
    { "FROM:<a(\")@b>", PATH_FROM, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },
    { "FROM:<a\\(b)@c>", PATH_FROM, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },
    { "FROM:<(a)@b>", PATH_FROM, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },
    { "FROM:<a@(b)>", PATH_FROM, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },
    { "FROM:<a@b c>", PATH_FROM, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },
    { "FROM:<a@b,c>", PATH_FROM, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },

    /* arguments */
    { "", PATH_FROM, LENIENT, PATH_BAD_ARGS, BIT(CMD_SYNTAX), NULL },
    { "FROM", PATH_FROM, LENIENT, PATH_BAD_ARGS, BIT(CMD_SYNTAX), NULL },
    { "FROM:", PATH_FROM, LENIENT, PATH_BAD_ARGS, BIT(CMD_SYNTAX), NULL },
    { "<a@b>", PATH_FROM, LENIENT, PATH_BAD_ARGS, BIT(CMD_SYNTAX), NULL },
    { "TO:<a@b>", PATH_FROM, LENIENT, PATH_BAD_ARGS, BIT(CMD_SYNTAX), NULL },
    { "FROM:<a@b><c@d>", PATH_FROM, LENIENT, PATH_BAD_ARGS, BIT(CMD_SYNTAX), NULL },
    { "FROM:Alice <a@b>", PATH_FROM, LENIENT, PATH_BAD_ARGS,
      BIT(CMD_SYNTAX) | BIT(PATH_MISSING_BRACKETS), NULL },

    /* paths */
    { "FROM:<a@b", PATH_FROM, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },
    { "FROM:<<a@b>>", PATH_FROM, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },
    { "FROM:a@b>", PATH_FROM, LENIENT, PATH_BAD_PATH,
      BIT(CMD_SYNTAX) | BIT(PATH_MISSING_BRACKETS), NULL },
    { "TO:<>", PATH_TO, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },
    { "TO:<b@c,d@e>", PATH_TO, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },
    { "TO:<b@c@d>", PATH_TO, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },
    { "TO:<b@>", PATH_TO, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },
    { "TO:<b c@d>", PATH_TO, STRICT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },
    { "TO:<b\tc@d>", PATH_TO, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },
    { "TO:<b@[]>", PATH_TO, LENIENT, PATH_OK, 0, NULL },
    { "TO:<b@[IPv6:>", PATH_TO, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },
    { "TO:<\"a@b>", PATH_TO, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },
    { "TO:<\"a\"b@c>", PATH_TO, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },
    { "TO:<\"a\"bc>", PATH_TO, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },
    { "TO:<\"a\\>", PATH_TO, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX), NULL },
    { "TO:<@a:>", PATH_TO, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX) | BIT(PATH_SOURCE_ROUTE),
      NULL },
    { "TO:<@:b@c>", PATH_TO, LENIENT, PATH_BAD_PATH, BIT(CMD_SYNTAX) | BIT(PATH_SOURCE_ROUTE),
      NULL },

    /* parameters */
    { "FROM:<a@b> SIZE=" DIGITS20, PATH_FROM, LENIENT, PATH_OK, 0, NULL },
    { "FROM:<a@b> SIZE=9" DIGITS20, PATH_FROM, LENIENT, PATH_BAD_ARGS, BIT(CMD_SYNTAX), NULL },
    { "FROM:<a@b> SIZE=12k", PATH_FROM, LENIENT, PATH_BAD_ARGS, BIT(CMD_SYNTAX), NULL },
    { "FROM:<a@b> SIZE", PATH_FROM, LENIENT, PATH_BAD_ARGS, BIT(CMD_SYNTAX), NULL },
    { "FROM:<a@b> SIZE=1 size=2", PATH_FROM, LENIENT, PATH_BAD_ARGS, BIT(CMD_SYNTAX), NULL },
    { "FROM:<a@b> ENVID=a ENVID=b", PATH_FROM, LENIENT, PATH_BAD_ARGS, BIT(CMD_SYNTAX), NULL },
    { "FROM:<a@b> FO_O=1", PATH_FROM, LENIENT, PATH_BAD_ARGS, BIT(CMD_SYNTAX), NULL },
    { "FROM:<a@b> -FOO=1", PATH_FROM, LENIENT, PATH_BAD_ARGS, BIT(CMD_SYNTAX), NULL },
    { "FROM:<a@b> =1", PATH_FROM, LENIENT, PATH_BAD_ARGS, BIT(CMD_SYNTAX), NULL },
    { "FROM:<a@b> BODY=", PATH_FROM, LENIENT, PATH_BAD_ARGS, BIT(CMD_SYNTAX), NULL },
    { "FROM:<a@b> A=b=c", PATH_FROM, LENIENT, PATH_BAD_ARGS, BIT(CMD_SYNTAX), NULL },
    { "FROM:<a@b> A=\x7f", PATH_FROM, LENIENT, PATH_BAD_ARGS, BIT(CMD_SYNTAX), NULL },
    { "FROM:<a@b> FOO=1", PATH_FROM, LENIENT, PATH_OK, 0, NULL },
    { "FROM:<a@b> X-Y=\xc3\xb6", PATH_FROM, LENIENT, PATH_OK, 0, NULL },
};

static uint64_t note_bits(const struct notes *n)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < n->len; i++)
        bits |= UINT64_C(1) << n->list[i].id;
    return bits;
}

static void check_canonical(const struct path *p, const char *want)
{
    struct buf out;

    buf_init(&out, 4096);
    assert_true(path_canonical(p, &out));
    check_span(buf_span(&out), span_str(want), "canonical");
    buf_release(&out);
}

static void path_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct path_case *c = &cases[i];
        struct notes notes = { .len = 0 };
        struct path p;

        check_number(path_parse(guarded_str(c->arg), c->kind, c->strict, &p, &notes, 7),
                     c->result, c->arg);
        check_number(note_bits(&notes), c->notes, c->arg);
        check_number(p.why == NULL, c->result == PATH_OK, c->arg);
        if (notes.len > 0)
            assert_int_equal(notes.list[0].at, 7);
        if (c->result != PATH_OK)
            continue;
        check_number(p.rewrite, c->canonical != NULL, c->arg);
        if (c->canonical != NULL)
            check_canonical(&p, c->canonical);
    }
}

static void views_are_of_the_argument(void **state)
{
    struct notes notes = { .len = 0 };
    struct path p;

    (void)state;
    struct span arg = guarded_str("FROM:<a@b> SIZE=1");
    assert_int_equal(path_parse(arg, PATH_FROM, false, &p, &notes, 0), PATH_OK);
    check_span(p.keyword, SPAN_LIT("FROM"), "keyword");
    check_span(p.path, SPAN_LIT("a@b"), "path");
    check_span(p.params, SPAN_LIT(" SIZE=1"), "params");
    assert_ptr_equal(p.path.ptr, arg.ptr + 6);
}

/* "TO:<" local "@" domain ">" with so many octets each. */
static uint64_t notes_for_lengths(size_t local, size_t domain)
{
    char arg[600] = "TO:<";
    struct notes notes = { .len = 0 };
    struct path p;

    memset(arg + 4, 'a', local);
    arg[4 + local] = '@';
    memset(arg + 5 + local, 'b', domain);
    arg[5 + local + domain] = '>';
    struct span in = guarded(span_of(arg, 6 + local + domain));
    assert_int_equal(path_parse(in, PATH_TO, true, &p, &notes, 0), PATH_OK);
    return note_bits(&notes);
}

static void lengths_are_noted(void **state)
{
    (void)state;
    assert_int_equal(notes_for_lengths(64, 10), 0);
    assert_int_equal(notes_for_lengths(65, 10), BIT(PATH_OVERLONG));
    assert_int_equal(notes_for_lengths(1, 252), 0);
    assert_int_equal(notes_for_lengths(1, 253), BIT(PATH_OVERLONG));
}

static size_t many_params(char *arg, unsigned count)
{
    size_t len = 10;

    memcpy(arg, "FROM:<a@b>", len);
    for (unsigned i = 0; i < count; i++) {
        arg[len++] = ' ';
        arg[len++] = (char)('A' + i / 10);
        arg[len++] = (char)('0' + i % 10);
    }
    return len;
}

static void parameters_are_bounded(void **state)
{
    char arg[512];
    struct notes notes = { .len = 0 };
    struct path p;

    (void)state;
    size_t len = many_params(arg, 64);
    assert_int_equal(path_parse(guarded(span_of(arg, len)), PATH_FROM, true, &p, &notes, 0),
                     PATH_OK);
    len = many_params(arg, 65);
    assert_int_equal(path_parse(guarded(span_of(arg, len)), PATH_FROM, true, &p, &notes, 0),
                     PATH_BAD_ARGS);
}

static void canonical_appends_all_or_nothing(void **state)
{
    struct notes notes = { .len = 0 };
    struct path p;
    struct buf out;

    (void)state;
    assert_int_equal(path_parse(guarded_str("TO: a@b X"), PATH_TO, false, &p, &notes, 0), 0);
    for (uint32_t max = 2; max <= 13; max++) {
        buf_init(&out, max);
        assert_true(buf_append(&out, SPAN_LIT("> ")));
        assert_int_equal(path_canonical(&p, &out), max == 2 + 10);
        assert_int_equal(out.len, max == 12 ? 12 : 2);
        buf_release(&out);
        if (max == 12)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_cases),
        cmocka_unit_test(views_are_of_the_argument),
        cmocka_unit_test(lengths_are_noted),
        cmocka_unit_test(parameters_are_bounded),
        cmocka_unit_test(canonical_appends_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
