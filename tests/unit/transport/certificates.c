#include "unit/transport/certificates.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#define NEED(x)                                                                                \
    ((x) ? (void)0 : (fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #x), exit(1)))

enum issuer { BY_CA, BY_OTHER_CA, BY_SELF };

struct recipe {
    const char *stem, *names; /* names: subjectAltName, NULL: none */
    enum issuer issuer;
    int from_days, to_days;
    bool rsa;
};

static const struct recipe recipes[CERTIFICATES] = {
    [CERTIFICATE_GOOD] = { "good", "DNS:mx.test", BY_CA, -1, 30, false },
    [CERTIFICATE_RSA] = { "rsa", "DNS:mx.test", BY_CA, -1, 30, true },
    [CERTIFICATE_OTHER_KEY] = { "other-key", "DNS:mx.test", BY_CA, -1, 30, false },
    [CERTIFICATE_OTHER_NAME] = { "other.test", "DNS:other.test,DNS:third.test", BY_CA, -1, 30,
                                 false },
    [CERTIFICATE_WILDCARD] = { "wildcard", "DNS:*.wild.test", BY_CA, -1, 30, false },
    [CERTIFICATE_COMMON_NAME] = { "common.test", NULL, BY_CA, -1, 30, false },
    [CERTIFICATE_ADDRESS] = { "address", "IP:192.0.2.1", BY_CA, -1, 30, false },
    [CERTIFICATE_EXPIRED] = { "expired", "DNS:mx.test", BY_CA, -30, -12, false },
    [CERTIFICATE_NOT_YET] = { "not-yet", "DNS:mx.test", BY_CA, 3, 30, false },
    [CERTIFICATE_SOON] = { "soon", "DNS:mx.test", BY_CA, -1, 10, false },
    [CERTIFICATE_SELF_SIGNED] = { "self-signed", "DNS:mx.test", BY_SELF, -1, 30, false },
    [CERTIFICATE_UNKNOWN_CA] = { "unknown-ca", "DNS:mx.test", BY_OTHER_CA, -1, 30, false },
    [CERTIFICATE_CLIENT] = { "client", "DNS:client.test", BY_CA, -1, 30, false },
};

struct made {
    X509 *cert;
    EVP_PKEY *key;
    struct tls_key_pair files;
};

static char directory[64];
static struct made authority, other_authority, made[CERTIFICATES];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static void drop(struct made *m)
{
    X509_free(m->cert);
    EVP_PKEY_free(m->key);
    free((char *)m->files.certificate);
    free((char *)m->files.key);
}

static void clean_up(void)
{
    nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    drop(&authority);
    drop(&other_authority);
    for (unsigned i = 0; i < CERTIFICATES; i++)
        drop(&made[i]);
}

const char *certificate_path(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % 8];

    if (directory[0] == '\0') {
        const char *tmp = getenv("TMPDIR");
        snprintf(directory, sizeof directory, "%.32s/certificates-XXXXXX", tmp ? tmp : "/tmp");
        NEED(mkdtemp(directory) != NULL);
        atexit(clean_up);
    }
    snprintf(path, sizeof paths[0], "%s/%.60s", directory, name);
    return path;
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    NEED(e != NULL && X509_add_ext(cert, e, -1) == 1);
    X509_EXTENSION_free(e);
}

static char *write_pem(const char *stem, const char *suffix, const struct made *m)
{
    char name[64];
    bool key = strcmp(suffix, "key") == 0;

    snprintf(name, sizeof name, "%s.%s", stem, suffix);
    char *path = strdup(certificate_path(name));
    FILE *f = path != NULL ? fopen(path, "we") : NULL;
    NEED(f != NULL);
    NEED((key ? PEM_write_PrivateKey(f, m->key, NULL, NULL, 0, NULL, NULL)
              : PEM_write_X509(f, m->cert)) == 1);
    NEED(fclose(f) == 0);
    return path;
}

static void make(struct made *m, const struct recipe *r, const struct made *issuer, bool is_ca)
{
    static long serial = 1;
    X509_NAME *name = X509_NAME_new();

    m->key = r->rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    m->cert = X509_new();
    NEED(name != NULL && m->key != NULL && m->cert != NULL);
    if (issuer == NULL)
        issuer = m;
    NEED(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)r->stem,
                                    -1, -1, 0) == 1);
    NEED(X509_set_version(m->cert, X509_VERSION_3) == 1);
    ASN1_INTEGER_set(X509_get_serialNumber(m->cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(m->cert), 0);
    NEED(X509_time_adj_ex(X509_getm_notBefore(m->cert), r->from_days, -60, NULL) != NULL);
    NEED(X509_time_adj_ex(X509_getm_notAfter(m->cert), r->to_days, -60, NULL) != NULL);
    NEED(X509_set_subject_name(m->cert, name) == 1 && X509_set_pubkey(m->cert, m->key) == 1);
    NEED(X509_set_issuer_name(m->cert, X509_get_subject_name(issuer->cert)) == 1);
    add_extension(m->cert, issuer->cert, NID_basic_constraints,
                  is_ca ? "critical,CA:TRUE" : "CA:FALSE");
    if (r->names != NULL)
        add_extension(m->cert, issuer->cert, NID_subject_alt_name, r->names);
    NEED(X509_sign(m->cert, issuer->key, EVP_sha256()) > 0);
    X509_NAME_free(name);
    m->files.certificate = write_pem(r->stem, "pem", m);
    m->files.key = write_pem(r->stem, "key", m);
}

static const struct made *issuer_of(enum issuer which)
{
    static const struct recipe ca = { "ca", NULL, BY_SELF, -100, 100, false };
    static const struct recipe other = { "other-ca", NULL, BY_SELF, -100, 100, false };

    if (which == BY_SELF)
        return NULL;
    struct made *m = which == BY_CA ? &authority : &other_authority;
    if (m->cert == NULL)
        make(m, which == BY_CA ? &ca : &other, NULL, true);
    return m;
}

static const struct made *get(enum certificate which)
{
    if (made[which].cert == NULL)
        make(&made[which], &recipes[which], issuer_of(recipes[which].issuer), false);
    return &made[which];
}

const struct tls_key_pair *certificate_files(enum certificate which)
{
    return &get(which)->files;
}

const char *certificate_ca(void)
{
    return issuer_of(BY_CA)->files.certificate;
}

void certificate_pin(enum certificate which, uint8_t pin[TLS_PIN_OCTETS])
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(get(which)->key, &der);

    NEED(len > 0);
    SHA256(der, (size_t)len, pin);
    OPENSSL_free(der);
}
