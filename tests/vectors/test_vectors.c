/*
 * test_vectors - every scenario of vectors.jsonl against the session.
 *
 * Each runs with every segmentation it names, with random segmentations, with the
 * upstream's replies withheld until all client bytes were sent, and in observe mode
 * for transparency; those about STARTTLS also where TLS ends here. Bytes are given from heap
 * blocks of exact size that are freed when the fact is used up, so that a view kept too long is
 * found.
 */
#include "smtp/session_private.h"

#include <jansson.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

enum { OUT_MAX = 1 << 20, ITEMS_MAX = 4096, RANDOM_RUNS = 15 };

struct item {
    bool local;
    size_t at, len; /* in client */
};

struct run {
    const char *id, *how;
    struct pool exchanges, contents;
    struct policy policy;
    struct session_env env;
    struct session s;
    unsigned char *upstream, *client;
    size_t upstream_len, client_len;
    struct item items[ITEMS_MAX];
    size_t items_len;
    bool seen[NOTE_COUNT];
    bool closed, dropped, muted;
    bool handshake; /* wished for */
    enum side handshake_side;
    uint64_t now;
};

static unsigned long runs, failures;
static bool starred[NOTE_COUNT]; /* notes that the vectors know */
static bool terminate;           /* for now: TLS ends here */

static void fail(const struct run *r, const char *what, const void *got, size_t len)
{
    failures++;
    printf("FAIL %s [%s] %s: ", r->id, r->how, what);
    for (size_t i = 0; i < len && i < 300; i++) {
        unsigned char c = ((const unsigned char *)got)[i];
        printf(c >= 32 && c < 127 ? "%c" : "\\%03o", c);
    }
    printf("\n");
}

/* ---- C escapes ------------------------------------------------------------------- */

static unsigned char *unescape(const char *s, size_t *len)
{
    unsigned char *out = malloc(strlen(s) + 1);
    size_t n = 0;

    for (; *s != '\0'; s++) {
        if (*s != '\\') {
            out[n++] = (unsigned char)*s;
            continue;
        }
        s++;
        if (*s >= '0' && *s <= '7') {
            out[n++] = (unsigned char)((s[0] - '0') * 64 + (s[1] - '0') * 8 + (s[2] - '0'));
            s += 2;
        } else {
            out[n++] = (unsigned char)(*s == 'r'   ? '\r'
                                       : *s == 'n' ? '\n'
                                       : *s == 't' ? '\t'
                                                   : *s);
        }
    }
    *len = n;
    return out;
}

/* ---- the session ------------------------------------------------------------------ */

static void collect(struct run *r, const struct action *action)
{
    switch (action->kind) {
    case ACTION_FORWARD:
        if (action->side == SERVER) {
            memcpy(r->upstream + r->upstream_len, action->bytes.ptr, action->bytes.len);
            r->upstream_len += action->bytes.len;
            break;
        }
        /* fall through */
    case ACTION_ANSWER:
        memcpy(r->client + r->client_len, action->bytes.ptr, action->bytes.len);
        r->items[r->items_len++] =
            (struct item){ action->kind == ACTION_ANSWER, r->client_len, action->bytes.len };
        r->client_len += action->bytes.len;
        break;
    case ACTION_CONTENT:
        break;
    case ACTION_START_TLS:
        r->handshake = true;
        r->handshake_side = action->side;
        break;
    case ACTION_RECORD:
        for (unsigned i = 0; i < action->event->notes.len && !r->muted; i++)
            r->seen[action->event->notes.list[i].id] = true;
        break;
    case ACTION_DROP_UPSTREAM:
        r->dropped = true;
        break;
    case ACTION_CLOSE:
        r->closed = true;
        break;
    }
}

static void pump(struct run *r)
{
    struct action action;

    while (session_next(&r->s, &action)) {
        if (r->closed)
            fail(r, "an action after ACTION_CLOSE", "", 0);
        collect(r, &action);
    }
    while (r->handshake) { /* it always succeeds */
        r->handshake = false;
        session_tls(&r->s, r->handshake_side, true, ++r->now);
        pump(r);
    }
}

static void give(struct run *r, enum side from, const void *bytes, size_t len)
{
    unsigned char *copy = malloc(len ? len : 1);

    memcpy(copy, bytes, len);
    session_bytes(&r->s, from, span_of(copy, len), ++r->now);
    pump(r);
    free(copy);
}

static bool upstream_owes_reply(const struct run *r)
{
    const struct session *s = &r->s;

    if (r->closed || s->closing)
        return false;
    if (s->state == STATE_GREETING)
        return true;
    return s->first != NULL && !exchange_is_local(s->first) &&
           !(s->state == STATE_CHUNK && s->first == s->last);
}

/* Gives scripted replies while the upstream owes some; "" means not yet. */
static void answer(struct run *r, json_t *script, size_t *next)
{
    while (*next < json_array_size(script) && upstream_owes_reply(r)) {
        size_t len;
        unsigned char *reply = unescape(json_string_value(json_array_get(script, *next)), &len);
        ++*next;
        bool eof = len == 5 && memcmp(reply, "<eof>", 5) == 0;
        if (eof) {
            session_eof(&r->s, SERVER, END_FIN, ++r->now);
            pump(r);
        } else if (len > 0) {
            give(r, SERVER, reply, len);
        }
        free(reply);
        if (len == 0)
            return;
    }
}

static void say(struct run *r, const char *command, const char *reply)
{
    give(r, CLIENT, command, strlen(command));
    if (reply != NULL)
        give(r, SERVER, reply, strlen(reply));
}

static void say_ehlo(struct run *r, json_t *caps)
{
    char reply[4096] = "250-mx.example.org";
    size_t i;
    json_t *cap;

    json_array_foreach(caps, i, cap)
    {
        strncat(reply, "\r\n250-", sizeof reply - strlen(reply) - 1);
        strncat(reply, json_string_value(cap), sizeof reply - strlen(reply) - 1);
    }
    strncat(reply, "\r\n250 8BITMIME\r\n", sizeof reply - strlen(reply) - 1);
    if (json_array_size(caps) == 0)
        strcpy(reply, "250 mx.example.org\r\n");
    else { /* the last one ends the reply */
        char *last = reply + strlen(reply) - strlen("250 8BITMIME\r\n");
        *last = '\0';
        char *line = reply;
        for (char *p = reply; (p = strstr(p, "\r\n250-")) != NULL; p++)
            line = p;
        line[5] = ' ';
    }
    say(r, "EHLO client.example.com\r\n", reply);
}

static void set_state(struct run *r, json_t *v)
{
    static const char *const order[] = { "connect", "greeted", "ehlo", "mail", "rcpt", "data" };
    const char *state = json_string_value(json_object_get(v, "state"));
    size_t k = 0;

    while (k < 6 && strcmp(state, order[k]) != 0)
        k++;
    if (k == 6)
        k = 2; /* auth-334, replies */
    r->muted = true;
    if (k >= 1)
        give(r, SERVER, "220 mx.example.org ESMTP\r\n", 26);
    if (k >= 2)
        say_ehlo(r, json_object_get(v, "caps"));
    if (k >= 3)
        say(r, "MAIL FROM:<a@example.com>\r\n", "250 2.1.0 Ok\r\n");
    if (k >= 4)
        say(r, "RCPT TO:<b@example.org>\r\n", "250 2.1.5 Ok\r\n");
    if (k >= 5)
        say(r, "DATA\r\n", "354 go\r\n");
    if (strcmp(state, "auth-334") == 0)
        say(r, "AUTH LOGIN\r\n", "334 VXNlcm5hbWU6\r\n");
    for (json_int_t n = json_integer_value(json_object_get(v, "pending_commands")); n > 0; n--)
        say(r, "NOOP\r\n", NULL);
    r->muted = false;
    r->upstream_len = r->client_len = r->items_len = 0;
}

static void set_policy(struct policy *p, json_t *overrides)
{
    const char *key;
    json_t *word;

    policy_init(p, PRESET_DEFAULT);
    policy_set(p, RULE_STARTTLS, SPAN_LIT("refuse")) ? (void)0 : abort();
    json_object_foreach(overrides, key, word)
    {
        const char *name = strcmp(key, "cmd.8bit") == 0 ? "cmd.eight_bit" : key;
        bool found = false;
        for (unsigned i = 0; i < RULE_COUNT && !found; i++)
            found = strcmp(policy_rule_key((enum policy_rule)i), name) == 0 &&
                    policy_set(p, (enum policy_rule)i, span_str(json_string_value(word)));
        if (!found) {
            printf("unknown policy %s = %s\n", key, json_string_value(word));
            exit(2);
        }
    }
}

static struct run *run_begin(json_t *v, const char *how, bool observe)
{
    struct run *r = calloc(1, sizeof *r);

    r->id = json_string_value(json_object_get(v, "id"));
    r->how = how;
    r->upstream = malloc(OUT_MAX);
    r->client = malloc(OUT_MAX);
    r->now = 1000000;
    pool_init(&r->exchanges, session_exchange_size(), 0); /* 0 kept: ASan sees late use */
    pool_init(&r->contents, session_content_size(), 0);
    set_policy(&r->policy, json_object_get(v, "policy"));
    if (terminate)
        policy_set(&r->policy, RULE_STARTTLS, SPAN_LIT("terminate")) ? (void)0 : abort();
    r->env = (struct session_env){
        .policy = &r->policy,
        .observe = observe,
        .upstream_tls = terminate ? UPSTREAM_TLS_MAY : UPSTREAM_TLS_NO,
        .exchanges = &r->exchanges,
        .contents = &r->contents,
    };
    session_init(&r->s, &r->env);
    return r;
}

static void run_end(struct run *r)
{
    session_deinit(&r->s);
    free(r->upstream);
    free(r->client);
    free(r);
}

/* ---- segmentation ----------------------------------------------------------------- */

static size_t next_cut(const char **how, size_t left)
{
    if (strcmp(*how, "whole") == 0 || strcmp(*how, "rest") == 0)
        return left;
    if (strcmp(*how, "bytes") == 0)
        return 1;
    char *end;
    size_t n = strtoul(*how, &end, 10);
    *how = *end == ',' ? end + 1 : "rest";
    return n < left ? n : left;
}

static void random_cuts(char *how, size_t size, size_t len)
{
    size_t n = 0, left = len;

    how[0] = '\0';
    for (int cuts = 1 + rand() % 6; cuts > 0 && left > 1; cuts--) {
        size_t cut = 1 + (size_t)rand() % (left - 1);
        n += (size_t)snprintf(how + n, size - n, "%zu,", cut);
        left -= cut;
    }
    snprintf(how + n, size - n, "rest");
}

/* ---- what was expected -------------------------------------------------------------- */

static bool local_matches(const struct run *r, const struct item *item, json_t *want)
{
    char text[256];
    const char *enh = json_string_value(json_object_get(want, "enh"));
    const char *re = json_string_value(json_object_get(want, "re"));
    size_t n = item->len < sizeof text - 1 ? item->len : sizeof text - 1;

    memcpy(text, r->client + item->at, n);
    text[n] = '\0';
    if (!item->local || atol(text) != json_integer_value(json_object_get(want, "code")) ||
        strncmp(text + 4, enh, strlen(enh)) != 0)
        return false;
    if (re == NULL)
        return true;
    regex_t compiled;
    if (regcomp(&compiled, re, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    bool match = regexec(&compiled, text, 0, NULL, 0) == 0;
    regfree(&compiled);
    return match;
}

/* Where TLS ends here, 220 to STARTTLS is ours, whatever the upstream said. */
static bool is_ready_reply(const struct run *r, const struct item *item, const char *want)
{
    static const char ready[] = "220 2.0.0 Ready to start TLS\r\n";

    return terminate && (strncmp(want, "220 ", 4) == 0 || strncmp(want, "454 ", 4) == 0) &&
           item->local && item->len == sizeof ready - 1 &&
           memcmp(r->client + item->at, ready, item->len) == 0;
}

/* Nobody but us knows the names of notes: a reply is for people. */
static void check_words(struct run *r)
{
    for (size_t i = 0; i < r->items_len; i++) {
        const struct item *item = &r->items[i];

        for (unsigned n = 0; item->local && n < NOTE_COUNT; n++) {
            const char *name = note_name((enum note_id)n);
            if (memmem(r->client + item->at, item->len, name, strlen(name)) != NULL)
                fail(r, "the name of a note in a reply", r->client + item->at, item->len);
        }
    }
}

static void check_client(struct run *r, json_t *expect)
{
    json_t *items = json_object_get(expect, "client");
    size_t i;
    json_t *want;

    if (json_array_size(items) != r->items_len) {
        fail(r, "number of replies", r->client, r->client_len);
        return;
    }
    json_array_foreach(items, i, want)
    {
        const struct item *item = &r->items[i];
        if (strcmp(json_string_value(json_object_get(want, "src")), "local") == 0) {
            if (!local_matches(r, item, want))
                fail(r, "local reply", r->client + item->at, item->len);
            continue;
        }
        size_t len;
        if (is_ready_reply(r, item, json_string_value(json_object_get(want, "text"))))
            continue;
        unsigned char *text = unescape(json_string_value(json_object_get(want, "text")), &len);
        if (item->local || len != item->len || memcmp(text, r->client + item->at, len) != 0)
            fail(r, "relayed reply", r->client + item->at, item->len);
        free(text);
    }
}

/* Replies scenarios: all that was forwarded, then at most one reply of ours. */
static void check_client_bytes(struct run *r, json_t *expect)
{
    size_t len, forwarded = 0, locals = 0;
    unsigned char *want =
        unescape(json_string_value(json_object_get(expect, "client_bytes")), &len);

    for (size_t i = 0; i < r->items_len; i++) {
        if (r->items[i].local)
            locals++;
        else
            forwarded += r->items[i].len;
    }
    if (forwarded != len || memcmp(want, r->client, len) != 0)
        fail(r, "client bytes", r->client, r->client_len);
    if (locals != json_array_size(json_object_get(expect, "client")))
        fail(r, "local replies", r->client, r->client_len);
    free(want);
}

static void check_upstream(struct run *r, json_t *expect)
{
    const char *mode = json_string_value(json_object_get(expect, "upstream_mode"));
    const char *text = json_string_value(json_object_get(expect, "upstream"));

    if (text == NULL || mode == NULL)
        return;
    size_t len;
    unsigned char *want = unescape(text, &len);
    bool prefix = strcmp(mode, "exact") != 0;
    if (r->upstream_len > len || (!prefix && r->upstream_len != len) ||
        memcmp(want, r->upstream, r->upstream_len) != 0) {
        if (!(prefix && len == 0))
            fail(r, "upstream bytes", r->upstream, r->upstream_len);
    }
    if (strcmp(mode, "prefix-noeod") == 0 && r->upstream_len >= 3 &&
        memmem(r->upstream, r->upstream_len, "\n.\r\n", 4) != NULL)
        fail(r, "an end of data reached the upstream", r->upstream, r->upstream_len);
    free(want);
}

static void check_notes(struct run *r, json_t *expect)
{
    bool want[NOTE_COUNT] = { false };
    bool exact =
        strcmp(json_string_value(json_object_get(expect, "anomalies_mode")), "exact") == 0;
    size_t i;
    json_t *name;

    json_array_foreach(json_object_get(expect, "anomalies"), i, name)
    {
        for (unsigned n = 0; n < NOTE_COUNT; n++)
            if (strcmp(note_name((enum note_id)n), json_string_value(name)) == 0)
                want[n] = true;
    }
    for (unsigned n = 0; n < NOTE_COUNT; n++) {
        const char *text = note_name((enum note_id)n);
        if (want[n] && !r->seen[n])
            fail(r, "note missing", text, strlen(text));
        if (exact && starred[n] && r->seen[n] && !want[n])
            fail(r, "note too many", text, strlen(text));
    }
}

static void check(struct run *r, json_t *v)
{
    json_t *expect = json_object_get(v, "expect");
    const char *close = json_string_value(json_object_get(expect, "close"));
    const char *got = r->closed ? "both" : r->dropped ? "upstream" : "none";

    check_upstream(r, expect);
    check_words(r);
    if (json_object_get(expect, "client_bytes") != NULL)
        check_client_bytes(r, expect);
    else
        check_client(r, expect);
    if (strcmp(close, got) != 0)
        fail(r, "close", got, strlen(got));
    if (!r->closed) { /* what is unfinished has its notes, too */
        bool eof_seen = r->seen[NOTE_DATA_EOF];
        session_end(&r->s, CLOSE_INTERNAL, ++r->now);
        pump(r);
        r->seen[NOTE_DATA_EOF] = eof_seen; /* this end is the test's */
    }
    check_notes(r, expect);
}

/* ---- the kinds of runs --------------------------------------------------------------- */

static void run_scripted(json_t *v, const unsigned char *in, size_t len, const char *how,
                         bool late)
{
    bool u2c = strcmp(json_string_value(json_object_get(v, "direction")), "u2c") == 0;
    json_t *script = json_object_get(v, "upstream_script");
    struct run *r = run_begin(v, late ? "late" : how, false);
    size_t next = 0, at = 0;
    const char *cuts = how;

    runs++;
    set_state(r, v);
    if (!late || r->s.state == STATE_GREETING) {
        if (len == 0 || late)
            answer(r, late ? NULL : script, &next);
    }
    if (!u2c && !late && len == 0)
        answer(r, script, &next);
    while (at < len && !r->closed) {
        size_t n = next_cut(&cuts, len - at);
        give(r, u2c ? SERVER : CLIENT, in + at, n);
        at += n;
        if (!u2c && !late)
            answer(r, script, &next);
    }
    if (late)
        answer(r, script, &next);
    if (json_is_true(json_object_get(v, "eof_after_input")) && !r->closed) {
        session_eof(&r->s, u2c ? SERVER : CLIENT, END_FIN, ++r->now);
        pump(r);
    }
    check(r, v);
    run_end(r);
}

/* The second segment arrives before the 220 is delivered (TLS-010). */
static void run_before_reply(json_t *v, const unsigned char *in, size_t len)
{
    struct run *r = run_begin(v, "harness", false);
    size_t next = 0, first = (size_t)((unsigned char *)memchr(in, '\n', len) - in) + 1;

    runs++;
    set_state(r, v);
    give(r, CLIENT, in, first);
    give(r, CLIENT, in + first, len - first);
    answer(r, json_object_get(v, "upstream_script"), &next);
    check(r, v);
    run_end(r);
}

/* Observe mode: what comes in goes out, whatever it is. */
static void run_observe(json_t *v, const unsigned char *in, size_t len, const char *how)
{
    bool u2c = strcmp(json_string_value(json_object_get(v, "direction")), "u2c") == 0;
    json_t *script = json_object_get(v, "upstream_script");
    struct run *r = run_begin(v, how, true);
    unsigned char *sent = malloc(OUT_MAX);
    size_t sent_len = 0, next = 0, at = 0;

    runs++;
    set_state(r, v);
    for (const char *cuts = how; at < len;) {
        size_t n = next_cut(&cuts, len - at);
        give(r, u2c ? SERVER : CLIENT, in + at, n);
        at += n;
        while (!u2c && next < json_array_size(script) && upstream_owes_reply(r)) {
            size_t rl;
            unsigned char *reply =
                unescape(json_string_value(json_array_get(script, next++)), &rl);
            if (rl == 5 && memcmp(reply, "<eof>", 5) == 0)
                rl = 0;
            memcpy(sent + sent_len, reply, rl);
            sent_len += rl;
            give(r, SERVER, reply, rl);
            free(reply);
            if (rl == 0)
                break;
        }
    }
    const unsigned char *to_server = u2c ? sent : in, *to_client = u2c ? in : sent;
    size_t to_server_len = u2c ? 0 : len, to_client_len = u2c ? len : sent_len;
    if (r->upstream_len != to_server_len || memcmp(r->upstream, to_server, to_server_len) != 0)
        fail(r, "observe: upstream bytes differ", r->upstream, r->upstream_len);
    if (r->client_len != to_client_len || memcmp(r->client, to_client, to_client_len) != 0)
        fail(r, "observe: client bytes differ", r->client, r->client_len);
    if (r->closed || r->dropped)
        fail(r, "observe: closed", "", 0);
    session_end(&r->s, CLOSE_INTERNAL, ++r->now);
    pump(r);
    run_end(r);
    free(sent);
}

static bool names(json_t *list, const char *word)
{
    size_t i;
    json_t *w;

    json_array_foreach(list, i, w) if (strcmp(json_string_value(w), word) == 0) return true;
    return false;
}

/* STARTTLS offered by the upstream; and replies where one is too many. */
static bool is_for_terminate(json_t *v)
{
    json_t *policy = json_object_get(v, "policy"), *caps = json_object_get(v, "caps");
    const char *word = json_string_value(json_object_get(policy, "starttls"));
    const char *id = json_string_value(json_object_get(v, "id"));

    if (strcmp(id, "REP-026") == 0)
        return true;
    return word != NULL && strcmp(word, "passthrough") == 0 && names(caps, "STARTTLS");
}

static void run_vector(json_t *v)
{
    json_t *chunking = json_object_get(v, "chunking");
    bool any_cut = names(chunking, "whole") && names(chunking, "bytes");
    size_t i, len;
    json_t *how;
    unsigned char *in = unescape(json_string_value(json_object_get(v, "input")), &len);

    if ((json_int_t)len != json_integer_value(json_object_get(v, "input_len")))
        abort();
    json_array_foreach(chunking, i, how)
    {
        const char *cuts = json_string_value(how);
        if (strncmp(cuts, "harness:", 8) == 0) {
            run_before_reply(v, in, len);
            continue;
        }
        run_scripted(v, in, len, cuts, false);
        if (!terminate)
            run_observe(v, in, len, cuts);
        if (strcmp(json_string_value(json_object_get(v, "direction")), "c2u") == 0 &&
            (any_cut || !terminate)) /* else reads matter: there plaintext is injected */
            run_scripted(v, in, len, cuts, true);
    }
    for (int n = 0; n < RANDOM_RUNS && any_cut && len > 2; n++) {
        char cuts[128];
        random_cuts(cuts, sizeof cuts, len);
        run_scripted(v, in, len, cuts, false);
        if (!terminate)
            run_observe(v, in, len, cuts);
    }
    free(in);
}

static void star(json_t *v)
{
    size_t i;
    json_t *name;

    json_array_foreach(json_object_get(json_object_get(v, "expect"), "anomalies"), i, name)
    {
        for (unsigned n = 0; n < NOTE_COUNT; n++)
            if (strcmp(note_name((enum note_id)n), json_string_value(name)) == 0)
                starred[n] = true;
    }
}

int main(int argc, char **argv)
{
    FILE *f = argc > 1 ? fopen(argv[1], "r") : NULL;
    char *line = NULL;
    size_t size = 0;
    unsigned vectors = 0;

    if (f == NULL)
        return 2;
    srand(1); /* the same every time */
    for (int pass = 0; pass < 2; pass++, rewind(f)) {
        while (getline(&line, &size, f) > 0) {
            json_t *v = json_loads(line, 0, NULL);
            if (v == NULL)
                return 2;
            if (pass == 0)
                star(v);
            else if (argc < 3 ||
                     strcmp(argv[2], json_string_value(json_object_get(v, "id"))) == 0) {
                run_vector(v);
                terminate = is_for_terminate(v);
                if (terminate)
                    run_vector(v);
                terminate = false;
                vectors++;
            }
            json_decref(v);
        }
    }
    free(line);
    fclose(f);
    printf("%u vectors, %lu runs, %lu failures\n", vectors, runs, failures);
    return failures != 0 || vectors == 0;
}
