/* stored_private - the parts of a record, one function for each: stored*.c only. */
#ifndef ANALYSIS_STORED_STORED_PRIVATE_H
#define ANALYSIS_STORED_STORED_PRIVATE_H

#include "analysis/stored/stored.h"

enum { STORED_TEXTS_MAX = 8 };

struct stored {
    struct record_view seen;
    struct event event;
    struct data data;
    uint64_t read_at[DATA_READS_MAX];
    struct record_open open;
    struct record_connect connect;
    struct tls_facts tls;
    struct dkim_verdict dkim;
    struct record_close close;
    unsigned char *texts[STORED_TEXTS_MAX]; /* decoded, of this record */
    unsigned text_count;
    bool failed; /* memory is out */
};

/* The octets of a text of the record, kept until the next record; empty when absent. */
struct span stored_text(struct stored *s, const json_t *of, const char *name);
/* Index of the word in the list; `otherwise` when it is not there. */
int stored_word(const char *const *words, int count, const char *word, int otherwise);
uint64_t stored_time(const char *t);

/* stored_event.c */
void stored_take_greeting(struct stored *s, const json_t *o);
void stored_take_command(struct stored *s, const json_t *o);
void stored_take_content(struct stored *s, const json_t *o);
void stored_take_opaque(struct stored *s, const json_t *o);
/* stored_facts.c */
void stored_take_open(struct stored *s, const json_t *o);
void stored_take_connect(struct stored *s, const json_t *o);
void stored_take_tls(struct stored *s, const json_t *o);
void stored_take_close(struct stored *s, const json_t *o);

#endif
