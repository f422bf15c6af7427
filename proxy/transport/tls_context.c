#include "base/trusted_open.h"
#include "transport/tls_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

/* Which hellos and alerts passed. */
static void on_message(int sent, int version, int type, const void *bytes, size_t len, SSL *ssl,
                       void *unused)
{
    struct tls *t = tls_of(ssl);
    const unsigned char *m = bytes;

    (void)version;
    (void)unused;
    if (type == SSL3_RT_HANDSHAKE && len > 0) {
        t->hello_client |= m[0] == SSL3_MT_CLIENT_HELLO;
        t->hello_server |= m[0] == SSL3_MT_SERVER_HELLO;
    } else if (type == SSL3_RT_ALERT && len == 2 && sent) {
        t->alert_sent = m[1];
    } else if (type == SSL3_RT_ALERT && len == 2) {
        t->alert_received = m[1];
    }
}

static bool chain_is_good(struct tls *t, X509_STORE_CTX *chain)
{
    X509 *leaf = X509_STORE_CTX_get0_cert(chain);

    if (t->ctx->verify == TLS_VERIFY_PIN) {
        bool known = tls_pin_is_known(t->ctx, leaf);
        X509_STORE_CTX_set_error(chain, known ? X509_V_OK : X509_V_ERR_DANE_NO_MATCH);
        return known;
    }
    if (X509_verify_cert(chain) != 1) {
        if (X509_STORE_CTX_get_error(chain) == X509_V_OK)
            X509_STORE_CTX_set_error(chain, X509_V_ERR_UNSPECIFIED);
        return false;
    }
    if (t->ctx->verify == TLS_VERIFY_CA && t->server_name == NULL) {
        X509_STORE_CTX_set_error(chain, X509_V_ERR_HOSTNAME_MISMATCH);
        return false;
    }
    return true;
}

/* In the place of X509_verify_cert(). A server lets any client in, and knows all the same. */
static int on_certificate(X509_STORE_CTX *chain, void *unused)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls *t = tls_of(ssl);
    X509 *leaf = X509_STORE_CTX_get0_cert(chain);

    (void)unused;
    if (chain_is_good(t, chain))
        return 1;
    t->verify_depth = X509_STORE_CTX_get_error_depth(chain);
    if (t->ctx->verify == TLS_VERIFY_NO)
        return 1;
    if (t->rejected == NULL && X509_up_ref(leaf) == 1)
        t->rejected = leaf;
    return 0;
}

static SSL_CTX *make_ssl_ctx(bool server)
{
    static const unsigned char id[] = "smtpscope";
    SSL_CTX *s = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());

    if (s == NULL)
        return NULL;
    SSL_CTX_set_min_proto_version(s, TLS1_2_VERSION);
    SSL_CTX_set_options(s, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(s, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(s, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_cert_verify_callback(s, on_certificate, NULL);
    SSL_CTX_set_msg_callback(s, on_message);
    X509_VERIFY_PARAM_set_hostflags(SSL_CTX_get0_param(s),
                                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (server) {
        SSL_CTX_set_dh_auto(s, 1);
        SSL_CTX_set_num_tickets(s, 1); /* more serve clients with parallel connections */
        SSL_CTX_set_session_id_context(s, id, sizeof id - 1);
        tls_hello_install(s);
        tls_tickets_install(s);
    }
    return s;
}

static struct tls_context *context_new(bool server, unsigned identities)
{
    struct tls_context *ctx = calloc(1, sizeof *ctx);

    if (ctx == NULL)
        return NULL;
    atomic_init(&ctx->refs, 1);
    ctx->server = server;
    ctx->keylog = -1;
    tls_tickets_init(&ctx->tickets);
    ctx->identities = calloc(identities, sizeof *ctx->identities);
    if (ctx->identities == NULL)
        tls_context_unref(&ctx);
    return ctx;
}

struct tls_context *tls_context_ref(struct tls_context *ctx)
{
    atomic_fetch_add_explicit(&ctx->refs, 1, memory_order_relaxed);
    return ctx;
}

void tls_context_unref(struct tls_context **cp)
{
    struct tls_context *ctx = *cp;

    *cp = NULL;
    if (ctx == NULL || atomic_fetch_sub_explicit(&ctx->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (unsigned i = 0; i < ctx->identity_count; i++) {
        SSL_CTX_free(ctx->identities[i].ssl);
        tls_names_deinit(&ctx->identities[i].names);
    }
    free(ctx->identities);
    free(ctx->pins);
    tls_tickets_deinit(&ctx->tickets);
    if (ctx->keylog >= 0)
        close(ctx->keylog);
    free(ctx);
}

static void out_of_memory(struct tls_config_error *error)
{
    if (error->part == TLS_PART_NONE || error->part == TLS_PART_EXPIRED) {
        error->part = TLS_PART_CERTIFICATE;
        snprintf(error->text, sizeof error->text, "out of memory");
    }
}

/* Certificates of the same names and another type of key share an SSL_CTX: OpenSSL then
 * chooses as the client can. */
static bool join_identity(struct tls_context *ctx, const struct tls_names *names,
                          const struct tls_pair *p)
{
    for (unsigned i = 0; i < ctx->identity_count; i++) {
        struct tls_identity *id = &ctx->identities[i];
        if (tls_names_equal(&id->names, names) &&
            SSL_CTX_use_cert_and_key(id->ssl, p->leaf, p->key, p->chain, 0) == 1)
            return true;
    }
    ERR_clear_error();
    return false;
}

static bool refuse_key(const struct tls_key_pair *files, struct tls_config_error *error)
{
    error->part = TLS_PART_KEY;
    snprintf(error->text, sizeof error->text, "%s does not belong to the certificate in %s",
             files->key, files->certificate);
    return false;
}

/* E.g. a key too short for the security level. */
static bool refuse_certificate(const struct tls_key_pair *files, struct tls_config_error *error)
{
    const char *why = ERR_reason_error_string(ERR_peek_error());

    error->part = TLS_PART_CERTIFICATE;
    snprintf(error->text, sizeof error->text, "%s cannot be used: %s", files->certificate,
             why != NULL ? why : "unknown reason");
    return false;
}

static bool add_pair(struct tls_context *ctx, const struct tls_pair *p,
                     const struct tls_key_pair *files, struct tls_config_error *error)
{
    struct tls_identity *id = &ctx->identities[ctx->identity_count];

    if (X509_check_private_key(p->leaf, p->key) != 1)
        return refuse_key(files, error);
    if (!tls_names_init(&id->names, p->leaf))
        return false;
    if (join_identity(ctx, &id->names, p)) {
        tls_names_deinit(&id->names);
        return true;
    }
    id->ssl = make_ssl_ctx(true);
    if (id->ssl == NULL) {
        tls_names_deinit(&id->names);
        return false;
    }
    ctx->identity_count++;
    if (SSL_CTX_use_cert_and_key(id->ssl, p->leaf, p->key, p->chain, 1) != 1)
        return refuse_certificate(files, error);
    return true;
}

static bool load_pair(struct tls_context *ctx, const struct tls_key_pair *files, unsigned index,
                      struct tls_config_error *error)
{
    struct tls_config_error late = { TLS_PART_NONE, index, "" };
    struct tls_pair p;
    bool ok = tls_pair_load(&p, files, &late) && add_pair(ctx, &p, files, &late);

    if (!ok) {
        *error = late;
        out_of_memory(error);
    } else if (error->part == TLS_PART_NONE &&
               tls_pair_is_out_of_date(&p, files->certificate, &late)) {
        *error = late;
    }
    tls_pair_deinit(&p);
    ERR_clear_error();
    return ok;
}

static bool ask_client(struct tls_context *ctx, const char *ca, struct tls_config_error *error)
{
    X509_STORE *store = tls_store_load(ca, error);

    if (store == NULL)
        return false;
    for (unsigned i = 0; i < ctx->identity_count; i++) {
        SSL_CTX *s = ctx->identities[i].ssl;
        SSL_CTX_set1_cert_store(s, store);
        SSL_CTX_set_verify(s, SSL_VERIFY_PEER, NULL);
        if (ca != NULL)
            SSL_CTX_set_client_CA_list(s, SSL_load_client_CA_file(ca));
    }
    X509_STORE_free(store);
    return true;
}

struct tls_context *tls_context_server(const struct tls_server_config *c,
                                       struct tls_config_error *error)
{
    assert(c->pair_count > 0);
    *error = (struct tls_config_error){ .part = TLS_PART_NONE };
    struct tls_context *ctx = context_new(true, c->pair_count);
    if (ctx == NULL) {
        out_of_memory(error);
        return NULL;
    }
    bool ok = true;
    for (unsigned i = 0; ok && i < c->pair_count; i++)
        ok = load_pair(ctx, &c->pairs[i], i, error);
    if (ok && c->ask_client)
        ok = ask_client(ctx, c->client_ca, error);
    ERR_clear_error();
    if (!ok)
        tls_context_unref(&ctx);
    return ctx;
}

static bool copy_pins(struct tls_context *ctx, const struct tls_client_config *c)
{
    ctx->pins = calloc(c->pin_count, sizeof *ctx->pins);
    if (ctx->pins == NULL)
        return false;
    memcpy(ctx->pins, c->pins, c->pin_count * sizeof *ctx->pins);
    ctx->pin_count = c->pin_count;
    return true;
}

static bool fill_client(struct tls_context *ctx, const struct tls_client_config *c,
                        struct tls_config_error *error)
{
    SSL_CTX *s = make_ssl_ctx(false);

    if (s == NULL)
        return false;
    ctx->identities[0].ssl = s;
    ctx->identity_count = 1;
    ctx->verify = c->verify;
    SSL_CTX_set_verify(s, c->verify == TLS_VERIFY_NO ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    if (c->verify == TLS_VERIFY_PIN)
        return copy_pins(ctx, c);
    X509_STORE *store = tls_store_load(c->ca, error);
    if (store == NULL)
        return false;
    SSL_CTX_set_cert_store(s, store);
    return true;
}

struct tls_context *tls_context_client(const struct tls_client_config *c,
                                       struct tls_config_error *error)
{
    assert(c->verify != TLS_VERIFY_PIN || c->pin_count > 0);
    *error = (struct tls_config_error){ .part = TLS_PART_NONE };
    struct tls_context *ctx = context_new(false, 1);
    if (ctx == NULL || !fill_client(ctx, c, error)) {
        out_of_memory(error);
        tls_context_unref(&ctx);
    }
    ERR_clear_error();
    return ctx;
}

static void on_keylog(const SSL *ssl, const char *line)
{
    struct iovec out[] = { { (char *)line, strlen(line) }, { "\n", 1 } };
    ssize_t ignored = writev(tls_of(ssl)->ctx->keylog, out, 2); /* one write: never torn */

    (void)ignored;
}

bool tls_context_keylog(struct tls_context *ctx, const char *file)
{
    assert(ctx->keylog < 0);
    ctx->keylog = trusted_open(file, O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (ctx->keylog < 0)
        return false;
    for (unsigned i = 0; i < ctx->identity_count; i++)
        SSL_CTX_set_keylog_callback(ctx->identities[i].ssl, on_keylog);
    return true;
}
