/*
 * detect_replies - replies of the upstream, whatever they answer.
 *
 * SV-04 an error that shows X nobody sent, SV-12 and SV-13 texts of products and templates,
 * SV-17 replies nobody asked for, SV-21 a session that died of silence, SV-22 line endings and
 * octets no reply has.
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

static void look_for_echo(const struct look *k)
{
    struct span rest = k->e->reply;
    struct hint h = detect_hint(SV_04);
    struct reply_line line;

    if (k->d->said_x || detect_is_told(k->d, SV_04))
        return;
    while (detect_next_line(&rest, &line)) {
        struct span run = detect_find_x(line.text, RUN_MIN);
        if (run.len == 0)
            continue;
        h.confidence = CONFIDENCE_HIGH;
        h.place = PLACE_REPLY;
        h.line = line.whole;
        hint_show(&h, "reply", k->e->reply, run);
        detect_tell(
            k, &h,
            "The server answers %s with an error that shows %zu X in a row, which nobody "
            "sent: the command was written over on its way to it.",
            k->e->verb == VERB_UNKNOWN ? "a command" : verb_name(k->e->verb), run.len);
        return;
    }
}

/* ---- texts of products ---- */

static void tell_product(const struct look *k, const struct reply_line *line, enum detector id)
{
    const struct catalogue_entry *e = detect_match(k, PLACE_REPLY, line->whole, id);
    struct hint h = detect_hint(id);

    if (e == NULL || (id == SV_13 && detect_names(e, SV_12)))
        return; /* the second: a product that may be the mail server */
    h.confidence = e->confidence;
    h.place = PLACE_REPLY;
    h.line = line->whole;
    hint_show(&h, "reply", k->e->reply, line->whole);
    if (id == SV_12)
        detect_tell(k, &h,
                    "The reply \"%s\" is what %s says; that is no damage when it is the mail "
                    "server itself.",
                    detect_show(h.bytes).text, e->product);
    else
        detect_tell(k, &h, "The reply \"%s\" was made by a box and not by the server: %s.",
                    detect_show(h.bytes).text, e->product);
}

/* Replies that say more than "ok", and DATA's. */
static bool is_telling(const struct event *e, unsigned code)
{
    switch (code) {
    case 250:
    case 251:
    case 252:
    case 235:
    case 334:
        return false;
    case 220:
        return e->verb != VERB_XCLIENT;
    default:
        return true;
    }
}

static void look_for_products(const struct look *k)
{
    struct span rest = k->e->reply;
    struct reply_line line;

    for (unsigned i = 0; i < LINES_MAX && detect_next_line(&rest, &line); i++) {
        tell_product(k, &line, SV_13);
        if (!detect_is_told(k->d, SV_13))
            tell_product(k, &line, SV_12);
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

static void look_for_template(const struct look *k)
{
    struct span rest = k->e->reply;
    struct hint h = detect_hint(SV_13);
    struct reply_line line;

    if (k->d->enhanced < ENHANCED_MIN || !detect_next_line(&rest, &line) ||
        !is_template(line.text))
        return;
    h.confidence = CONFIDENCE_LOW;
    h.place = PLACE_REPLY;
    h.line = line.whole;
    hint_show(&h, "reply", k->e->reply, line.whole);
    detect_tell(
        k, &h,
        "\"%s\" is a template without an enhanced status code, and %u replies before had "
        "one: this one may come from another program.",
        detect_show(h.bytes).text, (unsigned)k->d->enhanced);
}

/* ---- count ---- */

static void tell_inside_data(const struct look *k, unsigned code)
{
    struct hint h = detect_hint(SV_13);

    h.place = PLACE_REPLY;
    h.line = span_first(k->e->reply, span_find(k->e->reply, '\r'));
    hint_show(&h, "reply", k->e->reply, h.line);
    detect_tell(
        k, &h,
        "Reply %u came in the middle of the mail data, where no server answers: a scanner "
        "on the path does.",
        code);
}

static void look_for_surplus(const struct look *k)
{
    unsigned code = detect_code(k->e->reply);
    struct hint h = detect_hint(SV_17);

    if (!notes_has(&k->e->notes, NOTE_REPLY_UNSOLICITED) || code == 421)
        return;
    if ((k->d->in_content || k->d->content_cut) && code >= 500) {
        tell_inside_data(k, code);
        return;
    }
    h.confidence = CONFIDENCE_HIGH;
    hint_show(&h, "reply", k->e->reply, span_first(k->e->reply, 3));
    detect_tell(
        k, &h,
        "A reply %u came that no command had asked for: replies and commands do not count "
        "the same.",
        code);
}

/* ---- silence ---- */

static void look_for_idle_death(const struct look *k)
{
    uint64_t heard = k->d->heard_us;
    struct hint h = detect_hint(SV_21);

    if (heard == 0 || k->e->t_us < heard + IDLE_MIN_US || k->e->t_us >= heard + IDLE_MAX_US)
        return;
    hint_show(&h, "reply", k->e->reply, span_first(k->e->reply, 3));
    h.place = PLACE_REPLY;
    h.line = span_first(k->e->reply, span_find(k->e->reply, '\r'));
    detect_tell(
        k, &h,
        "After %u s of silence the session was ended with 421; RFC 5321 gives five minutes.",
        (unsigned)((k->e->t_us - heard) / 1000000));
}

/* ---- octets ---- */

static void look_at_octets(const struct look *k)
{
    static const enum note_id odd[] = { NOTE_REPLY_BARE_LF, NOTE_REPLY_BARE_CR, NOTE_REPLY_NUL,
                                        NOTE_REPLY_8BIT };
    static const char *const words[] = { "lines end in LF without CR",
                                         "there is a CR that ends no line", "there is a NUL",
                                         "there are octets above 127" };
    struct hint h = detect_hint(SV_22);

    h.field = "reply";
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        if (!notes_has(&k->e->notes, odd[i]) ||
            (odd[i] == NOTE_REPLY_8BIT && ehlo_offers(k->d->offered, EHLO_SMTPUTF8)))
            continue;
        h.confidence = CONFIDENCE_LOW;
        detect_tell(k, &h, "A reply of the server is not as SMTP writes it: %s.", words[i]);
    }
}

void reply_look(const struct look *k)
{
    const struct event *e = k->e;
    unsigned code = detect_code(e->reply);

    if (e->notes.len > 0) {
        look_at_octets(k);
        look_for_surplus(k);
    }
    if (code >= 500) {
        look_for_echo(k);
        look_for_template(k);
    }
    if (code == 421)
        look_for_idle_death(k);
    if (is_telling(e, code))
        look_for_products(k);
    k->d->turned_away = k->d->turned_away || code == 421 || code == 521;
    if (e->enhanced.len > 0 && k->d->enhanced < 255)
        k->d->enhanced++;
}
