/*
 * answer - what a modern MTA that accepts all mail answers to a command.
 *
 * Looks at the conversation so far and changes nothing but what BDAT and AUTH
 * announce about the octets that follow them. An answer is a literal that ends with
 * CRLF; texts that tell of this conversation (greeting, EHLO, what was received) are
 * written by answer_put(), in place of a bare "220", "250".
 */
#ifndef LAB_ANSWER_H
#define LAB_ANSWER_H

#include "lab/responder.h"

/* Sets `usual`, for AUTH `prompts`, for BDAT the chunk that is to be read. */
void answer_find(struct responder *r, enum verb verb, struct span arg);
/* The answer to the end of the mail data or of the last chunk. */
const char *answer_received(const struct responder *r);
/* Appends the usual answer of the event to `out`. */
MUST_CHECK bool answer_put(struct responder *r);
/* "334 ...": the next prompt of the usual AUTH exchange. */
const char *answer_prompt(const struct responder *r);

#endif
