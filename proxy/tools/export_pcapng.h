/*
 * export_pcapng - packets to a file in pcapng form, each with a comment if there is one.
 *
 * One section, one interface of raw IP, times in microseconds. libpcap cannot write comments.
 *
 * Owns: nothing; errors are kept by the stream (ferror).
 */
#ifndef TOOLS_EXPORT_PCAPNG_H
#define TOOLS_EXPORT_PCAPNG_H

#include "base/span.h"

#include <stdint.h>
#include <stdio.h>

enum { PCAPNG_COMMENT_MAX = 4096 };

void pcapng_begin(FILE *out);
/* comment: text in UTF-8, NULL for none; cut at PCAPNG_COMMENT_MAX. */
void pcapng_packet(FILE *out, uint64_t t_us, struct span head, struct span payload,
                   const char *comment);

#endif
