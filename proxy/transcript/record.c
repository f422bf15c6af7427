#include "transcript/record.h"

#include "transcript/content.h"
#include "transcript/record_writer.h"

#include <assert.h>

void recorder_init(struct recorder *r, struct stream *stream, uint64_t t_us)
{
    uint8_t sid[SID_OCTETS];

    *r = (struct recorder){ .stream = stream };
    sid_next(&stream->ids, t_us, sid);
    sid_format(sid, r->sid);
}

void recorder_sid(const struct recorder *r, char out[27])
{
    memcpy(out, r->sid, sizeof r->sid);
}

const struct writer_config *recorder_config(const struct recorder *r)
{
    return stream_is_on(r->stream) ? r->stream->config : NULL;
}

static void put_proxy(struct json *j, const struct record_open *info)
{
    if (info->proxy_version == 0)
        return;
    PUT_OBJECT(j, open_proxy);
    PUT_FIRST(j, proxy_version);
    json_u64(j, info->proxy_version);
    PUT_TEXT(j, proxy_command, info->proxy_local ? SPAN_LIT("local") : SPAN_LIT("proxy"));
    PUT_TEXT_IF(j, proxy_peer, info->proxy_peer);
    *j->p++ = '}';
}

static void put_syn(struct json *j, const struct record_open *info)
{
    if (info->syn[CLIENT].len + info->syn[SERVER].len == 0)
        return;
    PUT_OBJECT(j, open_syn);
    PUT_NEXT_TEXT_IF(j, syn_client, info->syn[CLIENT]);
    PUT_NEXT_TEXT_IF(j, syn_server, info->syn[SERVER]);
    *j->p++ = '}';
}

void record_open(struct recorder *r, const struct record_open *info)
{
    struct json j;
    size_t octets = info->listener.len + info->mode.len + info->client.len + info->server.len +
                    info->original.len + info->proxy_peer.len + info->syn[CLIENT].len +
                    info->syn[SERVER].len;

    if (!stream_is_on(r->stream) || !record_begin(&j, r, RECORD_OPEN, info->t_us, octets))
        return;
    PUT_TEXT_IF(&j, open_listener, info->listener);
    PUT_TEXT_IF(&j, open_mode, info->mode);
    PUT_TEXT_IF(&j, open_client, info->client);
    PUT_TEXT_IF(&j, open_server, info->server);
    PUT_TEXT_IF(&j, open_original, info->original);
    put_proxy(&j, info);
    if (info->above_per_client)
        PUT_BOOL(&j, open_above_per_client, true);
    put_syn(&j, info);
    record_end(&j, r);
}

void record_connect(struct recorder *r, const struct record_connect *info)
{
    struct json j;
    struct span error = span_str(info->error != NULL ? info->error : "");

    if (!stream_is_on(r->stream) ||
        !record_begin(&j, r, RECORD_CONNECT, info->t_us,
                      info->upstream.len + info->local.len + error.len))
        return;
    PUT_TEXT_IF(&j, connect_upstream, info->upstream);
    PUT_TEXT_IF(&j, connect_local, info->local);
    PUT_U64(&j, connect_us, info->us);
    PUT_TEXT_IF(&j, connect_error, error);
    record_end(&j, r);
}

/* Postfix's form: "good", or "good/all" when they differ. */
static void put_tally(struct json *j, const char *name, uint32_t good, uint32_t all)
{
    *j->p++ = '"';
    json_raw(j, name, strlen(name));
    JSON_LIT(j, "\":\"");
    json_u64(j, good);
    if (good != all) {
        *j->p++ = '/';
        json_u64(j, all);
    }
    *j->p++ = '"';
}

static void put_commands(struct json *j, const struct record_close *info)
{
    bool first = true;

    if (info->good == NULL || info->all == NULL)
        return;
    PUT_OBJECT(j, close_commands);
    for (unsigned i = 0; i < TALLY_COUNT; i++) {
        if (info->all[i] == 0)
            continue;
        if (!first)
            *j->p++ = ',';
        first = false;
        put_tally(j, verb_tally_name(i), info->good[i], info->all[i]);
    }
    *j->p++ = '}';
}

static void put_tcp_leg(struct json *j, const struct record_tcp *t)
{
    *j->p++ = '{';
    PUT_FIRST(j, leg_rtt_us);
    json_u64(j, t->rtt_us);
    PUT_U64(j, leg_retransmits, t->retransmits);
    PUT_U64(j, leg_unacked, t->unacked);
    PUT_U64(j, leg_pmtu, t->pmtu);
    PUT_U64(j, leg_acked, t->acked);
    PUT_U64(j, leg_received, t->received);
    *j->p++ = '}';
}

static void put_tcp(struct json *j, const struct record_close *info)
{
    const struct record_tcp *client = &info->tcp[CLIENT], *server = &info->tcp[SERVER];

    if (!client->valid && !server->valid)
        return;
    PUT_OBJECT(j, close_tcp);
    if (client->valid) {
        PUT_NEXT(j, legs_client);
        put_tcp_leg(j, client);
    }
    if (server->valid) {
        PUT_NEXT(j, legs_server);
        put_tcp_leg(j, server);
    }
    *j->p++ = '}';
}

static struct span first_name(int side)
{
    return side == CLIENT   ? SPAN_LIT("client")
           : side == SERVER ? SPAN_LIT("server")
           : side == -1     ? SPAN_LIT("proxy")
                            : SPAN_LIT("nobody");
}

static struct span how_name(enum close_kind how)
{
    switch (how) {
    case END_FIN:
        return SPAN_LIT("fin");
    case END_RESET:
        return SPAN_LIT("reset");
    case END_TIMEOUT:
        return SPAN_LIT("timeout");
    case END_NONE:
        break;
    }
    return SPAN_LIT("none");
}

static void put_close(struct json *j, const struct record_close *info)
{
    PUT_TEXT(j, close_reason, span_str(close_name(info->reason)));
    PUT_TEXT(j, close_text, span_str(close_text(info->reason)));
    PUT_BOOL(j, close_error, close_is_error(info->reason));
    PUT_TEXT(j, close_first, first_name(info->first));
    PUT_TEXT(j, close_how, how_name(info->how));
    if (info->first >= 0)
        PUT_U64(j, close_first_us, info->first_us);
    PUT_OBJECT(j, close_octets);
    PUT_FIRST(j, octets_client_in);
    json_u64(j, info->octets_in[CLIENT]);
    PUT_U64(j, octets_client_out, info->octets_out[CLIENT]);
    PUT_U64(j, octets_server_in, info->octets_in[SERVER]);
    PUT_U64(j, octets_server_out, info->octets_out[SERVER]);
    *j->p++ = '}';
    PUT_U64(j, close_us, info->us);
    put_commands(j, info);
    put_tcp(j, info);
}

void record_close(struct recorder *r, const struct record_close *info)
{
    struct json j;

    record_content_end(r);
    if (!stream_is_on(r->stream) || !record_begin(&j, r, RECORD_CLOSE, info->t_us, 0))
        return;
    put_close(&j, info);
    PUT_U64_IF(&j, close_findings, r->findings);
    record_end(&j, r);
}
