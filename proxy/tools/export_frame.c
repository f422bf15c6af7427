/* export_frame - what surrounds the dialogue: connections, TLS, findings, the end. */
#include "export_private.h"

#include "base/escape.h"

#include <string.h>

void export_open(struct export_session *s, const struct record *r)
{
    const char *original = record_text(r->root, "original");
    struct utterance u = { .kind = TALK_OPEN, .t_us = export_time(r), .n = (uint32_t)r->n };

    snprintf(s->client, sizeof s->client, "%s", record_text(r->root, "client"));
    snprintf(s->server, sizeof s->server, "%s",
             original[0] != '\0' ? original : record_text(r->root, "server"));
    s->leg[CLIENT].guessed = false;
    leg_set_ends(&s->leg[CLIENT], s->client, s->server);
    snprintf(u.remark, sizeof u.remark, "session %s at %s: the client's leg", r->sid,
             r->vantage);
    export_add(s, &u);
}

void export_connect(struct export_session *s, const struct record *r)
{
    const char *local = record_text(r->root, "local"), *error = record_text(r->root, "error");
    const char *upstream = record_text(r->root, "upstream");
    struct utterance u = {
        .kind = TALK_OPEN, .t_us = export_time(r), .n = (uint32_t)r->n, .leg = SERVER
    };

    if (error[0] == '\0' && strcmp(local, s->client) == 0 && strcmp(upstream, s->server) == 0) {
        s->single = true;
        return;
    }
    export_session_flush(s); /* what was refused before had other ends */
    s->leg[SERVER].guessed = false;
    leg_set_ends(&s->leg[SERVER], local, upstream);
    if (error[0] != '\0') {
        u.kind = TALK_REFUSED;
        snprintf(u.remark, sizeof u.remark, "%s", error);
    } else {
        s->upstream = true;
        snprintf(u.remark, sizeof u.remark, "session %s at %s: the server's leg", r->sid,
                 r->vantage);
    }
    export_add(s, &u);
}

void export_tls(struct export_session *s, const struct record *r)
{
    const char *side = record_text(r->root, "side");
    bool through = strcmp(side, "through") == 0;
    struct utterance u = { .kind = TALK_TELL, .t_us = export_time(r), .n = (uint32_t)r->n };

    u.leg = strcmp(side, "server") == 0 ? SERVER : CLIENT;
    if (!through)
        s->tls[u.leg] = true;
    snprintf(u.remark, sizeof u.remark, "TLS handshake %s %s%s%s",
             through ? "passed through," : "with smtpscope,", record_text(r->root, "version"),
             record_flag(r->root, "ok") ? "" : ", failed: ", record_text(r->root, "text"));
    if (!through && record_flag(r->root, "ok"))
        talk_remark(&u, "what follows on this leg is the plaintext inside TLS");
    export_add(s, &u);
}

void export_opaque(struct export_session *s, const struct record *r)
{
    static const char *const names[] = { "client", "server" };
    const json_t *octets = json_object_get(r->root, "octets");
    struct utterance u = { .kind = TALK_SAY,
                           .t_us = export_time(r),
                           .n = (uint32_t)r->n,
                           .hole_count = 1,
                           .why = "were relayed unread" };

    for (int leg = CLIENT; leg <= SERVER; leg++) {
        for (int from = CLIENT; from <= SERVER; from++) {
            u.leg = (enum side)leg;
            u.from = (enum side)from;
            u.phase = (uint32_t)from;
            u.holes[0].octets = record_count(octets, names[from]);
            export_add(s, &u);
        }
    }
}

void export_finding(struct export_session *s, const struct record *r)
{
    const char *field = record_text(r->root, "field");
    bool reply = strcmp(field, "reply") == 0 || strcmp(field, "replied") == 0;
    struct utterance u = { .kind = TALK_TELL, .t_us = export_time(r), .n = (uint32_t)r->n };
    uint32_t n = (uint32_t)record_count(r->root, "record");
    char text[TALK_REMARK_MAX / 2], safe[TALK_REMARK_MAX / 2 - 100];

    escape(safe, sizeof safe, span_str(record_text(r->root, "text")));
    snprintf(text, sizeof text, "finding %s, %s: %s", record_text(r->root, "id"),
             record_text(r->root, "severity"), safe);
    struct utterance *shown =
        talk_find(&s->talk, n, reply ? PHASE_REPLIED : PHASE_COMMAND, CLIENT);
    if (shown == NULL && n > 0)
        shown = talk_find(&s->talk, n, reply ? PHASE_COMMAND : PHASE_REPLIED, CLIENT);
    if (shown != NULL) {
        talk_remark(shown, text);
        return;
    }
    talk_remark(&u, text);
    export_add(s, &u);
}

/* What the connection counted and no record holds is missing at the end of the stream. */
static void skip_rest(struct export_session *s, const json_t *octets, enum side leg)
{
    static const char *const names[2][2] = { { "client_in", "client_out" },
                                             { "server_out", "server_in" } };

    for (int from = CLIENT; from <= SERVER && !s->tls[leg]; from++) {
        uint64_t all = record_count(octets, names[leg][from]);
        struct leg *l = &s->leg[leg];

        if (all > l->octets[from])
            leg_skip(l, (enum side)from, all - l->octets[from], "are not in the transcript");
    }
}

/* Who ends a leg: whoever closed the session, where that is an end of this leg. */
static void end_leg(struct export_session *s, enum side which, const struct record *r)
{
    const char *first = record_text(r->root, "first");
    bool by_server = strcmp(first, "server") == 0, by_client = strcmp(first, "client") == 0;
    bool reset = strcmp(record_text(r->root, "how"), "reset") == 0;
    struct leg *l = &s->leg[which];
    enum side near = which == CLIENT ? SERVER : CLIENT; /* smtpscope's end of it */

    if (strcmp(first, "nobody") == 0)
        leg_tell(l, export_time(r));
    else if (s->single || (which == CLIENT ? by_client : by_server))
        leg_close(l, by_server ? SERVER : CLIENT, reset, export_time(r));
    else
        leg_close(l, near, false, export_time(r));
}

void export_close(struct export_session *s, const struct record *r)
{
    char text[200];

    export_session_flush(s);
    s->ended = true;
    snprintf(text, sizeof text, "%s (%s)", record_text(r->root, "text"),
             record_text(r->root, "reason"));
    for (int leg = CLIENT; leg <= SERVER; leg++) {
        if (leg == SERVER && (s->single || !s->upstream))
            continue;
        skip_rest(s, json_object_get(r->root, "octets"), (enum side)leg);
        leg_remark(&s->leg[leg], text);
        end_leg(s, (enum side)leg, r);
    }
}
