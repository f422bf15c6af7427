#include "transport/tls_private.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

/* The BIO: reads from t->in, writes to t->wire; its data is the struct tls. */

static int wire_read(BIO *b, char *out, size_t max, size_t *got)
{
    struct tls *t = BIO_get_data(b);

    BIO_clear_retry_flags(b);
    *got = max < t->in.len ? max : t->in.len;
    if (*got == 0) {
        BIO_set_retry_read(b);
        return 0;
    }
    memcpy(out, t->in.ptr, *got);
    t->in = span_drop(t->in, *got);
    return 1;
}

static int wire_write(BIO *b, const char *from, size_t len, size_t *took)
{
    struct tls *t = BIO_get_data(b);
    struct tls_wire *w = t->wire;

    BIO_clear_retry_flags(b);
    *took = 0;
    if (len > w->size - w->len) {
        t->overflow = true;
        return 0;
    }
    memcpy(w->bytes + w->len, from, len);
    w->len += len;
    *took = len;
    return 1;
}

static long wire_ctrl(BIO *b, int command, long number, void *ptr)
{
    (void)b;
    (void)number;
    (void)ptr;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO_METHOD *wire_method;

static void make_wire_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");

    if (m != NULL && BIO_meth_set_read_ex(m, wire_read) == 1 &&
        BIO_meth_set_write_ex(m, wire_write) == 1 && BIO_meth_set_ctrl(m, wire_ctrl) == 1)
        wire_method = m;
    else
        BIO_meth_free(m);
}

static BIO *wire_bio_new(struct tls *t)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_wire_method);
    BIO *b = wire_method != NULL ? BIO_new(wire_method) : NULL;
    if (b == NULL)
        return NULL;
    BIO_set_data(b, t);
    BIO_set_init(b, 1);
    return b;
}

/* The name to send and to check; an address is checked only. */
static bool use_name(struct tls *t, const char *name)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(t->ssl);
    size_t len = strlen(name);

    if (len > 1 && name[len - 1] == '.') /* RFC 6066 3: no trailing dot */
        len--;
    t->server_name = strndup(name, len);
    if (t->server_name == NULL)
        return false;
    if (X509_VERIFY_PARAM_set1_ip_asc(param, t->server_name) == 1)
        return true;
    return X509_VERIFY_PARAM_set1_host(param, t->server_name, 0) == 1 &&
           SSL_set_tlsext_host_name(t->ssl, t->server_name) == 1;
}

static bool make_ssl(struct tls *t, const char *name)
{
    t->ssl = SSL_new(t->ctx->identities[0].ssl);
    if (t->ssl == NULL)
        return false;
    BIO *b = wire_bio_new(t);
    if (b == NULL)
        return false;
    SSL_set_bio(t->ssl, b, b); /* owned by t->ssl now */
    if (t->ctx->server)
        SSL_set_accept_state(t->ssl);
    else
        SSL_set_connect_state(t->ssl);
    return t->ctx->server || name == NULL || use_name(t, name);
}

struct tls *tls_new(struct tls_context *ctx, struct tls_wire *wire, const char *name)
{
    struct tls *t = calloc(1, sizeof *t);

    if (t == NULL)
        return NULL;
    assert(wire->size >= TLS_WIRE_MIN);
    t->ctx = tls_context_ref(ctx);
    t->wire = wire;
    t->alert_received = t->alert_sent = TLS_ALERT_UNKNOWN;
    if (!make_ssl(t, name))
        tls_free(&t);
    tls_clear_errors();
    return t;
}

void tls_free(struct tls **tp)
{
    struct tls *t = *tp;

    *tp = NULL;
    if (t == NULL)
        return;
    SSL_free(t->ssl);
    X509_free(t->rejected);
    free(t->server_name);
    free(t->alpn_offered);
    tls_context_unref(&t->ctx);
    free(t);
}

/* A TLS peer begins with a handshake record, or with an alert. What begins otherwise is kept
 * to show it: it is plaintext as a rule. */
static void keep_first(struct tls *t, struct span in)
{
    if (t->first_len == 0 && (in.ptr[0] == SSL3_RT_HANDSHAKE || in.ptr[0] == SSL3_RT_ALERT)) {
        t->first_len = TLS_FIRST_IS_RECORD;
        return;
    }
    struct span part = span_first(in, sizeof t->first - t->first_len);
    memcpy(t->first + t->first_len, part.ptr, part.len);
    t->first_len = (uint8_t)(t->first_len + part.len);
}

void tls_put_wire(struct tls *t, struct span in)
{
    assert(t->in.len == 0);
    if (t->in.len > 0 && t->failure == TLS_FAILURE_NONE)
        t->failure = TLS_FAILURE_PROTOCOL; /* rather no stream than one with a gap */
    if (in.len == 0 || t->failure != TLS_FAILURE_NONE)
        return;
    t->in = in;
    t->dry = false;
    if (t->first_len != TLS_FIRST_IS_RECORD)
        keep_first(t, in);
}

/* What a call of OpenSSL that did not succeed means. */
static enum tls_result result_of(struct tls *t, int ret)
{
    enum tls_result result = TLS_FAILED;

    switch (SSL_get_error(t->ssl, ret)) {
    case SSL_ERROR_WANT_READ:
        result = TLS_MORE;
        if (t->complete) /* a ticket makes a buffer for writing, and leaves it */
            SSL_free_buffers(t->ssl);
        break;
    case SSL_ERROR_ZERO_RETURN:
        result = TLS_CLOSED;
        break;
    default:
        tls_classify(t);
    }
    t->in = (struct span){ NULL, 0 };
    return result;
}

enum tls_result tls_handshake(struct tls *t)
{
    if (t->failure != TLS_FAILURE_NONE)
        return TLS_FAILED;
    tls_clear_errors();
    int ret = SSL_do_handshake(t->ssl);
    if (ret == 1) {
        t->complete = true;
        return TLS_OK;
    }
    enum tls_result result = result_of(t, ret);
    if (result == TLS_CLOSED) {
        t->failure = TLS_FAILURE_EOF;
        return TLS_FAILED;
    }
    return result;
}

enum tls_result tls_read(struct tls *t, void *out, size_t max, size_t *got)
{
    assert(t->complete && max > 0);
    *got = 0;
    if (!t->complete || max == 0 || t->failure != TLS_FAILURE_NONE)
        return TLS_FAILED;
    if (t->dry)
        return TLS_MORE;
    tls_clear_errors();
    int ret = SSL_read_ex(t->ssl, out, max, got);
    if (ret != 1)
        return result_of(t, ret);
    t->dry = t->in.len == 0 && SSL_has_pending(t->ssl) == 0;
    return TLS_OK;
}

/* One record at a time (SSL_MODE_ENABLE_PARTIAL_WRITE): a client may have asked for records
 * so small that 16384 octets in them need more room than one large record. */
enum tls_result tls_write(struct tls *t, struct span in, size_t *took)
{
    assert(t->complete && !t->finished);
    *took = 0;
    if (!t->complete || t->finished || t->failure != TLS_FAILURE_NONE)
        return TLS_FAILED;
    tls_clear_errors();
    while (*took < in.len && t->wire->size - t->wire->len >= TLS_RECORD_ROOM) {
        struct span part = span_first(span_drop(in, *took), TLS_RECORD_MAX);
        size_t n = 0;
        int ret = SSL_write_ex(t->ssl, part.ptr, part.len, &n);
        if (ret != 1)
            return result_of(t, ret);
        *took += n;
    }
    return TLS_OK;
}

void tls_finish(struct tls *t)
{
    if (!t->complete || t->finished || t->failure != TLS_FAILURE_NONE)
        return;
    t->finished = true;
    tls_clear_errors();
    if (SSL_shutdown(t->ssl) < 0)
        tls_classify(t);
}

void tls_fail(struct tls *t, enum tls_failure why)
{
    assert(why == TLS_FAILURE_EOF || why == TLS_FAILURE_RESET || why == TLS_FAILURE_TIMEOUT);
    if (!t->complete && t->failure == TLS_FAILURE_NONE)
        t->failure = why;
}

const char *tls_server_name(const struct tls *t)
{
    const char *name = t->server_name;

    if (!SSL_is_server(t->ssl)) /* an address is checked, not sent */
        name = SSL_get_servername(t->ssl, TLSEXT_NAMETYPE_host_name);
    return name != NULL ? name : "";
}
