#include "transport/tls_private.h"

#include <pthread.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

enum { HEX_DIGITS = 2 * TLS_PIN_OCTETS, BASE64_DIGITS = 43 };

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Blanks between digits are skipped: zone files break long records. */
static bool parse_hex(uint8_t pin[TLS_PIN_OCTETS], const char *text)
{
    unsigned digits = 0;

    for (; *text != '\0'; text++) {
        int value = hex_value(*text);
        if (*text == ' ' || *text == '\t')
            continue;
        if (value < 0 || digits == HEX_DIGITS)
            return false;
        pin[digits / 2] = (uint8_t)(digits % 2 ? pin[digits / 2] | value : value << 4);
        digits++;
    }
    return digits == HEX_DIGITS;
}

static bool parse_base64(uint8_t pin[TLS_PIN_OCTETS], const char *text)
{
    unsigned char padded[BASE64_DIGITS + 1], out[TLS_PIN_OCTETS + 1];
    size_t len = strlen(text);

    if (len == BASE64_DIGITS + 1 && text[BASE64_DIGITS] == '=')
        len--;
    if (len != BASE64_DIGITS || memchr(text, '=', len) != NULL)
        return false;
    memcpy(padded, text, len);
    padded[len] = '=';
    if (EVP_DecodeBlock(out, padded, sizeof padded) != (int)sizeof out)
        return false;
    memcpy(pin, out, TLS_PIN_OCTETS);
    return true;
}

bool tls_pin_parse(uint8_t pin[TLS_PIN_OCTETS], const char *text)
{
    static const char prefix[] = "sha256:", tlsa[] = "3 1 1 ";

    if (strncmp(text, tlsa, sizeof tlsa - 1) == 0)
        return parse_hex(pin, text + sizeof tlsa - 1);
    if (strncmp(text, prefix, sizeof prefix - 1) != 0)
        return parse_hex(pin, text);
    text += sizeof prefix - 1;
    return parse_hex(pin, text) || parse_base64(pin, text);
}

static const EVP_MD *sha256;

static void find_sha256(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL); /* for the life of the process */
}

const EVP_MD *tls_sha256(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, find_sha256);
    return sha256;
}

bool tls_pin_of(uint8_t pin[TLS_PIN_OCTETS], X509 *cert)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

    if (len <= 0)
        return false;
    bool ok = tls_sha256() != NULL &&
              EVP_Digest(der, (size_t)len, pin, NULL, tls_sha256(), NULL) == 1;
    OPENSSL_free(der);
    return ok;
}

bool tls_pin_is_known(const struct tls_context *ctx, X509 *cert)
{
    uint8_t pin[TLS_PIN_OCTETS];

    if (!tls_pin_of(pin, cert))
        return false;
    for (unsigned i = 0; i < ctx->pin_count; i++) {
        if (memcmp(ctx->pins[i], pin, sizeof pin) == 0)
            return true;
    }
    return false;
}
