#include "capture/fragment.h"

#include <stdlib.h>

enum { MICROSECONDS = 1000000 };

/* A part of a datagram that is there. */
struct piece {
    struct piece *next;
    uint32_t offset, len;
    unsigned char bytes[];
};

struct datagram {
    struct datagram *next;
    struct addr from, to;
    uint32_t id;
    uint8_t protocol;
    bool ended;    /* the last fragment is there: */
    uint32_t size; /* octets in all */
    uint32_t have;
    uint64_t since_us;
    struct piece *pieces;  /* by offset, without overlaps */
    size_t octets;         /* of memory */
    unsigned char *joined; /* once whole */
};

void fragments_init(struct fragments *f)
{
    *f = (struct fragments){ .first = NULL };
    f->last = &f->first;
}

static void datagram_free(struct datagram *d)
{
    struct piece *p;

    if (d == NULL)
        return;
    while ((p = d->pieces) != NULL) {
        d->pieces = p->next;
        free(p);
    }
    free(d->joined);
    free(d);
}

void fragments_deinit(struct fragments *f)
{
    struct datagram *d;

    while ((d = f->first) != NULL) {
        f->first = d->next;
        datagram_free(d);
    }
    datagram_free(f->given);
    fragments_init(f);
}

/* Takes it out of the list; the caller has it now. */
static struct datagram *unlink_at(struct fragments *f, struct datagram **at)
{
    struct datagram *d = *at;

    *at = d->next;
    if (*at == NULL)
        f->last = at;
    f->count--;
    f->octets -= d->octets;
    return d;
}

static void refuse_at(struct fragments *f, struct datagram **at)
{
    datagram_free(unlink_at(f, at));
    f->refused++;
}

static void forget_old(struct fragments *f, uint64_t now_us)
{
    while (f->first != NULL &&
           (f->octets > FRAGMENTS_OCTETS_MAX || f->count > FRAGMENTS_DATAGRAMS_MAX ||
            (now_us > f->first->since_us &&
             now_us - f->first->since_us > (uint64_t)FRAGMENTS_SECONDS * MICROSECONDS)))
        refuse_at(f, &f->first);
}

static bool belongs_to(const struct ip_packet *p, const struct datagram *d)
{
    return d->id == p->id && d->protocol == p->protocol && addr_equal_ip(&d->from, &p->from) &&
           addr_equal_ip(&d->to, &p->to);
}

/* The datagram of this fragment, new if need be; NULL: memory is out. */
static struct datagram **find(struct fragments *f, const struct ip_packet *p, uint64_t now_us)
{
    struct datagram **at = &f->first, *d;

    while (*at != NULL && !belongs_to(p, *at))
        at = &(*at)->next;
    if (*at != NULL)
        return at;
    d = malloc(sizeof *d);
    if (d == NULL)
        return NULL;
    *d = (struct datagram){ .from = p->from,
                            .to = p->to,
                            .id = p->id,
                            .protocol = p->protocol,
                            .since_us = now_us,
                            .octets = sizeof *d };
    f->octets += d->octets;
    f->count++;
    *f->last = d;
    f->last = &d->next;
    return at;
}

enum taken { TAKEN, TAKEN_BEFORE, REFUSED };

static enum taken add_piece(struct fragments *f, struct datagram *d, const struct ip_packet *p)
{
    struct piece **at = &d->pieces, *new;
    uint32_t begin = p->offset, end = begin + (uint32_t)p->payload.len;

    while (*at != NULL && (*at)->offset + (*at)->len <= begin)
        at = &(*at)->next;
    if (*at != NULL && (*at)->offset < end) {
        bool same = (*at)->offset == begin && (*at)->len == p->payload.len &&
                    memcmp((*at)->bytes, p->payload.ptr, p->payload.len) == 0;
        return same ? TAKEN_BEFORE : REFUSED;
    }
    new = malloc(sizeof *new + p->payload.len);
    if (new == NULL)
        return REFUSED;
    *new = (struct piece){ .next = *at, .offset = begin, .len = end - begin };
    memcpy(new->bytes, p->payload.ptr, p->payload.len);
    *at = new;
    d->have += new->len;
    d->octets += sizeof *new + new->len;
    f->octets += sizeof *new + new->len;
    return TAKEN;
}

/* The length is told once, by the last fragment; nothing may lie behind it. */
static bool is_sound(const struct datagram *d, const struct ip_packet *p)
{
    size_t end = p->offset + p->payload.len;

    if (p->cut > 0 || p->payload.len == 0 || end > FRAGMENTS_DATAGRAM_MAX)
        return false;
    if (p->more)
        return p->payload.len % 8 == 0 && (!d->ended || end <= d->size);
    return !d->ended || end == d->size;
}

static bool has_piece_behind(const struct datagram *d, size_t end)
{
    const struct piece *p = d->pieces;

    while (p != NULL && p->next != NULL)
        p = p->next;
    return p != NULL && p->offset + p->len > end;
}

static bool join(struct datagram *d)
{
    d->joined = malloc(d->size);
    if (d->joined == NULL)
        return false;
    for (const struct piece *p = d->pieces; p != NULL; p = p->next)
        memcpy(d->joined + p->offset, p->bytes, p->len);
    return true;
}

bool fragments_take(struct fragments *f, struct ip_packet *p, uint64_t now_us)
{
    struct datagram **at, *d;

    datagram_free(f->given);
    f->given = NULL;
    forget_old(f, now_us);
    at = find(f, p, now_us);
    if (at == NULL)
        return false;
    d = *at;
    if (!is_sound(d, p) || (!p->more && has_piece_behind(d, p->offset + p->payload.len)) ||
        add_piece(f, d, p) == REFUSED) {
        refuse_at(f, at);
        return false;
    }
    if (!p->more) {
        d->ended = true;
        d->size = p->offset + (uint32_t)p->payload.len;
    }
    if (!d->ended || d->have < d->size)
        return false;
    f->given = unlink_at(f, at);
    if (!join(d))
        return false;
    p->payload = span_of(d->joined, d->size);
    p->fragment = false;
    return true;
}
