/*
 * fuzz_receivers - a client and a server of any kind on either side of a session (enforce).
 *
 * The client keeps to RFC 5321 and 3030 as far as framing goes: it sends mail data after a 3yz
 * reply to DATA (FLAG_LAX: after any that is no refusal), exactly the octets a BDAT has named,
 * one line after a 3yz reply to AUTH, and nothing behind EHLO, DATA, AUTH or QUIT before their
 * replies (FLAG_EAGER: a whole mail behind DATA). What it says in commands and what it puts
 * into content may be anything. Its commands are upper case, its content is lower case.
 *
 * The server is a model of tests/models/receivers.h, and replies what and when it likes: 2yz,
 * 4yz to DATA, before a chunk is complete, in the middle of mail data, before a command was
 * sent on.
 *
 * Input: flags, how the server reads sizes, how it finds the end of the mail data; then
 * operations: a kind (high bit: only half of what is on the way arrives), an argument, octets.
 *
 * Always true:
 *   - no server takes an octet of content for a command, or of a command for content
 *   - nor does the session itself
 *   - after a reply to something that the server has not read yet, unless that refuses content,
 *     nothing more is sent on
 */
#include "fuzz/always.h"
#include "models/receivers.c"
#include "smtp/session_private.h"

#include <ctype.h>

enum { FLAG_STRICT = 1, FLAG_LAX = 2, FLAG_EAGER = 4, FLAG_CR_ENDS = 8, FLAG_CARELESS = 16 };
enum { FLAG_WAITS = 32 }; /* the server does not offer PIPELINING */
enum { HALF = 128, QUEUE_MAX = 1 << 16, ASKED_MAX = 1024 };

enum phase { PHASE_COMMANDS, PHASE_REPLY, PHASE_DATA, PHASE_CHUNK, PHASE_AUTH, PHASE_OVER };

struct queue {
    unsigned char octets[QUEUE_MAX];
    size_t len;
};

struct client {
    enum phase phase;
    uint64_t left;                  /* octets of the chunk still to send */
    unsigned char last[2];          /* octets sent in mail data: where a line begins */
    unsigned char asked[ASKED_MAX]; /* verbs without a reply */
    unsigned first, next;
    struct queue out, in; /* on the way; replies not yet read */
};

static struct play {
    uint8_t flags;
    struct pool exchanges, contents;
    struct policy policy;
    struct session_env env;
    struct session s;
    struct client c;
    struct receiver r;
    struct queue replies;
    bool closed, dropped, finished; /* finished: nothing more may reach the server */
} p;

static const struct {
    const char *line;
    enum verb verb;
} commands[] = {
    { "MAIL FROM:<A@B.TEST>\r\n", VERB_MAIL },
    { "RCPT TO:<C@D.TEST>\r\n", VERB_RCPT },
    { "DATA\r\n", VERB_DATA },
    { "RSET\r\n", VERB_RSET },
    { "NOOP\r\n", VERB_NOOP },
    { "EHLO C.TEST\r\n", VERB_EHLO },
    { "AUTH PLAIN\r\n", VERB_AUTH },
    { "VRFY X\r\n", VERB_VRFY },
    { "EXPN X\r\n", VERB_EXPN },
    { "QUIT\r\n", VERB_QUIT },
    { "MAIL FROM:<A@B.TEST> SIZE=4294967301 BODY=8BITMIME\r\n", VERB_MAIL },
    { "DATA \n", VERB_DATA },
    { "BDAT 5 LAST\r\n", VERB_BDAT },
    { "HELP\r\n", VERB_HELP },
    { ".\r\n", VERB_DOT }, /* as content only */
};

static void queue_put(struct queue *q, const void *ptr, size_t len)
{
    if (len > QUEUE_MAX - q->len)
        len = QUEUE_MAX - q->len;
    if (len > 0)
        memcpy(q->octets + q->len, ptr, len);
    q->len += len;
}

static void queue_drop(struct queue *q, size_t n)
{
    q->len -= n;
    memmove(q->octets, q->octets + n, q->len);
}

/* ---- the client ---------------------------------------------------------------------- */

static void client_ask(enum verb verb)
{
    struct client *c = &p.c;

    if (c->next < ASKED_MAX)
        c->asked[c->next++] = (unsigned char)verb;
    if (verb == VERB_EHLO || verb == VERB_DATA || verb == VERB_AUTH || verb == VERB_QUIT)
        c->phase = PHASE_REPLY;
}

/* Content in lower case; in mail data with its dots stuffed (RFC 5321 4.5.2). */
static void client_content(const unsigned char *bytes, size_t len)
{
    struct client *c = &p.c;

    for (size_t i = 0; i < len && (c->phase != PHASE_CHUNK || c->left > 0); i++) {
        unsigned char ch = (unsigned char)tolower(bytes[i]);

        if (c->phase == PHASE_DATA && ch == '.' && c->last[0] == '\r' && c->last[1] == '\n')
            queue_put(&c->out, ".", 1);
        queue_put(&c->out, &ch, 1);
        c->last[0] = c->last[1];
        c->last[1] = ch;
        c->left -= c->phase == PHASE_CHUNK;
    }
    if (c->phase == PHASE_CHUNK && c->left == 0)
        c->phase = PHASE_COMMANDS;
}

static void client_end_data(void)
{
    struct client *c = &p.c;

    if (c->last[0] != '\r' || c->last[1] != '\n')
        queue_put(&c->out, "\r\n", 2);
    queue_put(&c->out, ".\r\n", 3);
    c->phase = PHASE_COMMANDS;
    client_ask(VERB_DOT);
}

static void client_begin_data(void)
{
    p.c.phase = PHASE_DATA;
    p.c.last[0] = '\r';
    p.c.last[1] = '\n';
}

/* The reply to the command that waits longest, as a client understands it. */
static void client_hear(unsigned code)
{
    struct client *c = &p.c;
    enum verb verb = c->first < c->next ? (enum verb)c->asked[c->first++] : VERB_UNKNOWN;
    bool goes_on = code / 100 == 3 || (p.flags & FLAG_LAX && code / 100 == 2);

    if (code == 421 || (verb == VERB_QUIT && code / 100 == 2)) {
        c->phase = PHASE_OVER;
        return;
    }
    if (c->phase != PHASE_REPLY || c->first < c->next)
        return;
    c->phase = PHASE_COMMANDS;
    if (verb == VERB_DATA && goes_on)
        client_begin_data();
    else if (verb == VERB_AUTH && code / 100 == 3)
        c->phase = PHASE_AUTH;
}

static void client_listen(void)
{
    struct queue *in = &p.c.in;
    struct notes notes = { .len = 0 };
    struct reply r;

    while (reply_parse(span_of(in->octets, in->len), &r, &notes, 0) == REPLY_OK) {
        client_hear(r.code);
        queue_drop(in, r.received.len);
    }
}

/* ---- what passes between the three ------------------------------------------------- */

static void check_event(const struct event *e)
{
    if (e->kind != EVENT_COMMAND || e->disposition == DISPOSITION_SWALLOWED ||
        e->verb == VERB_DOT || e->received.len == 0)
        return;
    ALWAYS(e->auth_line || (e->received.ptr[0] >= 'A' && e->received.ptr[0] <= 'Z'));
    ALWAYS(!e->auth_line || !isupper(e->received.ptr[0]));
}

/* What the server was sent; "=>" is where it is. */
static void show_server(void)
{
    const struct receiver *r = &p.r;

    fprintf(stderr, "server: sizes as %s, end as %s, it %s\n", size_reading_name(r->sizes),
            smuggling_model_name(r->ends), r->broken);
    for (size_t i = 0; i < r->len; i++)
        fprintf(stderr, isprint(r->octets[i]) || r->octets[i] == '\n' ? "%s%c" : "%s\\%03o",
                i == r->at ? "=>" : "", r->octets[i]);
    fprintf(stderr, "\n");
}

static void pump(void)
{
    struct action action;

    while (session_next(&p.s, &action)) {
        ALWAYS(!p.closed);
        switch (action.kind) {
        case ACTION_FORWARD:
            if (action.side == CLIENT) {
                queue_put(&p.c.in, action.bytes.ptr, action.bytes.len);
                break;
            }
            ALWAYS(!p.dropped && !p.finished);
            receiver_take(&p.r, action.bytes);
            break;
        case ACTION_ANSWER:
            queue_put(&p.c.in, action.bytes.ptr, action.bytes.len);
            break;
        case ACTION_RECORD:
            check_event(action.event);
            break;
        case ACTION_DROP_UPSTREAM:
            p.dropped = true;
            break;
        case ACTION_CLOSE:
            p.closed = true;
            break;
        case ACTION_CONTENT:
        case ACTION_START_TLS:
            break;
        }
    }
    if (p.r.broken != NULL)
        show_server();
    ALWAYS(p.r.broken == NULL);
    client_listen();
}

static void deliver(enum side from, size_t n)
{
    struct queue *q = from == CLIENT ? &p.c.out : &p.replies;
    unsigned char *copy;

    if (n == 0 || p.closed)
        return;
    copy = malloc(n); /* exact size: ASan sees one octet too far */
    ALWAYS(copy != NULL);
    memcpy(copy, q->octets, n);
    queue_drop(q, n);
    session_bytes(&p.s, from, span_of(copy, n), 1);
    pump();
    free(copy);
}

static void deliver_some(enum side from, uint8_t kind)
{
    size_t n = from == CLIENT ? p.c.out.len : p.replies.len;

    deliver(from, kind & HALF ? n / 2 : n);
}

/* ---- the server ----------------------------------------------------------------------- */

static void put_reply(unsigned code, bool lines)
{
    char text[64];
    int n = snprintf(text, sizeof text, lines ? "%u-A\r\n%u B\r\n" : "%u A\r\n", code, code);

    queue_put(&p.replies, text, (size_t)n);
}

static void server_reply(uint8_t kind, unsigned code, bool lines)
{
    struct receiver *r = &p.r;

    if (r->refuses)
        code = 501;
    r->refuses = false;
    put_reply(code, lines);
    receiver_reply(r, code);
    deliver_some(SERVER, kind);
}

/* A reply to what was not read to its end: it arrives whole, with nothing else on the way. */
static void server_reply_early(unsigned code)
{
    struct receiver *r = &p.r;
    bool content = r->mode == RECEIVER_CHUNK || r->mode == RECEIVER_DATA;
    bool refusal = code >= 400;

    deliver(SERVER, p.replies.len);
    if (r->stopped || r->answered || p.closed || p.dropped || r->mode == RECEIVER_AUTH)
        return;
    put_reply(code, false);
    receiver_reply(r, code);
    deliver(SERVER, p.replies.len);
    p.finished = !content || !refusal;
    if (content && !refusal && p.flags & FLAG_CARELESS)
        receiver_gives_up_content(r);
}

static void server_op(uint8_t kind, uint8_t arg)
{
    static const unsigned codes[] = { 250, 354, 334, 300, 350, 220, 235, 451,
                                      550, 503, 252, 200, 299, 399, 552, 421 };
    unsigned code = codes[arg % ARRAY_LEN(codes)];

    if (p.r.stopped)
        server_reply(kind, code, arg & HALF);
    else if (arg & HALF)
        server_reply_early(code);
}

/* ---- operations ------------------------------------------------------------------------ */

static void send_mail_ahead(void)
{
    static const char mail[] = "mail from:<x@y.test>\r\n";

    deliver(CLIENT, p.c.out.len);
    queue_put(&p.c.out, "DATA\r\n", 6);
    client_ask(VERB_DATA);
    queue_put(&p.c.out, mail, sizeof mail - 1);
    queue_put(&p.c.out, ".\r\n", 3);
    p.c.next -= p.c.next == ASKED_MAX;
    client_ask(VERB_DOT);
    deliver(CLIENT, p.c.out.len);
    p.c.phase = PHASE_OVER; /* what it says next depends on replies it did not wait for */
}

static void client_command(uint8_t arg)
{
    unsigned which = arg % ARRAY_LEN(commands);
    const char *line = commands[which].line;

    if (p.c.phase == PHASE_DATA || p.c.phase == PHASE_CHUNK) {
        client_content((const unsigned char *)line, strlen(line));
    } else if (p.c.phase == PHASE_COMMANDS && commands[which].verb == VERB_DATA &&
               p.flags & FLAG_EAGER) {
        send_mail_ahead();
    } else if (p.c.phase == PHASE_COMMANDS && commands[which].verb != VERB_BDAT &&
               commands[which].verb != VERB_DOT) {
        queue_put(&p.c.out, line, strlen(line));
        client_ask(commands[which].verb);
    }
}

/* BDAT in all spellings; the client means the number that is written. */
static void client_bdat(uint8_t spelling, uint8_t size)
{
    static const char *const before[] = { " ",  "  ", "\t",         " +",
                                          " -", " 0", " 000000000", " 00000000000000000000",
                                          " 0x" };
    static const char *const above[] = { "",
                                         "",
                                         "",
                                         "2147483",
                                         "4294967",
                                         "9223372036854775",
                                         "18446744073709551",
                                         "36893488147419103" };
    static const unsigned base[] = { 0, 0, 0, 648, 296, 807, 616, 232 };
    static const char *const behind[] = { "",       " LAST", " last", "  LAST",  "\tLAST",
                                          " LAST ", "K",     ".5",    " 7 LAST", "LAST" };
    const char *sign = before[spelling % ARRAY_LEN(before)];
    unsigned most = size / 32 % ARRAY_LEN(above);
    unsigned low = most < 3 ? size % 96 : base[most] + size % 32;
    char line[128];
    int n = snprintf(line, sizeof line,
                     strchr(sign, 'x') ? "BDAT%s%s%X%s\r\n"
                     : most < 3        ? "BDAT%s%s%u%s\r\n"
                                       : "BDAT%s%s%03u%s\r\n",
                     sign, strchr(sign, 'x') ? "" : above[most], low,
                     behind[spelling / 16 % ARRAY_LEN(behind)]);

    queue_put(&p.c.out, line, (size_t)n);
    client_ask(VERB_BDAT);
    p.c.left = most < 3 || strchr(sign, 'x') ? low : UINT64_MAX;
    p.c.phase = p.c.left > 0 ? PHASE_CHUNK : PHASE_COMMANDS;
}

/* Any line as a command that nobody knows. */
static void client_garbage(const unsigned char *bytes, size_t len)
{
    queue_put(&p.c.out, "X", 1);
    for (size_t i = 0; i < len; i++) {
        unsigned char ch = (unsigned char)toupper(bytes[i]);
        if (ch != '\n')
            queue_put(&p.c.out, &ch, 1);
    }
    queue_put(&p.c.out, "\r\n", 2);
    client_ask(VERB_UNKNOWN);
}

static void client_auth_line(const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char ch = (unsigned char)tolower(bytes[i]);
        if (ch != '\n')
            queue_put(&p.c.out, &ch, 1);
    }
    queue_put(&p.c.out, "\r\n", 2);
    p.c.phase = PHASE_COMMANDS;
    client_ask(VERB_AUTH);
}

static void client_octets(const unsigned char *bytes, size_t len)
{
    if (p.c.phase == PHASE_DATA || p.c.phase == PHASE_CHUNK)
        client_content(bytes, len);
    else if (p.c.phase == PHASE_AUTH)
        client_auth_line(bytes, len);
    else if (p.c.phase == PHASE_COMMANDS)
        client_garbage(bytes, len);
}

static void client_end(void)
{
    static const unsigned char rest[256];

    if (p.c.phase == PHASE_DATA)
        client_end_data();
    else if (p.c.phase == PHASE_CHUNK && p.c.left <= sizeof rest)
        client_content(rest, (size_t)p.c.left);
}

static void set_up(const uint8_t *data)
{
    static const char greeting[] = "220 S\r\n", ehlo[] = "EHLO C\r\n";
    const char *offers = data[0] & FLAG_WAITS
                             ? "250-S\r\n250-CHUNKING\r\n250 AUTH PLAIN\r\n"
                             : "250-S\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 AUTH PLAIN\r\n";

    memset(&p, 0, offsetof(struct play, c));
    memset(&p.c, 0, sizeof p.c);
    p.flags = data[0];
    policy_init(&p.policy, p.flags & FLAG_STRICT ? PRESET_STRICT : PRESET_DEFAULT);
    ALWAYS(policy_set(&p.policy, RULE_STARTTLS, SPAN_LIT("refuse")));
    pool_init(&p.exchanges, session_exchange_size(), 0);
    pool_init(&p.contents, session_content_size(), 0);
    p.env = (struct session_env){
        .policy = &p.policy,
        .helo_name = "proxy.test",
        .exchanges = &p.exchanges,
        .contents = &p.contents,
    };
    p.replies.len = 0;
    p.closed = p.dropped = p.finished = false;
    receiver_init(&p.r, data[1] % SIZE_READINGS, data[2] % SMUGGLING_MODELS,
                  (p.flags & FLAG_CR_ENDS) != 0);
    session_init(&p.s, &p.env);
    client_ask(VERB_UNKNOWN); /* the greeting */
    queue_put(&p.replies, greeting, sizeof greeting - 1);
    deliver(SERVER, p.replies.len);
    queue_put(&p.c.out, ehlo, sizeof ehlo - 1);
    client_ask(VERB_EHLO);
    deliver(CLIENT, p.c.out.len);
    queue_put(&p.replies, offers, strlen(offers));
    receiver_reply(&p.r, 250);
    deliver(SERVER, p.replies.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    set_up(data);
    for (size_t i = 3; i + 1 < size && !p.closed;) {
        uint8_t kind = data[i++], arg = data[i++];
        size_t len = 0;

        switch (kind % 8) {
        case 0:
        case 1:
            client_command(arg);
            break;
        case 2:
            if (p.c.phase == PHASE_COMMANDS && i < size)
                client_bdat(arg, data[i++]);
            break;
        case 3:
            len = arg < size - i ? arg : size - i;
            client_octets(data + i, len);
            break;
        case 4:
            client_end();
            break;
        default:
            server_op(kind, arg);
            break;
        }
        i += len;
        deliver_some(CLIENT, kind);
    }
    deliver(CLIENT, p.c.out.len);
    deliver(SERVER, p.replies.len);
    session_end(&p.s, CLOSE_INTERNAL, 1);
    pump();
    session_deinit(&p.s);
    pool_deinit(&p.exchanges);
    pool_deinit(&p.contents);
    return 0;
}
