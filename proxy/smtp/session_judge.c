#include "smtp/session_judge.h"

#include "smtp/number.h"
#include "smtp/sasl.h"
#include "smtp/suggest.h"

#include <stdio.h>

typedef enum local_reply verdict; /* LOCAL_NONE: no objection */

static verdict out_of_order(struct judge *j, const char *why)
{
    if (rule(j, RULE_CMD_SEQUENCE) == WORD_PASS)
        return LOCAL_NONE;
    note(j, NOTE_CMD_SEQUENCE);
    return refuse(j, LOCAL_SEQUENCE, why);
}

static bool transaction_open(const struct session *s)
{
    return s->transaction.open || session_has_pending(s, VERB_MAIL);
}

static bool recipient_sent(const struct session *s)
{
    return s->transaction.rcpt_sent || session_has_pending(s, VERB_RCPT);
}

static bool last_chunk_pending(const struct session *s)
{
    for (const struct exchange *ex = s->first; ex != NULL; ex = ex->next)
        if (ex->event.verb == VERB_BDAT && ex->last_chunk)
            return true;
    return false;
}

static verdict judge_unknown(struct judge *j)
{
    enum verb suggested = VERB_UNKNOWN;
    const char *hint = suggest_verb(j->cmd.word, &suggested);

    if (suggest_is_probe(j->cmd.word))
        note(j, NOTE_PROBE_VERB);
    note(j, hint != NULL ? NOTE_CMD_TYPO : NOTE_CMD_UNKNOWN);
    if (j->cmd.word.len > 1 && j->cmd.word.ptr[j->cmd.word.len - 1] == ':')
        note(j, NOTE_NOT_SMTP_HEADER);
    if (rule(j, RULE_CMD_UNKNOWN) == WORD_PASS)
        return LOCAL_NONE;
    return hint != NULL ? refuse(j, LOCAL_UNKNOWN_HINT, hint) : LOCAL_UNKNOWN;
}

static verdict judge_vrfy(struct judge *j)
{
    enum policy_word word = rule(j, RULE_VRFY);

    if (word == WORD_PASS)
        return LOCAL_NONE;
    note(j, NOTE_PROBE_VRFY);
    if (j->cmd.arg.len == 0) {
        note(j, NOTE_CMD_ARGS);
        return refuse(j, LOCAL_ARG_MISSING, "VRFY");
    }
    return word == WORD_REPLY252 ? LOCAL_VRFY : LOCAL_VRFY_DISABLED;
}

static verdict judge_expn(struct judge *j)
{
    if (rule(j, RULE_EXPN) == WORD_PASS)
        return LOCAL_NONE;
    note(j, NOTE_PROBE_EXPN);
    return LOCAL_EXPN_DISABLED;
}

static verdict judge_etrn(struct judge *j)
{
    if (rule(j, RULE_ETRN) == WORD_REJECT || !ehlo_offers(j->s->offer.offered, EHLO_ETRN)) {
        note(j, NOTE_CMD_UNIMPLEMENTED);
        return refuse(j, LOCAL_UNIMPLEMENTED, "ETRN");
    }
    if (j->cmd.arg.len == 0) {
        note(j, NOTE_CMD_ARGS);
        return refuse(j, LOCAL_ARG_MISSING, "ETRN");
    }
    return LOCAL_NONE;
}

static verdict judge_helo(struct judge *j)
{
    if (j->cmd.arg.len == 0) {
        note(j, NOTE_HELO_MISSING_ARG);
        return refuse(j, LOCAL_ARG_MISSING, verb_name(j->cmd.verb));
    }
    if (!command_is_domain(j->cmd.arg))
        note(j, NOTE_HELO_SYNTAX);
    return LOCAL_NONE;
}

/* Out of order whatever cmd.sequence says: sessions must not mix. */
static verdict never_in_order(struct judge *j, const char *why)
{
    note(j, NOTE_CMD_SEQUENCE);
    return refuse(j, LOCAL_SEQUENCE, why);
}

static bool greeted(const struct session *s)
{
    return s->client.greeted || session_has_pending(s, VERB_EHLO) ||
           session_has_pending(s, VERB_HELO);
}

/* A server may take a command that it did not offer, as after HELO; it answers better, too. */
static verdict not_offered(struct judge *j, enum ehlo_keyword keyword)
{
    if (ehlo_offers(j->s->offer.offered, keyword))
        return LOCAL_NONE;
    note(j, NOTE_CMD_NOT_OFFERED);
    bool inside_tls = keyword == EHLO_STARTTLS && j->s->upstream.secure; /* RFC 3207 4.2 */
    if (rule(j, RULE_CMD_NOT_OFFERED) == WORD_PASS && !inside_tls)
        return LOCAL_NONE;
    return refuse(j, LOCAL_NOT_OFFERED, verb_name(j->cmd.verb));
}

static verdict judge_starttls(struct judge *j)
{
    struct session *s = j->s;
    bool ours = session_ends_tls(s);
    verdict v;

    if (s->client.secure)
        return never_in_order(j, "TLS is already active");
    if (!ours && rule(j, RULE_STARTTLS) == WORD_REFUSE) {
        note(j, NOTE_STARTTLS_REFUSED);
        return refuse(j, LOCAL_UNIMPLEMENTED, "STARTTLS");
    }
    if (!ours && (v = not_offered(j, EHLO_STARTTLS)) != LOCAL_NONE)
        return v;
    if (ours && transaction_open(s))
        return never_in_order(j, "STARTTLS is not allowed in a mail transaction");
    if (ours && s->client.authenticated && !session_renews_upstream(s))
        return never_in_order(j, "STARTTLS is not allowed after AUTH");
    if (transaction_open(s) &&
        (v = out_of_order(j, "STARTTLS is not allowed in a mail transaction")) != LOCAL_NONE)
        return v;
    if (!input_is_empty(s, CLIENT)) {
        note(j, NOTE_STARTTLS_INJECTION);
        return LOCAL_STARTTLS_INJECTION;
    }
    return LOCAL_NONE;
}

static verdict judge_auth(struct judge *j)
{
    struct session *s = j->s;
    verdict v;

    if (!greeted(s))
        return out_of_order(j, "send EHLO first");
    if ((v = not_offered(j, EHLO_AUTH)) != LOCAL_NONE)
        return v;
    if (transaction_open(s))
        return out_of_order(j, "AUTH is not allowed in a mail transaction");
    if (s->client.authenticated)
        return out_of_order(j, "already authenticated");
    if (j->cmd.arg.len == 0) {
        note(j, NOTE_CMD_ARGS);
        return refuse(j, LOCAL_ARG_MISSING, "AUTH");
    }
    if (rule(j, RULE_AUTH_LAYERS) == WORD_STRIP && sasl_has_layer(auth_mechanism(&j->cmd))) {
        note(j, NOTE_SASL_LAYER);
        return LOCAL_AUTH_MECHANISM;
    }
    if (j->cmd.text.len + 2 > COMMAND_LINE_OCTETS)
        note(j, NOTE_AUTH_IR_LONG);
    return LOCAL_NONE;
}

/*
 * How long the chunk is, as far as that can be known: receivers may disagree about a wide size,
 * so only what is passed on unaltered is read by it.
 */
static verdict frame_chunk(struct judge *j)
{
    enum bdat_result result = command_bdat(j->cmd.arg, &j->bdat);

    j->framed = result == BDAT_OK || (result == BDAT_WIDE && j->s->env->observe);
    if (result == BDAT_OK)
        return LOCAL_NONE;
    note(j, NOTE_BDAT_MALFORMED);
    return LOCAL_BDAT_SYNTAX;
}

/* "5 LAST", where zeros or blanks were too many. */
static void write_plain(struct judge *j)
{
    char text[NUMBER_DIGITS_MAX + sizeof " LAST"];
    int n = snprintf(text, sizeof text, "%u%s", (unsigned)j->bdat.octets,
                     j->bdat.last ? " LAST" : "");

    if (!buf_append(&j->s->out, span_of(text, (size_t)n)))
        session_close(j->s, CLOSE_NO_MEMORY);
    j->canon = buf_span(&j->s->out);
}

/* RFC 3030: the chunk is eaten before any reply, so its size must be known first. */
static verdict judge_bdat(struct judge *j)
{
    struct session *s = j->s;
    verdict v = frame_chunk(j);

    if (v != LOCAL_NONE)
        return v;
    if (!ehlo_offers(s->offer.offered, EHLO_CHUNKING)) {
        note(j, NOTE_BDAT_UNADVERTISED);
        return refuse(j, LOCAL_UNIMPLEMENTED, "BDAT");
    }
    if (!transaction_open(s))
        return out_of_order(j, "send MAIL first");
    if (!recipient_sent(s))
        return out_of_order(j, "send RCPT first");
    if (s->transaction.chunk_refused)
        return never_in_order(j, "an earlier chunk of this message was refused");
    if (session_exceeds_size(s, j->bdat.octets)) {
        note(j, NOTE_BDAT_OVERSIZE);
        return LOCAL_SIZE_OVER_LIMIT;
    }
    if (j->bdat.octets == 0 && !j->bdat.last)
        note(j, NOTE_BDAT_ZERO);
    if (!j->bdat.plain && !s->env->observe)
        write_plain(j);
    return LOCAL_NONE;
}

static verdict judge_mail(struct judge *j)
{
    struct session *s = j->s;
    verdict v;

    if (!greeted(s)) {
        if (s->upstream.greeted && !s->env->observe) /* by another session than this */
            return never_in_order(j, "send EHLO or HELO first");
        note(j, NOTE_CMD_SEQUENCE);
        if (rule(j, RULE_CMD_NO_HELO) == WORD_REJECT &&
            rule(j, RULE_CMD_SEQUENCE) == WORD_LOCAL)
            return refuse(j, LOCAL_SEQUENCE, "send EHLO or HELO first");
    } else if (s->transaction.open && !session_has_pending(s, VERB_RSET) &&
               !session_has_pending(s, VERB_DOT) && !last_chunk_pending(s)) {
        if ((v = out_of_order(j, "a mail transaction is already open")) != LOCAL_NONE)
            return v;
    }
    if (!transaction_open(s))
        s->transaction.chunk_refused = false;
    return judge_path(j, PATH_FROM);
}

static verdict judge_rcpt(struct judge *j)
{
    verdict v = LOCAL_NONE;

    if (!transaction_open(j->s))
        v = out_of_order(j, "send MAIL first");
    if (v == LOCAL_NONE)
        v = judge_path(j, PATH_TO);
    if (v == LOCAL_NONE)
        j->s->transaction.rcpt_sent = true;
    return v;
}

static verdict judge_data(struct judge *j)
{
    struct session *s = j->s;

    if (!transaction_open(s))
        return out_of_order(j, "send MAIL first");
    if (!recipient_sent(s))
        return out_of_order(j, "send RCPT first");
    if (s->transaction.bdat) {
        note(j, NOTE_BDAT_MIXED_DATA);
        return refuse(j, LOCAL_SEQUENCE, "DATA is not allowed after BDAT");
    }
    if (s->body.binary_mime) {
        note(j, NOTE_BDAT_MIXED_DATA);
        return refuse(j, LOCAL_SEQUENCE, "BODY=BINARYMIME requires BDAT");
    }
    return LOCAL_NONE;
}

static verdict judge_lhlo(struct judge *j)
{
    note(j, NOTE_CMD_UNKNOWN);
    return LOCAL_LHLO;
}

static verdict judge_unimplemented(struct judge *j)
{
    note(j, NOTE_CMD_UNIMPLEMENTED);
    return refuse(j, LOCAL_UNIMPLEMENTED, verb_name(j->cmd.verb));
}

/* Postfix's way to say who the client is: only from those that may. */
static verdict judge_identity(struct judge *j, enum ehlo_keyword keyword)
{
    if (j->s->client.trusted && ehlo_offers(j->s->offer.offered, keyword))
        return LOCAL_NONE;
    return judge_unimplemented(j);
}

static verdict judge_xclient(struct judge *j)
{
    return judge_identity(j, EHLO_XCLIENT);
}

static verdict judge_xforward(struct judge *j)
{
    return judge_identity(j, EHLO_XFORWARD);
}

static verdict judge_verb(struct judge *j)
{
    static verdict (*const judges[])(struct judge *) = {
#define VERB_ROW(name, text, flags, tally, argument, judge, sent, after, renews) judge,
#include "smtp/verbs.def"
    };
    enum verb v = j->cmd.verb;

    if ((verb_flags(v) & VERB_NO_ARG) != 0 && j->cmd.arg.len > 0) {
        note(j, NOTE_CMD_ARGS);
        return refuse(j, LOCAL_ARG_UNEXPECTED, verb_name(v));
    }
    return judges[v] != NULL ? judges[v](j) : LOCAL_NONE;
}

/* A client with TLS comes here when the upstream refused to greet. */
static verdict lacks_tls(struct judge *j)
{
    return j->s->client.secure ? refuse(j, LOCAL_TLS_UNAVAILABLE,
                                        "the mail server behind this proxy refused service")
                               : LOCAL_TLS_REQUIRED;
}

/* RFC 3207 4: other commands hear 530. A chunk must be discarded all the same. */
static verdict judge_without_tls(struct judge *j)
{
    enum verb verb = j->cmd.verb;

    if ((verb_flags(verb) & VERB_PRE_TLS) != 0)
        return judge_verb(j);
    if (verb == VERB_BDAT && frame_chunk(j) != LOCAL_NONE)
        return LOCAL_BDAT_SYNTAX;
    if (verb == VERB_UNKNOWN)
        (void)judge_unknown(j); /* for its notes */
    return lacks_tls(j);
}

/* A BDAT is refused for its form, and its chunk comes all the same (RFC 3030 2). */
static verdict refuse_line(struct judge *j, verdict v)
{
    bool certain = (j->cmd.faults & (FAULT_NUL | FAULT_BARE_CR | FAULT_CTRL)) == 0;

    if (j->cmd.verb != VERB_BDAT || (certain && frame_chunk(j) == LOCAL_NONE))
        return v;
    note(j, NOTE_BDAT_MALFORMED);
    return LOCAL_BDAT_SYNTAX;
}

enum local_reply judge_command(struct judge *j)
{
    enum local_reply v = judge_line(j);

    if (v != LOCAL_NONE)
        return refuse_line(j, v);
    return session_lacks_tls(j->s) ? judge_without_tls(j) : judge_verb(j);
}
