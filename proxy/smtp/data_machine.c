#include "smtp/data_private.h"

/* Faults. */

static enum policy_word word_of(const struct data *d, enum policy_rule rule)
{
    return policy_get(d->policy, rule);
}

static void refuse(struct data *d, enum note_id id)
{
    d->muted = true;
    d->rewrote = true;
    if (d->refused)
        return;
    d->refused = true;
    d->refused_by = (uint8_t)id;
}

/* Notes a fault; returns what policy wants done about it. */
static enum policy_word fault(struct data *d, enum note_id id, enum policy_rule rule,
                              uint64_t at)
{
    enum policy_word word = word_of(d, rule);

    notes_add(&d->notes, id, at);
    if (word == WORD_REJECT)
        refuse(d, id);
    return word;
}

static void altered(struct data *d, uint64_t at)
{
    d->rewrote = true;
    if (d->muted || d->stats.altered)
        return;
    d->stats.altered = true;
    d->stats.altered_at = at;
}

/* Output: the only place that writes, so this is where the invariants are kept. */

static void put_raw(struct data *d, unsigned char c)
{
    d->out_bol = false;
    if (!d->muted)
        d->scratch[d->scratch_len++] = c;
}

static void put(struct data *d, unsigned char c)
{
    if (d->out_bol && c == '.') {
        altered(d, d->stats.octets);
        put_raw(d, '.');
    }
    put_raw(d, c);
}

static void put_crlf(struct data *d)
{
    put_raw(d, '\r');
    put_raw(d, '\n');
    d->out_bol = true;
}

/* Figures. */

static void count(struct data *d, uint64_t octets)
{
    struct data_stats *s = &d->stats;

    if (d->line_octets <= TEXT_LINE_OCTETS && d->line_octets + octets > TEXT_LINE_OCTETS)
        notes_add(&d->notes, NOTE_DATA_LONG_LINE,
                  s->octets + (TEXT_LINE_OCTETS - d->line_octets));
    s->octets += octets;
    d->line_octets += octets;
}

void data_count_line(struct data *d)
{
    d->stats.lines++;
    if (d->line_octets > d->stats.longest_line)
        d->stats.longest_line = d->line_octets;
    d->line_octets = 0;
}

static void count_eight_bit(struct data_stats *s, uint64_t at)
{
    if (s->eight_bit++ == 0)
        s->eight_bit_at = at;
}

/* The machine: what each octet means in each state. */

static void take_bare_lf(struct data *d)
{
    enum policy_word word = fault(d, NOTE_DATA_BARE_LF, RULE_DATA_BARE_LF, d->stats.octets);

    if (word != WORD_PASS)
        altered(d, d->stats.octets);
    if (word == WORD_NORMALIZE)
        put_crlf(d);
    else
        put_raw(d, word == WORD_SPACE ? ' ' : '\n');
    d->stats.bare_lf++;
    count(d, 1);
    data_count_line(d);
}

static void take_nul(struct data *d)
{
    enum policy_word word = fault(d, NOTE_DATA_NUL, RULE_DATA_NUL, d->stats.octets);

    if (word == WORD_PASS)
        put_raw(d, '\0');
    else
        altered(d, d->stats.octets);
    d->stats.nul++;
    count(d, 1);
}

static void take_plain(struct data *d, unsigned char b)
{
    if (b == '.' && d->line_octets == 0)
        d->stats.leading_dots++;
    if (b >= 0x80)
        count_eight_bit(&d->stats, d->stats.octets);
    put(d, b);
    count(d, 1);
}

static void take_mid(struct data *d, unsigned char b)
{
    d->state = DATA_MID;
    if (b == '\r') {
        d->state = DATA_CRS;
        d->cr_run = 1;
    } else if (b == '\n') {
        take_bare_lf(d);
    } else if (b == '\0') {
        take_nul(d);
    } else {
        take_plain(d, b);
    }
}

/* The dot at the start of a line, once it is known not to end the data. */
static void take_dot(struct data *d, bool stuffed)
{
    d->stats.leading_dots++;
    if (!stuffed) {
        enum policy_word word =
            fault(d, NOTE_DATA_DOT_UNSTUFFED, RULE_DATA_DOT, d->stats.octets);
        /* The receiver would remove it (RFC 5321 4.5.2): the content is the same. */
        if (word == WORD_PASS)
            put_raw(d, '.');
        else
            altered(d, d->stats.octets);
    }
    d->stats.octets++;
}

static void take_cr(struct data *d)
{
    d->rewrote = true; /* counted at once, sent when the run is over */
    count(d, d->cr_run == 1 ? 2 : 1);
    if (++d->cr_run == DATA_CR_RUN_MAX + 1) {
        notes_add(&d->notes, NOTE_DATA_BARE_CR, d->stats.octets - d->cr_run);
        refuse(d, NOTE_DATA_BARE_CR);
    }
}

static void take_bare_crs(struct data *d)
{
    uint64_t at = d->stats.octets - (d->cr_run == 1 ? 0 : d->cr_run);
    enum policy_word word = word_of(d, RULE_DATA_BARE_CR);

    if (d->cr_run <= DATA_CR_RUN_MAX)
        fault(d, NOTE_DATA_BARE_CR, RULE_DATA_BARE_CR, at);
    if (word != WORD_PASS)
        altered(d, at);
    if (d->cr_run > 1)
        d->rewrote = true; /* the run was counted before */
    d->stats.bare_cr += d->cr_run;
    if (d->cr_run == 1)
        count(d, 1);
    for (uint64_t i = 0; i < d->cr_run && !d->muted; i++) {
        if (word == WORD_CRLF)
            put_crlf(d);
        else if (word == WORD_PASS)
            put_raw(d, '\r');
        else
            put(d, ' ');
    }
}

static void take_crs_lf(struct data *d)
{
    if (d->cr_run == 1) {
        count(d, 1);
        d->stats.crlf++;
    } else {
        uint64_t at = d->stats.octets - d->cr_run;
        enum policy_word word = fault(d, NOTE_DATA_CRCRLF, RULE_DATA_CRCRLF, at);
        d->rewrote = true; /* the run was counted before */
        if (word != WORD_PASS)
            altered(d, at);
        for (uint64_t i = 1; i < d->cr_run && word == WORD_PASS && !d->muted; i++)
            put_raw(d, '\r');
        d->stats.crcrlf++;
    }
    put_crlf(d);
    count(d, 1);
    data_count_line(d);
    d->state = DATA_BOL;
}

static void take_crs(struct data *d, unsigned char b)
{
    if (b == '\r') {
        take_cr(d);
    } else if (b == '\n') {
        take_crs_lf(d);
    } else {
        take_bare_crs(d);
        take_mid(d, b);
    }
}

static void take(struct data *d, unsigned char b)
{
    switch ((enum data_state)d->state) {
    case DATA_BOL:
        if (b == '.')
            d->state = DATA_DOT;
        else
            take_mid(d, b);
        break;
    case DATA_DOT:
        if (b == '\r') {
            d->state = DATA_DOT_CR;
            break;
        }
        take_dot(d, b == '.');
        if (b == '.') {
            put_raw(d, '.');
            put_raw(d, '.');
            count(d, 1);
            d->state = DATA_MID;
        } else {
            take_mid(d, b);
        }
        break;
    case DATA_DOT_CR:
        take_dot(d, false);
        d->state = DATA_CRS;
        d->cr_run = 1;
        take_crs(d, b);
        break;
    case DATA_MID:
        take_mid(d, b);
        break;
    case DATA_CRS:
        take_crs(d, b);
        break;
    case DATA_DONE:
        break;
    }
}

static void watch_silence(struct data *d, unsigned char b, bool hit)
{
    if (b != '\r' && b != '\n' && b != '\0')
        d->lookalike_open = false;
    else if (hit || (d->look.state == LOOK_CR && d->look.odd))
        d->lookalike_open = true;
}

void data_step(struct data *d, unsigned char b)
{
    uint64_t at = d->stats.octets + data_undecided(d);
    bool hit = lookalike_step(&d->look, b);
    bool hit7 = lookalike_step(&d->look7, b) && !hit;

    if (d->state == DATA_DOT_CR && b == '\n') {
        d->state = DATA_DONE;
        return;
    }
    d->muted = d->refused || (hit && word_of(d, RULE_DATA_EOD_LOOKALIKE) == WORD_REJECT) ||
               (hit7 && word_of(d, RULE_DATA_EOD_HIGHBIT) == WORD_REJECT);
    take(d, b);
    if (hit)
        fault(d, NOTE_DATA_EOD_LOOKALIKE, RULE_DATA_EOD_LOOKALIKE, at);
    else if (hit7)
        fault(d, NOTE_DATA_EOD_HIGHBIT, RULE_DATA_EOD_HIGHBIT, at);
    watch_silence(d, b, hit);
}
