/*
 * hello - ClientHello and ServerHello, as far as they tell what is negotiated (RFC 8446
 * 4.1, 5246 7.4.1). Takes the body of a whole handshake message.
 *
 * Strict about lengths: every vector ends exactly where it says. Unknown extensions, suites and
 * versions are passed over, so that GREASE (RFC 8701) and what comes after us are no errors.
 */
#ifndef TLSWATCH_HELLO_H
#define TLSWATCH_HELLO_H

#include "base/attributes.h"
#include "base/span.h"
#include "base/tls_facts.h"

enum {
    TLS_VERSION_UNKNOWN = 0,
    TLS_VERSION_SSL3 = 0x0300,
    TLS_VERSION_1_2 = 0x0303,
    TLS_VERSION_1_3 = 0x0304,
};

/* Views of the body. */
struct tls_client_hello {
    unsigned version;        /* the highest offered that is known here */
    struct span server_name; /* empty: none */
    struct span alpn;        /* the names, each with its length before it */
};

struct tls_server_hello {
    unsigned version;
    unsigned suite;
    bool retry;       /* HelloRetryRequest: the client is to say hello again */
    bool resumed;     /* TLS 1.3: by the client's ticket */
    struct span alpn; /* TLS 1.2 shows it here; empty: none */
};

/* False: malformed. */
MUST_CHECK bool tls_client_hello_parse(struct span body, struct tls_client_hello *h);
MUST_CHECK bool tls_server_hello_parse(struct span body, struct tls_server_hello *h);

/* Into server_name and alpn_offered; into version, cipher, alpn and resumed. */
void tls_client_hello_facts(const struct tls_client_hello *h, struct tls_facts *f);
void tls_server_hello_facts(const struct tls_server_hello *h, struct tls_facts *f);

enum { TLS_VERSION_TEXT = 12 };

/* "TLSv1.3"; "0x0305" for one without a name. */
void tls_version_text(unsigned version, char out[TLS_VERSION_TEXT]);
/* As in the IANA registry; NULL for those that are not in tls_suites.def. */
const char *tls_suite_name(unsigned suite);

#endif
