#include "smtp/data.h"

#include "smtp/data_private.h"

enum {
    SHORT_STRETCH = 256, /* clean octets between rewritten ones that are rather copied */
    END_OCTETS = 3,      /* "." CR LF */
};

_Static_assert((int)DATA_SCRATCH >= DATA_STEP_MAX, "an octet may make more than can be kept");

/* The undecided octets themselves; static. */
static struct span undecided_octets(const struct data *d)
{
    struct span all = d->state == DATA_CRS ? SPAN_LIT("\r") : SPAN_LIT(".\r");

    return span_first(all, data_undecided(d));
}

void data_init(struct data *d, const struct policy *policy)
{
    *d = (struct data){ .policy = policy, .state = DATA_BOL, .out_bol = true };
    lookalike_init(&d->look, false);
    lookalike_init(&d->look7, true);
}

void data_passed_on(struct data *d)
{
    d->refused = false;
    d->stats.altered = false;
    d->stats.octets_sent = d->stats.octets;
}

struct scan_result data_scan(const struct data *d, struct span in)
{
    bool line_start = d->look.state == LOOK_LINE || d->look7.state == LOOK_LINE;

    return scan_clean(in, (struct scan_start){ line_start, d->line_octets });
}

/* Lines that grow longer than allowed in these octets, which are clean. */
static void note_long_lines(struct data *d, struct span clean)
{
    uint64_t at = d->stats.octets, line = d->line_octets;

    while (clean.len > 0) {
        size_t lf = span_find(clean, '\n');
        size_t part = lf < clean.len ? lf + 1 : lf;
        if (line <= TEXT_LINE_OCTETS && line + part > TEXT_LINE_OCTETS)
            notes_add(&d->notes, NOTE_DATA_LONG_LINE, at + (TEXT_LINE_OCTETS - line));
        line = lf < clean.len ? 0 : line + part;
        at += part;
        clean = span_drop(clean, part);
    }
}

void data_count_scanned(struct data *d, struct span in, const struct scan_result *found)
{
    struct data_stats *s = &d->stats;

    for (size_t i = 0; s->eight_bit == 0 && found->eight_bit > 0; i++) {
        if (in.ptr[i] >= 0x80) {
            s->eight_bit_at = s->octets + i;
            break;
        }
    }
    s->eight_bit += found->eight_bit;
    s->octets += found->clean;
    s->lines += found->lines;
    s->crlf += found->lines;
    if (found->longest > s->longest_line)
        s->longest_line = found->longest;
    d->line_octets = found->line_octets;
}

void data_take_clean(struct data *d, struct span in, const struct scan_result *found)
{
    if (found->clean == 0)
        return;
    unsigned char last = in.ptr[found->clean - 1];

    if (found->longest > TEXT_LINE_OCTETS || found->line_octets > TEXT_LINE_OCTETS)
        note_long_lines(d, span_first(in, found->clean));
    data_count_scanned(d, in, found);
    d->state = last == '\n' ? DATA_BOL : DATA_MID;
    d->out_bol = last == '\n';
    lookalike_skip(&d->look, last);
    lookalike_skip(&d->look7, last);
}

static void give(struct data *d, struct data_piece *piece)
{
    if (piece->same)
        piece->sent = piece->received;
    d->stats.octets_sent += piece->sent.len;
    d->stats.header_octets += header_watch(&d->header, piece->received);
    d->stats.signed_headers = d->header.is_signed;
}

static void give_end(struct data *d, struct data_piece *piece)
{
    *piece = (struct data_piece){ .received = SPAN_LIT(".\r\n"), .same = !d->refused };
    if (piece->same)
        piece->sent = piece->received;
    if (d->stats.altered && d->stats.signed_headers)
        notes_add(&d->notes, NOTE_DATA_ALTERED_SIGNED, d->stats.altered_at);
}

/*
 * Takes octets for as long as they leave as they came, or for as long as nothing
 * leaves any more. Returns how many; *pos is then how many were looked at: behind the
 * last one there may be undecided ones, or those that were just rewritten.
 */
static size_t take_same(struct data *d, struct span in, size_t *pos)
{
    bool refused = d->refused;
    size_t same = 0, slow_until = 0;

    d->rewrote = false;
    while (*pos < in.len) {
        if (*pos >= slow_until && data_may_scan(d)) {
            struct scan_result found = data_scan(d, span_drop(in, *pos));
            data_take_clean(d, span_drop(in, *pos), &found);
            same = *pos += found.clean;
            slow_until = same + (found.clean < DATA_SLOW_OCTETS ? DATA_SLOW_OCTETS : 0);
            if (same == in.len)
                break;
        }
        d->scratch_len = 0;
        data_step(d, in.ptr[(*pos)++]);
        if (d->state == DATA_DONE || (d->rewrote && !refused))
            break;
        if (data_undecided(d) == 0)
            same = *pos;
    }
    return same;
}

/* Takes octets into the scratch until it is full or a long clean stretch begins. */
static size_t take_rewritten(struct data *d, struct span in, size_t pos)
{
    size_t slow_until = 0;

    while (pos < in.len && !d->refused && d->state != DATA_DONE &&
           d->scratch_len + data_step_max(d) <= DATA_SCRATCH) {
        if (pos < slow_until || !data_may_scan(d)) {
            data_step(d, in.ptr[pos++]);
            continue;
        }
        struct span rest = span_drop(in, pos);
        size_t room = DATA_SCRATCH - d->scratch_len;
        struct span near = span_first(rest, room < SHORT_STRETCH ? room : SHORT_STRETCH);
        struct scan_result found = data_scan(d, near);
        if (found.clean == near.len && near.len < rest.len)
            break;
        memcpy(d->scratch + d->scratch_len, near.ptr, found.clean);
        d->scratch_len += found.clean;
        data_take_clean(d, near, &found);
        pos += found.clean;
        slow_until = pos + (found.clean < DATA_SLOW_OCTETS ? DATA_SLOW_OCTETS : 1);
    }
    return pos;
}

/* A stretch of the input that leaves as it came, or one that does not. */
static bool take_view(struct data *d, struct span *in, struct data_piece *piece)
{
    size_t pos = d->ahead;

    if (pos == 0) {
        bool refused = d->refused;
        size_t same = take_same(d, *in, &pos);
        bool rewritten = d->rewrote && !refused;
        if (same > 0 || !rewritten) {
            piece->received = span_first(*in, same);
            piece->same = !refused;
            d->ahead = rewritten ? pos - same : 0;
            *in = span_drop(*in, rewritten ? same : pos);
            return same > 0;
        }
    }
    d->ahead = 0;
    pos = take_rewritten(d, *in, pos);
    size_t open = d->state == DATA_DONE ? END_OCTETS : data_undecided(d);
    piece->received = span_first(*in, pos - open);
    piece->sent = span_of(d->scratch, d->scratch_len);
    *in = span_drop(*in, pos);
    return pos > open;
}

/* Undecided octets of an earlier input, up to and with what decides them. */
static bool take_joint(struct data *d, struct span *in, struct data_piece *piece)
{
    struct span before = undecided_octets(d);
    size_t n = before.len;
    bool refused = d->refused;

    memcpy(d->joint, before.ptr, n);
    d->rewrote = false;
    d->scratch_len = 0;
    while (in->len > 0 && data_undecided(d) > 0) {
        d->joint[n++] = in->ptr[0];
        data_step(d, in->ptr[0]);
        *in = span_drop(*in, 1);
    }
    if (data_undecided(d) > 0 || d->state == DATA_DONE)
        return false;
    piece->received = span_of(d->joint, n);
    piece->sent = span_of(d->scratch, d->scratch_len);
    piece->same = !d->rewrote && !refused;
    return true;
}

enum data_result data_next(struct data *d, struct span *in, struct data_piece *piece)
{
    *piece = (struct data_piece){ 0 };
    while (d->state != DATA_DONE && in->len > 0) {
        bool joint = d->ahead == 0 && data_undecided(d) > 0;
        if (joint ? take_joint(d, in, piece) : take_view(d, in, piece)) {
            give(d, piece);
            return DATA_PIECE;
        }
    }
    if (d->state != DATA_DONE)
        return DATA_MORE;
    give_end(d, piece);
    return DATA_END;
}

bool data_cut(struct data *d, struct data_piece *piece)
{
    struct span left = undecided_octets(d);

    *piece = (struct data_piece){ .received = left };
    if (d->state == DATA_DOT || d->state == DATA_DOT_CR)
        d->stats.leading_dots++;
    if (d->state == DATA_DOT_CR)
        d->stats.bare_cr++;
    if (d->state == DATA_CRS)
        d->stats.bare_cr += d->cr_run;
    d->stats.octets += left.len;
    if (d->state == DATA_DOT_CR || (d->state == DATA_CRS && d->cr_run == 1))
        d->line_octets++;
    if (d->line_octets > d->stats.longest_line)
        d->stats.longest_line = d->line_octets;
    notes_add(&d->notes, NOTE_DATA_EOF, d->stats.octets);
    give(d, piece);
    d->state = DATA_MID;
    return left.len > 0;
}
