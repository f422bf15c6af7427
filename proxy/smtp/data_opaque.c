#include "smtp/data_private.h"

/* Octets of a chunk: counted like lines of text, whatever they are. */

static void count_octet(struct data *d, unsigned char b)
{
    if (b == '.' && d->line_octets == 0)
        d->stats.leading_dots++;
    if (b >= 0x80 && d->stats.eight_bit++ == 0)
        d->stats.eight_bit_at = d->stats.octets;
    d->stats.nul += b == '\0';
    d->stats.octets++;
    d->line_octets++;
}

static void count_lf(struct data *d)
{
    if (d->cr_run == 0) {
        d->stats.bare_lf++;
        notes_add(&d->notes, NOTE_BDAT_BARE_LF, d->stats.octets - 1);
    } else if (d->cr_run == 1) {
        d->stats.crlf++;
    } else {
        d->stats.crcrlf++;
    }
    d->cr_run = 0;
    data_count_line(d);
}

static void step_opaque(struct data *d, unsigned char b)
{
    count_octet(d, b);
    if (b == '\r') {
        d->cr_run++;
    } else if (b == '\n') {
        count_lf(d);
    } else {
        d->stats.bare_cr += d->cr_run;
        d->cr_run = 0;
    }
}

void data_opaque(struct data *d, struct span chunk)
{
    size_t slow = 0;

    d->stats.header_octets += header_watch(&d->header, chunk);
    d->stats.signed_headers = d->header.is_signed;
    while (chunk.len > 0) {
        if (slow == 0 && d->cr_run == 0) {
            struct scan_start start = { d->line_octets == 0, d->line_octets };
            struct scan_result found = scan_clean(chunk, start);
            data_count_scanned(d, chunk, &found);
            chunk = span_drop(chunk, found.clean);
            slow = found.clean < DATA_SLOW_OCTETS ? DATA_SLOW_OCTETS : 1;
        }
        for (; chunk.len > 0 && slow > 0; slow--) {
            step_opaque(d, chunk.ptr[0]);
            chunk = span_drop(chunk, 1);
        }
        slow += d->cr_run > 0;
    }
    d->stats.octets_sent = d->stats.octets;
}

void data_opaque_end(struct data *d)
{
    d->stats.bare_cr += d->cr_run;
    d->cr_run = 0;
    if (d->line_octets > d->stats.longest_line)
        d->stats.longest_line = d->line_octets;
    d->line_octets = 0;
}
