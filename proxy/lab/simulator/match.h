/* match - finds a text in a stream of octets, wherever it is cut; case is ignored. */
#ifndef LAB_SIMULATOR_MATCH_H
#define LAB_SIMULATOR_MATCH_H

#include <stdbool.h>
#include <stddef.h>

struct match {
    const char *text; /* not empty */
    size_t len, at;   /* octets of text that the stream's last ones are equal to */
};

void match_init(struct match *m, const char *text);
/* True with the last octet of the text. */
bool match_octet(struct match *m, unsigned char c);

#endif
