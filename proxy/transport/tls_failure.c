#include "transport/tls_private.h"

#include <stdio.h>

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>

static const struct {
    int reason;
    enum tls_failure failure;
} reasons[] = {
    { SSL_R_NO_APPLICATION_PROTOCOL, TLS_FAILURE_ALPN },
    { SSL_R_UNSUPPORTED_PROTOCOL, TLS_FAILURE_VERSION },
    { SSL_R_NO_PROTOCOLS_AVAILABLE, TLS_FAILURE_VERSION },
    { SSL_R_UNKNOWN_PROTOCOL, TLS_FAILURE_VERSION },
    { SSL_R_VERSION_TOO_LOW, TLS_FAILURE_VERSION },
    { SSL_R_VERSION_TOO_HIGH, TLS_FAILURE_VERSION },
    { SSL_R_WRONG_SSL_VERSION, TLS_FAILURE_VERSION },
    { SSL_R_BAD_PROTOCOL_VERSION_NUMBER, TLS_FAILURE_VERSION },
    { SSL_R_INAPPROPRIATE_FALLBACK, TLS_FAILURE_VERSION },
    { SSL_R_NO_SHARED_CIPHER, TLS_FAILURE_CIPHER },
    { SSL_R_NO_CIPHERS_SPECIFIED, TLS_FAILURE_CIPHER },
    { SSL_R_NO_SHARED_GROUPS, TLS_FAILURE_CIPHER },
    { SSL_R_NO_SUITABLE_KEY_SHARE, TLS_FAILURE_CIPHER },
    { SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, TLS_FAILURE_CIPHER },
    { SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, TLS_FAILURE_CIPHER },
    { SSL_R_NO_SUITABLE_GROUPS, TLS_FAILURE_CIPHER },
    { SSL_R_EE_KEY_TOO_SMALL, TLS_FAILURE_BAD_CERTIFICATE },
    { SSL_R_CA_KEY_TOO_SMALL, TLS_FAILURE_BAD_CERTIFICATE },
    { SSL_R_CA_MD_TOO_WEAK, TLS_FAILURE_BAD_CERTIFICATE },
    { SSL_R_WRONG_CERTIFICATE_TYPE, TLS_FAILURE_BAD_CERTIFICATE },
    { SSL_R_UNABLE_TO_FIND_PUBLIC_KEY_PARAMETERS, TLS_FAILURE_BAD_CERTIFICATE },
    { SSL_R_CERT_LENGTH_MISMATCH, TLS_FAILURE_BAD_CERTIFICATE },
};

enum tls_failure tls_failure_of_verify(long verify_error)
{
    switch (verify_error) {
    case X509_V_OK:
        return TLS_FAILURE_NONE;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return TLS_FAILURE_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return TLS_FAILURE_NOT_YET;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
        return TLS_FAILURE_UNKNOWN_CA;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return TLS_FAILURE_SELF_SIGNED;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return TLS_FAILURE_NAME;
    case X509_V_ERR_DANE_NO_MATCH:
        return TLS_FAILURE_PIN;
    case X509_V_ERR_OUT_OF_MEM:
        return TLS_FAILURE_MEMORY;
    default:
        return TLS_FAILURE_BAD_CERTIFICATE;
    }
}

/* The error that says most: the first of libssl, else the first. Empties the queue. */
static unsigned long take_error(void)
{
    unsigned long first = ERR_get_error(), e = first;

    while (e != 0 && ERR_GET_LIB(e) != ERR_LIB_SSL)
        e = ERR_get_error();
    ERR_clear_error();
    return e != 0 ? e : first;
}

static enum tls_failure failure_of_alert(int alert)
{
    return alert == SSL_AD_PROTOCOL_VERSION ? TLS_FAILURE_VERSION : TLS_FAILURE_ALERT;
}

static enum tls_failure failure_of(const struct tls *t)
{
    int reason = ERR_GET_REASON(t->error);

    if (t->overflow || reason == ERR_R_MALLOC_FAILURE)
        return TLS_FAILURE_MEMORY;
    if (t->first_len != TLS_FIRST_IS_RECORD && t->first_len > 0)
        return TLS_FAILURE_PLAINTEXT;
    if (ERR_GET_LIB(t->error) != ERR_LIB_SSL)
        return TLS_FAILURE_PROTOCOL;
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
        return tls_failure_of_verify(SSL_get_verify_result(t->ssl));
    if (reason >= SSL_AD_REASON_OFFSET)
        return failure_of_alert(reason - SSL_AD_REASON_OFFSET);
    for (unsigned i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i].reason == reason)
            return reasons[i].failure;
    }
    return TLS_FAILURE_PROTOCOL;
}

void tls_classify(struct tls *t)
{
    if (t->failure != TLS_FAILURE_NONE)
        return;
    t->error = take_error();
    t->failure = failure_of(t);
}

static const char *progress(const struct tls *t)
{
    if (t->hello_server)
        return "after the ServerHello";
    if (t->hello_client)
        return t->ctx->server ? "after the ClientHello"
                              : "after the ClientHello, before a ServerHello";
    return t->first_len > 0 ? "in the ClientHello" : "before the ClientHello";
}

static const char *version_text(unsigned version)
{
    switch (version) {
    case SSL3_VERSION:
        return "SSL 3.0";
    case TLS1_VERSION:
        return "TLS 1.0";
    case TLS1_1_VERSION:
        return "TLS 1.1";
    case TLS1_2_VERSION:
        return "TLS 1.2";
    default:
        return NULL;
    }
}

static void version_detail(const struct tls *t, char *out, size_t size)
{
    const char *highest = version_text(t->client_version);

    if (t->alert_received == SSL_AD_PROTOCOL_VERSION)
        snprintf(out, size, "the other side sent the alert 70, protocol_version");
    else if (!t->ctx->server)
        snprintf(out, size, "the server chose a version below TLS 1.2");
    else if (highest != NULL)
        snprintf(out, size, "the client offers %s at most", highest);
}

static void plaintext_detail(const struct tls *t, char *out, size_t size)
{
    char text[TLS_FIRST_MAX + 1];
    unsigned len = 0;

    while (len < t->first_len && t->first[len] != '\r' && t->first[len] != '\n')
        len++;
    tls_facts_text(text, sizeof text, t->first, len);
    snprintf(out, size, "received \"%s\"", text);
}

static void alert_detail(const struct tls *t, char *out, size_t size)
{
    const char *name = tls_alert_name(t->alert_received), *hint = "";

    switch (t->alert_received) {
    case SSL_AD_HANDSHAKE_FAILURE:
        hint = ": often no cipher or curve in common";
        break;
    case SSL_AD_CERTIFICATE_EXPIRED:
        hint = ": it finds the certificate shown to it expired";
        break;
    case SSL_AD_UNKNOWN_CA:
        hint = ": it does not trust the issuer of the certificate shown to it";
        break;
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_CERTIFICATE_UNKNOWN:
        hint = ": it does not accept the certificate shown to it";
        break;
    case TLS13_AD_CERTIFICATE_REQUIRED:
        hint = ": it asks for a client certificate";
        break;
    default:
        break;
    }
    snprintf(out, size, "alert %d, %s%s", t->alert_received, *name ? name : "unknown", hint);
}

static void name_detail(const struct tls *t, char *out, size_t size)
{
    X509 *cert = tls_peer_certificate(t);
    struct tls_names names = { NULL, 0 };
    size_t len;

    if (t->server_name == NULL) {
        snprintf(out, size, "no name is known that it could be checked against");
        return;
    }
    snprintf(out, size, "expected %s, it is for ", t->server_name);
    len = strlen(out);
    if (cert == NULL || !tls_names_init(&names, cert) || names.count == 0)
        snprintf(out + len, size - len, "no name");
    for (unsigned i = 0; i < names.count; i++) {
        len = strlen(out);
        snprintf(out + len, size - len, "%s%s", i > 0 ? ", " : "", names.name[i]);
    }
    tls_names_deinit(&names);
}

static void certificate_detail(const struct tls *t, char *out, size_t size)
{
    const char *text = X509_verify_cert_error_string(SSL_get_verify_result(t->ssl));

    if (ERR_GET_REASON(t->error) != SSL_R_CERTIFICATE_VERIFY_FAILED)
        snprintf(out, size, "%s", ERR_reason_error_string(t->error));
    else if (t->verify_depth > 0)
        snprintf(out, size, "%s, %d above the server's certificate", text, t->verify_depth);
    else
        snprintf(out, size, "%s", text);
}

static void library_detail(const struct tls *t, char *out, size_t size)
{
    const char *text = ERR_reason_error_string(t->error);

    snprintf(out, size, "%s", text != NULL ? text : "");
}

void tls_failure_detail(const struct tls *t, char *out, size_t size)
{
    out[0] = '\0';
    switch (t->failure) {
    case TLS_FAILURE_NONE:
    case TLS_FAILURE_MEMORY:
        break;
    case TLS_FAILURE_EOF:
    case TLS_FAILURE_RESET:
    case TLS_FAILURE_TIMEOUT:
        snprintf(out, size, "%s", progress(t));
        break;
    case TLS_FAILURE_PLAINTEXT:
        plaintext_detail(t, out, size);
        break;
    case TLS_FAILURE_VERSION:
        version_detail(t, out, size);
        break;
    case TLS_FAILURE_ALPN:
        snprintf(out, size, "offered: %s", t->alpn_offered != NULL ? t->alpn_offered : "");
        break;
    case TLS_FAILURE_NAME:
        name_detail(t, out, size);
        break;
    case TLS_FAILURE_EXPIRED:
    case TLS_FAILURE_NOT_YET:
    case TLS_FAILURE_UNKNOWN_CA:
    case TLS_FAILURE_SELF_SIGNED:
    case TLS_FAILURE_BAD_CERTIFICATE:
        certificate_detail(t, out, size);
        break;
    case TLS_FAILURE_PIN:
        snprintf(out, size, "%u expected", t->ctx->pin_count);
        break;
    case TLS_FAILURE_ALERT:
        alert_detail(t, out, size);
        break;
    case TLS_FAILURE_CIPHER:
    case TLS_FAILURE_PROTOCOL:
        library_detail(t, out, size);
        break;
    }
}
