/* diff_json - what was found, for programs: one object; its form is in smtpscope(1). */
#include "diff.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool any_finding; /* in the list under way */

static void text_octets(struct span s)
{
    putchar('"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = s.ptr[i];
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20 || (c >= 0x7f && c < 0xa0))
            printf("\\u%04x", c);
        else if (c >= 0xa0)
            printf("%c%c", 0xc0 | c >> 6, 0x80 | (c & 0x3f));
        else
            putchar(c);
    }
    putchar('"');
}

static void text(const char *s)
{
    text_octets(span_str(s != NULL ? s : ""));
}

static void excerpt(const char *name, const char *sid, const struct diff_excerpt *e)
{
    printf(",\"%s\":{\"sid\":", name);
    text(sid);
    if (e->record != 0)
        printf(",\"record\":%u", e->record);
    if (e->field != NULL) {
        fputs(",\"field\":", stdout);
        text(e->field);
    }
    printf(",\"at\":%" PRIu64 ",\"len\":%" PRIu64 ",\"from\":%" PRIu64 ",\"octets\":", e->at,
           e->len, e->from);
    text_octets(e->octets);
    putchar('}');
}

static void finding(const struct diff_finding *f, const struct diff_pair *pair)
{
    bool reply = f->way == WAY_REPLY;

    printf("{\"id\":\"%s\",\"name\":\"%s\",\"sub\":\"%s\",\"subject\":", f->f.id, f->f.name,
           f->sub);
    text(f->subject);
    printf(",\"way\":\"%s\",\"severity\":\"%s\",\"confidence\":\"%s\",\"block\":%s,\"text\":",
           diff_way_name(f->way), severity_name(f->f.severity),
           confidence_name(f->f.confidence), f->block ? "true" : "false");
    text(f->f.text);
    fputs(",\"next_test\":", stdout);
    text(f->f.next_test);
    excerpt("sent", reply ? pair->far.sid : pair->near.sid, &f->sent);
    excerpt("received", reply ? pair->near.sid : pair->far.sid, &f->received);
    for (unsigned i = 0; i < FINDING_PRODUCTS_MAX && f->f.products[i] != NULL; i++) {
        fputs(i == 0 ? ",\"products\":[" : ",", stdout);
        text(f->f.products[i]);
    }
    if (f->f.products[0] != NULL)
        putchar(']');
    printf(",\"paired\":{\"by\":\"%s\",\"confidence\":\"%s\"}}", pair->how,
           confidence_name(pair->confidence));
}

static void session(const struct diff_session *s)
{
    printf("{\"sid\":\"%s\",\"commands\":%u,\"messages\":%u,\"octets\":%" PRIu64 "}", s->sid,
           s->commands, s->messages, s->octets);
}

void diff_json_begin(void)
{
    fputs("{\"v\":1,\"kind\":\"diff\",\"findings\":[", stdout);
    any_finding = false;
}

void diff_json_pair(const struct diff_pair *pair, const struct diff_finding *list, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        fputs(any_finding ? ",\n" : "\n", stdout);
        finding(&list[i], pair);
        any_finding = true;
    }
}

static void group(const struct diff_group *g)
{
    printf("\n{\"findings\":%" PRIu64 ",\"sessions\":%" PRIu64 ",\"of\":%" PRIu64
           ",\"same_octets\":%s,\"others\":%s,\"last\":{\"near\":\"%s\",\"far\":\"%s\"},"
           "\"examples\":[",
           g->findings, g->sessions, g->could, g->same_bytes ? "true" : "false",
           g->others ? "true" : "false", g->last[NEAR], g->last[FAR]);
    for (unsigned i = 0; i < g->example_count; i++) {
        if (i > 0)
            putchar(',');
        finding(g->examples[i], &g->example_pairs[i]);
    }
    fputs("]}", stdout);
}

static void vantage(const struct diff_result *r, enum diff_vantage v)
{
    const struct diff_totals *t = &r->totals;

    printf(",\"%s\":{\"vantage\":", v == NEAR ? "near" : "far");
    text(r->vantage[v]);
    printf(",\"records\":%" PRIu64 ",\"octets\":%" PRIu64 ",\"bad_lines\":%" PRIu64
           ",\"sessions\":%" PRIu64 ",\"apart\":%" PRIu64 ",\"unpaired\":[",
           t->records[v], t->octets[v], t->bad_lines[v], t->sessions[v], t->apart[v]);
    struct diff_session s;
    for (size_t i = 0; diff_unpaired_at(r, v, i, &s); i++) {
        if (i > 0)
            putchar(',');
        session(&s);
    }
    fputs("]}", stdout);
}

void diff_json_result(const struct diff_command *c, const struct diff_result *r)
{
    const struct diff_totals *t = &r->totals;

    (void)c;
    fputs("],\"groups\":[", stdout);
    for (size_t i = 0; i < r->group_count; i++) {
        if (i > 0)
            putchar(',');
        group(&r->groups[i]);
    }
    putchar(']');
    vantage(r, NEAR);
    vantage(r, FAR);
    printf(",\"pairs\":{\"all\":%" PRIu64 ",\"certain\":%" PRIu64 ",\"high\":%" PRIu64
           ",\"medium\":%" PRIu64 ",\"low\":%" PRIu64 ",\"damaged\":%" PRIu64
           ",\"clean\":%" PRIu64 "}",
           t->pairs, t->pairs_by[CONFIDENCE_CERTAIN], t->pairs_by[CONFIDENCE_HIGH],
           t->pairs_by[CONFIDENCE_MEDIUM], t->pairs_by[CONFIDENCE_LOW], t->damaged, t->clean);
    if (r->clock.known)
        printf(",\"clock\":{\"ahead_us\":%" PRId64 ",\"error_us\":%" PRIu64 "}",
               r->clock.ahead_us, r->clock.error_us);
    printf(",\"total\":%" PRIu64 ",\"damaged\":%s}\n", t->findings,
           diff_is_damaged(r) ? "true" : "false");
}
