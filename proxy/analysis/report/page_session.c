#include "analysis/report/page.h"

enum { ALTERED_SHOWN = 8 };

const struct story_finding *page_next_finding(const struct story *s, const struct step *step,
                                              const struct story_finding *after)
{
    const struct story_finding *f = after != NULL ? after->next : s->findings;

    while (f != NULL && f->found.record != step->n)
        f = f->next;
    return f;
}

/* ---- what smtpscope itself altered ---------------------------------------------------- */

static void show_wires(FILE *out, const struct step *s, enum wire before, enum wire after,
                       const char *const labels[2])
{
    struct panel left = { .label = NULL }, right = { .label = NULL };

    if (s->wire[before].ptr == NULL || s->wire[after].ptr == NULL)
        return;
    panel_fill(&left, labels[0], s->wire[before], s->octets[before]);
    panel_fill(&right, labels[1], s->wire[after], s->octets[after]);
    octets_show(out, &left, &right, true);
}

static bool has_two(const struct step *s)
{
    bool command = s->wire[WIRE_FORWARDED].ptr != NULL && s->action != ACTED_ADDED;
    bool reply = s->wire[WIRE_REPLY].ptr != NULL && s->wire[WIRE_REPLIED].ptr != NULL;

    return command || reply;
}

static void put_altered(FILE *out, const struct story *session, unsigned number)
{
    static const char *const up[] = { "Received from the client", "Sent to the upstream" };
    static const char *const down[] = { "Reply of the upstream", "Reply to the client" };
    unsigned shown = 0;

    for (unsigned i = 0; i < session->step_count && shown < ALTERED_SHOWN; i++) {
        const struct step *s = session->steps[i];
        if (!has_two(s))
            continue;
        if (shown++ == 0)
            html_markupf(out, "<h4 id=\"s%u-altered\">Altered by smtpscope itself</h4>\n",
                         number);
        html_markupf(out, "<p>Record %llu, ", (unsigned long long)s->n);
        html_text(out, s->verb[0] != '\0' ? s->verb : "greeting");
        html_markup(out, s->notes[0] != '\0' ? ": " : "");
        html_text(out, s->notes);
        html_markup(out, "</p>\n");
        if (s->action != ACTED_ADDED)
            show_wires(out, s, WIRE_RECEIVED, WIRE_FORWARDED, up);
        show_wires(out, s, WIRE_REPLY, WIRE_REPLIED, down);
    }
}

/* ---- findings and facts --------------------------------------------------------------- */

static void put_findings(FILE *out, const struct story *s)
{
    if (s->findings == NULL)
        return;
    html_markup(out, "<ul class=\"marks\">\n");
    for (const struct story_finding *f = s->findings; f != NULL; f = f->next) {
        html_markup(out, "<li>");
        page_badge(out, f->found.severity);
        html_markup(out, " ");
        if (f->group != NULL)
            html_markupf(out, "<a href=\"#f%u\">", f->group->number);
        html_text(out, f->found.id);
        html_markup(out, f->group != NULL ? "</a>: " : ": ");
        html_text(out, f->found.text);
        html_markup(out, "</li>\n");
    }
    html_markup(out, "</ul>\n");
    if (s->finding_count > STORY_FOUND_MAX)
        html_markupf(out, "<p>%u more findings of this session are not listed.</p>\n",
                     s->finding_count - STORY_FOUND_MAX);
}

static void put_facts(FILE *out, const struct story *s)
{
    html_markup(out, "<p class=\"facts\">");
    page_time(out, s->begin_us);
    html_markup(out, ", for ");
    html_lapse(out, s->end_us > s->begin_us ? s->end_us - s->begin_us : 0);
    html_markup(out, ". Client <code>");
    html_text(out, s->client[0] != '\0' ? s->client : "not known");
    html_markup(out, "</code>, server <code>");
    html_text(out, s->server[0] != '\0' ? s->server : "not known");
    html_markup(out, "</code>, seen at <code>");
    html_text(out, s->vantage);
    html_markup(out, "</code>, ");
    html_count(out, s->records);
    html_markup(out, s->records == 1 ? " record." : " records.");
    if (!s->node.ended)
        html_markup(out, " Its end is not in the transcript.");
    html_markup(out, "</p>\n");
}

void page_session(FILE *out, const struct story *s, unsigned number)
{
    html_markupf(out,
                 "<article class=\"session\" aria-labelledby=\"s%u\">\n"
                 "<h3 id=\"s%u\" tabindex=\"-1\">Session ",
                 number, number);
    html_text(out, s->node.sid);
    html_markup(out, "</h3>\n");
    put_facts(out, s);
    put_findings(out, s);
    if (s->step_count == 0) {
        html_markup(out, "<p>Its records were too many to be kept.</p>\n</article>\n");
        return;
    }
    sequence_draw(out, s, number);
    page_steps(out, s, number);
    put_altered(out, s, number);
    html_markup(out, "</article>\n");
}
