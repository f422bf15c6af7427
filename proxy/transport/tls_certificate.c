#include "transport/tls_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define SAY(error, the_part, ...)                                                              \
    ((error)->part = (the_part),                                                               \
     (void)snprintf((error)->text, sizeof(error)->text, __VA_ARGS__))

/* Nobody is there to type a passphrase. */
static int no_passphrase(char *out, int size, int writing, void *asked)
{
    (void)out;
    (void)size;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

static BIO *open_file(const char *file, enum tls_config_part part,
                      struct tls_config_error *error)
{
    struct stat st;
    FILE *f = fopen(file, "re");

    if (f == NULL) {
        SAY(error, part, "%s: %s", file, strerror(errno));
        return NULL;
    }
    if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode)) {
        SAY(error, part, "%s is a directory, not a file", file);
        fclose(f);
        return NULL;
    }
    BIO *b = BIO_new_fp(f, BIO_CLOSE);
    if (b == NULL) {
        SAY(error, part, "out of memory");
        fclose(f);
    }
    return b;
}

static const char *kind_of(const char *pem_name)
{
    static const struct {
        const char *part, *kind;
    } kinds[] = {
        { "CERTIFICATE REQUEST", "a certificate request" },
        { "CERTIFICATE", "a certificate" },
        { "PRIVATE KEY", "a private key" },
        { "PUBLIC KEY", "a public key" },
        { "X509 CRL", "a revocation list" },
        { "PARAMETERS", "parameters" },
    };

    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strstr(pem_name, kinds[i].part) != NULL)
            return kinds[i].kind;
    }
    return "something else";
}

/* A file that holds no `wanted` ("a private key"): what does it hold? */
static void say_what_it_is(const char *file, const char *wanted, enum tls_config_part part,
                           struct tls_config_error *error)
{
    char *name = NULL, *header = NULL;
    unsigned char *data = NULL;
    long len = 0;
    struct stat st;
    BIO *b = BIO_new_file(file, "r");

    if (stat(file, &st) == 0 && st.st_size == 0)
        SAY(error, part, "%s is empty", file);
    else if (b == NULL || PEM_read_bio(b, &name, &header, &data, &len) != 1)
        SAY(error, part, "%s is not a PEM file: no \"-----BEGIN ...\" in it", file);
    else if (strcmp(kind_of(name), wanted) == 0)
        SAY(error, part, "%s holds %s that is damaged", file, wanted);
    else
        SAY(error, part, "%s holds %s, not %s", file, kind_of(name), wanted);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    BIO_free(b);
}

static bool at_end_of_pem(void)
{
    unsigned long e = ERR_peek_last_error();

    return ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
}

static bool read_chain(struct tls_pair *p, BIO *b, const char *file,
                       struct tls_config_error *error)
{
    bool asked = false;
    X509 *more;

    p->leaf = PEM_read_bio_X509(b, NULL, no_passphrase, &asked);
    p->chain = sk_X509_new_null();
    if (p->leaf == NULL || p->chain == NULL) {
        say_what_it_is(file, "a certificate", TLS_PART_CERTIFICATE, error);
        return false;
    }
    while ((more = PEM_read_bio_X509(b, NULL, no_passphrase, &asked)) != NULL) {
        if (sk_X509_push(p->chain, more) == 0) {
            X509_free(more);
            SAY(error, TLS_PART_CERTIFICATE, "out of memory");
            return false;
        }
    }
    if (at_end_of_pem())
        return true;
    SAY(error, TLS_PART_CERTIFICATE, "%s: certificate number %d is damaged", file,
        sk_X509_num(p->chain) + 2);
    return false;
}

static bool load_chain(struct tls_pair *p, const char *file, struct tls_config_error *error)
{
    BIO *b = open_file(file, TLS_PART_CERTIFICATE, error);

    if (b == NULL)
        return false;
    bool ok = read_chain(p, b, file, error);
    BIO_free(b);
    ERR_clear_error();
    return ok;
}

static bool load_key(struct tls_pair *p, const char *file, struct tls_config_error *error)
{
    bool asked = false;
    BIO *b = open_file(file, TLS_PART_KEY, error);

    if (b == NULL)
        return false;
    p->key = PEM_read_bio_PrivateKey(b, NULL, no_passphrase, &asked);
    BIO_free(b);
    ERR_clear_error();
    if (p->key != NULL)
        return true;
    if (asked)
        SAY(error, TLS_PART_KEY,
            "%s needs a passphrase: smtpscope cannot ask for one; \"openssl pkey -in ... -out "
            "...\" writes the key without",
            file);
    else
        say_what_it_is(file, "a private key", TLS_PART_KEY, error);
    return false;
}

bool tls_pair_load(struct tls_pair *p, const struct tls_key_pair *files,
                   struct tls_config_error *error)
{
    *p = (struct tls_pair){ NULL, NULL, NULL };
    return load_chain(p, files->certificate, error) && load_key(p, files->key, error);
}

void tls_pair_deinit(struct tls_pair *p)
{
    X509_free(p->leaf);
    sk_X509_pop_free(p->chain, X509_free);
    EVP_PKEY_free(p->key);
}

/* "expired on 2026-01-02 (12 days ago)" */
static void say_when(const ASN1_TIME *when, const char *file, const char *what,
                     struct tls_config_error *error)
{
    struct tm tm = { 0 };
    int days = 0, seconds = 0;
    char distance[48] = "today";

    if (ASN1_TIME_to_tm(when, &tm) != 1 || ASN1_TIME_diff(&days, &seconds, NULL, when) != 1)
        return;
    const char *plural = abs(days) == 1 ? "" : "s";
    if (days < 0)
        snprintf(distance, sizeof distance, "%d day%s ago", abs(days), plural);
    else if (days > 0)
        snprintf(distance, sizeof distance, "in %d day%s", days, plural);
    SAY(error, TLS_PART_EXPIRED, "%s %s %04d-%02d-%02d (%s)", file, what, tm.tm_year + 1900,
        tm.tm_mon + 1, tm.tm_mday, distance);
}

bool tls_pair_is_out_of_date(const struct tls_pair *p, const char *file,
                             struct tls_config_error *error)
{
    const ASN1_TIME *from = X509_get0_notBefore(p->leaf), *to = X509_get0_notAfter(p->leaf);

    if (X509_cmp_current_time(to) < 0)
        say_when(to, file, "expired on", error);
    else if (X509_cmp_current_time(from) > 0)
        say_when(from, file, "is not valid before", error);
    return error->part == TLS_PART_EXPIRED;
}

/* X509_STORE_set_default_paths() but for its third way, which reads folders with every
 * handshake; and the second, which looks for a file with every unknown issuer, only where the
 * first finds nothing. */
static bool use_system_paths(X509_STORE *store)
{
    X509_LOOKUP *file = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    bool found = file != NULL && X509_LOOKUP_load_file(file, NULL, X509_FILETYPE_DEFAULT) > 0;

    ERR_clear_error();
    if (found)
        return true;
    X509_LOOKUP *folder = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());
    return folder != NULL && X509_LOOKUP_add_dir(folder, NULL, X509_FILETYPE_DEFAULT) > 0;
}

X509_STORE *tls_store_load(const char *file, struct tls_config_error *error)
{
    X509_STORE *store = X509_STORE_new();
    BIO *b;

    if (store == NULL) {
        SAY(error, TLS_PART_CA, "out of memory");
        return NULL;
    }
    if (file == NULL) {
        if (use_system_paths(store))
            return store;
        SAY(error, TLS_PART_CA, "the system's CA certificates cannot be used");
    } else if ((b = open_file(file, TLS_PART_CA, error)) != NULL) {
        BIO_free(b);
        if (X509_STORE_load_file(store, file) == 1)
            return store;
        say_what_it_is(file, "a certificate", TLS_PART_CA, error);
    }
    X509_STORE_free(store);
    return NULL;
}
