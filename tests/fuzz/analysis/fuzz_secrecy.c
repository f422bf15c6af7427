/*
 * fuzz_secrecy - a session in which a client gives a secret away, and a server that repeats
 * it: the secret is in no record and no finding.
 *
 * Input: one octet of flags, eight that make the secret, then operations, two or more octets
 * each. The client sends attempts to authenticate with the secret in them, what may follow a
 * refused attempt, and ordinary commands; the server replies, also with what it has been sent:
 * cut, in another case, encoded anew, wrapped, or as no reply at all. Sides end at any time.
 *
 * The client tells its secret only where a transcript must hide it: in an attempt, and after
 * one, until the server says 2yz. The server repeats only what it was sent, and not any more
 * when it has said 2yz twice: once authenticated, a transaction makes secrets forgotten. What
 * may be mail data is no secret. Behind a STARTTLS that was taken the server repeats nothing.
 */
#include "analysis/detect.h"
#include "analysis/observer.h"
#include "fuzz/always.h"
#include "fuzz/analysis/secret_oracle.h"
#include "smtp/session.h"
#include "transcript/stream.h"

#include <fcntl.h>

enum {
    FLAG_OBSERVE = 1,
    FLAG_LENIENT = 2,
    FLAG_GREETED = 4,
    FLAG_NOT_OFFERED = 8,
    FLAG_STRICT = 16
};
enum { LINE_MAX_OCTETS = 2048, CUT_MARK = 200 };

/* %s is the secret in some encoding. */
static const char *const attempts[] = {
    "AUTH PLAIN %s\r\n",
    "auth login %s\r\n",
    "AUTH %s\r\n",
    "AUTH\tPLAIN\t%s\r\n",
    "AUTHPLAIN %s\r\n",
    "AUTH=PLAIN %s\r\n",
    "AUTH: PLAIN %s\n",
    "C: AUTH PLAIN %s\r\n",
    "250 AUTH PLAIN %s\r\n",
    "\357\273\277AUTH PLAIN %s\r\n",
    "EHLO x\rAUTH PLAIN %s\r\n",
    "EHLO AUTH PLAIN %s\r\n",
    "AUHT PLAIN %s\r\n",
    "AUT H PLAIN %s\r\n",
    "\"AUTH\" PLAIN %s\r\n",
    "AU\x01TH PLAIN %s\r\n",
    "MAIL FROM:<a@b> AUTH PLAIN %s\r\n",
    "AUTH%s\r\n",
    "AUTH XOAUTH2 %s",
    "USER bob\r\nPASS %s\r\n",
    "PASS %s\r\n",
    "APOP bob %s\r\n",
    "a1 LOGIN bob %s\r\n",
    "a1 AUTHENTICATE PLAIN %s\r\n",
    "XCLIENT LOGIN=%s\r\n",
    "BURL imap://u@h/;urlauth=%s LAST\r\n",
    "Authorization: Basic %s\r\n",
    "PLAIN %s\r\n",
    "AUTH LOGIN\r\n%s\r\n",
    "AUTH LOGIN\r\nRSET\r\n%s\r\n",
};

/* After an attempt. */
static const char *const rests[] = {
    "%s\r\n",
    "%s\n",
    "%s",
    "NOOP %s\r\n",
    "RSET %s\r\n",
    "VRFY %s\r\n",
    "HELP %s\r\n",
    "x %s y\r\n",
    "EHLO x %s\r\n",
    "QUIT %s\r\n",
    "MAIL %s\r\n",
    "RCPT TO: %s\r\n",
    "BDAT 5 %s\r\n",
    "DATA %s\r\n",
    "RSET\r\n%s\r\n",
    "STARTTLS %s\r\n",
    "MAIL FROM:<a@b> ENVID=%s\r\n",
    "XFORWARD NAME=%s\r\n",
    "250 %s\r\n",
    "\r%s\r\n",
    "GET /%s HTTP/1.1\r\n",
};

static const char *const commands[] = {
    "EHLO c.test\r\n",
    "HELO c\r\n",
    "RSET\r\n",
    "NOOP\r\n",
    "QUIT\r\n",
    "DATA\r\n",
    "BDAT 5\r\nhello",
    "STARTTLS\r\n",
    "AUTH LOGIN\r\n",
    "AUTH PLAIN\r\n",
    "*\r\n",
    "MAIL FROM:<a@b.test>\r\n",
    "RCPT TO:<c@d.test>\r\n",
    ".\r\n",
    "FOO\r\n",
    "\r\n",
    "VRFY bob\r\n",
    "XXXX bar\r\n",
    "AU",
    "EHLO x",
};

static const char *const codes[] = { "250", "334", "535", "500", "421",
                                     "354", "220", "504", "300", "502" };

struct play {
    struct oracle oracle;
    struct policy policy;
    struct session_env env;
    struct session session;
    struct recorder recorder;
    struct observer observer;
    const uint8_t *in;
    size_t left;
    uint64_t now;
    bool tried, known, closed;  /* known: the server was sent the secret */
    bool midline;               /* its last line is unfinished */
    bool mail;                  /* the client may be in mail data: that is no secret */
    unsigned taken;             /* 2yz since the last attempt */
    char last[LINE_MAX_OCTETS]; /* what the client said last */
};

/* ---- one transcript for all inputs, never written ---- */

static struct writer *writer;
static struct stream *stream;
static struct pool exchanges, contents;
static struct detect_memory *memory;

static void set_up_once(void)
{
    char error[256];
    struct writer_config c = { .file = "nowhere",
                               .vantage = "here",
                               .flush_ms = 3600000,
                               .content = CONTENT_LEVEL_DIGEST,
                               .on_full = ON_FULL_DROP,
                               .queue_octets = 1 << 24 };

    if (writer != NULL)
        return;
    c.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    writer = writer_start(&c, error, sizeof error);
    ALWAYS(writer != NULL);
    stream = stream_new(writer, NULL, NULL);
    memory = detect_memory_new();
    ALWAYS(stream != NULL && memory != NULL);
    pool_init(&exchanges, session_exchange_size(), 64);
    pool_init(&contents, session_content_size(), 4);
}

/* The records of this input are looked at, and their place is used again. */
static void check_records(const struct play *p)
{
    struct span text =
        stream->chunk != NULL ? span_of(stream->chunk->bytes, stream->used) : SPAN_LIT("");
    size_t at = oracle_find(&p->oracle, text);

    if (at < text.len) {
        fprintf(stderr, "the secret %s stands at octet %zu of\n%.*s\n", p->oracle.secret, at,
                (int)text.len, (const char *)text.ptr);
        abort();
    }
    stream->used = 0;
}

static void look_at(struct play *p)
{
    if (stream->chunk != NULL && stream->used > stream->chunk->size / 2)
        check_records(p);
}

/* ---- the session ---- */

static void pump(struct play *p)
{
    struct record_close close = { .first = -1, .reason = CLOSE_QUIT };
    struct action action;

    while (session_next(&p->session, &action)) {
        if (action.content != CONTENT_NONE && action.bdat)
            record_chunk(&p->recorder, action.content, action.bytes);
        else if (action.content != CONTENT_NONE)
            record_content(&p->recorder, action.content, action.bytes);
        if (action.kind == ACTION_FORWARD && action.side == SERVER)
            p->known = p->known || oracle_find(&p->oracle, action.bytes) < action.bytes.len;
        if (action.kind == ACTION_RECORD)
            observer_event(&p->observer, action.event);
        if (action.kind == ACTION_CLOSE) {
            p->closed = true;
            close.reason = action.reason;
            observer_close(&p->observer, &close);
        }
        look_at(p);
    }
}

static bool has_word(const char *text, size_t len, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= len; i++)
        if (strncasecmp(text + i, word, n) == 0)
            return true;
    return false;
}

static void give(struct play *p, enum side from, const char *text, size_t len)
{
    unsigned char *copy;

    if (p->closed || len == 0)
        return;
    if (from == CLIENT)
        p->midline = text[len - 1] != '\n';
    if (from == CLIENT)
        p->mail = p->mail || has_word(text, len, "DATA") || has_word(text, len, "BDAT");
    copy = malloc(len);
    ALWAYS(copy != NULL);
    memcpy(copy, text, len);
    session_bytes(&p->session, from, span_of(copy, len), ++p->now);
    pump(p);
    free(copy);
}

static uint8_t next(struct play *p)
{
    if (p->left == 0)
        return 0;
    p->left--;
    return *p->in++;
}

/* ---- encodings ---- */

static size_t put_base64(const char *in, size_t n, char *out)
{
    size_t len = 0;

    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)(unsigned char)in[i] << 16;
        if (i + 1 < n)
            v |= (uint32_t)(unsigned char)in[i + 1] << 8;
        if (i + 2 < n)
            v |= (unsigned char)in[i + 2];
        for (unsigned k = 0; k < 4; k++)
            out[len++] = i + k <= n ? oracle_letters[v >> (18 - 6 * k) & 63] : '=';
    }
    out[len] = '\0';
    return len;
}

static void put_escaped(const char *in, size_t n, char mark, bool all, char *out)
{
    for (size_t i = 0; i < n; i++) {
        if (all || oracle_is_special((unsigned char)in[i]))
            out += sprintf(out, "%c%02X", mark, (unsigned char)in[i]);
        else
            *out++ = in[i];
    }
    *out = '\0';
}

/* out: more than three times as large. */
static void encode(uint8_t how, const char *in, size_t n, char *out)
{
    char framed[ORACLE_SECRET + 8];
    size_t before;

    switch (how % 12) {
    case 0:
        snprintf(out, n + 1, "%s", in);
        break;
    case 1:
    case 2:
    case 3:
    case 4: /* behind one to four octets: each alignment */
        before = how % 12;
        memcpy(framed, "\0bob", 4);
        if (n > ORACLE_SECRET)
            n = ORACLE_SECRET;
        memcpy(framed + before, in, n);
        put_base64(framed, before + n, out);
        break;
    case 5:
        put_base64(in, n, out);
        break;
    case 6:
        for (size_t i = 0; i < n; i++)
            sprintf(out + 2 * i, "%02x", (unsigned char)in[i]);
        out[2 * n] = '\0';
        break;
    case 7:
        put_escaped(in, n, '%', true, out);
        break;
    case 8:
        put_escaped(in, n, '%', false, out);
        break;
    case 9:
        put_escaped(in, n, '+', false, out);
        break;
    case 10:
        put_escaped(in, n, '=', false, out);
        break;
    default:
        snprintf(out, n + 1, "%s", in);
        break;
    }
}

/* ---- what the sides say ---- */

static void client_says(struct play *p, const char *form, uint8_t how, uint8_t repeat)
{
    char text[4 * ORACLE_SECRET + 16], much[LINE_MAX_OCTETS], line[LINE_MAX_OCTETS + 64];
    const char *at = strstr(form, "%s");
    size_t len = 0;

    encode(how, p->oracle.secret, ORACLE_SECRET, text);
    do
        len += (size_t)snprintf(much + len, sizeof much - len, "%s", text);
    while (repeat >= CUT_MARK && len < 700); /* an overlong line, full of it */
    len = (size_t)snprintf(line, sizeof line, "%.*s%s%s", (int)(at - form), form, much, at + 2);
    snprintf(p->last, sizeof p->last, "%s", much);
    give(p, CLIENT, line, len);
}

static void attempt(struct play *p)
{
    const char *form = attempts[next(p) % ARRAY_LEN(attempts)];
    uint8_t how = next(p), repeat = next(p);

    if (p->mail)
        return;
    if (p->midline)
        give(p, CLIENT, "\r\n", 2); /* or it is part of a name in EHLO */
    if (p->closed)
        return;
    p->tried = true;
    p->taken = 0;
    client_says(p, form, how, repeat);
}

static void rest(struct play *p)
{
    const char *form = rests[next(p) % ARRAY_LEN(rests)];
    uint8_t how = next(p), repeat = next(p);

    if (!p->tried || p->taken > 0 || p->mail)
        return;
    if (p->midline)
        give(p, CLIENT, "\r\n", 2); /* or it is part of a name in EHLO */
    if (!p->closed)
        client_says(p, form, how, repeat);
}

static void change_case(char *s, uint8_t how)
{
    for (; *s != '\0'; s++) {
        if (how == 1)
            *s = (char)oracle_lower((unsigned char)*s);
        else if (how == 2 && *s >= 'a' && *s <= 'z')
            *s = (char)(*s - 32);
    }
}

/* Some of the secret in any encoding, or of what the client said. */
static void make_echo(struct play *p, char *out, size_t size)
{
    uint8_t what = next(p), from = next(p), n = next(p);
    const char *source = what & 1 ? p->last : p->oracle.secret;
    size_t len = strlen(source), at = len > 0 ? from % len : 0;
    size_t most = what & 1 ? 200 : ORACLE_SECRET;

    out[0] = '\0';
    if (!p->known || p->taken > 1 || strcmp(session_state_name(&p->session), "opaque") == 0)
        return;
    len -= at;
    if (n % 2 == 1 && n / 2 < len)
        len = n / 2;
    if (len > most)
        len = most;
    if (what & 1)
        snprintf(out, len + 1 < size ? len + 1 : size, "%s", source + at);
    else
        encode((uint8_t)(what >> 3), source + at, len, out);
    change_case(out, what >> 1 & 3);
}

static size_t wrap(char *out, size_t size, const char *code, const char *text, uint8_t width)
{
    size_t len = 0, left = strlen(text);

    while (width > 0 && left > width) {
        len += (size_t)snprintf(out + len, size - len, "%s-5.5.1 %.*s\r\n", code, width, text);
        text += width;
        left -= width;
    }
    return len + (size_t)snprintf(out + len, size - len, "%s 5.5.1 %s\r\n", code, text);
}

static void reply(struct play *p)
{
    const char *code = codes[next(p) % ARRAY_LEN(codes)];
    uint8_t form = next(p), width = 0;
    char text[1024], line[16384], said[1200];
    size_t len;

    make_echo(p, text, sizeof text);
    if (code[0] == '2' && p->taken < 2)
        p->taken++;
    snprintf(said, sizeof said, form & 1 ? "what is \"%s\"?" : "%s", text);
    if (form & 2)
        width = (uint8_t)(5 + (form >> 3));
    if (form & 4)
        len = (size_t)snprintf(line, sizeof line, "%s\r\n", text); /* no reply at all */
    else
        len = wrap(line, sizeof line, code, said, width);
    give(p, SERVER, line, len);
}

static void literal(struct play *p, enum side from)
{
    size_t len = next(p) % 64;

    if (len > p->left)
        len = p->left;
    if (from == SERVER && len > 0 && p->taken < 2)
        p->taken = 2; /* it may be any reply */
    give(p, from, (const char *)p->in, len);
    p->in += len;
    p->left -= len;
}

static void fate(struct play *p, uint8_t what)
{
    if (p->closed)
        return;
    switch (what % 8) {
    case 0:
        session_eof(&p->session, CLIENT, END_FIN, ++p->now);
        break;
    case 1:
        session_eof(&p->session, CLIENT, END_RESET, ++p->now);
        break;
    case 2:
        session_eof(&p->session, SERVER, END_FIN, ++p->now);
        break;
    case 3:
        session_eof(&p->session, SERVER, END_RESET, ++p->now);
        break;
    case 4:
        session_timeout(&p->session, ++p->now);
        break;
    case 5:
        session_upstream_down(&p->session, ++p->now);
        break;
    case 6:
        session_end(&p->session, CLOSE_SHUTDOWN, ++p->now);
        break;
    default:
        return;
    }
    pump(p);
}

static void begin(struct play *p, uint8_t flags)
{
    static const struct observer_env *env;
    static struct observer_env one;

    one = (struct observer_env){ .memory = memory };
    env = &one;
    policy_init(&p->policy, flags & FLAG_STRICT    ? PRESET_STRICT
                            : flags & FLAG_LENIENT ? PRESET_OBSERVE
                                                   : PRESET_DEFAULT);
    p->env = (struct session_env){ .policy = &p->policy,
                                   .observe = (flags & FLAG_OBSERVE) != 0,
                                   .helo_name = "proxy.test",
                                   .exchanges = &exchanges,
                                   .contents = &contents };
    p->now = 1795424641u * UINT64_C(1000000);
    session_init(&p->session, &p->env);
    recorder_init(&p->recorder, stream, p->now);
    observer_init(&p->observer, env, &p->recorder);
    if (flags & FLAG_GREETED) {
        static const char greeting[] = "220 mx.test ESMTP\r\n", ehlo[] = "EHLO c.test\r\n",
                          offer[] = "250-mx.test\r\n250-PIPELINING\r\n250-XCLIENT LOGIN\r\n"
                                    "250 AUTH PLAIN LOGIN\r\n",
                          little[] = "250 mx.test\r\n";
        give(p, SERVER, greeting, sizeof greeting - 1);
        give(p, CLIENT, ehlo, sizeof ehlo - 1);
        if (flags & FLAG_NOT_OFFERED)
            give(p, SERVER, little, sizeof little - 1);
        else
            give(p, SERVER, offer, sizeof offer - 1);
    }
}

static void play(struct play *p)
{
    while (p->left > 0 && !p->closed) {
        uint8_t kind = next(p);
        const char *command;

        switch (kind % 8) {
        case 0:
        case 1:
            attempt(p);
            break;
        case 2:
            rest(p);
            break;
        case 3:
            command = commands[next(p) % ARRAY_LEN(commands)];
            give(p, CLIENT, command, strlen(command));
            break;
        case 4:
        case 5:
            reply(p);
            break;
        case 6:
            literal(p, kind & 8 ? CLIENT : SERVER);
            break;
        default:
            fate(p, kind >> 3);
            break;
        }
    }
    if (p->closed)
        return;
    session_end(&p->session, CLOSE_INTERNAL, ++p->now);
    pump(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct play p;
    uint64_t seed = 0;

    if (size < 9)
        return 0;
    set_up_once();
    memset(&p, 0, sizeof p);
    memcpy(&seed, data + 1, sizeof seed);
    oracle_init(&p.oracle, seed);
    p.in = data + 9;
    p.left = size - 9;
    begin(&p, data[0]);
    play(&p);
    check_records(&p);
    observer_deinit(&p.observer);
    session_deinit(&p.session);
    return 0;
}
