#include "smtp/secrecy.h"

#include "smtp/reply.h"
#include "smtp/secret.h"
#include "smtp/secret_foreign.h"

void secrecy_init(struct secrecy *k)
{
    *k = (struct secrecy){ .alert = false };
    secret_memory_init(&k->memory);
}

void secrecy_free(struct secrecy *k)
{
    secret_memory_free(&k->memory);
}

static enum secret_mode mode_at(const struct secrecy *k, uint64_t at)
{
    return k->alert || at < k->calm_at ? SECRET_ALERT : SECRET_CALM;
}

static void remember(struct secrecy *k, struct span secret)
{
    if (secret.len > 0 && !secret_memory_add(&k->memory, secret))
        k->lost = true;
}

/* Of the line's own, the memory is all there is. */
static void begin_line(struct secrecy *k)
{
    if (!k->forget)
        return;
    secret_memory_free(&k->memory);
    k->forget = k->settled = k->lost = false;
}

static void take(struct secrecy *k, struct event *e, struct secret s)
{
    e->secret = s.octets;
    remember(k, s.octets);
    if (s.attempt) {
        k->alert = true;
        k->settled = false;
    }
}

void secrecy_line(struct secrecy *k, struct event *e, const struct command *c)
{
    begin_line(k);
    take(k, e, secret_find(c, secret_without_ending(e->received), mode_at(k, e->at)));
}

void secrecy_auth_line(struct secrecy *k, struct event *e)
{
    begin_line(k);
    take(k, e, (struct secret){ secret_without_ending(e->received), true });
}

void secrecy_cut_line(struct secrecy *k, struct event *e, bool auth, bool passed)
{
    if (auth) {
        secrecy_auth_line(k, e);
    } else {
        begin_line(k);
        take(k, e, secret_find_in_lines(e->received, mode_at(k, e->at)));
    }
    k->alert = true;
    k->lost = k->lost || (passed && e->secret.len > 0);
}

void secrecy_lines(struct secrecy *k, struct event *e)
{
    e->secret = secret_find_in_lines(e->received, mode_at(k, e->at)).octets;
}

void secrecy_foreign(struct secrecy *k, struct event *e)
{
    e->secret = secret_find_foreign(e->received, mode_at(k, e->at));
}

void secrecy_sample(struct secrecy *k, struct event *e, struct opaque_sample *sample)
{
    struct span client = span_of(sample->octets[CLIENT], sample->len[CLIENT]);
    struct span server = span_of(sample->octets[SERVER], sample->len[SERVER]);

    sample->secret[CLIENT] = secret_find_foreign(client, mode_at(k, e->at));
    sample->secret[SERVER] = secret_find_foreign(server, SECRET_CALM);
    remember(k, sample->secret[CLIENT]);
    if (sample->secret[CLIENT].len > 0 && e->opaque_octets[CLIENT] > client.len)
        k->lost = true;
    e->opaque_sample = sample;
}

void secrecy_peek(struct secrecy *k, struct span lines)
{
    struct span front = span_first(lines, SECRET_MEMORY_MAX);
    struct secret s = secret_find_in_lines(front, mode_at(k, UINT64_MAX));

    remember(k, s.octets);
    if (s.octets.len > 0 && front.len < lines.len)
        k->lost = true;
}

void secrecy_peek_ahead(struct secrecy *k, struct span lines, uint64_t at)
{
    enum secret_mode mode = mode_at(k, UINT64_MAX);

    if (k->ahead_len == lines.len && k->ahead_at == at && k->ahead_mode == mode)
        return;
    k->ahead_len = lines.len;
    k->ahead_at = at;
    k->ahead_mode = (uint8_t)mode;
    secrecy_peek(k, lines);
}

/* The client did not know of it when it sent what was received before. */
static void calm_down(struct secrecy *k, uint64_t received)
{
    if (k->alert)
        k->calm_at = received;
    k->alert = false;
}

/* RFC 4954 4; who does not know another 3yz goes by its first digit. */
static bool is_challenge(const struct event *e)
{
    struct span text = span_drop(e->reply, reply_blank_lines(e->reply));

    return span_starts_with(text, SPAN_LIT("334")) ||
           (e->verb == VERB_AUTH && e->code / 100 == 3);
}

void secrecy_reply(struct secrecy *k, const struct event *e, uint64_t received)
{
    bool ok = e->origin == ORIGIN_UPSTREAM && e->code / 100 == 2;

    if (is_challenge(e)) {
        k->alert = true;
        k->unsure = k->unsure || e->verb != VERB_AUTH;
        k->settled = false;
    } else if (ok && (e->verb == VERB_AUTH || e->verb == VERB_XCLIENT)) {
        k->settled = true;
        if (!k->unsure)
            calm_down(k, received);
    } else if (ok && e->verb == VERB_MAIL) {
        k->unsure = false;
        k->forget = k->settled;
        calm_down(k, received);
    }
}

void secrecy_tell(struct secrecy *k, struct event *e)
{
    e->secrecy = secret_memory_is_empty(&k->memory) && !k->lost ? NULL : k;
}

void secrecy_mark(struct secrecy *k, struct span reply, bool *marks)
{
    k->lost = k->lost || !secret_memory_find(&k->memory, reply, marks);
    if (k->lost)
        secret_memory_mark_all(reply, marks);
}
