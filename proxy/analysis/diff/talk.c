#include "analysis/diff/talk.h"

#include "analysis/diff/raw.h"
#include "analysis/diff/talk_content.h"

/* A view of the line as it is now, for later: the line goes with the next one. */
static struct span keep(struct scratch *mem, struct span s)
{
    unsigned char *p = s.len > 0 ? scratch_take(mem, s.len) : NULL;

    if (p == NULL)
        return (struct span){ NULL, 0 };
    memcpy(p, s.ptr, s.len);
    return span_of(p, s.len);
}

static void take_reads(struct unit *u, const struct fields *f)
{
    struct span item;
    struct raw r;

    if (!raw_open(&r, f->v[MEMBER_READS], RAW_LIST))
        return;
    while (raw_item(&r, &item)) {
        uint64_t at = raw_count(item);
        if (at == 0) {
            u->fresh = true;
        } else {
            u->read_at = u->reads == 0 ? (uint32_t)at : u->read_at;
            u->reads++;
        }
    }
}

static bool has_secret(const struct fields *f)
{
    return f->v[MEMBER_REDACTED].len > 0;
}

/* What passed between the two vantage points of this command. */
static bool take_line(struct unit *u, enum diff_vantage side, struct scratch *mem,
                      const struct fields *f)
{
    struct span action = fields_text(f, MEMBER_ACTION);
    enum text_redaction r = has_secret(f) ? REDACTION_SECRET : REDACTION_NONE;
    bool own = f->v[MEMBER_FORWARDED].len > 0,
         relayed = span_equal(action, SPAN_LIT("relayed"));

    u->added = span_equal(action, SPAN_LIT("added"));
    u->line_field = "received";
    if (side == NEAR && own) {
        u->passed = true;
        u->line_field = "forwarded";
        r = has_secret(f) || u->added ? REDACTION_SECRET : REDACTION_NONE;
        if (!text_read(&u->line, mem, f->v[MEMBER_FORWARDED], r, (struct span){ NULL, 0 }))
            return false;
        u->line_octets = u->line.s.len;
        return true;
    }
    u->passed = fields_text(f, MEMBER_RECEIVED).len > 0 && (side == FAR || relayed);
    if (!u->passed)
        return true;
    if (!text_read(&u->line, mem, f->v[MEMBER_RECEIVED], r, f->v[MEMBER_REDACTED]))
        return false;
    u->cut = f->v[MEMBER_RECEIVED_OCTETS].len > 0;
    u->line_octets = u->cut ? fields_count(f, MEMBER_RECEIVED_OCTETS) : u->line.s.len;
    return true;
}

static bool take_reply(struct unit *u, enum diff_vantage side, struct scratch *mem,
                       const struct fields *f)
{
    bool replied = side == FAR && f->v[MEMBER_REPLIED].len > 0;
    struct span reply = replied ? f->v[MEMBER_REPLIED] : f->v[MEMBER_REPLY];
    bool proxy = span_equal(fields_text(f, MEMBER_ORIGIN), SPAN_LIT("proxy"));

    u->reply_field = replied ? "replied" : "reply";
    if (raw_text(reply).len == 0 || (side == FAR && (u->added || (proxy && !replied))))
        return true;
    u->has_reply = true;
    u->code = (unsigned)fields_count(f, MEMBER_CODE);
    u->reply_us = fields_count(f, MEMBER_REPLY_US);
    return text_read(&u->reply, mem, reply,
                     has_secret(f) ? REDACTION_SECRET : REDACTION_MAILBOX,
                     (struct span){ NULL, 0 });
}

static bool take_command(struct talk *t, struct unit *u, struct scratch *mem,
                         const struct fields *f)
{
    u->kind = UNIT_COMMAND;
    u->verb = keep(mem, fields_text(f, MEMBER_VERB));
    u->stream = fields_count(f, MEMBER_AT);
    u->forward_us = fields_count(f, MEMBER_FORWARD_US);
    take_reads(u, f);
    if (!take_line(u, t->side, mem, f) || !take_reply(u, t->side, mem, f))
        return false;
    t->len += u->passed || u->has_reply;
    return true;
}

static bool take_greeting(struct talk *t, struct unit *u, struct scratch *mem,
                          const struct fields *f)
{
    u->kind = UNIT_GREETING;
    u->stream = fields_count(f, MEMBER_AT);
    if (!take_reply(u, t->side, mem, f))
        return false;
    t->len += u->has_reply;
    return true;
}

/* The leg between the two: NEAR's with its upstream, FAR's with its client. */
static void take_tls(struct talk *t, struct scratch *mem, const struct fields *f, uint32_t n)
{
    struct span side = fields_text(f, MEMBER_SIDE);
    bool through = span_equal(side, SPAN_LIT("through"));
    struct span leg = t->side == NEAR ? SPAN_LIT("server") : SPAN_LIT("client");
    struct tls_seen *s = &t->tls;

    if (!through && !span_equal(side, leg))
        return;
    *s = (struct tls_seen){ .there = true, .through = through, .n = n };
    s->ok = fields_flag(f, MEMBER_OK);
    s->version = keep(mem, fields_text(f, MEMBER_VERSION));
    s->cipher = keep(mem, fields_text(f, MEMBER_CIPHER));
    s->server_name = keep(mem, fields_text(f, MEMBER_SERVER_NAME));
    s->alpn = keep(mem, fields_text(f, MEMBER_ALPN));
    s->alpn_offered = keep(mem, fields_text(f, MEMBER_ALPN_OFFERED));
    if (!through && t->side == FAR)
        return; /* the certificate is the client's */
    struct span c = f->v[MEMBER_CERTIFICATE];
    s->certificate = keep(mem, raw_text(raw_find(c, "sha256")));
    s->issuer = keep(mem, raw_text(raw_find(c, "issuer")));
}

static void take_close(struct talk *t, struct scratch *mem, const struct fields *f,
                       uint64_t t_us, uint32_t n)
{
    struct span octets = f->v[MEMBER_OCTETS];
    bool near = t->side == NEAR;

    t->closed = true;
    t->close_n = n;
    t->close_us = t_us;
    t->close_reason = keep(mem, fields_text(f, MEMBER_REASON));
    t->close_first = keep(mem, fields_text(f, MEMBER_FIRST));
    t->close_how = keep(mem, fields_text(f, MEMBER_HOW));
    t->to_far = raw_count(raw_find(octets, near ? "server_out" : "client_in"));
    t->to_near = raw_count(raw_find(octets, near ? "server_in" : "client_out"));
}

static void take_opaque(struct talk *t, const struct fields *f, uint32_t n)
{
    t->opaque = true;
    t->opaque_n = n;
    t->opaque_client = raw_count(raw_find(f->v[MEMBER_OCTETS], "client"));
    t->opaque_server = raw_count(raw_find(f->v[MEMBER_OCTETS], "server"));
}

static void take_open(struct talk *t, struct scratch *mem, const struct fields *f, uint32_t n)
{
    t->open_n = n;
    t->observe = span_equal(fields_text(f, MEMBER_MODE), SPAN_LIT("observe"));
    t->syn[CLIENT] = keep(mem, raw_text(raw_find(f->v[MEMBER_SYN], "client")));
    t->syn[SERVER] = keep(mem, raw_text(raw_find(f->v[MEMBER_SYN], "server")));
}

/* False: no memory. */
static bool take_record(struct talk *t, struct scratch *mem, const struct fields *f)
{
    struct unit *u = &t->units[t->len];
    uint32_t n = (uint32_t)fields_count(f, MEMBER_N);
    uint64_t t_us = raw_time(f->v[MEMBER_T]);

    *u = (struct unit){ .n = n, .t_us = t_us };
    switch (fields_kind(f)) {
    case KIND_OPEN:
        take_open(t, mem, f, n);
        return true;
    case KIND_TLS:
        take_tls(t, mem, f, n);
        return true;
    case KIND_GREETING:
        return take_greeting(t, u, mem, f);
    case KIND_COMMAND:
        return take_command(t, u, mem, f);
    case KIND_CONTENT:
        t->len++;
        return content_facts_read(u, t->side, mem, f);
    case KIND_OPAQUE:
        take_opaque(t, f, n);
        return true;
    case KIND_CLOSE:
        take_close(t, mem, f, t_us, n);
        return true;
    default:
        return true;
    }
}

bool talk_read(struct talk *t, struct scratch *mem, const struct index *x,
               const struct entry *e, struct source *s)
{
    struct places p;
    struct fields f;
    struct span line;
    uint64_t offset, expected = 1;
    const char *why;

    *t = (struct talk){ .side = x->side, .missing = (e->flags & ENTRY_CUT) != 0 };
    t->units = scratch_take(mem, (e->records + 1u) * sizeof *t->units);
    if (t->units == NULL)
        return false;
    places_begin(&p, x, e);
    while (places_next(&p, &offset)) {
        if (!source_at(s, offset, &line) || !fields_parse(&f, line, &why) ||
            !take_record(t, mem, &f)) {
            t->missing = true;
            return false;
        }
        uint64_t n = fields_count(&f, MEMBER_N);
        t->missing = t->missing || n < expected;
        expected = n + 1;
    }
    return true;
}
