#include "transport/tls_private.h"

#include <stdlib.h>
#include <string.h>

/* A length in `octets` octets, then so many octets; false: they are not there. */
static bool take_vector(struct span *from, unsigned octets, struct span *out)
{
    size_t len = 0;

    if (from->len < octets)
        return false;
    for (unsigned i = 0; i < octets; i++)
        len = len << 8 | from->ptr[i];
    *from = span_drop(*from, octets);
    if (from->len < len)
        return false;
    *out = span_first(*from, len);
    *from = span_drop(*from, len);
    return true;
}

static bool extension(SSL *ssl, unsigned type, struct span *out)
{
    return SSL_client_hello_get0_ext(ssl, type, &out->ptr, &out->len) == 1;
}

/* RFC 6066 3. OpenSSL reads it too, and refuses what is malformed; but later, and not in a
 * hello it refuses for its version. */
static void note_server_name(struct tls *t, SSL *ssl)
{
    struct span ext, list, name;

    if (!extension(ssl, TLSEXT_TYPE_server_name, &ext) || !take_vector(&ext, 2, &list) ||
        list.len == 0 || list.ptr[0] != TLSEXT_NAMETYPE_host_name)
        return;
    list = span_drop(list, 1);
    if (!take_vector(&list, 2, &name) || name.len > TLSEXT_MAXLEN_host_name)
        return;
    t->server_name = malloc(name.len + 1);
    if (t->server_name != NULL)
        tls_facts_text(t->server_name, (unsigned)name.len + 1, name.ptr, (unsigned)name.len);
}

/* RFC 7301 3.1, as text: "h2 http/1.1" */
static void note_alpn(struct tls *t, SSL *ssl)
{
    struct span ext, list, name;
    char text[sizeof((struct tls_facts *)0)->alpn_offered];
    size_t len = 0;

    if (!extension(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &ext) ||
        !take_vector(&ext, 2, &list))
        return;
    while (take_vector(&list, 1, &name) && len + name.len + 2 <= sizeof text) {
        if (len > 0)
            text[len++] = ' ';
        tls_facts_text(text + len, (unsigned)(sizeof text - len), name.ptr, (unsigned)name.len);
        len += name.len;
    }
    t->alpn_offered = strndup(text, len);
}

/* RFC 8446 4.2.1; without the extension the version of the hello itself counts. */
static uint16_t highest_version(SSL *ssl)
{
    uint16_t best = (uint16_t)SSL_client_hello_get0_legacy_version(ssl);
    struct span ext, list;

    if (!extension(ssl, TLSEXT_TYPE_supported_versions, &ext) || !take_vector(&ext, 1, &list))
        return best;
    best = 0;
    for (; list.len >= 2; list = span_drop(list, 2)) {
        uint16_t version = (uint16_t)(list.ptr[0] << 8 | list.ptr[1]);
        if (version > best && version <= TLS1_3_VERSION) /* above: GREASE, drafts */
            best = version;
    }
    return best;
}

static int on_client_hello(SSL *ssl, int *alert, void *unused)
{
    struct tls *t = tls_of(ssl);

    (void)alert;
    (void)unused;
    t->client_version = highest_version(ssl);
    if (t->server_name == NULL) /* a second hello repeats it (RFC 8446 4.1.2) */
        note_server_name(t, ssl);
    if (t->alpn_offered == NULL)
        note_alpn(t, ssl);
    return SSL_CLIENT_HELLO_SUCCESS;
}

static int on_server_name(SSL *ssl, int *alert, void *unused)
{
    struct tls *t = tls_of(ssl);

    (void)alert;
    (void)unused;
    if (t->server_name == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    for (unsigned i = 0; i < t->ctx->identity_count; i++) {
        const struct tls_identity *id = &t->ctx->identities[i];
        if (tls_names_match(&id->names, t->server_name)) {
            if (i > 0)
                SSL_set_SSL_CTX(ssl, id->ssl);
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_NOACK; /* the first; mail clients ask for all kinds of names */
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *offered, unsigned len, void *unused)
{
    struct span list = { offered, len }, name;

    (void)ssl;
    (void)unused;
    while (take_vector(&list, 1, &name)) {
        if (span_equal(name, SPAN_LIT("smtp"))) {
            *out = name.ptr;
            *out_len = (unsigned char)name.len;
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

void tls_hello_install(SSL_CTX *ssl)
{
    SSL_CTX_set_client_hello_cb(ssl, on_client_hello, NULL);
    SSL_CTX_set_tlsext_servername_callback(ssl, on_server_name);
    SSL_CTX_set_alpn_select_cb(ssl, on_alpn, NULL);
}
