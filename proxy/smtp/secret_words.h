/*
 * secret_words - the words by which an attempt to authenticate is known, and those that may
 * stand in front of a secret and are none.
 *
 * Private to secret.c. Sans-IO, no memory.
 */
#ifndef SMTP_SECRET_WORDS_H
#define SMTP_SECRET_WORDS_H

#include "base/span.h"

enum secret_word {
    SECRET_WORD_OTHER,
    SECRET_WORD_AUTH,      /* AUTH and what looks like it: a mechanism may follow */
    SECRET_WORD_LOGIN,     /* of POP and IMAP: the secret follows */
    SECRET_WORD_MECHANISM, /* of SASL or HTTP */
    SECRET_WORD_LEAD,      /* a verb, a reply code, the mark of a speaker ("C") */
};

enum { SECRET_LEADS_MAX = 2 }; /* so many words of that kind: more may be a secret in pieces */

/*
 * Takes the next word from the front of *rest; empty: there is none. Blanks, control and 8-bit
 * octets, quotes and "=:;,<>()" are between words.
 */
struct span secret_take_word(struct span *rest);

enum secret_word secret_word(struct span word);

/* A U T H in this order, in any case, with nothing but blanks, controls and 8-bit between. */
bool secret_has_auth(struct span text);

#endif
