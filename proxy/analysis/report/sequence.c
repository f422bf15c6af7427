/*
 * sequence - the diagram of a session: client, smtpscope, upstream, and what went between.
 *
 *     0        T         C               V               U        W
 *     |  time  |         |    left lane  |   right lane  |        |
 *
 * One row for each arrow, its label above it. Runs of equal commands that nobody needs to see
 * are drawn as their first and last. What is drawn first counts the rows, then draws them:
 * the same code, with `out` NULL.
 */
#include "analysis/report/page.h"

#include <stdarg.h>

enum {
    WIDTH = 780,
    TIME_X = 62,
    CLIENT_X = 110,
    SCOPE_X = 430,
    UPSTREAM_X = 750,
    TOP = 44,
    ROW = 30,
    LABEL_MAX = 46, /* characters in a lane */
    WIDE_MAX = 92,  /* over both */
    RUN_MIN = 4,    /* so many equal steps are a run */
    MARKS_MAX = 3,  /* findings drawn at a step */
};

struct canvas {
    FILE *out; /* NULL: only counted */
    const struct story *session;
    unsigned rows;
};

/* How an arrow looks; names of classes. */
#define PASSED  "arrow"
#define ALTERED "arrow altered"
#define OURS    "arrow ours"
#define FAILED  "arrow failed"

static unsigned row_y(const struct canvas *c)
{
    return TOP + c->rows * ROW - 8;
}

static void PRINTF_LIKE(2, 3) draw(struct canvas *c, const char *fmt, ...)
{
    va_list ap;

    if (c->out == NULL)
        return;
    va_start(ap, fmt);
    vfprintf(c->out, fmt, ap);
    va_end(ap);
}

/* ---- parts
 * --------------------------------------------------------------------------------------- */

static void arrow(struct canvas *c, unsigned from, unsigned to, const char *class)
{
    unsigned y = row_y(c);
    int back = to > from ? -7 : 7;

    draw(c,
         "<g class=\"%s\"><path class=\"shaft\" d=\"M%u %uH%u\"/>"
         "<path class=\"head\" d=\"M%u %ul%d -4v8z\"/></g>\n",
         class, from, y, to, to, y, back);
}

static void begin_label(struct canvas *c, unsigned from, unsigned to, const char *class)
{
    draw(c, "<text class=\"%s\" x=\"%u\" y=\"%u\" text-anchor=\"middle\">", class,
         (from + to) / 2, row_y(c) - 5);
}

static void label_octets(struct canvas *c, unsigned from, unsigned to, const char *class,
                         struct span s)
{
    struct span line = span_first(s, span_find(s, '\n'));
    bool more = line.len + 1 < s.len;

    while (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    if (c->out == NULL)
        return;
    begin_label(c, from, to, class);
    html_octets_cut(c->out, line, more ? LABEL_MAX - 4 : LABEL_MAX);
    draw(c, more ? " [+]</text>\n" : "</text>\n");
}

static void label_text(struct canvas *c, unsigned from, unsigned to, const char *class,
                       const char *text)
{
    if (c->out == NULL)
        return;
    begin_label(c, from, to, class);
    html_text_cut(c->out, text, to - from > SCOPE_X - CLIENT_X ? WIDE_MAX : LABEL_MAX);
    draw(c, "</text>\n");
}

static void put_time(struct canvas *c, uint64_t us, const char *before)
{
    if (c->out == NULL)
        return;
    draw(c, "<text class=\"time\" x=\"%u\" y=\"%u\" text-anchor=\"end\">%s", TIME_X,
         row_y(c) + 3, before);
    html_lapse(c->out, us);
    draw(c, "</text>\n");
}

static void next_row(struct canvas *c)
{
    c->rows++;
}

/* Over both lanes, or one. */
static void band(struct canvas *c, unsigned from, unsigned to, const char *class,
                 const char *text)
{
    next_row(c);
    draw(c, "<rect class=\"band %s\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"20\" rx=\"3\"/>\n",
         class, from + 4, row_y(c) - 19, to - from - 8);
    label_text(c, from, to, class, text);
}

/* ---- steps
 * --------------------------------------------------------------------------------------- */

static void draw_command(struct canvas *c, const struct step *s)
{
    bool rewritten = s->wire[WIRE_FORWARDED].ptr != NULL && s->action != ACTED_ADDED;
    bool stays = s->action == ACTED_REFUSED || s->action == ACTED_STRIPPED ||
                 s->action == ACTED_SWALLOWED;

    next_row(c);
    put_time(c, s->t_us > c->session->begin_us ? s->t_us - c->session->begin_us : 0, "");
    if (s->action == ACTED_ADDED) {
        arrow(c, SCOPE_X, UPSTREAM_X, OURS);
        label_octets(c, SCOPE_X, UPSTREAM_X, "ours", s->wire[WIRE_FORWARDED]);
        return;
    }
    arrow(c, CLIENT_X, SCOPE_X, PASSED);
    label_octets(c, CLIENT_X, SCOPE_X, "said", s->wire[WIRE_RECEIVED]);
    if (stays) {
        label_text(c, SCOPE_X, UPSTREAM_X, "ours", step_action_words(s));
        return;
    }
    arrow(c, SCOPE_X, UPSTREAM_X, rewritten ? ALTERED : PASSED);
    if (rewritten)
        label_octets(c, SCOPE_X, UPSTREAM_X, "ours", s->wire[WIRE_FORWARDED]);
}

static void draw_reply(struct canvas *c, const struct step *s)
{
    const struct span *reply = &s->wire[WIRE_REPLY], *replied = &s->wire[WIRE_REPLIED];
    const char *class = s->code >= 400 ? "said bad" : "said";

    if (s->action == ACTED_SWALLOWED && reply->ptr == NULL && replied->ptr == NULL)
        return;
    next_row(c);
    if (s->answered)
        put_time(c, s->us, "+");
    if (reply->ptr == NULL && replied->ptr == NULL) {
        label_text(c, SCOPE_X, UPSTREAM_X, "said bad", "no reply");
        return;
    }
    if (reply->ptr != NULL) {
        arrow(c, UPSTREAM_X, SCOPE_X, s->code >= 400 ? FAILED : PASSED);
        label_octets(c, SCOPE_X, UPSTREAM_X, class, *reply);
    }
    if (s->action == ACTED_ADDED)
        return;
    if (replied->ptr != NULL) {
        arrow(c, SCOPE_X, CLIENT_X, reply->ptr != NULL ? ALTERED : OURS);
        label_octets(c, CLIENT_X, SCOPE_X, "ours", *replied);
    } else {
        arrow(c, SCOPE_X, CLIENT_X, s->code >= 400 ? FAILED : PASSED);
    }
}

static void draw_content(struct canvas *c, const struct step *s)
{
    bool on = s->action != ACTED_REFUSED;

    next_row(c);
    put_time(c, s->t_us > c->session->begin_us ? s->t_us - c->session->begin_us : 0, "");
    arrow(c, CLIENT_X, SCOPE_X, s->failed ? FAILED " mail" : PASSED " mail");
    label_text(c, CLIENT_X, SCOPE_X, "said", s->text);
    if (on)
        arrow(c, SCOPE_X, UPSTREAM_X,
              s->action == ACTED_REWRITTEN ? ALTERED " mail" : PASSED " mail");
    else
        label_text(c, SCOPE_X, UPSTREAM_X, "ours", step_action_words(s));
}

static void draw_step(struct canvas *c, const struct step *s)
{
    switch (s->kind) {
    case RECORD_CONNECT:
        next_row(c);
        arrow(c, SCOPE_X, UPSTREAM_X, s->failed ? FAILED : PASSED);
        label_text(c, SCOPE_X, UPSTREAM_X, s->failed ? "said bad" : "said", s->text);
        break;
    case RECORD_TLS:
        band(c, s->leg == STEP_LEG_SERVER ? SCOPE_X : CLIENT_X,
             s->leg == STEP_LEG_CLIENT ? SCOPE_X : UPSTREAM_X, s->failed ? "bad" : "tls",
             s->text);
        break;
    case RECORD_GREETING:
        draw_reply(c, s);
        break;
    case RECORD_COMMAND:
        draw_command(c, s);
        draw_reply(c, s);
        break;
    case RECORD_CONTENT:
        draw_content(c, s);
        break;
    case RECORD_OPEN:
    case RECORD_OPAQUE:
        band(c, CLIENT_X, UPSTREAM_X, "frame", s->text);
        break;
    case RECORD_CLOSE:
        band(c, CLIENT_X, UPSTREAM_X, s->failed ? "bad" : "frame", s->text);
        break;
    case RECORD_FINDING:
    case RECORD_LOST:
    case RECORD_KIND_COUNT:
        break;
    }
}

/* Where it is: in the lane between here and there, or in both. */
static void draw_finding(struct canvas *c, const struct found *f)
{
    char text[FOUND_ID_MAX + FOUND_NAME_MAX + 24];
    bool left = f->side != BLAME_SERVER, right = f->side != BLAME_CLIENT;

    snprintf(text, sizeof text, "! %s %s (%s)", f->id, f->name, severity_name(f->severity));
    band(c, left ? CLIENT_X : SCOPE_X, right ? UPSTREAM_X : SCOPE_X, severity_name(f->severity),
         text);
}

static void draw_findings(struct canvas *c, const struct step *s)
{
    const struct story_finding *f = NULL;

    for (unsigned i = 0; i < MARKS_MAX; i++) {
        f = page_next_finding(c->session, s, f);
        if (f == NULL)
            return;
        draw_finding(c, &f->found);
    }
    if (page_next_finding(c->session, s, f) != NULL)
        band(c, CLIENT_X, UPSTREAM_X, "frame", "more findings: see the table");
}

/* ---- all
 * ----------------------------------------------------------------------------------------- */

static void draw_gap(struct canvas *c, uint64_t steps, const char *what)
{
    char text[64];

    snprintf(text, sizeof text, "... %llu more %s", (unsigned long long)steps, what);
    next_row(c);
    label_text(c, CLIENT_X, UPSTREAM_X, "time", text);
}

/* The like of the one before, and nothing to see. */
static bool continues(const struct step *a, const struct step *b)
{
    return a->kind == RECORD_COMMAND && b->kind == RECORD_COMMAND && !b->marked &&
           !step_is_altered(b) && b->skipped == 0 && a->code == b->code &&
           strcmp(a->verb, b->verb) == 0;
}

static void draw_steps(struct canvas *c)
{
    const struct story *s = c->session;

    for (unsigned i = 0; i < s->step_count; i++) {
        unsigned run = 0;
        if (s->steps[i]->skipped > 0)
            draw_gap(c, s->steps[i]->skipped, "records");
        draw_step(c, s->steps[i]);
        draw_findings(c, s->steps[i]);
        while (i + run + 1 < s->step_count && continues(s->steps[i], s->steps[i + run + 1]))
            run++;
        if (run + 1 < RUN_MIN)
            continue;
        draw_gap(c, run - 1, "like this");
        i += run - 1; /* the last of them is next */
    }
}

static void draw_frame(struct canvas *c, unsigned rows, unsigned number)
{
    static const struct {
        unsigned x;
        const char *name;
    } poles[] = { { CLIENT_X, "client" },
                  { SCOPE_X, "smtpscope" },
                  { UPSTREAM_X, "upstream" } };
    unsigned height = TOP + rows * ROW + 12;

    draw(c,
         "<svg class=\"sequence\" role=\"img\" viewBox=\"0 0 %u %u\" width=\"%u\" "
         "height=\"%u\" aria-labelledby=\"s%u-title s%u-about\">\n",
         (unsigned)WIDTH + 20, height, (unsigned)WIDTH + 20, height, number, number);
    draw(c, "<title id=\"s%u-title\">Sequence of session ", number);
    html_text(c->out, c->session->sid);
    draw(c,
         "</title>\n<desc id=\"s%u-about\">Client, smtpscope and upstream as three lines, "
         "%u arrows and marks between them; the table below says the same.</desc>\n",
         number, rows);
    for (size_t i = 0; i < ARRAY_LEN(poles); i++) {
        draw(c, "<path class=\"pole\" d=\"M%u %uV%u\"/>\n", poles[i].x, TOP - 14, height - 4);
        draw(c, "<text class=\"name\" x=\"%u\" y=\"18\" text-anchor=\"middle\">%s</text>\n",
             poles[i].x, poles[i].name);
    }
}

void sequence_draw(FILE *out, const struct story *s, unsigned number)
{
    struct canvas counted = { .session = s }, c = { .out = out, .session = s };

    draw_steps(&counted);
    html_markupf(out,
                 "<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
                 "aria-label=\"Diagram of session %u\">\n",
                 number);
    draw_frame(&c, counted.rows, number);
    draw_steps(&c);
    html_markup(out, "</svg>\n</div>\n"
                     "<p class=\"legend\">Thin: passed on as it came. Thick: altered by "
                     "smtpscope. Dashed: made by smtpscope. At the left the time since the "
                     "session began, and with + how long the reply took. [+]: more lines "
                     "follow.</p>\n");
}
