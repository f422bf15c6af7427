/*
 * foreign - is the first thing a client sends another protocol?
 *
 * HTTP, TLS, SSH, RDP, SIP, RTSP, PROXY headers, Redis, SMB, telnet, SOCKS: each
 * by a signature at the start of its stream. 512 octets decide about a request
 * line, 30 about all others. Sans-IO, no memory.
 */
#ifndef SMTP_FOREIGN_H
#define SMTP_FOREIGN_H

#include "base/span.h"
#include "smtp/notes.h"

enum foreign_result {
    FOREIGN_NO,   /* cannot become one of them any more */
    FOREIGN_MORE, /* could still become one: look again with more octets */
    FOREIGN_YES,
};

/*
 * start: all the client has sent so far; the answer is the same however it was cut
 * into reads. A line gets FOREIGN_NO at its end at the latest, an empty one too: it is
 * answered at once. A PROXY header of version 2 begins with two empty lines; so
 * behind_empty_lines says that the client sent these, and nothing else, before `start`.
 * *which is set with FOREIGN_YES.
 */
enum { FOREIGN_EMPTY_OCTETS = 4 }; /* of the two empty lines */
enum foreign_result foreign_sniff(struct span start, bool behind_empty_lines,
                                  enum note_id *which);

#endif
