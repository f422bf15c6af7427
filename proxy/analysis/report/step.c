#include "analysis/report/step.h"

#include "base/escape.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *const wire_names[] = {
#define X(id, name) [WIRE_##id] = (name),
    WIRES(X)
#undef X
};

/* What is put together before its memory is known. */
struct draft {
    struct step step;
    unsigned char *wire[WIRE_COUNT]; /* as record_wire() gave it */
    size_t text_len;
};

const char *wire_name(enum wire w)
{
    return wire_names[w];
}

uint64_t step_time(const char *t)
{
    struct tm tm = { .tm_isdst = 0 };
    const char *rest = strptime(t, "%Y-%m-%dT%H:%M:%S", &tm);
    time_t seconds = rest != NULL ? timegm(&tm) : -1;

    if (seconds < 0 || rest[0] != '.')
        return 0;
    return (uint64_t)seconds * 1000000 + strtoull(rest + 1, NULL, 10) % 1000000;
}

static bool text_is(const struct record *r, const char *name, const char *want)
{
    return strcmp(record_text(r->root, name), want) == 0;
}

/* ---- words ---------------------------------------------------------------------------- */

static void PRINTF_LIKE(2, 3) say(struct draft *d, const char *fmt, ...)
{
    size_t room = sizeof d->step.text - d->text_len;
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(d->step.text + d->text_len, room, fmt, ap);
    va_end(ap);
    if (n > 0)
        d->text_len += (size_t)n < room ? (size_t)n : room - 1;
}

/* A text of the record behind `words`, when it has one. */
static void say_text(struct draft *d, const char *words, const json_t *of, const char *name)
{
    char safe[96];
    const char *text = record_text(of, name);

    if (text[0] == '\0')
        return;
    escape(safe, sizeof safe, span_str(text));
    say(d, "%s%s", words, safe);
}

static void say_count(struct draft *d, const char *fmt_before, uint64_t n, const char *after)
{
    say(d, "%s%llu%s", fmt_before, (unsigned long long)n, after);
}

static void take_notes(struct draft *d, const struct record *r)
{
    const json_t *notes = json_object_get(r->root, "notes");
    char *out = d->step.notes;
    size_t len = 0, room = sizeof d->step.notes;

    for (size_t i = 0; i < json_array_size(notes); i++) {
        const char *id = record_text(json_array_get(notes, i), "id");
        int n = snprintf(out + len, room - len, "%s%s", len > 0 ? ", " : "", id);
        if (n < 0 || (size_t)n >= room - len) {
            out[len] = '\0';
            return;
        }
        len += (size_t)n;
    }
}

/* ---- kinds of record ------------------------------------------------------------------ */

static void take_open(struct draft *d, const struct record *r)
{
    say_text(d, "", r->root, "client");
    say_text(d, " connects to ", r->root, "server");
    say_text(d, ", meant for ", r->root, "original");
}

static void take_connect(struct draft *d, const struct record *r)
{
    d->step.us = record_count(r->root, "us");
    d->step.failed = record_text(r->root, "error")[0] != '\0';
    say_text(d, "", r->root, "upstream");
    if (d->step.failed)
        say_text(d, ": ", r->root, "error");
    else
        say(d, " connected");
}

static void take_tls(struct draft *d, const struct record *r)
{
    const json_t *certificate = json_object_get(r->root, "certificate");

    d->step.us = record_count(r->root, "us");
    d->step.failed = !record_flag(r->root, "ok");
    d->step.leg = text_is(r, "side", "client")   ? STEP_LEG_CLIENT
                  : text_is(r, "side", "server") ? STEP_LEG_SERVER
                                                 : STEP_LEG_BOTH;
    say(d, d->step.failed ? "TLS failed" : "TLS");
    say_text(d, " ", r->root, "version");
    say_text(d, " ", r->root, "cipher");
    say_text(d, ": ", r->root, "text");
    say_text(d, ", certificate of ", certificate, "subject");
    say_text(d, " by ", certificate, "issuer");
    say_text(d, ", verify: ", certificate, "verify");
}

static void take_content(struct draft *d, const struct record *r)
{
    bool refused = record_flag(r->root, "refused"), complete = record_flag(r->root, "complete");

    d->step.us = record_count(r->root, "us");
    d->step.failed = refused || !complete;
    snprintf(d->step.verb, sizeof d->step.verb, "%s",
             text_is(r, "via", "bdat") ? "BDAT" : "DATA");
    say_count(d, "mail data, ", record_count(r->root, "octets"), " bytes");
    if (refused) {
        say_text(d, ", refused: ", r->root, "refused_by");
        d->step.action = ACTED_REFUSED;
    } else if (record_flag(r->root, "altered")) {
        say_count(d, ", sent on as ", record_count(r->root, "octets_sent"), "");
        d->step.action = ACTED_REWRITTEN;
    }
    if (!complete)
        say(d, ", cut off");
}

static void take_opaque(struct draft *d, const struct record *r)
{
    const json_t *octets = json_object_get(r->root, "octets");

    say_count(d, "unread from here: ", record_count(octets, "client"), " bytes up, ");
    say_count(d, "", record_count(octets, "server"), " down");
    say_text(d, " - ", r->root, "why");
}

static void take_close(struct draft *d, const struct record *r)
{
    d->step.us = record_count(r->root, "us");
    d->step.failed = record_flag(r->root, "error");
    say_text(d, "", r->root, "text");
    say_text(d, " - first to close: ", r->root, "first");
    say_text(d, ", ", r->root, "how");
}

static void take_command(struct draft *d, const struct record *r)
{
    static const char *const actions[] = { "relayed",  "rewritten", "refused",
                                           "stripped", "swallowed", "added" };
    const char *action = record_text(r->root, "action");

    escape(d->step.verb, sizeof d->step.verb, span_str(record_text(r->root, "verb")));
    for (unsigned i = 0; i < ARRAY_LEN(actions); i++)
        if (strcmp(actions[i], action) == 0)
            d->step.action = (enum step_action)i;
}

static void take_dialogue(struct draft *d, const struct record *r)
{
    for (unsigned w = 0; w < WIRE_COUNT; w++) {
        size_t len = 0;
        d->wire[w] = record_wire(r->root, wire_names[w], &len);
        if (d->wire[w] == NULL)
            continue;
        d->step.wire[w] = span_of(d->wire[w], len < STEP_WIRE_MAX ? len : STEP_WIRE_MAX);
        d->step.octets[w] = len;
    }
    uint64_t all = record_count(r->root, "received_octets");
    if (all > d->step.octets[WIRE_RECEIVED])
        d->step.octets[WIRE_RECEIVED] = all;
    d->step.answered = json_object_get(r->root, "reply_us") != NULL;
    d->step.us = record_count(r->root, "reply_us");
    d->step.code = (unsigned)record_count(r->root, "code");
    d->step.ours = text_is(r, "origin", "proxy");
    if (r->kind == RECORD_COMMAND)
        take_command(d, r);
}

/* False: no step. */
static bool take_kind(struct draft *d, const struct record *r)
{
    switch (r->kind) {
    case RECORD_OPEN:
        take_open(d, r);
        return true;
    case RECORD_CONNECT:
        take_connect(d, r);
        return true;
    case RECORD_TLS:
        take_tls(d, r);
        return true;
    case RECORD_GREETING:
    case RECORD_COMMAND:
        take_dialogue(d, r);
        return true;
    case RECORD_CONTENT:
        take_content(d, r);
        return true;
    case RECORD_OPAQUE:
        take_opaque(d, r);
        return true;
    case RECORD_CLOSE:
        take_close(d, r);
        return true;
    case RECORD_FINDING:
    case RECORD_LOST:
    case RECORD_KIND_COUNT:
        break;
    }
    return false;
}

static struct step *pack(const struct draft *d)
{
    size_t size = sizeof(struct step);

    for (unsigned w = 0; w < WIRE_COUNT; w++)
        size += d->step.wire[w].len;
    struct step *s = malloc(size);
    if (s == NULL)
        return NULL;
    *s = d->step;
    s->size = size;
    unsigned char *at = (unsigned char *)(s + 1);
    for (unsigned w = 0; w < WIRE_COUNT; w++) {
        if (d->step.wire[w].ptr == NULL)
            continue;
        memcpy(at, d->step.wire[w].ptr, d->step.wire[w].len);
        s->wire[w].ptr = at;
        at += d->step.wire[w].len;
    }
    return s;
}

struct step *step_new(const struct record *r)
{
    struct draft d = { .step = { .kind = r->kind, .n = r->n, .t_us = step_time(r->t) } };
    struct step *s = NULL;

    if (take_kind(&d, r)) {
        take_notes(&d, r);
        d.step.skipped = r->missing;
        s = pack(&d);
    }
    for (unsigned w = 0; w < WIRE_COUNT; w++)
        free(d.wire[w]);
    return s;
}

void step_free(struct step **sp)
{
    free(*sp);
    *sp = NULL;
}

bool step_is_altered(const struct step *s)
{
    return s->action != ACTED_RELAYED || s->ours || s->wire[WIRE_FORWARDED].ptr != NULL ||
           (s->wire[WIRE_REPLIED].ptr != NULL && s->wire[WIRE_REPLY].ptr != NULL);
}

const char *step_action_words(const struct step *s)
{
    switch (s->action) {
    case ACTED_REWRITTEN:
        return "rewritten by smtpscope";
    case ACTED_REFUSED:
        return "refused by smtpscope, not sent on";
    case ACTED_STRIPPED:
        return "answered by smtpscope, not sent on";
    case ACTED_SWALLOWED:
        return "swallowed by smtpscope";
    case ACTED_ADDED:
        return "sent by smtpscope itself";
    case ACTED_RELAYED:
        break;
    }
    return s->ours                             ? "answered by smtpscope"
           : s->wire[WIRE_REPLIED].ptr != NULL ? "reply altered by smtpscope"
                                               : NULL;
}
