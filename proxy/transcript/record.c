#include "transcript/record.h"

#include "transcript/content.h"
#include "transcript/draft.h"

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

static void put_proxy(struct json *j, const struct record_open *info)
{
    if (info->proxy_version == 0)
        return;
    JSON_LIT(j, ",\"proxy\":{\"version\":");
    json_u64(j, info->proxy_version);
    JSON_TEXT(j, "command", info->proxy_local ? SPAN_LIT("local") : SPAN_LIT("proxy"));
    DRAFT_TEXT(j, "peer", info->proxy_peer);
    *j->p++ = '}';
}

static void put_syn(struct json *j, const struct record_open *info)
{
    const char *comma = "";

    if (info->syn[CLIENT].len + info->syn[SERVER].len == 0)
        return;
    JSON_LIT(j, ",\"syn\":{");
    for (int side = CLIENT; side <= SERVER; side++) {
        if (info->syn[side].len == 0)
            continue;
        json_raw(j, comma, strlen(comma));
        json_text(j, side == CLIENT ? SPAN_LIT("client") : SPAN_LIT("server"));
        *j->p++ = ':';
        json_text(j, info->syn[side]);
        comma = ",";
    }
    *j->p++ = '}';
}

void record_open(struct recorder *r, const struct record_open *info)
{
    struct json j;
    size_t octets = info->listener.len + info->mode.len + info->client.len + info->server.len +
                    info->original.len + info->proxy_peer.len + info->syn[CLIENT].len +
                    info->syn[SERVER].len;

    if (!stream_is_on(r->stream) || !draft_begin(&j, r, SPAN_LIT("open"), info->t_us, octets))
        return;
    DRAFT_TEXT(&j, "listener", info->listener);
    DRAFT_TEXT(&j, "mode", info->mode);
    DRAFT_TEXT(&j, "client", info->client);
    DRAFT_TEXT(&j, "server", info->server);
    DRAFT_TEXT(&j, "original", info->original);
    put_proxy(&j, info);
    if (info->above_per_client)
        JSON_BOOL(&j, "above_per_client", true);
    put_syn(&j, info);
    draft_end(&j, r);
}

void record_connect(struct recorder *r, const struct record_connect *info)
{
    struct json j;
    struct span error = span_str(info->error != NULL ? info->error : "");

    if (!stream_is_on(r->stream) ||
        !draft_begin(&j, r, SPAN_LIT("connect"), info->t_us,
                     info->upstream.len + info->local.len + error.len))
        return;
    DRAFT_TEXT(&j, "upstream", info->upstream);
    DRAFT_TEXT(&j, "local", info->local);
    JSON_U64(&j, "us", info->us);
    DRAFT_TEXT(&j, "error", error);
    draft_end(&j, r);
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
    JSON_LIT(j, ",\"commands\":{");
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
    JSON_LIT(j, ":{\"rtt_us\":");
    json_u64(j, t->rtt_us);
    JSON_U64(j, "retransmits", t->retransmits);
    JSON_U64(j, "unacked", t->unacked);
    JSON_U64(j, "pmtu", t->pmtu);
    JSON_U64(j, "acked", t->acked);
    JSON_U64(j, "received", t->received);
    *j->p++ = '}';
}

static void put_tcp(struct json *j, const struct record_close *info)
{
    const struct record_tcp *client = &info->tcp[CLIENT], *server = &info->tcp[SERVER];

    if (!client->valid && !server->valid)
        return;
    JSON_LIT(j, ",\"tcp\":{");
    if (client->valid) {
        JSON_LIT(j, "\"client\"");
        put_tcp_leg(j, client);
    }
    if (client->valid && server->valid)
        *j->p++ = ',';
    if (server->valid) {
        JSON_LIT(j, "\"server\"");
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
    JSON_TEXT(j, "reason", span_str(close_name(info->reason)));
    JSON_TEXT(j, "text", span_str(close_text(info->reason)));
    JSON_BOOL(j, "error", close_is_error(info->reason));
    JSON_TEXT(j, "first", first_name(info->first));
    JSON_TEXT(j, "how", how_name(info->how));
    if (info->first >= 0)
        JSON_U64(j, "first_us", info->first_us);
    JSON_LIT(j, ",\"octets\":{\"client_in\":");
    json_u64(j, info->octets_in[CLIENT]);
    JSON_U64(j, "client_out", info->octets_out[CLIENT]);
    JSON_U64(j, "server_in", info->octets_in[SERVER]);
    JSON_U64(j, "server_out", info->octets_out[SERVER]);
    *j->p++ = '}';
    JSON_U64(j, "us", info->us);
    put_commands(j, info);
    put_tcp(j, info);
}

void record_close(struct recorder *r, const struct record_close *info)
{
    struct json j;

    record_content_end(r);
    if (!stream_is_on(r->stream) || !draft_begin(&j, r, SPAN_LIT("close"), info->t_us, 0))
        return;
    put_close(&j, info);
    draft_end(&j, r);
}
