#include "transport/tcp_facts.h"

#include <stddef.h>
#include <linux/tcp.h> /* not <netinet/tcp.h>: its struct tcp_info ends before the counters */
#include <netinet/in.h>
#include <sys/socket.h>

#define STATE_CLOSE 7 /* TCP_CLOSE of <netinet/tcp.h> */

#define HAS(field, len) ((len) >= offsetof(struct tcp_info, field) + sizeof(uint64_t))

void tcp_facts_read(struct tcp_facts *f, int fd)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof info;

    *f = (struct tcp_facts){ 0 };
    if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return;
    f->valid = true;
    f->dead = info.tcpi_state == STATE_CLOSE;
    f->rtt_us = info.tcpi_rtt;
    f->retransmits = info.tcpi_total_retrans;
    f->unacked = info.tcpi_unacked;
    f->pmtu = info.tcpi_pmtu;
    if (HAS(tcpi_bytes_received, len)) {
        f->acked = info.tcpi_bytes_acked;
        f->received = info.tcpi_bytes_received;
    }
}

bool tcp_facts_say_reset(const struct tcp_facts *f, int fd, bool fin_sent)
{
    int error = 0;
    socklen_t len = sizeof error;

    if (!f->valid || !f->dead)
        return false;
    if (!fin_sent)
        return true;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error != 0;
}
