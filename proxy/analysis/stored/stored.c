#include "analysis/stored/stored_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct stored *stored_new(void)
{
    return calloc(1, sizeof(struct stored));
}

static void forget(struct stored *s)
{
    while (s->text_count > 0)
        free(s->texts[--s->text_count]);
}

void stored_free(struct stored **s)
{
    if (*s != NULL)
        forget(*s);
    free(*s);
    *s = NULL;
}

struct span stored_text(struct stored *s, const json_t *of, const char *name)
{
    size_t len;

    if (s->text_count == STORED_TEXTS_MAX || json_object_get(of, name) == NULL)
        return SPAN_LIT("");
    unsigned char *text = record_wire(of, name, &len);
    if (text == NULL) {
        s->failed = true;
        return SPAN_LIT("");
    }
    s->texts[s->text_count++] = text;
    return span_of(text, len);
}

int stored_word(const char *const *words, int count, const char *word, int otherwise)
{
    for (int i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return otherwise;
}

static int digits(const char *t, int count)
{
    int n = 0;

    while (count-- > 0)
        n = n * 10 + (*t++ - '0');
    return n;
}

/* 2026-11-23T09:00:00.000000Z, as the reader has checked. */
uint64_t stored_time(const char *t)
{
    struct tm tm = { .tm_year = digits(t, 4) - 1900,
                     .tm_mon = digits(t + 5, 2) - 1,
                     .tm_mday = digits(t + 8, 2),
                     .tm_hour = digits(t + 11, 2),
                     .tm_min = digits(t + 14, 2),
                     .tm_sec = digits(t + 17, 2) };
    time_t seconds = timegm(&tm);

    return seconds < 0 ? 0 : (uint64_t)seconds * 1000000 + (uint64_t)digits(t + 20, 6);
}

struct taker {
    enum record_kind record;
    enum view_kind kind;
    void (*take)(struct stored *s, const json_t *o);
};

static const struct taker takers[] = {
    { RECORD_OPEN, VIEW_OPEN, stored_take_open },
    { RECORD_CONNECT, VIEW_CONNECT, stored_take_connect },
    { RECORD_TLS, VIEW_TLS, stored_take_tls },
    { RECORD_GREETING, VIEW_GREETING, stored_take_greeting },
    { RECORD_COMMAND, VIEW_COMMAND, stored_take_command },
    { RECORD_CONTENT, VIEW_CONTENT, stored_take_content },
    { RECORD_OPAQUE, VIEW_OPAQUE, stored_take_opaque },
    { RECORD_CLOSE, VIEW_CLOSE, stored_take_close },
};

const struct record_view *stored_see(struct stored *s, const struct record *r)
{
    forget(s);
    s->failed = false;
    for (size_t i = 0; i < ARRAY_LEN(takers); i++) {
        const struct taker *t = &takers[i];
        if (t->record != r->kind)
            continue;
        s->seen = (struct record_view){ .kind = t->kind,
                                        .t_us = stored_time(r->t),
                                        .n = (uint32_t)r->n };
        s->event = (struct event){ .t_us = s->seen.t_us };
        t->take(s, r->root);
        return s->failed ? NULL : &s->seen;
    }
    return NULL;
}
