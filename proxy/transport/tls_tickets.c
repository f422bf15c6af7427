#include "transport/tls_private.h"

#include "base/clock.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>

static uint64_t monotonic_seconds(void)
{
    return clock_monotonic_us() / 1000000;
}

void tls_tickets_init(struct tls_tickets *t)
{
    memset(t, 0, sizeof *t);
    pthread_mutex_init(&t->lock, NULL);
    t->now = monotonic_seconds;
}

void tls_tickets_deinit(struct tls_tickets *t)
{
    pthread_mutex_destroy(&t->lock);
    OPENSSL_cleanse(&t->sealing, sizeof t->sealing);
    OPENSSL_cleanse(&t->old, sizeof t->old);
}

static bool make_key(struct tls_ticket_key *k, uint64_t now)
{
    k->made = now;
    k->exists = RAND_bytes(k->name, sizeof k->name) == 1 &&
                RAND_priv_bytes(k->cipher, sizeof k->cipher) == 1 &&
                RAND_priv_bytes(k->mac, sizeof k->mac) == 1;
    return k->exists;
}

static void end_key(struct tls_ticket_key *k, uint64_t now, uint64_t seconds)
{
    if (k->exists && now - k->made >= seconds)
        OPENSSL_cleanse(k, sizeof *k); /* also: it does not exist */
}

static void let_keys_age(struct tls_tickets *t, uint64_t now)
{
    if (t->sealing.exists && now - t->sealing.made >= TLS_TICKET_KEY_SECONDS) {
        t->old = t->sealing;
        OPENSSL_cleanse(&t->sealing, sizeof t->sealing);
    }
    end_key(&t->old, now, 2 * (uint64_t)TLS_TICKET_KEY_SECONDS);
}

bool tls_tickets_seal(struct tls_tickets *t, struct tls_ticket_key *out)
{
    pthread_mutex_lock(&t->lock);
    uint64_t now = t->now();
    let_keys_age(t, now);
    bool ok = t->sealing.exists || make_key(&t->sealing, now);
    if (ok)
        *out = t->sealing;
    pthread_mutex_unlock(&t->lock);
    return ok;
}

static bool has_name(const struct tls_ticket_key *k, const unsigned char *name)
{
    return k->exists && memcmp(k->name, name, sizeof k->name) == 0;
}

bool tls_tickets_open(struct tls_tickets *t, const unsigned char name[TLS_TICKET_NAME_OCTETS],
                      struct tls_ticket_key *out)
{
    pthread_mutex_lock(&t->lock);
    let_keys_age(t, t->now());
    const struct tls_ticket_key *k = has_name(&t->sealing, name) ? &t->sealing
                                     : has_name(&t->old, name)   ? &t->old
                                                                 : NULL;
    if (k != NULL)
        *out = *k;
    pthread_mutex_unlock(&t->lock);
    return k != NULL;
}

/* As OpenSSL does it by itself: AES-256-CBC, HMAC-SHA-256 (RFC 5077 4). */
static bool use_key(struct tls_ticket_key *k, const unsigned char *iv, EVP_CIPHER_CTX *cipher,
                    EVP_MAC_CTX *mac, int sealing)
{
    char sha256[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, k->mac, sizeof k->mac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_MAC_CTX_set_params(mac, params) == 1 &&
           EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->cipher, iv, sealing) == 1;
}

/* 1: go on; 0: no ticket, or not one of ours; -1: the handshake fails */
static int on_ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv,
                         EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int sealing)
{
    struct tls_tickets *t = &tls_of(ssl)->ctx->tickets;
    struct tls_ticket_key k;

    if (!(sealing ? tls_tickets_seal(t, &k) : tls_tickets_open(t, name, &k)))
        return 0;
    if (sealing) {
        memcpy(name, k.name, sizeof k.name);
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
            return 0;
    }
    bool ok = use_key(&k, iv, cipher, mac, sealing);
    OPENSSL_cleanse(&k, sizeof k);
    return ok ? 1 : -1;
}

void tls_tickets_install(SSL_CTX *ssl)
{
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl, on_ticket_key);
}
