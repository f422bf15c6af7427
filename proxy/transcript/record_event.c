#include "transcript/record_writer.h"
#include "transcript/redact.h"

static struct span action_name(enum disposition a)
{
    switch (a) {
    case DISPOSITION_RELAYED:
        return SPAN_LIT("relayed");
    case DISPOSITION_REWRITTEN:
        return SPAN_LIT("rewritten");
    case DISPOSITION_REFUSED:
        return SPAN_LIT("refused");
    case DISPOSITION_STRIPPED:
        return SPAN_LIT("stripped");
    case DISPOSITION_ADDED:
        return SPAN_LIT("added");
    case DISPOSITION_SWALLOWED:
        break;
    }
    return SPAN_LIT("swallowed");
}

static struct span origin_name(enum origin o)
{
    switch (o) {
    case ORIGIN_UPSTREAM:
        return SPAN_LIT("upstream");
    case ORIGIN_PROXY:
        return SPAN_LIT("proxy");
    case ORIGIN_NONE:
        break;
    }
    return SPAN_LIT("none");
}

static void put_reply(struct json *j, const struct event *e, enum redact_level level)
{
    struct cuts cuts;

    PUT_TEXT(j, reply_origin, origin_name(e->origin));
    if (e->reply.len > 0) {
        redact_reply(&cuts, e, level, e->reply);
        PUT_KEY(j, reply_reply);
        redact_text(j, &cuts, e->reply, 0);
    }
    if (e->replied.len > 0) {
        redact_reply(&cuts, e, level, e->replied);
        PUT_KEY(j, reply_replied);
        redact_text(j, &cuts, e->replied, 0);
    }
    PUT_U64_IF(j, reply_code, e->code);
    PUT_TEXT_IF(j, reply_enhanced, e->enhanced);
    if (e->origin != ORIGIN_NONE)
        PUT_U64(j, reply_reply_us, e->reply_us);
}

static void put_cuts(struct json *j, const struct cuts *c)
{
    if (c->len == 0)
        return;
    PUT_LIST(j, command_redacted);
    for (unsigned i = 0; i < c->len; i++) {
        if (i > 0)
            *j->p++ = ',';
        *j->p++ = '{';
        PUT_FIRST(j, cut_at);
        json_u64(j, c->list[i].at);
        PUT_U64(j, cut_octets, c->list[i].octets);
        *j->p++ = '}';
    }
    *j->p++ = ']';
}

static void put_reads(struct json *j, const struct event *e)
{
    if (e->reads_len == 0)
        return;
    PUT_LIST(j, command_reads);
    for (unsigned i = 0; i < e->reads_len; i++) {
        if (i > 0)
            *j->p++ = ',';
        json_u64(j, e->reads[i]);
    }
    *j->p++ = ']';
    if (e->reads_more)
        PUT_BOOL(j, command_reads_more, true);
}

static void put_lines(struct json *j, const struct event *e, enum redact_level level)
{
    struct cuts cuts, forwarded;

    redact_line(&cuts, e, level, e->received);
    if (e->arg.len > 0 && e->received.len > 0) {
        PUT_KEY(j, command_arg);
        redact_text(j, &cuts, e->arg, (size_t)(e->arg.ptr - e->received.ptr));
    }
    PUT_U64(j, command_at, e->at);
    PUT_KEY(j, command_received);
    redact_text(j, &cuts, e->received, 0);
    if (e->received_octets > e->received.len)
        PUT_U64(j, command_received_octets, e->received_octets);
    if (e->disposition == DISPOSITION_REWRITTEN || e->disposition == DISPOSITION_ADDED) {
        redact_line(&forwarded, e, level, e->forwarded);
        PUT_KEY(j, command_forwarded);
        redact_text(j, &forwarded, e->forwarded, 0);
    }
    put_cuts(j, &cuts);
}

static void record_command(struct recorder *r, const struct event *e)
{
    enum redact_level level = r->stream->config->redact;
    size_t octets = e->arg.len + e->received.len + e->forwarded.len + e->reply.len +
                    e->replied.len + e->enhanced.len;
    struct json j;

    if (!record_begin(&j, r, RECORD_COMMAND, e->t_us, octets))
        return;
    PUT_TEXT(&j, command_verb, span_str(verb_name(e->verb)));
    put_lines(&j, e, level);
    put_reads(&j, e);
    PUT_TEXT(&j, command_action, action_name(e->disposition));
    PUT_U64_IF(&j, command_forward_us, e->forwarded_us);
    put_reply(&j, e, level);
    if (e->auth_line)
        PUT_BOOL(&j, command_auth_line, true);
    put_notes(&j, &e->notes);
    record_end(&j, r);
}

static void record_greeting(struct recorder *r, const struct event *e)
{
    struct json j;

    if (!record_begin(&j, r, RECORD_GREETING, e->t_us,
                      e->reply.len + e->replied.len + e->enhanced.len))
        return;
    PUT_U64(&j, greeting_at, e->at);
    put_reply(&j, e, r->stream->config->redact);
    put_notes(&j, &e->notes);
    record_end(&j, r);
}

static void put_sample(struct json *j, const struct event *e, enum redact_level level)
{
    const struct opaque_sample *sample = e->opaque_sample;
    struct cuts cuts;

    PUT_OBJECT(j, opaque_sample);
    PUT_FIRST(j, sample_client);
    redact_sample(&cuts, e, level, CLIENT);
    redact_text(j, &cuts, span_of(sample->octets[CLIENT], sample->len[CLIENT]), 0);
    PUT_KEY(j, sample_server);
    redact_sample(&cuts, e, level, SERVER);
    redact_text(j, &cuts, span_of(sample->octets[SERVER], sample->len[SERVER]), 0);
    *j->p++ = '}';
}

static void put_both(struct json *j, const uint64_t octets[2])
{
    *j->p++ = '{';
    PUT_FIRST(j, both_client);
    json_u64(j, octets[CLIENT]);
    PUT_U64(j, both_server, octets[SERVER]);
    *j->p++ = '}';
}

static void record_opaque(struct recorder *r, const struct event *e)
{
    struct span why = span_str(e->opaque_why != NULL ? e->opaque_why : "");
    size_t sample = e->opaque_sample != NULL ? sizeof e->opaque_sample->octets : 0;
    struct json j;

    if (!record_begin(&j, r, RECORD_OPAQUE, e->t_us, why.len + sample))
        return;
    PUT_TEXT_IF(&j, opaque_why, why);
    PUT_KEY(&j, opaque_octets);
    put_both(&j, e->opaque_octets);
    if (e->opaque_missing[CLIENT] != 0 || e->opaque_missing[SERVER] != 0) {
        PUT_KEY(&j, opaque_missing);
        put_both(&j, e->opaque_missing);
    }
    if (sample > 0)
        put_sample(&j, e, r->stream->config->redact);
    put_notes(&j, &e->notes);
    record_end(&j, r);
}

static void record_content_alone(struct recorder *r, const struct event *e)
{
    struct buf headers;

    record_content_event(r, e, &headers);
    buf_release(&headers);
}

void record_event(struct recorder *r, const struct event *e)
{
    if (!stream_is_on(r->stream) && e->kind != EVENT_CONTENT)
        return;
    switch (e->kind) {
    case EVENT_GREETING:
        record_greeting(r, e);
        break;
    case EVENT_COMMAND:
        record_command(r, e);
        break;
    case EVENT_CONTENT:
        record_content_alone(r, e);
        break;
    case EVENT_TLS:
        record_tls_event(r, e);
        break;
    case EVENT_OPAQUE:
        record_opaque(r, e);
        break;
    }
}
