#include "analysis/report/page.h"

enum { WIRE_SHOWN = 400 }; /* characters in a cell */

static void put_wire(FILE *out, const char *who, const struct step *s, enum wire w)
{
    if (s->wire[w].ptr == NULL || s->wire[w].len == 0)
        return;
    html_markupf(out, "<div><span class=\"who\">%s</span> <code>", who);
    html_octets_cut(out, s->wire[w], WIRE_SHOWN);
    html_markup(out, "</code></div>\n");
}

/* Who said what to whom, in words: the arrows of the diagram. */
static void put_said(FILE *out, const struct step *s)
{
    bool rewritten = s->wire[WIRE_FORWARDED].ptr != NULL;
    bool replied = s->wire[WIRE_REPLIED].ptr != NULL;

    if (s->text[0] != '\0') {
        html_markup(out, "<div>");
        html_text(out, s->text);
        html_markup(out, "</div>\n");
    }
    bool passed = s->action == ACTED_RELAYED && !rewritten;
    put_wire(out, passed ? "client to upstream" : "client", s, WIRE_RECEIVED);
    put_wire(out, "to upstream", s, WIRE_FORWARDED);
    put_wire(out, replied || s->action == ACTED_ADDED ? "upstream" : "upstream to client", s,
             WIRE_REPLY);
    put_wire(out, "to client", s, WIRE_REPLIED);
}

static void put_findings(FILE *out, const struct story *session, const struct step *s)
{
    const struct story_finding *f = NULL;

    while ((f = page_next_finding(session, s, f)) != NULL) {
        html_markup(out, "<div>");
        page_badge(out, f->found.severity);
        html_markup(out, " ");
        if (f->group != NULL)
            html_markupf(out, "<a href=\"#f%u\">", f->group->number);
        html_text(out, f->found.id);
        html_markup(out, f->group != NULL ? "</a></div>\n" : "</div>\n");
    }
}

static void put_step(FILE *out, const struct story *session, const struct step *s)
{
    static const char *const kinds[RECORD_KIND_COUNT] = {
        [RECORD_OPEN] = "open",       [RECORD_CONNECT] = "connect",
        [RECORD_TLS] = "TLS",         [RECORD_GREETING] = "greeting",
        [RECORD_COMMAND] = "command", [RECORD_CONTENT] = "mail data",
        [RECORD_OPAQUE] = "opaque",   [RECORD_CLOSE] = "close",
    };
    const char *acted = step_action_words(s);

    html_markupf(out, "<tr><th scope=\"row\">%llu</th><td>", (unsigned long long)s->n);
    html_lapse(out, s->t_us > session->begin_us ? s->t_us - session->begin_us : 0);
    html_markup(out, "</td><td>");
    html_text(out, s->kind == RECORD_COMMAND && s->verb[0] != '\0' ? s->verb : kinds[s->kind]);
    html_markup(out, "</td><td class=\"said\">");
    put_said(out, s);
    html_markup(out, "</td><td>");
    if (s->answered || (s->us > 0 && s->kind != RECORD_COMMAND && s->kind != RECORD_GREETING))
        html_lapse(out, s->us);
    html_markup(out, "</td><td>");
    html_markup(out, acted != NULL ? acted : "");
    html_markup(out, acted != NULL && s->notes[0] != '\0' ? "; " : "");
    html_text(out, s->notes);
    html_markup(out, "</td><td>");
    put_findings(out, session, s);
    html_markup(out, "</td></tr>\n");
}

void page_steps(FILE *out, const struct story *s, unsigned number)
{
    html_markupf(out,
                 "<details class=\"steps\">\n<summary>The same as a table, with all that was "
                 "said</summary>\n"
                 "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Steps of "
                 "session %u\">\n<table>\n<caption>Steps of session ",
                 number);
    html_text(out, s->node.sid);
    html_markup(out, "</caption>\n<thead><tr><th scope=\"col\">Record</th>"
                     "<th scope=\"col\">After</th><th scope=\"col\">What</th>"
                     "<th scope=\"col\">Said</th><th scope=\"col\">Took</th>"
                     "<th scope=\"col\">smtpscope</th><th scope=\"col\">Findings</th>"
                     "</tr></thead>\n<tbody>\n");
    for (unsigned i = 0; i < s->step_count; i++) {
        if (s->steps[i]->skipped > 0)
            html_markupf(out,
                         "<tr><td colspan=\"7\" class=\"gap\">%llu records are left out "
                         "here</td></tr>\n",
                         (unsigned long long)s->steps[i]->skipped);
        put_step(out, s, s->steps[i]);
    }
    html_markup(out, "</tbody>\n</table>\n</div>\n</details>\n");
}
