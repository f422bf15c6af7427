/* One octet of a connection, and what is said of it. */
#include "box_play.h"

#include "base/buf.h"

enum { OCTETS = 64 };

struct result {
    struct buf out[2];
    char said[128];
    unsigned times;
};

static void collect(struct box *b, struct result *r)
{
    struct box_action w;

    while (box_next(b, &w)) {
        if (w.kind == BOX_SEND) {
            assert_true(buf_append(&r->out[w.side], w.bytes));
        } else {
            assert_int_equal(w.kind, BOX_LOG);
            snprintf(r->said, sizeof r->said, "%.*s", (int)w.bytes.len,
                     (const char *)w.bytes.ptr);
            r->times++;
        }
    }
}

/* The octets 0, 1, 2, ... from both sides, `piece` in a read. */
static void mutate(const char *preset, uint64_t seed, size_t piece, struct result *r)
{
    struct rules rules;
    char error[256];
    unsigned char octets[OCTETS];

    for (unsigned i = 0; i < OCTETS; i++)
        octets[i] = (unsigned char)i;
    *r = (struct result){ .times = 0 };
    buf_init(&r->out[CLIENT], 4 * OCTETS);
    buf_init(&r->out[SERVER], 4 * OCTETS);
    assert_true(preset_find(preset, &rules, error, sizeof error));
    struct box *b = box_new(&rules, seed);
    assert_non_null(b);
    box_connected(b);
    for (size_t at = 0; at < OCTETS; at += piece) {
        struct span read = span_first(span_drop(span_of(octets, OCTETS), at), piece);
        box_bytes(b, CLIENT, read);
        collect(b, r);
        box_bytes(b, SERVER, read);
        collect(b, r);
    }
    box_free(&b);
}

/* What is said is what was done: a place, the octet there, what came of it. */
static void check(const struct result *r, enum side from)
{
    const struct buf *out = &r->out[from == CLIENT ? SERVER : CLIENT];
    const struct buf *other = &r->out[from == CLIENT ? CLIENT : SERVER];
    char way[8], how[8];
    unsigned at, was, is = 0;

    assert_int_equal(other->len, OCTETS);
    assert_int_equal(r->times, 1);
    bool lost = sscanf(r->said, "mutation: %7s %7s at %u, %x lost", way, how, &at, &was) == 4 &&
                strstr(r->said, "lost") != NULL;
    assert_true(lost || sscanf(r->said, "mutation: %7s %7s at %u, %x -> %x", way, how, &at,
                               &was, &is) == 5);
    assert_string_equal(way, from == CLIENT ? "up" : "down");
    assert_true(at < OCTETS && was == at && (lost || is != was));
    unsigned gone = strcmp(how, "insert") != 0, new = !lost;
    assert_int_equal(lost, strcmp(how, "delete") == 0);
    assert_int_equal(out->len, OCTETS - gone + new);
    for (unsigned i = 0; i < at; i++)
        assert_int_equal(out->ptr[i], i);
    if (new)
        assert_int_equal(out->ptr[at], is);
    for (unsigned i = at + new; i < out->len; i++)
        assert_int_equal(out->ptr[i], i + gone - new);
}

static void test_mutations(void **state)
{
    static const struct {
        const char *preset;
        int from; /* -1: either */
    } cases[] = {
        { "mutate(up,change,64)", CLIENT },
        { "mutate(down,change,64)", SERVER },
        { "mutate(up,delete,64)", CLIENT },
        { "mutate(down,insert,64)", SERVER },
        { "mutate(64)", -1 },
        { "mutate(insert,64,up)", CLIENT },
    };
    static const size_t pieces[] = { 1, 5, OCTETS };
    unsigned sides[2] = { 0 };
    struct result r;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (uint64_t n = 0; n < 300; n++) {
            mutate(cases[i].preset, n, pieces[n % ARRAY_LEN(pieces)], &r);
            int from = strstr(r.said, ": up ") != NULL ? CLIENT : SERVER;
            assert_true(cases[i].from < 0 || from == cases[i].from);
            check(&r, (enum side)from);
            sides[from] += cases[i].from < 0;
            buf_release(&r.out[CLIENT]);
            buf_release(&r.out[SERVER]);
        }
    assert_true(sides[CLIENT] > 50 && sides[SERVER] > 50);
}

/* Equal seeds, equal choices; other seeds, others. */
static void test_seeds(void **state)
{
    struct result a, b;
    unsigned equal = 0;

    (void)state;
    for (uint64_t n = 0; n < 100; n++) {
        mutate("mutate(64)", n, OCTETS, &a);
        mutate("mutate(64)", n, 3, &b);
        assert_string_equal(a.said, b.said);
        buf_release(&b.out[CLIENT]);
        buf_release(&b.out[SERVER]);
        mutate("mutate(64)", n + 1, OCTETS, &b);
        equal += strcmp(a.said, b.said) == 0;
        for (unsigned i = 0; i < 2; i++) {
            buf_release(&a.out[i]);
            buf_release(&b.out[i]);
        }
    }
    assert_true(equal < 10);
}

/* Nothing is there to be changed. */
static void test_beyond(void **state)
{
    struct result r;

    (void)state;
    mutate("mutate(up,1024M)", 1, OCTETS, &r);
    assert_int_equal(r.times, 0);
    assert_int_equal(r.out[SERVER].len, OCTETS);
    buf_release(&r.out[CLIENT]);
    buf_release(&r.out[SERVER]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_beyond),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
