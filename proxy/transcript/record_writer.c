#include "transcript/record_writer.h"

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

/* What every record of a kind begins with, up to its time. */
static const struct {
    const char *ptr;
    size_t len;
} begins[RECORD_KIND_COUNT] = {
#define BEGIN(id)            "{\"v\":1,\"kind\":\"" #id "\",\"t\":\""
#define RECORD(id, ID, text) [RECORD_##ID] = { BEGIN(id), sizeof BEGIN(id) - 1 },
#define OBJECT(id, text)
#define FIELD(of, key, type, need, text)
#include "transcript/records.def"
};

void record_begin_head(struct json *j, struct stream *s, const struct record_head *h)
{
    json_raw(j, begins[h->kind].ptr, begins[h->kind].len);
    put_time(j, s, h->t_us);
    *j->p++ = '"';
    PUT_KEY(j, head_sid);
    *j->p++ = '"';
    json_raw(j, h->sid, SID_TEXT);
    *j->p++ = '"';
    PUT_U64(j, head_n, h->n);
    json_raw(j, s->vantage, s->vantage_len);
}

bool record_begin(struct json *j, struct recorder *r, enum record_kind kind, uint64_t t_us,
                  size_t octets)
{
    struct record_head head = { kind, r->sid, t_us, ++r->n };
    struct stream *s = r->stream;

    size_t room = octets * JSON_OCTET_MAX + RECORD_FIXED + s->vantage_len;

    *j = (struct json){ .p = stream_reserve(s, room) };
    if (j->p == NULL)
        return false;
    j->end = j->p + room;
    record_begin_head(j, s, &head);
    return true;
}

void record_end(struct json *j, struct recorder *r)
{
    JSON_LIT(j, "}\n");
    if (j->full)
        stream_drop(r->stream);
    else
        stream_commit(r->stream, j->p);
}

void put_notes(struct json *j, const struct notes *n)
{
    if (n->len == 0)
        return;
    JSON_LIT(j, ",\"notes\":["); /* of every kind alike */
    for (unsigned i = 0; i < n->len; i++) {
        const struct note *one = &n->list[i];
        if (i > 0)
            *j->p++ = ',';
        *j->p++ = '{';
        PUT_FIRST(j, note_id);
        json_text(j, span_str(note_name((enum note_id)one->id)));
        PUT_U64(j, note_at, one->at);
        PUT_U64(j, note_count, one->count);
        *j->p++ = '}';
    }
    *j->p++ = ']';
}
