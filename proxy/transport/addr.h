/*
 * addr - a socket address in 20 octets, with its text forms.
 *
 * Small, because every session keeps three. IPv4-mapped IPv6 addresses are kept
 * as IPv4, so that one client has one spelling.
 */
#ifndef TRANSPORT_ADDR_H
#define TRANSPORT_ADDR_H

#include "base/attributes.h"
#include "base/span.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct addr {
    uint8_t ip[16]; /* network order; IPv4 in the first four */
    uint16_t port;  /* host order */
    uint8_t family; /* AF_INET, AF_INET6, or 0 for none */
};

enum { ADDR_TEXT_MAX = 64 };

void addr_from_sockaddr(struct addr *a, const struct sockaddr *sa);
/* Returns the length for bind() and connect(). */
socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *out);

/* "192.0.2.1:25", "[2001:db8::1]:25". False: no such address; *why says what is wrong. */
MUST_CHECK bool addr_parse(struct addr *a, const char *text, const char **why);
/* An address without port or brackets, of the family said: nothing but its text. */
MUST_CHECK bool addr_parse_ip(struct addr *a, int family, struct span text);
/* From 4 or 16 octets in network order. */
struct addr addr_from_octets(int family, const void *ip, uint16_t port);
/* "192.0.2.1:25" or "[2001:db8::1]:25"; returns its length. */
size_t addr_text(const struct addr *a, char out[ADDR_TEXT_MAX]);
/* Without the port. */
size_t addr_ip_text(const struct addr *a, char out[ADDR_TEXT_MAX]);

bool addr_equal(const struct addr *a, const struct addr *b);
/* The ports do not count. */
bool addr_equal_ip(const struct addr *a, const struct addr *b);
bool addr_is_any(const struct addr *a);      /* 0.0.0.0 or [::] */
bool addr_is_loopback(const struct addr *a); /* of 127.0.0.0/8, or [::1] */
/* The first `bits` of the address only, port 0: the key of a client network. */
struct addr addr_network(const struct addr *a, unsigned bits4, unsigned bits6);

#endif
