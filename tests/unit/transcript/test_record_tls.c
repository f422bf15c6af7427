/* Handshakes, PROXY headers and commands of our own as records: every field, no octet more
 * than there is room for. */
#include "unit/transcript/scene.h"

#include "smtp/secrecy.h"

static struct tls_facts no_facts(void)
{
    return (struct tls_facts){ .alert_received = TLS_ALERT_UNKNOWN,
                               .alert_sent = TLS_ALERT_UNKNOWN };
}

static char *one_record(const struct record_tls *info)
{
    struct scene s;

    begin(&s, (struct writer_config){ 0 });
    record_tls(&s.recorder, info);
    char *text = end(&s);
    end_folder();
    assert_non_null(
        strstr(text, "{\"v\":1,\"kind\":\"tls\",\"t\":\"2026-11-23T09:04:01.000017Z"));
    return text;
}

static struct record_tls handshake(const struct tls_facts *f)
{
    return (struct record_tls){
        .t_us = (uint64_t)T * 1000000 + 17, .us = 1200, .side = CLIENT, .facts = f
    };
}

static void nothing_known(void **state)
{
    struct tls_facts f = no_facts();
    struct record_tls info = handshake(&f);

    (void)state;
    check_tail(one_record(&info),
               ",\"side\":\"client\",\"how\":\"implicit\",\"ok\":true,\"us\":1200}\n");
    info.side = SERVER;
    info.starttls = true;
    check_tail(one_record(&info),
               ",\"side\":\"server\",\"how\":\"starttls\",\"ok\":true,\"us\":1200}\n");
}

/* Each field where it belongs, alone. */
static void each_field(void **state)
{
    static struct tls_facts f;
    static const struct {
        char *field;
        unsigned room;
        const char *json;
    } cases[] = {
        { f.version, sizeof f.version, ",\"version\":\"x\\\"\"" },
        { f.cipher, sizeof f.cipher, ",\"cipher\":\"x\\\"\"" },
        { f.server_name, sizeof f.server_name, ",\"server_name\":\"x\\\"\"" },
        { f.alpn, sizeof f.alpn, ",\"alpn\":\"x\\\"\"" },
        { f.alpn_offered, sizeof f.alpn_offered, ",\"alpn_offered\":\"x\\\"\"" },
        { f.subject, sizeof f.subject, ",\"certificate\":{\"subject\":\"x\\\"\"}" },
        { f.issuer, sizeof f.issuer, ",\"certificate\":{\"issuer\":\"x\\\"\"}" },
        { f.not_before, sizeof f.not_before, ",\"certificate\":{\"not_before\":\"x\\\"\"}" },
        { f.not_after, sizeof f.not_after, ",\"certificate\":{\"not_after\":\"x\\\"\"}" },
        { f.sha256, sizeof f.sha256, ",\"certificate\":{\"sha256\":\"x\\\"\"}" },
        { f.spki_sha256, sizeof f.spki_sha256, ",\"certificate\":{\"spki_sha256\":\"x\\\"\"}" },
        { f.verify, sizeof f.verify, ",\"certificate\":{\"verify\":\"x\\\"\"}" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char want[256];
        f = no_facts();
        snprintf(cases[i].field, cases[i].room, "x\"");
        struct record_tls info = handshake(&f);
        snprintf(want, sizeof want,
                 ",\"side\":\"client\",\"how\":\"implicit\",\"ok\":true,\"us\":1200%s}\n",
                 cases[i].json);
        check_tail(one_record(&info), want);
    }
}

static void whole_handshake(void **state)
{
    struct tls_facts f = { .alert_received = TLS_ALERT_UNKNOWN,
                           .alert_sent = 0,
                           .resumed = true,
                           .hello_client = true,
                           .hello_server = true,
                           .version = "TLSv1.3",
                           .cipher = "TLS_AES_256_GCM_SHA384",
                           .server_name = "mx.example.org",
                           .alpn = "smtp",
                           .alpn_offered = "smtp http/1.1",
                           .subject = "CN=mx.example.org",
                           .issuer = "O=Test,CN=\"CA\"",
                           .not_before = "2026-01-01T00:00:00Z",
                           .not_after = "2026-12-31T23:59:59Z",
                           .sha256 = "ab",
                           .spki_sha256 = "cd",
                           .verify = "ok" };
    struct record_tls info = handshake(&f);

    (void)state;
    check_tail(one_record(&info),
               ",\"side\":\"client\",\"how\":\"implicit\",\"ok\":true,\"us\":1200,"
               "\"version\":\"TLSv1.3\",\"cipher\":\"TLS_AES_256_GCM_SHA384\","
               "\"server_name\":\"mx.example.org\",\"alpn\":\"smtp\","
               "\"alpn_offered\":\"smtp http/1.1\",\"resumed\":true,"
               "\"certificate\":{\"subject\":\"CN=mx.example.org\","
               "\"issuer\":\"O=Test,CN=\\\"CA\\\"\",\"not_before\":\"2026-01-01T00:00:00Z\","
               "\"not_after\":\"2026-12-31T23:59:59Z\",\"sha256\":\"ab\","
               "\"spki_sha256\":\"cd\",\"verify\":\"ok\"},"
               "\"alert\":{\"sent\":{\"number\":0,\"name\":\"close_notify\"}}}\n");
}

static void failures(void **state)
{
    static const struct {
        enum tls_failure failure;
        bool hello_client, hello_server;
        int16_t received, sent;
        const char *json;
    } cases[] = {
        { TLS_FAILURE_RESET, false, false, -1, -1,
          "\"failure\":\"reset\",\"text\":\"the connection was reset during the "
          "handshake\",\"detail\":\"x\\\\y\",\"hello\":\"none\"" },
        { TLS_FAILURE_EXPIRED, true, true, -1, 45,
          "\"failure\":\"expired\",\"text\":\"the certificate has expired\","
          "\"detail\":\"x\\\\y\",\"hello\":\"both\","
          "\"alert\":{\"sent\":{\"number\":45,\"name\":\"certificate_expired\"}}" },
        { TLS_FAILURE_ALERT, true, false, 48, -1,
          "\"failure\":\"alert\",\"text\":\"the peer aborted with an alert\","
          "\"detail\":\"x\\\\y\",\"hello\":\"client\","
          "\"alert\":{\"received\":{\"number\":48,\"name\":\"unknown_ca\"}}" },
        { TLS_FAILURE_PROTOCOL, false, true, 255, 50,
          "\"failure\":\"protocol\",\"text\":\"invalid TLS data received\","
          "\"detail\":\"x\\\\y\",\"hello\":\"server\",\"alert\":{\"received\":{\"number\":255},"
          "\"sent\":{\"number\":50,\"name\":\"decode_error\"}}" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_facts f = { .failure = cases[i].failure,
                               .detail = "x\\y",
                               .hello_client = cases[i].hello_client,
                               .hello_server = cases[i].hello_server,
                               .alert_received = cases[i].received,
                               .alert_sent = cases[i].sent };
        struct record_tls info = handshake(&f);
        char want[512];
        snprintf(want, sizeof want,
                 ",\"side\":\"client\",\"how\":\"implicit\",\"ok\":false,\"us\":1200,%s}\n",
                 cases[i].json);
        check_tail(one_record(&info), want);
    }
}

/* What somebody says in the place of TLS may be a password. */
static void plaintext(void **state)
{
    static const struct {
        enum redact_level level;
        enum tls_failure failure;
        const char *detail, *json;
    } cases[] = {
        { REDACT_SECRETS, TLS_FAILURE_PLAINTEXT, "received \"AUTH PLAIN c2VjcmV0\"",
          "received AUTH ..." },
        { REDACT_SECRETS, TLS_FAILURE_PLAINTEXT, "received \"c2VjcmV0\"", "received c2Vj ..." },
        { REDACT_ALL, TLS_FAILURE_PLAINTEXT, "received \"220 a@b.test\"", "received 220 ..." },
        { REDACT_ALL, TLS_FAILURE_PLAINTEXT, "received \"\"\"\"", "received  ..." },
        { REDACT_ALL, TLS_FAILURE_PLAINTEXT, "received \"", "received  ..." },
        { REDACT_ALL, TLS_FAILURE_PLAINTEXT, "the client said in the clear: AUTH ...",
          "the client said in the clear: AUTH ..." },
        { REDACT_SECRETS, TLS_FAILURE_NAME, "for \"other.test\"", "for \\\"other.test\\\"" },
        { REDACT_NONE, TLS_FAILURE_PLAINTEXT, "received \"AUTH PLAIN x\"",
          "received \\\"AUTH PLAIN x\\\"" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_facts f = no_facts();
        struct record_tls info = handshake(&f);
        struct scene s;
        char want[160];
        f.failure = cases[i].failure;
        snprintf(f.detail, sizeof f.detail, "%s", cases[i].detail);
        begin(&s, (struct writer_config){ .redact = cases[i].level });
        record_tls(&s.recorder, &info);
        char *text = end(&s);
        end_folder();
        snprintf(want, sizeof want, ",\"detail\":\"%s\",\"hello\"", cases[i].json);
        if (strstr(text, want) == NULL)
            fail_msg("%s: no %s in %s", cases[i].detail, want, text);
        free(text);
    }
}

/* A handshake between the others, and without its facts being touched: nothing is kept. */
static void passed_through(void **state)
{
    struct tls_facts f = no_facts();
    struct event e = {
        .kind = EVENT_TLS, .t_us = (uint64_t)T * 1000000, .tls = &f, .tls_us = 77
    };
    struct scene s;

    (void)state;
    memcpy(f.version, "TLSv1.2", 8);
    begin(&s, (struct writer_config){ 0 });
    notes_add(&e.notes, NOTE_STARTTLS_INJECTION, 9);
    record_event(&s.recorder, &e);
    memset(&f, 'x', sizeof f);
    check_tail(end(&s), ",\"side\":\"through\",\"how\":\"passthrough\",\"ok\":true,\"us\":77,"
                        "\"version\":\"TLSv1.2\",\"notes\":[{\"id\":\"starttls-injection\","
                        "\"at\":9,\"count\":1}]}\n");
    end_folder();
}

#define FILL(field, octet)                                                                     \
    (memset((field), (octet), sizeof(field) - 1), octets += sizeof(field) - 1)

/* The longest facts there can be, each octet of them at its longest; ASan and the stream's
 * own assertion look, at every place in a chunk. */
static void longest_facts(void **state)
{
    struct tls_facts f = { .failure = TLS_FAILURE_PLAINTEXT, .resumed = true };
    struct record_tls info = handshake(&f);
    struct scene s;
    size_t octets = 0, escaped = 0;

    (void)state;
    f.alert_received = f.alert_sent = 86;
    info.us = UINT64_MAX;
    FILL(f.detail, 1);
    FILL(f.version, 1);
    FILL(f.cipher, 1);
    FILL(f.server_name, 1);
    FILL(f.alpn, 1);
    FILL(f.alpn_offered, 1);
    FILL(f.subject, 1);
    FILL(f.issuer, 1);
    FILL(f.not_before, 1);
    FILL(f.not_after, 1);
    FILL(f.sha256, 1);
    FILL(f.spki_sha256, 1);
    FILL(f.verify, 1);
    assert_true(octets < sizeof f);
    begin(&s, (struct writer_config){ 0 });
    for (unsigned i = 0; i < 50; i++) {
        struct event small = command(VERB_NOOP, "NOOP\r\n", 0);
        record_tls(&s.recorder, &info);
        for (unsigned k = 0; k < i % 7; k++)
            record_event(&s.recorder, &small);
    }
    char *text = end(&s);
    end_folder();
    assert_int_equal(count_text(text, "\"kind\":\"tls\""), 50);
    for (const char *p = text; *p != '\0'; p++)
        escaped += p[0] == '\\' && p[1] == 'u';
    assert_int_equal(escaped, 50 * octets);
    assert_true(strcspn(text, "\n") - 6 * octets < 2048);
    free(text);
}

static void proxy_headers(void **state)
{
    static const struct {
        unsigned version;
        bool local;
        const char *peer, *json;
    } cases[] = {
        { 0, true, "10.0.0.9:4000", "" },
        { 1, false, "10.0.0.9:4000",
          ",\"proxy\":{\"version\":1,\"command\":\"proxy\",\"peer\":\"10.0.0.9:4000\"}" },
        { 2, true, "[::1]:4",
          ",\"proxy\":{\"version\":2,\"command\":\"local\",\"peer\":\"[::1]:4\"}" },
        { 2, false, "", ",\"proxy\":{\"version\":2,\"command\":\"proxy\"}" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record_open o = { .t_us = (uint64_t)T * 1000000,
                                 .client = SPAN_LIT("192.0.2.1:1"),
                                 .original = SPAN_LIT("192.0.2.7:25"),
                                 .proxy_version = cases[i].version,
                                 .proxy_local = cases[i].local,
                                 .proxy_peer = span_str(cases[i].peer) };
        struct scene s;
        char want[256];
        begin(&s, (struct writer_config){ 0 });
        record_open(&s.recorder, &o);
        snprintf(want, sizeof want,
                 ",\"client\":\"192.0.2.1:1\",\"original\":\"192.0.2.7:25\"%s}\n",
                 cases[i].json);
        check_tail(end(&s), want);
        end_folder();
    }
}

static void longest_proxy(void **state)
{
    static char peer[20001];
    struct record_open o = { .proxy_version = 2, .proxy_peer = { (void *)peer, 20000 } };
    struct scene s;

    (void)state;
    memset(peer, 1, 20000);
    begin(&s, (struct writer_config){ 0 });
    record_open(&s.recorder, &o); /* larger than a chunk */
    char *text = end(&s);
    end_folder();
    assert_int_equal(strlen(strstr(text, "\"peer\"")), 8 + 6 * 20000 + 4);
    free(text);
}

static struct event our_command(const char *line)
{
    struct event e = command(VERB_XCLIENT, "", 0);

    e.received = e.word = (struct span){ NULL, 0 };
    e.at = 0;
    e.disposition = DISPOSITION_ADDED;
    e.forwarded = guarded_str(line);
    e.forwarded_us = 4;
    return e;
}

static void added_commands(void **state)
{
    struct event e = our_command("XCLIENT ADDR=192.0.2.1\r\n");
    struct scene s;

    (void)state;
    begin(&s, (struct writer_config){ .redact = REDACT_SECRETS });
    e.arg = span_drop(e.forwarded, 8); /* of no use: nothing was received */
    record_event(&s.recorder, &e);
    check_tail(end(&s), ",\"verb\":\"XCLIENT\",\"at\":0,\"received\":\"\","
                        "\"forwarded\":\"XCLIENT ADDR=192.0.2.1\\r\\n\",\"action\":\"added\","
                        "\"forward_us\":4,\"origin\":\"upstream\",\"reply\":\"250 ok\\r\\n\","
                        "\"code\":250,\"reply_us\":3}\n");
    end_folder();
}

static void added_secrets(void **state)
{
    static const enum redact_level levels[] = { REDACT_SECRETS, REDACT_ALL };

    (void)state;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        struct event e = our_command("XCLIENT LOGIN=hidden NAME=a@b.test\r\n");
        struct secrecy secrecy;
        struct scene s;
        begin(&s, (struct writer_config){ .redact = levels[i] });
        e.reply = SPAN_LIT("501 bad LOGIN hidden for c@d.test\r\n");
        secrecy_init(&secrecy); /* as the session does */
        e.secret = span_of(e.forwarded.ptr + strlen("XCLIENT LOGIN="), strlen("hidden"));
        assert_true(secret_memory_add(&secrecy.memory, e.secret));
        e.secrecy = &secrecy;
        record_event(&s.recorder, &e);
        char *text = end(&s);
        end_folder();
        assert_null(strstr(text, "hidden"));
        assert_non_null(strstr(text, "\"forwarded\":\"XCLIENT LOGIN=*** NAME="));
        assert_non_null(strstr(text, "\"reply\":\"501 bad LOGIN *** for "));
        free(text);
        secrecy_free(&secrecy);
    }
}

/* Nothing is written, and nothing asked of what is not there. */
static void no_transcript(void **state)
{
    struct stream *stream = stream_new(NULL, NULL, NULL);
    struct tls_facts f = no_facts();
    struct record_tls info = handshake(&f);
    struct event e = { .kind = EVENT_TLS, .tls = &f };
    struct recorder r;

    (void)state;
    recorder_init(&r, stream, 1);
    record_tls(&r, &info);
    record_event(&r, &e);
    stream_free(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_known),   cmocka_unit_test(each_field),
        cmocka_unit_test(whole_handshake), cmocka_unit_test(failures),
        cmocka_unit_test(plaintext),       cmocka_unit_test(passed_through),
        cmocka_unit_test(longest_facts),   cmocka_unit_test(proxy_headers),
        cmocka_unit_test(longest_proxy),   cmocka_unit_test(added_commands),
        cmocka_unit_test(added_secrets),   cmocka_unit_test(no_transcript),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
