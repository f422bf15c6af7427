/* Digests and cuts: independent of reads, equal to the plain hash, resynchronising. */
#include "unit/check.h"

#include "transcript/content.h"
#include "transcript/json.h"

#include <stdio.h>

static struct writer *writer;
static struct stream *stream;

static int start(void **state)
{
    struct writer_config c = { .file = "/dev/null",
                               .fd = -1,
                               .flush_ms = 1000,
                               .content = CONTENT_LEVEL_HEADERS,
                               .sha256 = true };
    char error[256];

    (void)state;
    writer = writer_start(&c, error, sizeof error);
    stream = stream_new(writer, NULL, NULL);
    return writer != NULL && stream != NULL ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    stream_free(&stream);
    writer_stop(&writer, 1000);
    return 0;
}

static uint32_t next(uint32_t *x)
{
    *x = *x * 1664525 + 1013904223;
    return *x >> 8;
}

/* Lines of 0 to 99 letters, now and then a very long one, or bare endings. */
static size_t fill(unsigned char *p, size_t size, uint32_t seed)
{
    size_t at = 0;

    while (at < size) {
        size_t line = next(&seed) % 100;
        if (next(&seed) % 4000 == 0)
            line = next(&seed) % 100000;
        for (; line > 0 && at < size; line--)
            p[at++] = (unsigned char)('a' + next(&seed) % 26);
        if (at < size && next(&seed) % 8 != 0)
            p[at++] = '\r';
        if (at < size)
            p[at++] = '\n';
    }
    return at;
}

struct result {
    unsigned char whole[HASH_OCTETS], sha[EVP_MAX_MD_SIZE];
    struct content_block blocks[4000];
    uint32_t count;
};

/* reads of 1 to `most` octets */
static void digest(struct span in, size_t most, struct result *r)
{
    struct content_digest *d = content_digest_begin(stream, NULL);
    uint32_t seed = (uint32_t)most;

    assert_non_null(d);
    for (size_t at = 0; at < in.len;) {
        struct span part = span_first(span_drop(in, at), 1 + next(&seed) % most);
        content_add(d, CONTENT_SAME, part, true);
        at += part.len;
    }
    content_finish(d);
    assert_false(d->forked);
    memset(r, 0, sizeof *r);
    d->hash->digest(d->whole, r->whole);
    EVP_DigestFinal_ex(d->sha256, r->sha, NULL);
    assert_true(d->block_count <= 4000);
    r->count = d->block_count;
    memcpy(r->blocks, d->blocks, d->block_count * sizeof *d->blocks);
    content_digest_free(&d, stream);
    assert_null(d);
}

static void reads_do_not_matter(void **state)
{
    enum { SIZE = 3000000 };
    static const size_t mosts[] = { 1, 2, 17, 100, 4096, 65536, 1000000 };
    unsigned char *text = malloc(SIZE), hash[HASH_OCTETS];
    struct result *whole = malloc(sizeof *whole), *cut = malloc(sizeof *cut);

    (void)state;
    fill(text, SIZE, 7);
    digest(span_of(text, SIZE), SIZE * 2, whole);
    hash_ops_plain.whole(span_of(text, SIZE), hash);
    assert_memory_equal(hash, whole->whole, HASH_OCTETS);
    size_t at = 0;
    for (uint32_t i = 0; i < whole->count; i++) {
        const struct content_block *b = &whole->blocks[i];
        hash_ops_plain.whole(span_of(text + at, b->octets), hash);
        assert_memory_equal(hash, b->hash, HASH_OCTETS);
        at += b->octets;
        assert_true(b->octets <= CUT_ANYWHERE);
        if (i + 1 < whole->count) {
            assert_true(b->octets >= CUT_MIN);
            assert_true(text[at - 1] == '\n' || b->octets == CUT_ANYWHERE);
        }
    }
    assert_int_equal(at, SIZE);
    assert_in_range(SIZE / whole->count, 3500, 5500);
    for (size_t i = 0; i < sizeof mosts / sizeof *mosts; i++) {
        digest(span_of(text, SIZE), mosts[i], cut);
        assert_memory_equal(cut, whole, sizeof *whole);
    }
    free(text);
    free(whole);
    free(cut);
}

/* After an octet more and after a changed line ending most blocks are the same again. */
static void cuts_find_each_other(void **state)
{
    enum { SIZE = 400000 };
    unsigned char *text = malloc(SIZE + 1);
    struct result *a = malloc(sizeof *a), *b = malloc(sizeof *b);
    unsigned same = 0;

    (void)state;
    fill(text, SIZE, 3);
    digest(span_of(text, SIZE), 65536, a);
    memmove(text + 50001, text + 50000, SIZE - 50000);
    text[50000] = '!';
    digest(span_of(text, SIZE + 1), 65536, b);
    for (uint32_t i = 0; i < a->count; i++)
        for (uint32_t k = 0; k < b->count; k++)
            same += memcmp(a->blocks[i].hash, b->blocks[k].hash, HASH_OCTETS) == 0;
    assert_true(same + 6 > a->count);
    assert_true(same < a->count);
    free(text);
    free(a);
    free(b);
}

/* The same lines with LF and with CR LF: most blocks end with the same line. */
static void endings_move_no_cut(void **state)
{
    enum { LINES = 6000, LINE = 71 };
    unsigned char *lf = malloc(LINES * LINE), *crlf = malloc(LINES * (LINE + 1));
    struct result *a = malloc(sizeof *a), *b = malloc(sizeof *b);
    size_t at = 0, at_b = 0, same = 0;
    uint32_t seed = 5;

    (void)state;
    for (size_t i = 0; i < LINES; i++) {
        for (size_t k = 0; k < LINE - 1; k++)
            lf[i * LINE + k] = (unsigned char)('a' + next(&seed) % 26);
        lf[i * LINE + LINE - 1] = '\n';
        memcpy(crlf + i * (LINE + 1), lf + i * LINE, LINE - 1);
        memcpy(crlf + i * (LINE + 1) + LINE - 1, "\r\n", 2);
    }
    digest(span_of(lf, LINES * LINE), 65536, a);
    digest(span_of(crlf, LINES * (LINE + 1)), 65536, b);
    for (uint32_t i = 0, k = 0; i < a->count; i++) {
        at += a->blocks[i].octets;
        while (k < b->count && at_b / (LINE + 1) < at / LINE)
            at_b += b->blocks[k++].octets;
        same += at_b / (LINE + 1) == at / LINE;
    }
    assert_true(same * 10 > a->count * 8);
    free(lf);
    free(crlf);
    free(a);
    free(b);
}

static void cut_limits(void **state)
{
    static unsigned char x[3 * CUT_ANYWHERE];
    struct cutter c = { 0 };
    bool ends;

    (void)state;
    memset(x, 'x', sizeof x);
    assert_int_equal(cutter_take(&c, span_of(x, sizeof x), &ends), CUT_ANYWHERE);
    assert_true(ends);
    x[CUT_ANY_LINE - 2] = '\n'; /* one octet before any line would do, and not chosen */
    x[CUT_ANY_LINE + 5] = '\n';
    c = (struct cutter){ 0 };
    size_t first = cutter_take(&c, span_of(x, sizeof x), &ends);
    assert_true(first == CUT_ANY_LINE + 6 || first == CUT_ANY_LINE - 1);
    memset(x, '\n', sizeof x);
    c = (struct cutter){ 0 };
    assert_in_range(cutter_take(&c, span_of(x, sizeof x), &ends), CUT_MIN, CUT_ANY_LINE);
    c = (struct cutter){ 0 };
    assert_int_equal(cutter_take(&c, span_of(x, CUT_MIN - 1), &ends), CUT_MIN - 1);
    assert_false(ends);
}

static void what_was_sent(void **state)
{
    static const struct {
        enum content_mark mark;
        const char *text;
    } parts[] = {
        { CONTENT_SAME, "Subject: x\r\n\r\n" },
        { CONTENT_RECEIVED, "a\n" },
        { CONTENT_SENT, "a\r\n" },
        { CONTENT_SAME, "b\r\n" },
        { CONTENT_SENT, "." },
        { CONTENT_RECEIVED, "" },
    };
    const struct span received = SPAN_LIT("Subject: x\r\n\r\na\nb\r\n");
    const struct span sent = SPAN_LIT("Subject: x\r\n\r\na\r\nb\r\n.");
    unsigned char got[HASH_OCTETS], want[HASH_OCTETS];
    struct content_digest *d = content_digest_begin(stream, NULL);

    (void)state;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        content_add(d, parts[i].mark, span_str(parts[i].text), true);
    content_finish(d);
    assert_true(d->forked);
    d->hash->digest(d->whole, got);
    hash_ops_plain.whole(received, want);
    assert_memory_equal(got, want, HASH_OCTETS);
    d->hash->digest(d->sent, got);
    hash_ops_plain.whole(sent, want);
    assert_memory_equal(got, want, HASH_OCTETS);
    check_span(buf_span(&d->header), SPAN_LIT("Subject: x\r\n\r\n"), "header");
    content_digest_free(&d, stream);
}

static void header_ends(void **state)
{
    static const struct {
        const char *text, *header;
    } cases[] = {
        { "A: b\r\n\r\nbody\r\n\r\n", "A: b\r\n\r\n" },
        { "A: b\n\nbody", "A: b\n\n" },
        { "A: b\r\n\nbody", "A: b\r\n\n" },
        { "A: b\n\r\nbody", "A: b\n\r\n" },
        { "A: b\r\n", "A: b\r\n" },
        { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct span in = span_str(cases[i].text);
        for (size_t cut = 0; cut <= in.len; cut++) {
            struct content_digest *d = content_digest_begin(stream, NULL);
            content_add(d, CONTENT_SAME, guarded(span_first(in, cut)), true);
            content_add(d, CONTENT_SAME, guarded(span_drop(in, cut)), true);
            content_finish(d);
            check_span(buf_span(&d->header), span_str(cases[i].header), cases[i].text);
            content_digest_free(&d, stream);
        }
    }
}

static void header_is_bounded(void **state)
{
    static unsigned char x[1000];
    struct content_digest *d = content_digest_begin(stream, NULL);

    (void)state;
    memset(x, 'x', sizeof x);
    for (unsigned i = 0; i < 100; i++)
        content_add(d, CONTENT_SAME, span_of(x, sizeof x), true);
    assert_int_equal(d->header.len, CONTENT_HEADER_MAX);
    content_digest_free(&d, stream);
}

static void blocks_are_bounded(void **state)
{
    static unsigned char text[CUT_ANY_LINE];
    struct content_digest *d = content_digest_begin(stream, NULL);
    uint64_t sum = 0;

    (void)state;
    memset(text, '\n', sizeof text); /* no line is chosen: each is one block */
    for (unsigned i = 0; i < CONTENT_BLOCKS_MAX + 2; i++)
        content_add(d, CONTENT_SAME, span_of(text, sizeof text), true);
    content_finish(d);
    assert_int_equal(d->block_count, CONTENT_BLOCKS_MAX);
    assert_true(d->blocks_full);
    for (uint32_t i = 0; i < d->block_count; i++)
        sum += d->blocks[i].octets;
    assert_int_equal(sum, d->listed);
    assert_true(d->listed < d->octets);
    content_digest_free(&d, stream);
}

static void both_hashes_are_one(void **state)
{
    static unsigned char text[5000];
    unsigned char a[HASH_OCTETS], b[HASH_OCTETS];

    (void)state;
    fill(text, sizeof text, 9);
    for (size_t n = 0; n < sizeof text; n += 1 + n / 7) {
        hash_ops_plain.whole(span_of(text, n), a);
        hash_ops()->whole(span_of(text, n), b);
        assert_memory_equal(a, b, HASH_OCTETS);
    }
    hash_ops_plain.whole(SPAN_LIT(""), a);
    char text_hex[33] = "";
    struct json j = { .p = (unsigned char *)text_hex };
    json_hex(&j, a, HASH_OCTETS);
    assert_string_equal(text_hex, "99aa06d3014798d86001c324468d497f"); /* xxhsum -H2 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_do_not_matter), cmocka_unit_test(cuts_find_each_other),
        cmocka_unit_test(endings_move_no_cut), cmocka_unit_test(cut_limits),
        cmocka_unit_test(what_was_sent),       cmocka_unit_test(header_ends),
        cmocka_unit_test(header_is_bounded),   cmocka_unit_test(blocks_are_bounded),
        cmocka_unit_test(both_hashes_are_one),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
