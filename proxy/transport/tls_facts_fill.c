#include "transport/tls_private.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#define PUT(field, text) tls_facts_text((field), sizeof(field), (text), (unsigned)strlen(text))

/* These say whether all was told: what memory was out for is not kept. */
static bool put_name(char *out, unsigned size, const X509_NAME *name)
{
    BIO *b = BIO_new(BIO_s_mem());
    const char *text = NULL;

    if (b == NULL)
        return false;
    bool ok = X509_NAME_print_ex(b, name, 0, XN_FLAG_RFC2253) >= 0;
    if (ok) {
        long len = BIO_get_mem_data(b, &text);
        tls_facts_text(out, size, text, len > 0 ? (unsigned)len : 0);
    }
    BIO_free(b);
    return ok;
}

static void put_two(char *out, int value)
{
    out[0] = (char)('0' + value / 10 % 10);
    out[1] = (char)('0' + value % 10);
}

static bool put_time(char *out, size_t size, const ASN1_TIME *time)
{
    static const char form[] = "0000-00-00T00:00:00Z";
    struct tm tm;

    if (ASN1_TIME_to_tm(time, &tm) != 1 || tm.tm_year > 9999 - 1900 || size < sizeof form)
        return false;
    memcpy(out, form, sizeof form);
    put_two(out, (tm.tm_year + 1900) / 100);
    put_two(out + 2, (tm.tm_year + 1900) % 100);
    put_two(out + 5, tm.tm_mon + 1);
    put_two(out + 8, tm.tm_mday);
    put_two(out + 11, tm.tm_hour);
    put_two(out + 14, tm.tm_min);
    put_two(out + 17, tm.tm_sec);
    return true;
}

static void put_hex(char *out, const unsigned char *in, size_t len)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    out[2 * len] = '\0';
}

static bool put_digests(struct tls_facts *out, X509 *cert)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (tls_sha256() == NULL || X509_digest(cert, tls_sha256(), digest, &len) != 1)
        return false;
    put_hex(out->sha256, digest, len);
    if (!tls_pin_of(digest, cert))
        return false;
    put_hex(out->spki_sha256, digest, TLS_PIN_OCTETS);
    return true;
}

static void put_certificate(struct tls_facts *out, struct tls_seen *seen, X509 *cert)
{
    if (tls_seen_find(seen, cert, out))
        return;
    bool ok = put_name(out->subject, sizeof out->subject, X509_get_subject_name(cert));
    ok &= put_name(out->issuer, sizeof out->issuer, X509_get_issuer_name(cert));
    ok &= put_time(out->not_before, sizeof out->not_before, X509_get0_notBefore(cert));
    ok &= put_time(out->not_after, sizeof out->not_after, X509_get0_notAfter(cert));
    ok &= put_digests(out, cert);
    if (ok)
        tls_seen_keep(seen, cert, out);
}

static const char *verify_text(const struct tls *t)
{
    long result = SSL_get_verify_result(t->ssl);

    if (result == X509_V_OK)
        return "ok";
    if (result == X509_V_ERR_DANE_NO_MATCH)
        return tls_failure_text(TLS_FAILURE_PIN);
    return X509_verify_cert_error_string(result);
}

X509 *tls_peer_certificate(const struct tls *t)
{
    return t->rejected != NULL ? t->rejected : SSL_get0_peer_certificate(t->ssl);
}

static void put_negotiated(const struct tls *t, struct tls_facts *out)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(t->ssl);
    const unsigned char *alpn;
    unsigned alpn_len;

    if (cipher == NULL)
        cipher = SSL_get_pending_cipher(t->ssl);
    PUT(out->version, SSL_get_version(t->ssl));
    if (cipher != NULL) {
        const char *name = SSL_CIPHER_standard_name(cipher);
        PUT(out->cipher, name != NULL ? name : SSL_CIPHER_get_name(cipher));
    }
    SSL_get0_alpn_selected(t->ssl, &alpn, &alpn_len);
    if (alpn_len > 0)
        tls_facts_text(out->alpn, sizeof out->alpn, alpn, alpn_len);
    out->resumed = SSL_session_reused(t->ssl) == 1;
}

void tls_facts(const struct tls *t, struct tls_facts *out)
{
    X509 *cert = tls_peer_certificate(t);

    memset(out, 0, sizeof *out);
    out->failure = t->failure;
    out->alert_received = t->alert_received;
    out->alert_sent = t->alert_sent;
    out->hello_client = t->hello_client;
    out->hello_server = t->hello_server;
    tls_failure_detail(t, out->detail, sizeof out->detail);
    PUT(out->server_name, tls_server_name(t));
    if (t->alpn_offered != NULL)
        PUT(out->alpn_offered, t->alpn_offered);
    if (t->hello_server)
        put_negotiated(t, out);
    if (cert != NULL) {
        put_certificate(out, t->wire->seen, cert);
        PUT(out->verify, verify_text(t));
    }
    tls_clear_errors();
}
