#include "lab/answer.h"

#include <stdio.h>

#include "lab/envelope.h"

#define TEXT_MAX 640 /* of one line */

static const char *const extension_lines[] = {
#define X(name, line) line,
    EXTENSIONS(X)
#undef X
};

static bool is_offered(const struct responder *r, enum extension e)
{
    return r->script == NULL || (r->script->without & 1u << e) == 0;
}

/* The parameters of the script's offer of this keyword, or false. */
static bool offered_by_script(const struct responder *r, struct span keyword,
                              struct span *params)
{
    for (unsigned i = 0; r->script != NULL && i < r->script->offer_count; i++) {
        const struct script_offer *o = &r->script->offers[i];
        struct span line = script_bytes(r->script, o->at, o->octets);
        size_t end = span_find(line, ' ');
        if (span_equal_nocase(span_first(line, end), keyword)) {
            *params = span_drop(line, end + 1);
            return true;
        }
    }
    return false;
}

/* Parameters of MAIL and RCPT and what must be offered for them. */
static const struct {
    struct span keyword;
    enum verb verb;
    int extension; /* -1: AUTH */
} known_params[] = {
    { { (const unsigned char *)"SIZE", 4 }, VERB_MAIL, EXTENSION_SIZE },
    { { (const unsigned char *)"BODY", 4 }, VERB_MAIL, EXTENSION_8BITMIME },
    { { (const unsigned char *)"SMTPUTF8", 8 }, VERB_MAIL, EXTENSION_SMTPUTF8 },
    { { (const unsigned char *)"RET", 3 }, VERB_MAIL, EXTENSION_DSN },
    { { (const unsigned char *)"ENVID", 5 }, VERB_MAIL, EXTENSION_DSN },
    { { (const unsigned char *)"AUTH", 4 }, VERB_MAIL, -1 },
    { { (const unsigned char *)"NOTIFY", 6 }, VERB_RCPT, EXTENSION_DSN },
    { { (const unsigned char *)"ORCPT", 5 }, VERB_RCPT, EXTENSION_DSN },
};

static bool is_known_param(const struct responder *r, enum verb verb, struct span keyword)
{
    struct span ignored;

    for (size_t i = 0; i < ARRAY_LEN(known_params); i++) {
        if (known_params[i].verb != verb ||
            !span_equal_nocase(keyword, known_params[i].keyword))
            continue;
        return known_params[i].extension >= 0
                   ? is_offered(r, (enum extension)known_params[i].extension)
                   : offered_by_script(r, keyword, &ignored);
    }
    /* Of an extension the script offers, any parameter of its name. */
    return offered_by_script(r, keyword, &ignored);
}

/* NULL: all parameters are good. */
static const char *judge_params(const struct responder *r, enum verb verb, struct span params)
{
    struct span keyword, value;
    uint64_t size;

    while (envelope_param(&params, &keyword, &value)) {
        if (!r->esmtp || !is_known_param(r, verb, keyword))
            return "555 5.5.4 parameter not recognized\r\n";
        if (!span_equal_nocase(keyword, SPAN_LIT("SIZE")))
            continue;
        if (!envelope_number(value, &size))
            return "501 5.5.4 SIZE takes a number\r\n";
        if (size > MESSAGE_OCTETS_MAX)
            return "552 5.3.4 message too big\r\n";
    }
    return NULL;
}

static const char *answer_hello(struct responder *r, struct span arg)
{
    (void)r;
    return arg.len > 0 ? "250" : "501 5.5.4 a domain or address literal is needed\r\n";
}

static const char *answer_mail(struct responder *r, struct span arg)
{
    struct envelope e;

    if (!r->greeted)
        return "503 5.5.1 EHLO or HELO first\r\n";
    if (r->in_transaction)
        return "503 5.5.1 nested MAIL\r\n";
    if (!envelope_parse(arg, SPAN_LIT("FROM:"), &e))
        return "501 5.5.4 syntax: MAIL FROM:<address>\r\n";
    const char *bad = judge_params(r, VERB_MAIL, e.params);
    return bad != NULL ? bad : "250 2.1.0 Ok\r\n";
}

static const char *answer_rcpt(struct responder *r, struct span arg)
{
    struct envelope e;

    if (!r->in_transaction)
        return "503 5.5.1 MAIL first\r\n";
    if (r->chunked)
        return "503 5.5.1 not after BDAT\r\n";
    if (!envelope_parse(arg, SPAN_LIT("TO:"), &e))
        return "501 5.5.4 syntax: RCPT TO:<address>\r\n";
    if (e.path.len == 0)
        return "501 5.1.3 a recipient is needed\r\n";
    if (r->recipients >= RECIPIENTS_MAX)
        return "452 4.5.3 too many recipients\r\n";
    const char *bad = judge_params(r, VERB_RCPT, e.params);
    return bad != NULL ? bad : "250 2.1.5 Ok\r\n";
}

static const char *answer_data(struct responder *r, struct span arg)
{
    (void)arg;
    if (!r->in_transaction)
        return "503 5.5.1 MAIL first\r\n";
    if (r->chunked)
        return "503 5.5.1 not after BDAT\r\n";
    if (r->recipients == 0)
        return "554 5.5.1 no valid recipients\r\n";
    return "354 end data with <CR><LF>.<CR><LF>\r\n";
}

static const char *answer_bdat(struct responder *r, struct span arg)
{
    uint64_t octets;

    if (!is_offered(r, EXTENSION_CHUNKING))
        return "502 5.5.1 not offered\r\n";
    if (!envelope_chunk(arg, &octets, &r->chunk_last))
        return "501 5.5.4 syntax: BDAT octets [LAST]\r\n";
    r->chunk_left = octets;
    r->reading = READING_CHUNK;
    if (r->recipients == 0)
        return "503 5.5.1 MAIL and RCPT first\r\n";
    return "250";
}

static const char *answer_rset(struct responder *r, struct span arg)
{
    (void)r;
    (void)arg;
    return "250 2.0.0 Ok\r\n";
}

static const char *answer_vrfy(struct responder *r, struct span arg)
{
    (void)r;
    return arg.len > 0 ? "252 2.5.0 send some mail, it will be tried\r\n"
                       : "501 5.5.4 an address is needed\r\n";
}

static const char *answer_help(struct responder *r, struct span arg)
{
    (void)arg;
    return is_offered(r, EXTENSION_HELP) ? "214 2.0.0 see RFC 5321\r\n"
                                         : "502 5.5.1 not offered\r\n";
}

static const char *answer_quit(struct responder *r, struct span arg)
{
    (void)r;
    (void)arg;
    return "221 2.0.0 Bye\r\n";
}

/* The words of `list` hold this one. */
static bool has_word(struct span list, struct span w)
{
    struct span word, value;

    while (envelope_param(&list, &word, &value)) {
        if (span_equal_nocase(word, w))
            return true;
    }
    return false;
}

static const char *answer_auth(struct responder *r, struct span arg)
{
    struct span mechanisms, mechanism = span_first(arg, span_find(arg, ' '));
    bool initial = mechanism.len < arg.len;

    if (!offered_by_script(r, SPAN_LIT("AUTH"), &mechanisms))
        return "502 5.5.1 not offered\r\n";
    if (!r->esmtp || r->authenticated || r->in_transaction)
        return "503 5.5.1 not now\r\n";
    if (mechanism.len == 0)
        return "501 5.5.4 syntax: AUTH mechanism [response]\r\n";
    if (!has_word(mechanisms, mechanism))
        return "504 5.5.4 mechanism not offered\r\n";
    r->login = span_equal_nocase(mechanism, SPAN_LIT("LOGIN"));
    r->prompts = (r->login ? 2u : 1u) - (initial ? 1u : 0u);
    return "235 2.7.0 Authentication successful\r\n";
}

static const struct {
    const char *(*find)(struct responder *r, struct span arg); /* NULL: 502 */
} answers[VERB_COUNT] = {
    [VERB_EHLO] = { answer_hello }, [VERB_HELO] = { answer_hello },
    [VERB_AUTH] = { answer_auth },  [VERB_MAIL] = { answer_mail },
    [VERB_RCPT] = { answer_rcpt },  [VERB_DATA] = { answer_data },
    [VERB_BDAT] = { answer_bdat },  [VERB_RSET] = { answer_rset },
    [VERB_NOOP] = { answer_rset },  [VERB_VRFY] = { answer_vrfy },
    [VERB_HELP] = { answer_help },  [VERB_QUIT] = { answer_quit },
};

void answer_find(struct responder *r, enum verb verb, struct span arg)
{
    r->prompts = 0;
    if (verb == VERB_UNKNOWN || verb == VERB_LHLO)
        r->usual = "500 5.5.1 command not recognized\r\n";
    else if (answers[verb].find == NULL)
        r->usual = "502 5.5.1 command not implemented\r\n";
    else if ((verb_flags(verb) & VERB_NO_ARG) != 0 && arg.len > 0)
        r->usual = "501 5.5.4 no argument is allowed\r\n";
    else
        r->usual = answers[verb].find(r, arg);
}

const char *answer_received(const struct responder *r)
{
    return r->mail.octets <= MESSAGE_OCTETS_MAX ? "250" : "552 5.3.4 message too big\r\n";
}

const char *answer_prompt(const struct responder *r)
{
    if (!r->login)
        return "334 \r\n";
    return r->prompts == 2 ? "334 VXNlcm5hbWU6\r\n" : "334 UGFzc3dvcmQ6\r\n";
}

MUST_CHECK static bool put_text(struct responder *r, const char *text)
{
    return buf_append(&r->out, span_str(text));
}

MUST_CHECK static bool put_ehlo(struct responder *r)
{
    const struct script *s = r->script;
    char line[TEXT_MAX];

    snprintf(line, sizeof line, "250-%s\r\n", r->hostname);
    bool ok = put_text(r, line);
    for (unsigned i = 0; ok && i < EXTENSION_COUNT; i++) {
        snprintf(line, sizeof line, "250-%s\r\n", extension_lines[i]);
        ok = !is_offered(r, (enum extension)i) || put_text(r, line);
    }
    for (unsigned i = 0; ok && s != NULL && i < s->offer_count; i++) {
        struct span offer = script_bytes(s, s->offers[i].at, s->offers[i].octets);
        ok = put_text(r, "250-") && buf_append(&r->out, offer) && put_text(r, "\r\n");
    }
    return ok;
}

/* The last line of a multiline reply that begins at `from` has a blank, not a hyphen. */
static void end_reply(struct buf *out, uint32_t from)
{
    uint32_t line = from;

    for (uint32_t i = from; i + 1 < out->len; i++) {
        if (out->ptr[i] == '\n')
            line = i + 1;
    }
    out->ptr[line + 3] = ' ';
}

MUST_CHECK static bool put_received(struct responder *r)
{
    char received[RECEIVED_TEXT_MAX], line[TEXT_MAX];

    received_text(&r->mail, received);
    snprintf(line, sizeof line, "250 2.0.0 Ok: %s, %s\r\n",
             r->event == VERB_BDAT && !r->chunk_last ? "so far" : "queued nothing", received);
    return put_text(r, line);
}

bool answer_put(struct responder *r)
{
    char line[TEXT_MAX];
    uint32_t from = r->out.len;

    if (strlen(r->usual) > 3)
        return put_text(r, r->usual);
    switch (r->event) {
    case VERB_EHLO:
        if (!put_ehlo(r))
            return false;
        end_reply(&r->out, from);
        return true;
    case VERB_DOT:
    case VERB_BDAT:
        return put_received(r);
    default: /* greeting and HELO */
        snprintf(line, sizeof line, "%s %s%s\r\n", r->usual, r->hostname,
                 r->event == SCRIPT_GREETING ? " ESMTP smtpscope reflector" : "");
        return put_text(r, line);
    }
}
