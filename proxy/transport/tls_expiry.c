#include "transport/tls_expiry.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <time.h>

enum { DAY_SECONDS = 86400 };

/* From now until t. */
static bool seconds_to(int64_t *seconds, const ASN1_TIME *t)
{
    int days, rest;

    if (ASN1_TIME_diff(&days, &rest, NULL, t) != 1)
        return false;
    *seconds = (int64_t)days * DAY_SECONDS + rest;
    return true;
}

static bool time_text(char out[24], const ASN1_TIME *t)
{
    struct tm tm;

    return ASN1_TIME_to_tm(t, &tm) == 1 && strftime(out, 24, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0;
}

static bool fill(struct tls_expiry *e, const X509 *x)
{
    const ASN1_TIME *from = X509_get0_notBefore(x), *to = X509_get0_notAfter(x);

    if (!seconds_to(&e->seconds_since, from) || !seconds_to(&e->seconds_left, to))
        return false;
    e->seconds_since = -e->seconds_since;
    return time_text(e->not_before, from) && time_text(e->not_after, to);
}

bool tls_expiry_read(struct tls_expiry *e, const char *file)
{
    BIO *in = BIO_new_file(file, "r");
    X509 *x = in != NULL ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
    bool good = x != NULL && fill(e, x);

    X509_free(x);
    BIO_free(in);
    ERR_clear_error();
    return good;
}
