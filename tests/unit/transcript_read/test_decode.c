/*
 * Every field of records.def, written, read and written again: the lines are made from the table,
 * so a field that the writer or the decoder does not know makes a difference.
 */
#include "unit/transcript/scene.h"

#include "transcript/read/decode.h"
#include "transcript/record_dkim.h"
#include "transcript/record_table.h"

#include <stdarg.h>
#include <stdio.h>

enum { LINE_MAX_OCTETS = 16384 };
#define HASH_TEXT "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct line {
    char text[LINE_MAX_OCTETS];
    size_t len;
} line;

static void PRINTF_LIKE(1, 2) put(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    line.len += (size_t)vsnprintf(line.text + line.len, sizeof line.text - line.len, fmt, ap);
    va_end(ap);
    assert_true(line.len < sizeof line.text);
}

/* Fields that the writer makes of the mail data, or whose secret is not there any more. */
static bool is_made(unsigned row)
{
    return row == ROW_content_digest || row == ROW_content_sha256 || row == ROW_content_spool ||
           row == ROW_content_headers || row == ROW_content_dkim ||
           row == ROW_content_dkim_more || row == ROW_command_redacted;
}

/* Where one value depends on another, or must be a word that means something. */
static const char *special(unsigned row)
{
    switch (row) {
    case ROW_head_vantage:
        return "\"here \\\"1\\\"\"";
    case ROW_note_id:
        return "\"cmd-8bit\"";
    case ROW_content_refused_by:
        return "\"cmd-8bit\"";
    case ROW_proxy_version:
    case ROW_reads_n: /* as many as are listed */
        return "2";
    case ROW_tls_side:
        return "\"through\"";
    case ROW_tls_how:
        return "\"passthrough\"";
    case ROW_tls_failure:
        return "\"unknown-ca\"";
    case ROW_tls_text:
        return "\"the certificate's issuer is not trusted\"";
    case ROW_tls_ok:
        return "false";
    case ROW_tls_hello:
        return "\"server\"";
    case ROW_alert_number:
        return "48";
    case ROW_alert_name:
        return "\"unknown_ca\"";
    case ROW_command_verb:
        return "\"MAIL\"";
    case ROW_command_arg:
        return "\"FROM:<a@b.test>\"";
    case ROW_command_received:
        return "\"MAIL FROM:<a@b.test>\\r\\n\"";
    case ROW_command_action:
        return "\"rewritten\"";
    case ROW_close_reason:
        return "\"quit\"";
    case ROW_reply_origin:
        return "\"proxy\"";
    case ROW_close_error:
        return "false";
    case ROW_close_first:
        return "\"server\"";
    default:
        return NULL;
    }
}

static void put_object(unsigned object, const char *kind);

static void put_words(const char *words)
{
    const char *last = strrchr(words, ' ');

    put("\"%s\"", last != NULL ? last + 1 : words);
}

/* A value of each type; # is the number of the row. */
static const char *const values[] = {
    [TYPE_VERSION] = "1",
    [TYPE_COUNT] = "1#",
    [TYPE_POSITIVE] = "1#",
    [TYPE_OCTET] = "1",
    [TYPE_ONE_OR_TWO] = "1",
    [TYPE_CODE] = "250",
    [TYPE_FLAG] = "true",
    [TYPE_TRUE] = "true",
    [TYPE_TEXT] = "\"text-#\"",
    [TYPE_NAME] = "\"text-#\"",
    [TYPE_ALERT] = "\"text-#\"",
    [TYPE_PRINTABLE] = "\"text-#\"",
    [TYPE_FINDING] = "\"SV-01\"",
    [TYPE_ENHANCED] = "\"2.1.0\"",
    [TYPE_TIME] = "\"2026-11-23T09:04:01.000017Z\"",
    [TYPE_SECOND] = "\"2026-01-02T03:04:05Z\"",
    [TYPE_SID] = "\"01ARZ3NDEKTSV4RRFFQ69G5FAV\"",
    [TYPE_SHA256] = "\"" HASH_TEXT "\"",
    [TYPE_BODY_HASH] = "\"" HASH_TEXT "\"",
    [TYPE_WIRE] = "\"wire # \xc3\xa9\\u0001\"",
    [TYPE_COUNTS] = "[0,#]",
    [TYPE_OFFSETS] = "[0,#]",
    [TYPE_LABELS] = "[\"label-#\",\"b\"]",
    [TYPE_TALLIES] = "{\"ehlo\":\"1\",\"mail\":\"2/3\"}",
};

static void put_sample(const char *text, unsigned row)
{
    for (; *text != '\0'; text++)
        if (*text == '#')
            put("%u", row);
        else
            put("%c", *text);
}

static void put_value(unsigned row, const char *kind)
{
    const struct record_row *f = &record_rows[row];

    if (row == ROW_head_kind) {
        put("\"%s\"", kind);
    } else if (row == ROW_close_text) {
        put("\"%s\"", close_text(CLOSE_QUIT));
    } else if (special(row) != NULL) {
        put("%s", special(row));
    } else if (f->type == TYPE_WORD) {
        put_words(f->words);
    } else if (f->type == TYPE_OBJECT) {
        put_object(f->object, kind);
    } else if (f->type == TYPE_OBJECTS) {
        put("[");
        put_object(f->object, kind);
        put("]");
    } else {
        assert_true(f->type < ARRAY_LEN(values) && values[f->type] != NULL);
        put_sample(values[f->type], row);
    }
}

static void put_fields(unsigned object, const char *kind)
{
    for (unsigned i = object + 1; i < ROW_COUNT && record_rows[i].role != ROW_IS_OBJECT; i++) {
        if (record_rows[i].role == ROW_IS_PART) {
            put_fields(record_rows[i].object, kind);
            continue;
        }
        if (is_made(i))
            continue;
        put("%s\"%s\":", line.text[line.len - 1] == '{' ? "" : ",", record_rows[i].key);
        put_value(i, kind);
    }
}

static void put_object(unsigned object, const char *kind)
{
    put("{");
    put_fields(object, kind);
    put("}");
}

static struct record parsed(const char *text)
{
    char error[READER_ERROR_MAX];
    struct record r;

    if (!record_parse(span_str(text), &r, error))
        fail_msg("%s\n%s", error, text);
    return r;
}

static void write_again(struct scene *s, const struct decoded *d, uint64_t n)
{
    struct recorder *r = &s->recorder;

    memcpy(r->sid, "01ARZ3NDEKTSV4RRFFQ69G5FAV", sizeof r->sid);
    r->n = (uint32_t)n - 1;
    switch (d->kind) {
    case RECORD_OPEN:
        record_open(r, &d->open);
        break;
    case RECORD_CONNECT:
        record_connect(r, &d->connect);
        break;
    case RECORD_TLS:
    case RECORD_GREETING:
    case RECORD_COMMAND:
    case RECORD_CONTENT:
    case RECORD_OPAQUE:
        record_event(r, &d->event);
        break;
    case RECORD_FINDING:
        record_finding(r, &d->finding, d->t_us);
        break;
    case RECORD_CLOSE:
        r->findings = d->findings;
        record_close(r, &d->close);
        break;
    case RECORD_LOST: /* the stream's own */
    case RECORD_KIND_COUNT:
        break;
    }
}

static void every_field_comes_back(void **state)
{
    struct decoded *d = decoded_new();

    (void)state;
    for (enum record_kind kind = 0; kind < RECORD_KIND_COUNT; kind++) {
        struct scene s;
        line.len = 0;
        put_object(record_kind_row(kind), record_rows[record_kind_row(kind)].key);
        struct record r = parsed(line.text);
        assert_true(decode(d, &r));
        if (kind == RECORD_LOST) {
            assert_true(d->lost >= 1000 + ROW_lost_records); /* 1#: see values */
        } else {
            begin(&s, (struct writer_config){ .content = CONTENT_LEVEL_NONE,
                                              .redact = REDACT_NONE });
            write_again(&s, d, r.n);
            char *text = end(&s);
            put("\n");
            assert_string_equal(text, line.text);
            free(text);
            end_folder();
        }
        record_free(&r);
    }
    decoded_free(&d);
}

/* What the writer makes of the content comes back, too, as far as readers are given it. */
static void signatures_and_headers(void **state)
{
    struct decoded *d = decoded_new();
    static unsigned char out[LINE_MAX_OCTETS];
    struct json j = { .p = out };

    (void)state;
    line.len = 0;
    put_object(record_kind_row(RECORD_CONTENT), "content");
    line.len--; /* reopened */
    put(",\"headers\":\"A: \xc3\xa9\\r\\n\"");
    size_t at = line.len;
    put(",\"dkim\":[{\"header\":\"arc\",\"result\":\"changed\",\"instance\":7,"
        "\"canonicalization\":\"relaxed\",\"algorithm\":\"rsa-sha256\",\"domain\":\"d.test\","
        "\"selector\":\"s1\",\"length\":0,\"expected\":\"%064x\",\"computed\":\"%064x\","
        "\"damage\":\"x-y\",\"damage_text\":\"as it \\\"was\\\"\"}],\"dkim_more\":true",
        1u, 0xabcdu);
    size_t len = line.len - at;
    put("}");
    struct record r = parsed(line.text);
    assert_true(decode(d, &r));
    check_span(d->headers, SPAN_LIT("A: \xe9\r\n"), "headers");
    dkim_record(&j, d->dkim);
    check_span(span_of(out, (size_t)(j.p - out)), span_of(line.text + at, len), "dkim");
    record_free(&r);
    decoded_free(&d);
}

static void what_was_secret(void **state)
{
    struct decoded *d = decoded_new();
    struct record r;

    (void)state;
    line.len = 0;
    put_object(record_kind_row(RECORD_COMMAND), "command");
    line.len--;
    put(",\"redacted\":[{\"at\":5,\"octets\":9}]}");
    r = parsed(line.text);
    assert_true(decode(d, &r));
    check_span(d->event.secret, d->event.received, "secret");
    record_free(&r);
    decoded_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_comes_back),
        cmocka_unit_test(signatures_and_headers),
        cmocka_unit_test(what_was_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
