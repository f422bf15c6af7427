#include "transcript/read/dialogue.h"

#include <stdlib.h>

static void put_text(struct paint *p, enum paint_color color, const char *text)
{
    paint_octets(p, color, span_str(text));
}

/* "2026-11-23 09:00:01.000017 UTC" */
static void put_time(struct paint *p, const char *t)
{
    paint_words(p, BOLD, "%.10s %.15s UTC", t, t + 11);
}

/* Who stands between the client and smtpscope, and said so. */
static void put_proxy(struct paint *p, const json_t *proxy)
{
    unsigned long long version = record_count(proxy, "version");

    if (proxy == NULL)
        return;
    if (strcmp(record_text(proxy, "command"), "local") == 0) {
        paint_words(p, PLAIN, ", the balancer itself (PROXY v%llu LOCAL)", version);
        return;
    }
    paint_words(p, PLAIN, ", by way of ");
    put_text(p, PLAIN, record_text(proxy, "peer"));
    paint_words(p, PLAIN, " (PROXY v%llu)", version);
}

/* TCP options, of an import. */
static void put_syn(struct paint *p, const json_t *syn)
{
    const char *const sides[] = { "client", "server" };

    for (unsigned i = 0; syn != NULL && i < 2; i++) {
        const char *text = record_text(syn, sides[i]);
        if (text[0] == '\0')
            continue;
        paint_line(p, DIM, "===  ");
        paint_words(p, DIM, "SYN of the %s: ", sides[i]);
        put_text(p, DIM, text);
        paint_end(p);
    }
}

void dialogue_open(struct dialogue *d, const struct record *r)
{
    struct paint *p = &d->paint;
    const char *original = record_text(r->root, "original");

    paint_line(p, BOLD, "===  ");
    put_time(p, r->t);
    paint_words(p, BOLD, "  session ");
    put_text(p, BOLD, r->sid);
    paint_end(p);
    paint_line(p, PLAIN, "===  ");
    put_text(p, PLAIN, record_text(r->root, "client"));
    paint_words(p, PLAIN, " -> ");
    put_text(p, PLAIN, record_text(r->root, "server"));
    if (original[0] != '\0') {
        paint_words(p, PLAIN, ", meant for ");
        put_text(p, PLAIN, original);
    }
    put_proxy(p, json_object_get(r->root, "proxy"));
    paint_words(p, DIM, "  (listener ");
    put_text(p, DIM, record_text(r->root, "listener"));
    paint_words(p, DIM, ", %s, at ",
                record_text(r->root, "mode")[0] == 'o' ? "observe" : "enforce");
    put_text(p, DIM, r->vantage);
    paint_words(p, DIM, ")");
    paint_end(p);
    if (record_flag(r->root, "above_per_client")) {
        paint_line(p, PLAIN, "***  ");
        paint_words(p, PLAIN, "more sessions at a time than per_client from this network");
        paint_end(p);
    }
    put_syn(p, json_object_get(r->root, "syn"));
}

void dialogue_connect(struct dialogue *d, const struct record *r)
{
    struct paint *p = &d->paint;
    const char *error = record_text(r->root, "error");
    enum paint_color color = error[0] != '\0' ? RED : DIM;
    char took[32];

    paint_time(took, record_count(r->root, "us"));
    paint_line(p, color, error[0] != '\0' ? "***  " : "===  ");
    paint_words(p, color, "upstream ");
    put_text(p, color, record_text(r->root, "upstream"));
    if (error[0] != '\0') {
        paint_words(p, color, ": ");
        put_text(p, color, error);
        paint_words(p, color, " (after %s)", took);
    } else {
        paint_words(p, color, " connected in %s", took);
    }
    paint_end(p);
}

static void put_repairs(struct paint *p, const struct record *r)
{
    static const struct {
        const char *name, *words;
    } kinds[] = { { "bare_lf", "bare LF" },
                  { "crcrlf", "CR CR LF" },
                  { "bare_cr", "bare CR" } };
    const json_t *endings = json_object_get(r->root, "endings");

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        uint64_t n = record_count(endings, kinds[i].name);
        if (n > 0)
            paint_words(p, YELLOW, ", %llu %s", (unsigned long long)n, kinds[i].words);
    }
    if (record_count(r->root, "nul") > 0)
        paint_words(p, YELLOW, ", %llu NUL", (unsigned long long)record_count(r->root, "nul"));
    if (record_count(r->root, "eight_bit") > 0)
        paint_words(p, PLAIN, ", 8-bit");
}

static void put_fate(struct dialogue *d, const struct record *r)
{
    struct paint *p = &d->paint;
    const json_t *digest = json_object_get(r->root, "digest");

    if (record_flag(r->root, "refused")) {
        paint_line(p, RED, "***  ");
        paint_words(p, RED, "content refused by smtpscope: ");
        put_text(p, RED, record_text(r->root, "refused_by"));
        paint_end(p);
    } else if (record_flag(r->root, "altered")) {
        paint_line(p, GREEN, dialogue_marker(d, TO_UPSTREAM));
        paint_words(p, GREEN, "repaired and sent on as %llu bytes",
                    (unsigned long long)record_count(r->root, "octets_sent"));
        if (record_text(digest, "sent")[0] != '\0') {
            paint_words(p, DIM, "  xxh3 ");
            paint_octets(p, DIM, span_first(span_str(record_text(digest, "sent")), 12));
        }
        paint_end(p);
    }
    if (!record_flag(r->root, "complete")) {
        paint_line(p, RED, "***  ");
        paint_words(p, RED, "the content did not come to its end");
        paint_end(p);
    }
}

static void put_headers(struct dialogue *d, const struct record *r)
{
    size_t len;
    unsigned char *text = record_wire(r->root, "headers", &len);
    struct span rest = { text, text != NULL ? len : 0 };

    while (rest.len > 0) {
        size_t n = span_find(rest, '\n');
        struct span line = span_first(rest, n);
        if (line.len > 0 && line.ptr[line.len - 1] == '\r')
            line.len--;
        paint_line(&d->paint, DIM, "     | ");
        paint_octets(&d->paint, PLAIN, line);
        paint_end(&d->paint);
        rest = span_drop(rest, n + 1);
    }
    free(text);
}

void dialogue_content(struct dialogue *d, const struct record *r)
{
    struct paint *p = &d->paint;
    const json_t *digest = json_object_get(r->root, "digest");
    const json_t *spool = json_object_get(r->root, "spool");
    uint64_t octets = record_count(r->root, "octets");
    char took[32];

    paint_time(took, record_count(r->root, "us"));
    put_headers(d, r);
    paint_line(p, CYAN, dialogue_marker(d, FROM_CLIENT));
    paint_words(p, PLAIN, "[content: %llu bytes, lines: %llu", (unsigned long long)octets,
                (unsigned long long)record_count(r->root, "lines"));
    put_repairs(p, r);
    paint_words(p, PLAIN, ", in %s]", took);
    if (digest != NULL) {
        paint_words(p, DIM, "  xxh3 ");
        paint_octets(p, DIM, span_first(span_str(record_text(digest, "whole")), 12));
    }
    paint_end(p);
    if (spool != NULL) {
        paint_line(p, DIM, "     kept in ");
        put_text(p, DIM, record_text(spool, "file"));
        if (record_count(spool, "octets") < octets)
            paint_words(p, RED, ", only the first %llu bytes",
                        (unsigned long long)record_count(spool, "octets"));
        paint_end(p);
    }
    dialogue_notes(d, r, 0, octets + 1);
    dialogue_dkim(d, r);
    put_fate(d, r);
}

void dialogue_opaque(struct dialogue *d, const struct record *r)
{
    struct paint *p = &d->paint;
    const json_t *octets = json_object_get(r->root, "octets");
    const json_t *missing = json_object_get(r->root, "missing");

    paint_line(p, PLAIN, "===  ");
    paint_words(p, PLAIN, "from here on relayed unread (");
    put_text(p, PLAIN, record_text(r->root, "why"));
    paint_words(p, PLAIN, "): %llu bytes from the client, %llu from the upstream",
                (unsigned long long)record_count(octets, "client"),
                (unsigned long long)record_count(octets, "server"));
    if (missing != NULL)
        paint_words(p, PLAIN, "; %llu and %llu of them are not in the capture",
                    (unsigned long long)record_count(missing, "client"),
                    (unsigned long long)record_count(missing, "server"));
    paint_end(p);
    dialogue_notes(d, r, UINT64_MAX, 0);
}

void dialogue_tallies(struct paint *p, enum paint_color color, json_t *commands)
{
    unsigned long long good = 0, all = 0;
    const char *name;
    json_t *v;

    json_object_foreach(commands, name, v)
    {
        const char *text = json_string_value(v), *slash = strchr(text, '/');
        good += strtoull(text, NULL, 10);
        all += strtoull(slash != NULL ? slash + 1 : text, NULL, 10);
        paint_words(p, color, " ");
        put_text(p, color, name);
        paint_words(p, color, "=");
        put_text(p, color, text);
    }
    if (good == all)
        paint_words(p, color, " commands=%llu", all);
    else
        paint_words(p, color, " commands=%llu/%llu", good, all);
}

static void put_commands(struct dialogue *d, const struct record *r)
{
    json_t *commands = json_object_get(r->root, "commands");

    if (json_object_size(commands) == 0)
        return;
    paint_line(&d->paint, DIM, "=== ");
    dialogue_tallies(&d->paint, DIM, commands);
    paint_end(&d->paint);
}

/* Only what may explain trouble: retransmissions, and octets that were never acknowledged. */
static void put_leg(struct dialogue *d, const json_t *leg, const char *name, bool error)
{
    uint64_t again = record_count(leg, "retransmits"), open = record_count(leg, "unacked");
    char rtt[32];

    if (again == 0 && (open == 0 || !error)) /* the last reply is often still on its way */
        return;
    paint_time(rtt, record_count(leg, "rtt_us"));
    paint_line(&d->paint, YELLOW, "***  ");
    paint_words(&d->paint, YELLOW,
                "network to the %s: retransmits %llu, segments unacknowledged %llu, rtt %s, "
                "path MTU %llu",
                name, (unsigned long long)again, (unsigned long long)open, rtt,
                (unsigned long long)record_count(leg, "pmtu"));
    paint_end(&d->paint);
}

static const char *how_words(const char *how)
{
    return strcmp(how, "fin") == 0       ? " closed first (FIN)"
           : strcmp(how, "reset") == 0   ? " reset the connection (RST)"
           : strcmp(how, "timeout") == 0 ? " timed out"
                                         : " closed first";
}

enum { LATER_US = 100000 };

/* When somebody closed first, and when all was over, if that was not at once. */
static void put_when(struct paint *p, enum paint_color color, const struct record *r)
{
    uint64_t us = record_count(r->root, "us"), first_us = record_count(r->root, "first_us");
    char lasted[32], first[32];

    paint_time(lasted, us);
    paint_time(first, first_us);
    if (first_us > 0 && first_us + LATER_US <= us)
        paint_words(p, color, " after %s, the session ended after %s", first, lasted);
    else
        paint_words(p, color, ", after %s", lasted);
}

void dialogue_close(struct dialogue *d, const struct record *r)
{
    struct paint *p = &d->paint;
    const json_t *octets = json_object_get(r->root, "octets");
    const json_t *tcp = json_object_get(r->root, "tcp");
    const char *first = record_text(r->root, "first");
    bool error = record_flag(r->root, "error");
    unsigned long long findings = record_count(r->root, "findings");
    enum paint_color color = error ? RED : PLAIN;

    put_leg(d, json_object_get(tcp, "client"), "client", error);
    put_leg(d, json_object_get(tcp, "server"), "upstream", error);
    put_commands(d, r);
    paint_line(p, color, error ? "***  " : "===  ");
    put_text(p, color, record_text(r->root, "text"));
    paint_words(p, color, " (");
    put_text(p, color, record_text(r->root, "reason"));
    paint_words(p, color, "): %s%s",
                strcmp(first, "proxy") == 0    ? "smtpscope"
                : strcmp(first, "nobody") == 0 ? "nobody"
                : strcmp(first, "server") == 0 ? "the upstream"
                                               : "the client",
                how_words(record_text(r->root, "how")));
    put_when(p, color, r);
    if (findings > 0)
        paint_words(p, YELLOW, ", %llu finding%s", findings, findings == 1 ? "" : "s");
    paint_words(p, DIM, "  [client %llu in, %llu out; upstream %llu in, %llu out]",
                (unsigned long long)record_count(octets, "client_in"),
                (unsigned long long)record_count(octets, "client_out"),
                (unsigned long long)record_count(octets, "server_in"),
                (unsigned long long)record_count(octets, "server_out"));
    paint_end(p);
}
