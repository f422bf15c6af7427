/*
 * sequence - the diagram of a session: client, smtpscope, upstream, and what went between.
 *
 * Runs of equal commands that nobody needs to see are drawn as their first and last.
 */
#include "analysis/report/canvas.h"
#include "analysis/report/page.h"

enum {
    RUN_MIN = 4,   /* so many equal steps are a run */
    MARKS_MAX = 3, /* findings drawn at a step */
};

/* Since the session began. */
static void put_time(struct canvas *c, const struct story *session, const struct step *s)
{
    canvas_time(c, s->t_us > session->begin_us ? s->t_us - session->begin_us : 0, "");
}

/* ---- steps ---------------------------------------------------------------------------- */

static void draw_command(struct canvas *c, const struct story *session, const struct step *s)
{
    bool rewritten = s->wire[WIRE_FORWARDED].ptr != NULL && s->action != ACTED_ADDED;
    bool stays = s->action == ACTED_REFUSED || s->action == ACTED_STRIPPED ||
                 s->action == ACTED_SWALLOWED;

    canvas_row(c);
    put_time(c, session, s);
    if (s->action == ACTED_ADDED) {
        canvas_arrow(c, POLE_MIDDLE, POLE_RIGHT, ARROW_OURS);
        canvas_octets(c, POLE_MIDDLE, POLE_RIGHT, "ours", s->wire[WIRE_FORWARDED]);
        return;
    }
    canvas_arrow(c, POLE_LEFT, POLE_MIDDLE, ARROW_PASSED);
    if (strcmp(s->verb, ".") == 0)
        canvas_text(c, POLE_LEFT, POLE_MIDDLE, "said", "end of the mail: .");
    else
        canvas_octets(c, POLE_LEFT, POLE_MIDDLE, "said", s->wire[WIRE_RECEIVED]);
    if (stays) {
        canvas_text(c, POLE_MIDDLE, POLE_RIGHT, "ours", step_action_words(s));
        return;
    }
    canvas_arrow(c, POLE_MIDDLE, POLE_RIGHT, rewritten ? ARROW_ALTERED : ARROW_PASSED);
    if (rewritten)
        canvas_octets(c, POLE_MIDDLE, POLE_RIGHT, "ours", s->wire[WIRE_FORWARDED]);
}

static void draw_reply(struct canvas *c, const struct step *s)
{
    const struct span *reply = &s->wire[WIRE_REPLY], *replied = &s->wire[WIRE_REPLIED];
    const char *class = s->code >= 400 ? "said bad" : "said";

    if (s->action == ACTED_SWALLOWED && reply->ptr == NULL && replied->ptr == NULL)
        return;
    canvas_row(c);
    if (s->answered)
        canvas_time(c, s->us, "+");
    if (reply->ptr == NULL && replied->ptr == NULL) {
        canvas_text(c, POLE_MIDDLE, POLE_RIGHT, "said bad", "no reply");
        return;
    }
    if (reply->ptr != NULL) {
        canvas_arrow(c, POLE_RIGHT, POLE_MIDDLE, s->code >= 400 ? ARROW_FAILED : ARROW_PASSED);
        canvas_octets(c, POLE_MIDDLE, POLE_RIGHT, class, *reply);
    }
    if (s->action == ACTED_ADDED)
        return;
    if (replied->ptr != NULL) {
        canvas_arrow(c, POLE_MIDDLE, POLE_LEFT,
                     reply->ptr != NULL ? ARROW_ALTERED : ARROW_OURS);
        canvas_octets(c, POLE_LEFT, POLE_MIDDLE, "ours", *replied);
    } else {
        canvas_arrow(c, POLE_MIDDLE, POLE_LEFT, s->code >= 400 ? ARROW_FAILED : ARROW_PASSED);
    }
}

static void draw_content(struct canvas *c, const struct story *session, const struct step *s)
{
    bool on = s->action != ACTED_REFUSED;

    canvas_row(c);
    put_time(c, session, s);
    canvas_arrow(c, POLE_LEFT, POLE_MIDDLE,
                 s->failed ? ARROW_FAILED " mail" : ARROW_PASSED " mail");
    canvas_text(c, POLE_LEFT, POLE_MIDDLE, "said", s->text);
    if (on)
        canvas_arrow(c, POLE_MIDDLE, POLE_RIGHT,
                     s->action == ACTED_REWRITTEN ? ARROW_ALTERED " mail"
                                                  : ARROW_PASSED " mail");
    else
        canvas_text(c, POLE_MIDDLE, POLE_RIGHT, "ours", step_action_words(s));
}

static void draw_step(struct canvas *c, const struct story *session, const struct step *s)
{
    switch (s->kind) {
    case RECORD_CONNECT:
        canvas_row(c);
        canvas_arrow(c, POLE_MIDDLE, POLE_RIGHT, s->failed ? ARROW_FAILED : ARROW_PASSED);
        canvas_text(c, POLE_MIDDLE, POLE_RIGHT, s->failed ? "said bad" : "said", s->text);
        break;
    case RECORD_TLS:
        canvas_band(c, s->leg == STEP_LEG_SERVER ? POLE_MIDDLE : POLE_LEFT,
                    s->leg == STEP_LEG_CLIENT ? POLE_MIDDLE : POLE_RIGHT,
                    s->failed ? "bad" : "tls", s->text);
        break;
    case RECORD_GREETING:
        draw_reply(c, s);
        break;
    case RECORD_COMMAND:
        draw_command(c, session, s);
        draw_reply(c, s);
        break;
    case RECORD_CONTENT:
        draw_content(c, session, s);
        break;
    case RECORD_OPEN:
    case RECORD_OPAQUE:
        canvas_band(c, POLE_LEFT, POLE_RIGHT, "frame", s->text);
        break;
    case RECORD_CLOSE:
        canvas_band(c, POLE_LEFT, POLE_RIGHT, s->failed ? "bad" : "frame", s->text);
        break;
    case RECORD_FINDING:
    case RECORD_LOST:
    case RECORD_KIND_COUNT:
        break;
    }
}

static void draw_findings(struct canvas *c, const struct story *session, const struct step *s)
{
    const struct story_finding *f = NULL;

    for (unsigned i = 0; i < MARKS_MAX; i++) {
        f = page_next_finding(session, s, f);
        if (f == NULL)
            return;
        canvas_finding(c, &f->found);
    }
    if (page_next_finding(session, s, f) != NULL)
        canvas_band(c, POLE_LEFT, POLE_RIGHT, "frame", "more findings: see the table");
}

/* ---- all ------------------------------------------------------------------------------ */

static void draw_gap(struct canvas *c, uint64_t steps, const char *what)
{
    char text[64];

    snprintf(text, sizeof text, "... %llu more %s", (unsigned long long)steps, what);
    canvas_row(c);
    canvas_text(c, POLE_LEFT, POLE_RIGHT, "time", text);
}

/* The like of the one before, and nothing to see. */
static bool continues(const struct step *a, const struct step *b)
{
    return a->kind == RECORD_COMMAND && b->kind == RECORD_COMMAND && !b->marked &&
           !step_is_altered(b) && b->skipped == 0 && a->code == b->code &&
           strcmp(a->verb, b->verb) == 0;
}

static void draw_steps(struct canvas *c, const struct story *s)
{
    for (unsigned i = 0; i < s->step_count; i++) {
        unsigned run = 0;
        if (s->steps[i]->skipped > 0)
            draw_gap(c, s->steps[i]->skipped, "records");
        draw_step(c, s, s->steps[i]);
        draw_findings(c, s, s->steps[i]);
        while (i + run + 1 < s->step_count && continues(s->steps[i], s->steps[i + run + 1]))
            run++;
        if (run + 1 < RUN_MIN)
            continue;
        draw_gap(c, run - 1, "like this");
        i += run - 1; /* the last of them is next */
    }
}

void sequence_draw(FILE *out, const struct story *s, unsigned number)
{
    static const char *const poles[] = { "client", "smtpscope", "upstream" };
    struct canvas counted = { .out = NULL }, c = { .out = out };

    draw_steps(&counted, s);
    canvas_begin(&c, counted.rows, number, poles);
    draw_steps(&c, s);
    canvas_end(&c);
    html_markup(out, "<p class=\"legend\">Thin: passed on as it came. Thick: altered by "
                     "smtpscope. Dashed: made by smtpscope. At the left the time since the "
                     "session began, and with + how long the reply took. [+]: more lines "
                     "follow.</p>\n");
}
