/*
 * paint - lines for a terminal: escaped octets, colours, hexadecimal.
 *
 * Everything that comes from a transcript goes through here: peers wrote it.
 */
#ifndef TRANSCRIPT_READ_PAINT_H
#define TRANSCRIPT_READ_PAINT_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdint.h>
#include <stdio.h>

enum paint_color { PLAIN, DIM, BOLD, RED, GREEN, YELLOW, CYAN, PAINT_COLORS };

struct paint {
    FILE *out;
    bool color;
    const char *prefix; /* before every line; "" for none */
};

/* Begins a line: the prefix, then the marker in that colour. */
void paint_line(struct paint *p, enum paint_color color, const char *marker);
/* Octets as escape() shows them. */
void paint_octets(struct paint *p, enum paint_color color, struct span s);
/* Our own words. */
void paint_words(struct paint *p, enum paint_color color, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
void paint_end(struct paint *p);

/* 16 octets a line, with their offsets, behind `label`. */
void paint_hex(struct paint *p, const char *label, struct span s);
/* "3 us", "1.2 ms", "4.56 s", "2 min 3 s" */
void paint_time(char out[32], uint64_t us);

#endif
