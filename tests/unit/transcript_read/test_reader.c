/* The reader against wrong records, cut files, growing files and rotation. */
#include "unit/check.h"

#include "transcript/read/reader.h"

#include <fcntl.h>
#include <stdio.h>

#define HEAD(kind, n)                                                                          \
    "{\"v\":1,\"kind\":\"" kind "\",\"t\":\"2026-11-23T09:00:00.000000Z\","                    \
    "\"sid\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\",\"n\":" #n ",\"vantage\":\"here\""
#define COMMAND(n, received)                                                                   \
    HEAD("command", n)                                                                         \
    ",\"verb\":\"NOOP\",\"at\":0,\"received\":\"" received                                     \
    "\",\"action\":\"relayed\",\"origin\":\"none\"}"
#define TLS(more)                                                                              \
    HEAD("tls", 1)                                                                             \
    ",\"side\":\"client\",\"how\":\"starttls\",\"ok\":true,\"us\":1" more "}"

static const struct {
    const char *line, *error; /* NULL: right */
} lines[] = {
    { HEAD("open", 1) "}", NULL },
    { HEAD("open", 1) ",\"mode\":\"observe\"}", NULL },
    { COMMAND(1, "NOOP\\u0000\\u00ff\\r\\n"), NULL },
    { HEAD("lost", 1) ",\"records\":3}", NULL },
    { HEAD("opaque", 1) ",\"octets\":{\"client\":1,\"server\":2}}", NULL },
    { HEAD("connect", 1) ",\"us\":1}", NULL },
    { HEAD("greeting", 1) ",\"at\":0,\"origin\":\"upstream\",\"notes\":[{\"id\":\"x\",\"at\":1,"
                          "\"count\":1}]}",
      NULL },
    { HEAD("open", 1) ",\"proxy\":{\"version\":1,\"command\":\"local\"}}", NULL },
    { TLS(""), NULL },
    { TLS(",\"certificate\":{\"subject\":\"CN=x\"},\"alert\":{\"sent\":{\"number\":40}},"
          "\"resumed\":true,\"notes\":[]"),
      NULL },
    { HEAD("connect", 1) ",\"us\":18446744073704551617}", NULL }, /* of an old version */
    { HEAD("connect", 1) ",\"us\":18446744073704551617,\"extra\":1}", "\"extra\"" },
    { HEAD("connect", 1) ",\"us\":184467440737045516170}", "not JSON" },
    { HEAD("opaque", 1) ",\"octets\":{\"client\":18446744073704551617,\"server\":2}}",
      "not JSON" },
    { "", "not JSON" },
    { "[]", "not a JSON object" },
    { "7", "not JSON" },
    { HEAD("open", 1) "} x", "not JSON" },
    { HEAD("open", 1) ",\"n\":2}", "duplicate" },
    { HEAD("open", 1) ",\"mode\":\"\xff\"}", "not JSON" },
    { "{\"v\":2}", "\"v\" is not 1" },
    { "{\"v\":true}", "\"v\" is not 1" },
    { "{\"v\":1}", "\"kind\" is missing" },
    { HEAD("opem", 1) "}", "kind \"opem\" is not known" },
    { HEAD("op\\u001ben", 1) "}", "kind \"op\\033en\" is not known" },
    { HEAD("open", 0) "}", "\"n\" is 0" },
    { HEAD("open", -1) "}", "\"n\" must be a count" },
    { HEAD("open", "1") "}", "\"n\" must be a count" },
    { HEAD("open", 1.0) "}", "\"n\" must be a count" },
    { HEAD("open", 99999999999999999999) "}", "not JSON" },
    { HEAD("open", 1) ",\"extra\":1}", "field \"extra\" is not known" },
    { HEAD("open", 1) ",\"mode\":1}", "\"mode\" must be a text" },
    { HEAD("open", 1) ",\"mode\":\"a\\u0000b\"}", "\"mode\" must be a text" },
    { HEAD("connect", 1) "}", "\"us\" is missing" },
    { COMMAND(1, "\\u0100"), "up to U+00FF" },
    { COMMAND(1, "\\ud83d\\ude00"), "up to U+00FF" },
    { HEAD("opaque", 1) ",\"octets\":{\"client\":1}}", "\"server\" is missing" },
    { HEAD("open", 1) ",\"proxy\":{\"version\":1}}", "\"command\" is missing" },
    { HEAD("open", 1) ",\"proxy\":2}", "\"proxy\" must be an object" },
    { HEAD("tls", 1) ",\"side\":\"client\",\"how\":\"starttls\",\"ok\":true}",
      "\"us\" is missing" },
    { TLS(",\"certificate\":{\"names\":[]}"), "field \"names\" is not known" },
    { TLS(",\"alert\":{\"sent\":{\"name\":\"x\"}}"), "\"number\" is missing" },
    { TLS(",\"alert\":{\"sent\":40}"), "\"sent\" must be an object" },
    { TLS(",\"version\":3"), "\"version\" must be a text" },
    { HEAD("opaque", 1) ",\"octets\":[1]}", "\"octets\" must be an object" },
    { HEAD("greeting", 1) ",\"at\":0,\"origin\":\"none\",\"notes\":[1]}", "list of objects" },
    { HEAD("greeting", 1) ",\"at\":0,\"origin\":\"none\",\"notes\":[{\"id\":\"x\",\"at\":1}]}",
      "\"count\" is missing" },
    { "{\"v\":1,\"kind\":\"open\",\"t\":\"yesterday\",\"sid\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\","
      "\"n\":1,\"vantage\":\"\"}",
      "\"t\" is no time" },
    { "{\"v\":1,\"kind\":\"open\",\"t\":\"2026-11-23T09:00:00.000000Z\",\"sid\":\"short\","
      "\"n\":1,\"vantage\":\"\"}",
      "\"sid\" is no ULID" },
};

static void single_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char error[READER_ERROR_MAX] = "";
        struct record r;
        bool ok = record_parse(guarded_str(lines[i].line), &r, error);
        if (ok != (lines[i].error == NULL))
            fail_msg("%s: %s", lines[i].line, ok ? "was taken" : error);
        if (!ok && strstr(error, lines[i].error) == NULL)
            fail_msg("%s: says \"%s\", not \"%s\"", lines[i].line, error, lines[i].error);
        if (ok)
            record_free(&r);
    }
}

/* No beginning of a right line is a record. */
static void cut_lines(void **state)
{
    struct span line = span_str(lines[6].line);
    char error[READER_ERROR_MAX];
    struct record r;

    (void)state;
    for (size_t n = 0; n < line.len; n++)
        assert_false(record_parse(guarded(span_first(line, n)), &r, error));
}

/* A duration over which the wall clock stepped back is not known; the rest of the line is. */
static void old_durations(void **state)
{
    static const char line[] = HEAD(
        "command",
        1) ",\"verb\":\"NOOP\",\"at\":0,\"received\":\"us\\\":18446744073704551617\",\"forward_"
           "us\":9,"
           "\"action\":\"relayed\",\"origin\":\"upstream\",\"reply_us\":18446744073704551617,"
           "\"code\":250}";
    char error[READER_ERROR_MAX];
    struct record r;

    (void)state;
    assert_true(record_parse(guarded_str(line), &r, error));
    assert_int_equal(record_count(r.root, "reply_us"), 0);
    assert_int_equal(record_count(r.root, "forward_us"), 9);
    assert_int_equal(record_count(r.root, "code"), 250);
    assert_string_equal(record_text(r.root, "received"), "us\":18446744073704551617");
    record_free(&r);
}

static void wire_is_octets(void **state)
{
    char line[2048] = "", error[READER_ERROR_MAX];
    struct record r;
    size_t len;

    (void)state;
    strcat(line, HEAD("command", 1) ",\"verb\":\"\",\"at\":0,\"action\":\"relayed\","
                                    "\"origin\":\"none\",\"received\":\"");
    for (unsigned i = 0; i < 256; i++)
        sprintf(line + strlen(line),
                i < 0x20 || i == '"' || i == '\\' ? "\\u%04x"
                : i < 0x80                        ? "%c"
                                                  : "\\u%04x",
                i);
    strcat(line, "\"}");
    assert_true(record_parse(span_str(line), &r, error));
    unsigned char *got = record_wire(r.root, "received", &len);
    assert_int_equal(len, 256);
    for (unsigned i = 0; i < 256; i++)
        assert_int_equal(got[i], i);
    free(got);
    assert_null(record_wire(r.root, "reply", &len));
    assert_int_equal(len, 0);
    record_free(&r);
}

static char path[] = "/tmp/smtpscope-reader-XXXXXX";

static void add(const char *text)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);

    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static enum reader_result next(struct reader *r, uint64_t *missing)
{
    struct record record = { 0 };
    enum reader_result result = reader_next(r, &record);

    *missing = record.missing;
    if (result == READER_RECORD)
        record_free(&record);
    return result;
}

static void order_and_growth(void **state)
{
    char error[READER_ERROR_MAX];
    uint64_t missing;

    (void)state;
    close(mkstemp(path));
    add(COMMAND(3, "a") "\n" COMMAND(5, "a") "\nnonsense\n" COMMAND(5, "a") "\n{\"v\"");
    struct reader *r = reader_open(path, error);
    assert_int_equal(next(r, &missing), READER_RECORD);
    assert_int_equal(missing, 0); /* the file may begin in the middle of a session */
    assert_int_equal(next(r, &missing), READER_RECORD);
    assert_int_equal(missing, 1);
    assert_int_equal(next(r, &missing), READER_BAD);
    assert_non_null(strstr(reader_error(r), ":3: not JSON"));
    assert_int_equal(next(r, &missing), READER_BAD);
    assert_non_null(strstr(reader_error(r), ":4: field \"n\" does not rise"));
    assert_int_equal(next(r, &missing), READER_END);
    assert_int_equal(reader_cut(r), 4);
    assert_false(reader_follow(r));
    add(":2}\n" COMMAND(6, "a") "\n");
    assert_int_equal(next(r, &missing), READER_BAD);
    assert_non_null(strstr(reader_error(r), ":5: field \"v\" is not 1"));
    assert_int_equal(next(r, &missing), READER_RECORD);
    assert_int_equal(reader_line(r), 6);

    unlink(path); /* rotated: the new file is read when the old one is used up */
    assert_int_equal(next(r, &missing), READER_END);
    assert_false(reader_follow(r));
    add(COMMAND(8, "a") "\n");
    assert_true(reader_follow(r));
    assert_int_equal(next(r, &missing), READER_RECORD);
    assert_int_equal(missing, 1);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(next(r, &missing), READER_END);
    assert_true(reader_follow(r));
    add(COMMAND(9, "a") "\n");
    assert_int_equal(next(r, &missing), READER_RECORD);
    reader_close(&r);
    assert_null(r);
    unlink(path);
}

static void long_lines(void **state)
{
    char error[READER_ERROR_MAX], *x = malloc(100001);
    uint64_t missing;

    (void)state;
    memset(x, 'x', 100000);
    x[100000] = '\0';
    unlink(path);
    for (unsigned i = 0; i < 2 * READER_LINE_MAX / 100000; i++)
        add(x);
    add("\n" COMMAND(1, "a") "\n");
    struct reader *r = reader_open(path, error);
    assert_int_equal(next(r, &missing), READER_BAD);
    assert_non_null(strstr(reader_error(r), ":1: the line is longer"));
    assert_int_equal(next(r, &missing), READER_RECORD);
    assert_int_equal(reader_line(r), 2);
    assert_int_equal(next(r, &missing), READER_END);
    reader_close(&r);
    unlink(path);
    assert_null(reader_open("/nonexistent", error));
    assert_string_equal(error, "/nonexistent: No such file or directory");
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_lines),     cmocka_unit_test(cut_lines),
        cmocka_unit_test(old_durations),    cmocka_unit_test(wire_is_octets),
        cmocka_unit_test(order_and_growth), cmocka_unit_test(long_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
