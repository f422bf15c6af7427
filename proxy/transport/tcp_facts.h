/*
 * tcp_facts - what the kernel knows of a connection (TCP_INFO), and how its peer ended it.
 *
 * libuv cannot tell: a reset that comes together with data, or after an earlier write
 * failed, is reported as a plain end of file (libuv issue 3449). The state of the socket
 * at that moment can: CLOSE_WAIT after a FIN, CLOSE after a reset.
 */
#ifndef TRANSPORT_TCP_FACTS_H
#define TRANSPORT_TCP_FACTS_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

struct tcp_facts {
    bool valid;
    bool dead; /* the socket is in state CLOSE: reset, timed out or ended both ways */
    uint32_t rtt_us, retransmits, unacked, pmtu;
    uint64_t acked, received;
};

/* One system call; `valid` is false when it fails. */
void tcp_facts_read(struct tcp_facts *f, int fd);

/*
 * At end of file: was it a reset? Once we have sent our own FIN a normal end is in state
 * CLOSE too; then the socket's pending error decides.
 */
MUST_CHECK bool tcp_facts_say_reset(const struct tcp_facts *f, int fd, bool fin_sent);

#endif
