#include "export_private.h"

#include "base/hash64.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t export_time(const struct record *r)
{
    struct tm tm = { .tm_isdst = 0 };
    char *rest = strptime(r->t, "%Y-%m-%dT%H:%M:%S", &tm);
    uint64_t us = rest != NULL && *rest == '.' ? strtoull(rest + 1, NULL, 10) : 0;

    return (uint64_t)timegm(&tm) * 1000000 + us % 1000000;
}

void export_session_init(struct export_session *s, const char *sid, FILE *out,
                         const char *spool)
{
    *s = (struct export_session){ .spool = spool };
    snprintf(s->sid, sizeof s->sid, "%s", sid);
    for (int side = CLIENT; side <= SERVER; side++) {
        leg_init(&s->leg[side], out,
                 (uint32_t)hash64(span_str(sid)) + (uint32_t)side * 0x9e3779b9u);
        leg_set_ends(&s->leg[side], "", "");
    }
}

void export_session_flush(struct export_session *s)
{
    talk_flush(&s->talk, s->leg, s->spool);
}

void export_session_deinit(struct export_session *s)
{
    export_session_flush(s);
    talk_deinit(&s->talk);
}

void export_add(struct export_session *s, const struct utterance *u)
{
    if (u->leg == SERVER && (s->single || !s->upstream) && u->kind != TALK_REFUSED) {
        free(u->octets);
        return;
    }
    if (!talk_add(&s->talk, u))
        s->out_of_memory = true;
}

/* ---- octets of a record ----------------------------------------------------------- */

static bool is_stars(const unsigned char *p, size_t at, size_t len)
{
    return len - at >= 3 && memcmp(p + at, "***", 3) == 0 && (at == 0 || p[at - 1] != '*') &&
           (len - at == 3 || p[at + 3] != '*');
}

/* Takes "***" out where the record says that octets were left out; a hole is there then. */
static void cut_secrets(struct utterance *u, const json_t *redacted)
{
    size_t n = json_array_size(redacted), from = 0, to = 0;
    unsigned taken = 0;

    u->why = "are a secret that is not kept";
    while (from < u->len) {
        if (taken < n && is_stars(u->octets, from, u->len)) {
            u->holes[taken] = (struct hole){
                .at = to, .octets = record_count(json_array_get(redacted, taken), "octets")
            };
            taken++;
            from += 3;
        } else {
            u->octets[to++] = u->octets[from++];
        }
    }
    u->len = to;
    u->hole_count = taken;
}

static void say(struct export_session *s, const struct record *r, const char *field,
                struct utterance u)
{
    u.kind = TALK_SAY;
    u.n = (uint32_t)r->n;
    u.octets = record_wire(r->root, field, &u.len);
    if (u.octets == NULL)
        return;
    cut_secrets(&u, json_object_get(r->root, "redacted"));
    if (strcmp(field, "received") == 0 && record_count(r->root, "received_octets") > u.len &&
        u.hole_count == 0) {
        u.holes[u.hole_count++] =
            (struct hole){ .at = u.len,
                           .octets = record_count(r->root, "received_octets") - u.len };
        u.why = "of an overlong line are not kept";
    }
    if (u.len == 0 && u.hole_count == 0) {
        free(u.octets);
        return;
    }
    export_add(s, &u);
}

static bool has(const struct record *r, const char *field)
{
    return json_string_length(json_object_get(r->root, field)) > 0;
}

/* The reply, and what the client got of it. */
static void say_reply(struct export_session *s, const struct record *r, bool to_client)
{
    uint64_t t_us = export_time(r) + record_count(r->root, "reply_us");
    struct utterance u = { .t_us = t_us, .phase = PHASE_REPLY, .leg = SERVER, .from = SERVER };

    say(s, r, "reply", u);
    u.leg = CLIENT;
    u.phase = PHASE_REPLIED;
    if (to_client)
        say(s, r, has(r, "replied") ? "replied" : "reply", u);
}

/* ---- records ---------------------------------------------------------------------- */

static void remark_notes(struct utterance *u, const struct record *r)
{
    const json_t *note, *notes = json_object_get(r->root, "notes");
    char text[128];
    size_t i;

    json_array_foreach(notes, i, note)
    {
        snprintf(text, sizeof text, "note %s, byte %llu of the stream", record_text(note, "id"),
                 (unsigned long long)record_count(note, "at"));
        talk_remark(u, text);
    }
}

/* What was kept of a message goes to its chunks in their order, leg by leg. */
static void fill_chunk(struct export_session *s, struct utterance *u)
{
    uint64_t *left = &s->chunks_left[u->leg];

    if (*left == 0)
        return; /* the content's record is still to come */
    u->chunk = false;
    if (u->holes[0].octets > *left)
        u->holes[0].octets = *left; /* the client left in the middle */
    snprintf(u->file, sizeof u->file, "%s", s->chunks_file);
    u->file_at = s->chunks_at[u->leg];
    s->chunks_at[u->leg] += u->holes[0].octets;
    *left -= u->holes[0].octets;
}

static void fill_chunks(struct export_session *s, const char *file, uint64_t octets)
{
    snprintf(s->chunks_file, sizeof s->chunks_file, "%s", file);
    for (int leg = CLIENT; leg <= SERVER; leg++) {
        s->chunks_left[leg] = octets;
        s->chunks_at[leg] = 0;
    }
    for (size_t i = 0; i < s->talk.count; i++)
        if (s->talk.list[i]->chunk)
            fill_chunk(s, s->talk.list[i]);
}

/* BDAT announces its octets; whether they are kept is known when the content is over. */
static void say_chunk(struct export_session *s, const struct record *r, uint64_t came_us,
                      bool relayed)
{
    uint64_t octets = strtoull(record_text(r->root, "arg"), NULL, 10);
    struct utterance u = { .kind = TALK_SAY,
                           .n = (uint32_t)r->n,
                           .phase = PHASE_CHUNK,
                           .chunk = true,
                           .hole_count = 1,
                           .why = "of mail data are not kept" };

    if (octets == 0 || octets > INT64_MAX)
        return;
    u.holes[0].octets = octets;
    u.at =
        record_count(r->root, "at") + json_string_length(json_object_get(r->root, "received"));
    for (int leg = CLIENT; leg <= (relayed ? SERVER : CLIENT); leg++) {
        struct utterance one = u;

        one.leg = (enum side)leg;
        one.t_us = came_us + (leg == SERVER ? record_count(r->root, "forward_us") : 0);
        one.placed = leg == CLIENT;
        fill_chunk(s, &one);
        export_add(s, &one);
    }
}

/* A line that began in the read of what was before it came with that, whenever it was looked
 * at.
 */
static uint64_t came_at(struct export_session *s, const struct record *r)
{
    const json_t *reads = json_object_get(r->root, "reads");
    bool own_read = json_integer_value(json_array_get(reads, 0)) == 0 && reads != NULL;
    bool told_late = record_text(r->root, "verb")[0] == '\0' &&
                     strcmp(record_text(r->root, "origin"), "none") == 0;
    uint64_t t_us = export_time(r);

    if (!own_read && !told_late && s->client_us != 0 && s->client_us < t_us &&
        strcmp(record_text(r->root, "verb"), ".") != 0)
        t_us = s->client_us;
    s->client_us = t_us;
    return t_us;
}

static void take_command(struct export_session *s, const struct record *r)
{
    const char *verb = record_text(r->root, "verb"), *action = record_text(r->root, "action");
    bool added = strcmp(action, "added") == 0, rewritten = strcmp(action, "rewritten") == 0;
    bool relayed = strcmp(action, "relayed") == 0;
    uint64_t came_us = added ? export_time(r) : came_at(s, r);
    struct utterance u = { .t_us = came_us, .phase = PHASE_COMMAND };

    snprintf(u.remark, sizeof u.remark, "%s %s",
             strcmp(verb, ".") == 0 ? "the end of the mail data:"
             : verb[0] != '\0'      ? verb
                                    : "a line:",
             added ? "made by smtpscope" : action);
    remark_notes(&u, r);
    u.at = record_count(r->root, "at");
    u.placed = true;
    if (!added)
        say(s, r, "received", u);
    u.placed = false;
    u.t_us += record_count(r->root, "forward_us");
    u.phase = PHASE_FORWARDED;
    u.leg = SERVER;
    if (relayed || rewritten || added)
        say(s, r, relayed ? "received" : "forwarded", u);
    if (strcmp(verb, "BDAT") == 0 && !added)
        say_chunk(s, r, came_us, relayed || rewritten);
    say_reply(s, r, !added);
}

static void take_content(struct export_session *s, const struct record *r)
{
    const char *name = record_text(json_object_get(r->root, "spool"), "file");
    bool altered = record_flag(r->root, "altered");
    struct utterance u = { .kind = TALK_SAY,
                           .t_us = export_time(r),
                           .lasts_us = record_count(r->root, "us"),
                           .n = (uint32_t)r->n,
                           .placed = true,
                           .at = record_count(r->root, "at"),
                           .hole_count = 1,
                           .why = "of mail data are not kept" };

    u.holes[0].octets = record_count(r->root, "octets");
    if (strchr(name, '/') != NULL)
        name = ""; /* not a name that smtpscope gives */
    if (strcmp(record_text(r->root, "via"), "bdat") == 0) {
        fill_chunks(s, name, u.holes[0].octets);
        return;
    }
    snprintf(u.file, sizeof u.file, "%s", name);
    snprintf(u.remark, sizeof u.remark, "mail data");
    remark_notes(&u, r);
    export_add(s, &u);
    u.leg = SERVER;
    u.phase = PHASE_FORWARDED;
    u.placed = false;
    if (altered) {
        u.holes[0].octets = record_count(r->root, "octets_sent");
        u.file[0] = '\0';
    }
    if (!record_flag(r->root, "refused"))
        export_add(s, &u);
}

bool export_session_take(struct export_session *s, const struct record *r)
{
    switch (r->kind) {
    case RECORD_OPEN:
        export_open(s, r);
        break;
    case RECORD_CONNECT:
        export_connect(s, r);
        break;
    case RECORD_TLS:
        export_tls(s, r);
        break;
    case RECORD_GREETING:
        say_reply(s, r, true);
        break;
    case RECORD_COMMAND:
        take_command(s, r);
        break;
    case RECORD_CONTENT:
        take_content(s, r);
        break;
    case RECORD_OPAQUE:
        export_opaque(s, r);
        break;
    case RECORD_FINDING:
        export_finding(s, r);
        break;
    case RECORD_CLOSE:
        export_close(s, r);
        break;
    case RECORD_LOST:
    case RECORD_KIND_COUNT:
        break;
    }
    if (s->talk.memory > EXPORT_SESSION_MAX)
        export_session_flush(s);
    return !s->out_of_memory;
}
