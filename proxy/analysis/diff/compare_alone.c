/*
 * compare_alone - a command or content without a partner: lost, answered by somebody else, or
 * made up.
 */
#include "analysis/diff/compare.h"

#include "analysis/diff/align.h"
#include "base/attributes.h"

enum { SUDDEN_US = 2000000 };

static bool has_verb(const struct unit *u, const char *verb)
{
    return span_equal(u->verb, span_str(verb));
}

static bool is_accepted(const struct unit *u)
{
    return u->has_reply && u->code / 100 == 2;
}

/* ---- sent and not received ---- */

/* One finding for all recipients of the session that were accepted and never arrived. */
static bool say_recipient(struct compare *c, const struct unit *u)
{
    size_t sent = 0, lost = 0;

    if (!has_verb(u, "RCPT") || !is_accepted(u))
        return false;
    for (size_t i = 0; i < c->near->len; i++) {
        const struct unit *other = &c->near->units[i];
        if (!other->passed || !has_verb(other, "RCPT") || !is_accepted(other))
            continue;
        sent++;
        if (c->far_of[i] != ALIGN_NONE)
            continue;
        if (lost++ == 0 && other != u)
            return true; /* told with the first one */
    }
    struct diff_finding *f = compare_found(c, CLASS_RECIPIENTS, "dropped", unit_name(u));
    f->way = WAY_COMMAND;
    compare_show(&f->sent, u, u->line_field, u->line, 0, u->line_octets);
    compare_say(f,
                "recipients were accepted and lost on the way: %zu were accepted, %zu arrived",
                sent, sent - lost);
    return true;
}

/* It may have been on its way when everything ended. */
static bool ended_with_it(const struct compare *c, const struct unit *u)
{
    const struct talk *near = c->near, *far = c->far;

    if (!near->closed || !far->closed)
        return true;
    bool far_first = !span_equal(far->close_first, SPAN_LIT("client"));
    bool reset = span_equal(near->close_how, SPAN_LIT("reset"));
    return (far_first || reset) && near->close_us < u->t_us + SUDDEN_US;
}

static bool is_last_sent(const struct compare *c, size_t i)
{
    for (size_t k = i + 1; k < c->near->len; k++)
        if (c->far_of[k] != ALIGN_NONE)
            return false;
    return true;
}

static bool is_content_or_end(const struct unit *u)
{
    return u->kind == UNIT_CONTENT || has_verb(u, ".") || has_verb(u, "BDAT");
}

static bool is_chunk(const struct unit *u)
{
    return has_verb(u, "BDAT") || (u->kind == UNIT_CONTENT && u->content->via_bdat);
}

/*
 * A refusal of what mail needs, in the server's name: the sender takes it for the server's
 * word, and gives up. An answer to another verb is one to a command that was eaten.
 */
static bool is_forged_refusal(const struct unit *u)
{
    static const char *const verbs[] = { "MAIL", "RCPT", "DATA", ".", "BDAT", "AUTH" };

    if (has_verb(u, "STARTTLS"))
        return u->has_reply && u->code != 220;
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (u->has_reply && u->code >= 400 && has_verb(u, verbs[i]))
            return true;
    return false;
}

static void say_forged(struct compare *c, const struct unit *u)
{
    struct diff_finding *f = compare_found(c, CLASS_INJECTED_REPLY, "refusal", unit_name(u));

    f->way = WAY_REPLY;
    compare_show(&f->received, u, u->reply_field, u->reply, 0, u->reply.s.len);
    f->rule = u->code;
    f->f.bytes = span_first(u->reply.s, FINDING_BYTES_MAX);
    compare_say(f,
                "the client heard %u to %s, which never arrived: something in between "
                "refused in the server's name",
                u->code, f->subject);
}

static void say_eaten(struct compare *c, size_t i)
{
    const struct unit *u = &c->near->units[i];
    bool answered = u->has_reply, chunk = is_chunk(u) && !answered;
    struct diff_finding *f = compare_found(c, chunk ? CLASS_CHUNK : CLASS_EATEN_COMMAND,
                                           answered ? "answered" : "dropped", unit_name(u));

    f->way = u->kind == UNIT_CONTENT ? WAY_CONTENT : WAY_COMMAND;
    compare_show(&f->sent, u, u->line_field, u->line, 0,
                 u->kind == UNIT_CONTENT ? u->content->octets : u->line_octets);
    if (answered) {
        if (is_content_or_end(u) && is_accepted(u))
            f->f.severity = SEVERITY_CRITICAL;
        compare_say(f, "%s never arrived, yet a %u came back: something in between answered",
                    f->subject, u->code);
        return;
    }
    compare_say(f, "%s was sent and never arrived; no reply came back", f->subject);
    if (has_verb(u, "."))
        f->f.severity = SEVERITY_CRITICAL;
    if (is_last_sent(c, i) && ended_with_it(c, u)) {
        f->f.severity = SEVERITY_INFO;
        f->f.confidence = CONFIDENCE_LOW;
        f->sub = "last";
        compare_say(f, "%s was sent and did not arrive: the session ended at that moment",
                    f->subject);
    }
    if (c->far->missing)
        f->f.confidence = CONFIDENCE_LOW;
}

void compare_unpaired_near(struct compare *c, size_t i)
{
    const struct unit *u = &c->near->units[i];

    if (u->kind == UNIT_CONTENT && (u->content->refused || u->content->octets == 0))
        return;
    if (say_recipient(c, u))
        return;
    if (is_forged_refusal(u) && !c->far->missing)
        say_forged(c, u);
    else
        say_eaten(c, i);
}

/* ---- received and not sent ---- */

void compare_unpaired_far(struct compare *c, size_t i)
{
    const struct unit *u = &c->far->units[i];

    if (u->kind == UNIT_CONTENT && u->content->octets == 0)
        return;
    struct diff_finding *f = compare_found(c, CLASS_INJECTED_COMMAND, "inserted", unit_name(u));
    f->way = u->kind == UNIT_CONTENT ? WAY_CONTENT : WAY_COMMAND;
    compare_show(&f->received, u, "received", u->line, 0,
                 u->kind == UNIT_CONTENT ? u->content->octets : u->line_octets);
    compare_say(f, "%s arrived and was never sent", f->subject);
    if (c->near->missing)
        f->f.confidence = CONFIDENCE_LOW;
}
