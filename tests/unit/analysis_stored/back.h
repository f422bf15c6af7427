/*
 * back - transcripts read back by the tests: what was found, one line for each finding.
 */
#ifndef UNIT_ANALYSIS_STORED_BACK_H
#define UNIT_ANALYSIS_STORED_BACK_H

#include "unit/analysis/play.h"

#include "analysis/stored/stored.h"

enum { TOLD_MAX = 200 };

struct told {
    char line[TOLD_MAX][900];
    unsigned count;
};

static inline void tell(struct told *t, const char *sid, const struct finding *f)
{
    char bytes[2 * FINDING_BYTES_MAX + 1] = "";

    assert_true(t->count < TOLD_MAX);
    for (size_t i = 0; i < f->bytes.len; i++)
        snprintf(bytes + 2 * i, 3, "%02x", f->bytes.ptr[i]);
    snprintf(t->line[t->count++], sizeof t->line[0],
             "%s %s %s %d %d %d %u %s %llu %s [%s] %s %s %s", sid, f->id, f->name,
             (int)f->severity, (int)f->confidence, (int)f->side, f->record,
             f->field != NULL ? f->field : "-", (unsigned long long)f->at, bytes, f->text,
             f->next_test, f->products[0] != NULL ? f->products[0] : "-",
             f->products[0] != NULL && f->products[1] != NULL ? f->products[1] : "-");
}

struct back {
    struct told told;
    unsigned recorded;
};

static inline void back_found(void *arg, const struct stored_finding *f)
{
    struct back *b = arg;

    assert_int_equal(strlen(f->sid), 26);
    assert_int_equal(strlen(f->t), 27);
    assert_string_equal(f->vantage, "here \"1\"");
    tell(&b->told, f->sid, f->finding);
    b->recorded += f->recorded;
}

static inline struct catalogue *load(void)
{
    char error[512];
    struct catalogue *c = catalogue_load(CATALOGUE, error, sizeof error);

    if (c == NULL)
        fail_msg("%s", error);
    return c;
}

static inline void see_line(struct stored_detect *d, const char *line, size_t len)
{
    char error[READER_ERROR_MAX];
    struct record r;

    if (!record_parse(span_of(line, len), &r, error))
        fail_msg("%s: %.*s", error, (int)len, line);
    stored_detect_see(d, &r);
    record_free(&r);
}

static inline void read_back(const char *text, struct back *b)
{
    struct catalogue *c = load();
    struct stored_detect *d = stored_detect_new(c, back_found, b);

    assert_non_null(d);
    for (const char *lf; (lf = strchr(text, '\n')) != NULL; text = lf + 1)
        see_line(d, text, (size_t)(lf - text));
    stored_detect_free(&d);
    catalogue_free(&c);
}

#endif
