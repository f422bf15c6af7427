/*
 * suggest - which verb a mistyped one was meant to be.
 *
 * Optimal string alignment distance, at most 1 for words up to four letters and
 * 2 above, over the verbs marked SUGGEST; of two equally near the one met more
 * often wins. Words longer than 32 octets have no suggestion. Sans-IO, no memory.
 */
#ifndef SMTP_SUGGEST_H
#define SMTP_SUGGEST_H

#include "base/span.h"
#include "smtp/verb.h"

/*
 * "HELO" for HLEO; "MAIL FROM:" for MAILFROM:<...>; NULL when nothing is near.
 * *verb gets the verb suggested (VERB_UNKNOWN if none).
 */
const char *suggest_verb(struct span word, enum verb *verb);

/* Verbs that only probes send: DEBUG WIZ KILL SHOWQ SHELL. */
bool suggest_is_probe(struct span word);

#endif
