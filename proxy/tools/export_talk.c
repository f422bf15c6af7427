#include "export_talk.h"

#include <stdlib.h>
#include <string.h>

bool talk_add(struct talk *t, const struct utterance *u)
{
    struct utterance *copy = malloc(sizeof *copy);

    if (copy != NULL && t->count == t->size) {
        size_t size = t->size == 0 ? 64 : 2 * t->size;
        struct utterance **list = reallocarray(t->list, size, sizeof *list);

        if (list != NULL) {
            t->list = list;
            t->size = size;
        }
    }
    if (copy == NULL || t->count == t->size) {
        free(u->octets);
        free(copy);
        return false;
    }
    *copy = *u;
    t->list[t->count++] = copy;
    t->memory += sizeof *copy + u->len;
    return true;
}

void talk_remark(struct utterance *u, const char *text)
{
    size_t used = strlen(u->remark);

    snprintf(u->remark + used, sizeof u->remark - used, "%s%s", used > 0 ? "\n" : "", text);
}

struct utterance *talk_find(const struct talk *t, uint32_t n, uint32_t phase, enum side leg)
{
    for (size_t i = t->count; i > 0; i--) {
        struct utterance *u = t->list[i - 1];
        if (u->n == n && u->phase == phase && u->leg == leg)
            return u;
    }
    return NULL;
}

static int by_time(const void *pa, const void *pb)
{
    const struct utterance *a = *(struct utterance *const *)pa;
    const struct utterance *b = *(struct utterance *const *)pb;

    if (a->t_us != b->t_us)
        return a->t_us < b->t_us ? -1 : 1;
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    return a->phase < b->phase ? -1 : a->phase > b->phase;
}

/* ---- into packets ----------------------------------------------------------------- */

/* Mail data from its file. Returns how many octets were there. */
static uint64_t say_file(struct leg *l, const struct utterance *u, const char *spool)
{
    char path[4096];
    unsigned char part[LEG_SEGMENT_MAX];
    uint64_t done = 0, all = u->holes[0].octets;

    snprintf(path, sizeof path, "%s/%s", spool, u->file);
    FILE *f = fopen(path, "rbe");
    if (f == NULL || fseeko(f, (off_t)u->file_at, SEEK_SET) != 0) {
        if (f != NULL)
            fclose(f);
        return 0;
    }
    while (done < all) {
        size_t want = all - done < sizeof part ? (size_t)(all - done) : sizeof part;
        size_t n = fread(part, 1, want, f);
        uint64_t t_us = u->t_us + (uint64_t)((double)u->lasts_us * (double)done / (double)all);

        if (n == 0)
            break;
        leg_say(l, u->from, t_us, span_of(part, n));
        done += n;
    }
    fclose(f);
    return done;
}

static void say(struct leg *l, const struct utterance *u, const char *spool)
{
    size_t done = 0;

    for (unsigned i = 0; i < u->hole_count; i++) {
        uint64_t missing = u->holes[i].octets;

        leg_say(l, u->from, u->t_us, span_of(u->octets + done, u->holes[i].at - done));
        done = u->holes[i].at;
        if (i == 0 && u->file[0] != '\0' && spool != NULL)
            missing -= say_file(l, u, spool);
        leg_skip(l, u->from, missing, u->why);
    }
    leg_say(l, u->from, u->t_us, span_of(u->octets + done, u->len - done));
}

static void put(struct leg *l, const struct utterance *u, const char *spool)
{
    if (u->kind == TALK_REFUSED) {
        leg_refused(l, u->t_us, u->remark);
        return;
    }
    if (u->kind != TALK_OPEN)
        leg_open(l, u->t_us);
    if (u->placed && u->at > l->octets[u->from])
        leg_skip(l, u->from, u->at - l->octets[u->from], "are not in the transcript");
    if (u->remark[0] != '\0')
        leg_remark(l, u->remark);
    switch (u->kind) {
    case TALK_OPEN:
        leg_open(l, u->t_us);
        break;
    case TALK_SAY:
        say(l, u, spool);
        break;
    case TALK_TELL:
        leg_tell(l, u->t_us);
        break;
    case TALK_REFUSED:
        break;
    }
}

static void empty(struct talk *t)
{
    for (size_t i = 0; i < t->count; i++) {
        free(t->list[i]->octets);
        free(t->list[i]);
    }
    t->count = 0;
    t->memory = 0;
}

void talk_flush(struct talk *t, struct leg legs[2], const char *spool)
{
    if (t->count > 0)
        qsort(t->list, t->count, sizeof *t->list, by_time);
    for (size_t i = 0; i < t->count; i++)
        put(&legs[t->list[i]->leg], t->list[i], spool);
    empty(t);
}

void talk_deinit(struct talk *t)
{
    empty(t);
    free(t->list);
    *t = (struct talk){ .list = NULL };
}
