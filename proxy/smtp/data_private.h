/*
 * data_private - what the files of data share: the machine, and the fast way past it.
 */
#ifndef SMTP_DATA_PRIVATE_H
#define SMTP_DATA_PRIVATE_H

#include "smtp/data.h"
#include "smtp/scan.h"

enum data_state {
    DATA_BOL,    /* after CRLF, or at the start */
    DATA_DOT,    /* "." at the start of a line: undecided */
    DATA_DOT_CR, /* the same with CR behind it: undecided */
    DATA_MID,
    DATA_CRS, /* a run of CR: its end is undecided */
    DATA_DONE,
};

/* The most that data_step() can append to the scratch: a run of CR becomes CRLFs. */
enum { DATA_STEP_OTHER = 8, DATA_STEP_MAX = 2 * DATA_CR_RUN_MAX + DATA_STEP_OTHER };

/* Octets to look at one by one before scanning again, where most of them are odd. */
enum { DATA_SLOW_OCTETS = 16 };

static inline size_t data_step_max(const struct data *d)
{
    size_t crs = d->cr_run < DATA_CR_RUN_MAX ? (size_t)d->cr_run : DATA_CR_RUN_MAX;

    return (d->state == DATA_CRS ? 2 * crs : 0) + DATA_STEP_OTHER;
}

/*
 * Takes one octet. What leaves for it, and for undecided octets before it, is appended
 * to the scratch; `rewrote` is set when that is not what came.
 */
void data_step(struct data *d, unsigned char b);

/* Octets taken and not yet counted, because nobody knows what they are. */
static inline size_t data_undecided(const struct data *d)
{
    if (d->state == DATA_CRS)
        return d->cr_run == 1;
    return d->state == DATA_DOT ? 1 : d->state == DATA_DOT_CR ? 2 : 0;
}

/* The machine is in a state in which clean octets leave as they came. */
static inline bool data_may_scan(const struct data *d)
{
    return (d->state == DATA_BOL || (d->state == DATA_MID && (!d->out_bol || d->refused))) &&
           d->look.state <= LOOK_LINE && d->look7.state <= LOOK_LINE && !d->lookalike_open;
}

struct scan_result data_scan(const struct data *d, struct span in);
/* Takes the octets that data_scan() found clean in the same span. */
void data_take_clean(struct data *d, struct span in, const struct scan_result *found);

/* Figures that both ways of counting share. */
void data_count_line(struct data *d);
void data_count_scanned(struct data *d, struct span in, const struct scan_result *found);

#endif
