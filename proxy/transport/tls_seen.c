/*
 * tls_seen - the text of certificates seen before.
 *
 * An upstream shows the same certificate with every handshake. To print its names and to hash
 * it costs more than all else a record of TLS needs.
 *
 * Owns: references of the last KEPT certificates.
 */
#include "transport/tls_private.h"

#include <stdlib.h>
#include <string.h>

enum { KEPT = 4 };

/* The members of struct tls_facts that depend on the certificate alone. */
struct text {
#define LIKE(field) char field[sizeof((struct tls_facts *)0)->field]
    LIKE(subject);
    LIKE(issuer);
    LIKE(not_before);
    LIKE(not_after);
    LIKE(sha256);
    LIKE(spki_sha256);
#undef LIKE
};

#define COPY(to, from, field) memcpy((to)->field, (from)->field, sizeof(to)->field)
#define COPY_ALL(to, from)                                                                     \
    (COPY(to, from, subject), COPY(to, from, issuer), COPY(to, from, not_before),              \
     COPY(to, from, not_after), COPY(to, from, sha256), COPY(to, from, spki_sha256))

struct tls_seen {
    struct {
        X509 *cert; /* NULL: none yet */
        struct text text;
    } kept[KEPT];
    unsigned next; /* to be forgotten */
};

struct tls_seen *tls_seen_new(void)
{
    return calloc(1, sizeof(struct tls_seen));
}

void tls_seen_free(struct tls_seen **sp)
{
    struct tls_seen *s = *sp;

    *sp = NULL;
    if (s == NULL)
        return;
    for (unsigned i = 0; i < KEPT; i++)
        X509_free(s->kept[i].cert);
    free(s);
}

/* X509_cmp() compares what is signed octet by octet, but the signature only by a digest. */
static bool is_same(const X509 *a, const X509 *b)
{
    const ASN1_BIT_STRING *of_a, *of_b;

    if (X509_cmp(a, b) != 0)
        return false;
    X509_get0_signature(&of_a, NULL, a);
    X509_get0_signature(&of_b, NULL, b);
    return ASN1_STRING_cmp(of_a, of_b) == 0;
}

bool tls_seen_find(struct tls_seen *s, X509 *cert, struct tls_facts *out)
{
    for (unsigned i = 0; s != NULL && i < KEPT && s->kept[i].cert != NULL; i++) {
        if (!is_same(s->kept[i].cert, cert))
            continue;
        COPY_ALL(out, &s->kept[i].text);
        return true;
    }
    return false;
}

void tls_seen_keep(struct tls_seen *s, X509 *cert, const struct tls_facts *of)
{
    if (s == NULL || X509_up_ref(cert) != 1)
        return;
    X509_free(s->kept[s->next].cert);
    s->kept[s->next].cert = cert;
    COPY_ALL(&s->kept[s->next].text, of);
    s->next = (s->next + 1) % KEPT;
}
