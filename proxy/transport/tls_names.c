#include "transport/tls_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/x509v3.h>

/* Names with a NUL inside are nobody's. */
static bool add(struct tls_names *n, const ASN1_STRING *from)
{
    unsigned char *text = NULL;
    int len = ASN1_STRING_to_UTF8(&text, from);

    if (len <= 0 || memchr(text, '\0', (size_t)len) != NULL) {
        OPENSSL_free(text);
        return true;
    }
    char **more = realloc(n->name, (n->count + 1) * sizeof *more);
    char *copy = strndup((const char *)text, (size_t)len);
    OPENSSL_free(text);
    if (more != NULL)
        n->name = more;
    if (more == NULL || copy == NULL) {
        free(copy);
        return false;
    }
    n->name[n->count++] = copy;
    return true;
}

static bool add_common_names(struct tls_names *n, X509 *cert)
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    int at = -1;

    while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0) {
        if (!add(n, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))))
            return false;
    }
    return true;
}

bool tls_names_init(struct tls_names *n, X509 *cert)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    bool ok = true;

    *n = (struct tls_names){ NULL, 0 };
    for (int i = 0; ok && i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
        if (name->type == GEN_DNS)
            ok = add(n, name->d.dNSName);
    }
    GENERAL_NAMES_free(all);
    if (ok && n->count == 0)
        ok = add_common_names(n, cert);
    if (!ok)
        tls_names_deinit(n);
    return ok;
}

void tls_names_deinit(struct tls_names *n)
{
    for (unsigned i = 0; i < n->count; i++)
        free(n->name[i]);
    free(n->name);
    *n = (struct tls_names){ NULL, 0 };
}

static bool contains(const struct tls_names *n, const char *name)
{
    for (unsigned i = 0; i < n->count; i++) {
        if (strcasecmp(n->name[i], name) == 0)
            return true;
    }
    return false;
}

bool tls_names_equal(const struct tls_names *a, const struct tls_names *b)
{
    for (unsigned i = 0; i < a->count; i++) {
        if (!contains(b, a->name[i]))
            return false;
    }
    for (unsigned i = 0; i < b->count; i++) {
        if (!contains(a, b->name[i]))
            return false;
    }
    return true;
}

static bool pattern_match(const char *pattern, const char *host)
{
    if (strncmp(pattern, "*.", 2) != 0)
        return strcasecmp(pattern, host) == 0;
    const char *rest = strchr(host, '.');
    return rest != NULL && rest != host && strcasecmp(pattern + 1, rest) == 0;
}

bool tls_names_match(const struct tls_names *n, const char *host)
{
    for (unsigned i = 0; i < n->count; i++) {
        if (pattern_match(n->name[i], host))
            return true;
    }
    return false;
}
