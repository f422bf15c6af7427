#include "transcript/draft.h"

static void put_time(struct json *j, struct stream *s, uint64_t t_us)
{
    uint64_t second = t_us / 1000000;

    if (second != s->second) {
        json_second(s->second_text, second);
        s->second = second;
    }
    json_raw(j, s->second_text, JSON_SECOND_LEN);
    *j->p++ = '.';
    json_microseconds(j, (uint32_t)(t_us % 1000000));
}

void draft_head(struct json *j, struct stream *s, const struct draft_head *h)
{
    JSON_LIT(j, "{\"v\":1,\"kind\":\"");
    json_raw(j, h->kind.ptr, h->kind.len);
    JSON_LIT(j, "\",\"t\":\"");
    put_time(j, s, h->t_us);
    JSON_LIT(j, "\",\"sid\":\"");
    json_raw(j, h->sid, SID_TEXT);
    JSON_LIT(j, "\",\"n\":");
    json_u64(j, h->n);
    json_raw(j, s->vantage, s->vantage_len);
}

bool draft_begin(struct json *j, struct recorder *r, struct span kind, uint64_t t_us,
                 size_t octets)
{
    struct draft_head head = { kind, r->sid, t_us, ++r->n };
    struct stream *s = r->stream;

    size_t room = octets * JSON_OCTET_MAX + DRAFT_FIXED + s->vantage_len;

    *j = (struct json){ .p = stream_reserve(s, room) };
    if (j->p == NULL)
        return false;
    j->end = j->p + room;
    draft_head(j, s, &head);
    return true;
}

void draft_end(struct json *j, struct recorder *r)
{
    JSON_LIT(j, "}\n");
    if (j->full)
        stream_drop(r->stream);
    else
        stream_commit(r->stream, j->p);
}

void draft_notes(struct json *j, const struct notes *n)
{
    if (n->len == 0)
        return;
    JSON_LIT(j, ",\"notes\":[");
    for (unsigned i = 0; i < n->len; i++) {
        const struct note *one = &n->list[i];
        if (i > 0)
            *j->p++ = ',';
        JSON_LIT(j, "{\"id\":\"");
        json_raw(j, note_name((enum note_id)one->id), strlen(note_name((enum note_id)one->id)));
        *j->p++ = '"';
        JSON_U64(j, "at", one->at);
        JSON_U64(j, "count", one->count);
        *j->p++ = '}';
    }
    *j->p++ = ']';
}
