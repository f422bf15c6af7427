/*
 * detect_replies - replies of the upstream, whatever they answer.
 *
 * SV-04 an error that shows X nobody sent, SV-12 and SV-13 texts of products and templates,
 * SV-17 replies nobody asked for, SV-20 what EHLO offers and then does not work, SV-21 a session
 * that died of silence, SV-22 line endings and bytes no reply has.
 */
#include "analysis/detect_private.h"

enum {
    RUN_MIN = 4,
    ENHANCED_MIN = 4, /* replies with an enhanced code: the server always gives one */
    LINES_MAX = 4,    /* of one reply that are tried on the catalogue */
    IDLE_MIN_US = 5000000,
    IDLE_MAX_US = 300000000, /* a server may close then (RFC 5321 4.5.3.2.7) */
};

/* ---- X ---- */

void x_echo_reply(const struct detect_ctx *k)
{
    struct span rest = k->e->reply;
    struct reply_line line;

    if (k->code < 500 || k->d->said_x || detect_is_reported(k->d, SV_04))
        return;
    while (detect_next_line(&rest, &line)) {
        struct span run = detect_find_x(line.text, RUN_MIN);
        if (run.len == 0)
            continue;
        struct finding_draft h = draft_of_reply(k, SV_04, PLACE_REPLY, line.whole, run);
        h.confidence = CONFIDENCE_HIGH;
        detect_report(
            k, &h,
            "The server answers %s with an error that shows %zu X in a row, which nobody "
            "sent: the command was written over on its way to it.",
            k->e->verb == VERB_UNKNOWN ? "a command" : verb_name(k->e->verb), run.len);
        return;
    }
}

/* ---- texts of products ---- */

static void report_product(const struct detect_ctx *k, const struct reply_line *line,
                           enum detector id)
{
    const struct catalogue_entry *e = detect_match(k, PLACE_REPLY, line->whole, id);

    if (e == NULL || (id == SV_13 && detect_names(e, SV_12)))
        return; /* the second: a product that may be the mail server */
    struct finding_draft h = draft_of_reply(k, id, PLACE_REPLY, line->whole, line->whole);
    h.confidence = e->confidence;
    if (id == SV_12)
        detect_report(k, &h,
                      "The reply \"%s\" is what %s says; that is no damage when it is the mail "
                      "server itself.",
                      detect_show(h.bytes).text, e->product);
    else
        detect_report(k, &h, "The reply \"%s\" was made by a box and not by the server: %s.",
                      detect_show(h.bytes).text, e->product);
}

/* Replies that say more than "ok", and DATA's. */
static bool is_telling(const struct detect_ctx *k)
{
    switch (k->code) {
    case 250:
    case 251:
    case 252:
    case 235:
    case 334:
        return false;
    case 220:
        return k->e->verb != VERB_XCLIENT;
    default:
        return true;
    }
}

static void look_for_products(const struct detect_ctx *k)
{
    struct span rest = k->e->reply;
    struct reply_line line;

    for (unsigned i = 0; i < LINES_MAX && detect_next_line(&rest, &line); i++) {
        report_product(k, &line, SV_13);
        if (!detect_is_reported(k->d, SV_13))
            report_product(k, &line, SV_12);
    }
}

/* ---- templates ---- */

static bool is_template(struct span text)
{
    static const char *const texts[] = {
        "Requested mail action",       "Requested action not taken", "Requested action aborted",
        "Syntax error, command unrec", "Syntax error in parameters", "Bad sequence of commands",
        "Command not implemented",     "Command parameter not impl", "Transaction failed",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (span_starts_with_nocase(text, span_str(texts[i])))
            return true;
    return false;
}

static void look_for_template(const struct detect_ctx *k)
{
    struct span rest = k->e->reply;
    struct reply_line line;

    if (k->d->enhanced < ENHANCED_MIN || !detect_next_line(&rest, &line) ||
        !is_template(line.text))
        return;
    struct finding_draft h = draft_of_reply(k, SV_13, PLACE_REPLY, line.whole, line.whole);
    h.confidence = CONFIDENCE_LOW;
    detect_report(
        k, &h,
        "\"%s\" is a template without an enhanced status code, and %u replies before had "
        "one: this one may come from another program.",
        detect_show(h.bytes).text, (unsigned)k->d->enhanced);
}

/* A reply that no command had asked for, in the middle of mail data, where no server answers. */
static bool is_inside_data(const struct detect_ctx *k)
{
    return notes_has(&k->e->notes, NOTE_REPLY_UNSOLICITED) &&
           (k->d->in_content || k->d->content_cut) && k->code >= 500;
}

static void report_inside_data(const struct detect_ctx *k)
{
    struct span line = detect_first_line(k->e->reply);
    struct finding_draft h = draft_of_reply(k, SV_13, PLACE_REPLY, line, line);

    detect_report(k, &h,
                  "Reply %u came in the middle of the mail data, where no server answers: a "
                  "scanner on the path does.",
                  k->code);
}

void foreign_reply(const struct detect_ctx *k)
{
    if (is_inside_data(k))
        report_inside_data(k);
    if (k->code >= 500)
        look_for_template(k);
    if (is_telling(k))
        look_for_products(k);
}

/* ---- count ---- */

void desync_surplus(const struct detect_ctx *k)
{
    if (!notes_has(&k->e->notes, NOTE_REPLY_UNSOLICITED) || k->code == 421 || is_inside_data(k))
        return;
    struct finding_draft h =
        draft_of_reply(k, SV_17, PLACE_REPLY, span_of(NULL, 0), span_first(k->e->reply, 3));
    h.confidence = CONFIDENCE_HIGH;
    detect_report(k, &h,
                  "A reply %u came that no command had asked for: replies and commands do not "
                  "count the same.",
                  k->code);
}

/* ---- silence ---- */

void idle_death_reply(const struct detect_ctx *k)
{
    uint64_t heard = k->d->heard_us;

    if (k->code != 421 || heard == 0 || k->e->t_us < heard + IDLE_MIN_US ||
        k->e->t_us >= heard + IDLE_MAX_US)
        return;
    struct finding_draft h = draft_of_reply(
        k, SV_21, PLACE_REPLY, detect_first_line(k->e->reply), span_first(k->e->reply, 3));
    detect_report(
        k, &h,
        "After %u s of silence the session was ended with 421; RFC 5321 gives five minutes.",
        (unsigned)((k->e->t_us - heard) / 1000000));
}

/* ---- octets ---- */

void reply_octets(const struct detect_ctx *k)
{
    static const enum note_id odd[] = { NOTE_REPLY_BARE_LF, NOTE_REPLY_BARE_CR, NOTE_REPLY_NUL,
                                        NOTE_REPLY_8BIT };
    static const char *const words[] = { "lines end in LF without CR",
                                         "there is a CR that ends no line", "there is a NUL",
                                         "there are bytes above 127" };
    struct finding_draft h = detect_draft(SV_22);

    if (k->e->notes.len == 0)
        return;
    h.field = "reply";
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        if (!notes_has(&k->e->notes, odd[i]) ||
            (odd[i] == NOTE_REPLY_8BIT && ehlo_offers(k->d->offered, EHLO_SMTPUTF8)))
            continue;
        h.confidence = CONFIDENCE_LOW;
        detect_report(k, &h, "A reply of the server is not as SMTP writes it: %s.", words[i]);
    }
}

/* ---- promises ---- */

static void report_promise(const struct detect_ctx *k, enum confidence confidence,
                           const char *what)
{
    struct span line = detect_first_line(k->e->reply);
    struct finding_draft h = draft_of_reply(k, SV_20, PLACE_REPLY, line, line);

    h.confidence = confidence;
    detect_report(k, &h, "%s, and the answer is %u.", what, k->code);
}

/* Of a message that is too big, not of a mailbox that is full (RFC 3463 3.3, 3.4). */
static bool blames_size(const struct event *e)
{
    struct span enhanced = e->enhanced;

    if (enhanced.len > 0)
        return span_equal(enhanced, SPAN_LIT("5.3.4"));
    return detect_has_word(e->reply, "size") || detect_has_word(e->reply, "too large") ||
           detect_has_word(e->reply, "too big");
}

static bool is_below_size(const struct detect_ctx *k)
{
    const struct detect *d = k->d;
    uint64_t size = k->e->verb == VERB_MAIL ? d->size_declared : d->content_octets;

    return size > 0 && d->size_offered > size;
}

static bool blames_body(const struct event *e)
{
    return (span_equal(e->enhanced, SPAN_LIT("5.6.1")) ||
            span_equal(e->enhanced, SPAN_LIT("5.6.3"))) &&
           (detect_has_word(e->reply, "body type") || detect_has_word(e->reply, "8bit"));
}

static bool is_batched(const struct event *e)
{
    return e->received.len > 0 && (e->reads_len == 0 || e->reads[0] != 0);
}

void broken_promise(const struct detect_ctx *k)
{
    const struct event *e = k->e;
    unsigned code = k->code;
    uint64_t offered = k->d->offered;

    if (code < 500 || offered == 0)
        return;
    if (e->verb == VERB_BDAT && (code == 500 || code == 502) &&
        ehlo_offers(offered, EHLO_CHUNKING))
        report_promise(k, CONFIDENCE_HIGH, "CHUNKING is offered, BDAT was sent");
    else if (code == 554 && ehlo_offers(offered, EHLO_8BITMIME) && blames_body(e))
        report_promise(k, CONFIDENCE_HIGH, "8BITMIME is offered, a body of that type was sent");
    else if (code == 552 && is_below_size(k) && blames_size(e))
        report_promise(k, CONFIDENCE_MEDIUM,
                       "The mail is smaller than the SIZE that is offered");
    else if (ehlo_offers(offered, EHLO_PIPELINING) && is_batched(e) &&
             detect_has_word(e->reply, "pipelin"))
        report_promise(k, CONFIDENCE_HIGH,
                       "PIPELINING is offered, commands were sent together");
}
