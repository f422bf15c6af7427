#include "tlswatch/hello.h"

#include "base/octets.h"

#include <stdio.h>

enum {
    EXTENSION_SERVER_NAME = 0,
    EXTENSION_ALPN = 16,
    EXTENSION_PRE_SHARED_KEY = 41,
    EXTENSION_SUPPORTED_VERSIONS = 43,
};

enum { RANDOM_LEN = 32, SESSION_ID_MAX = 32, NAME_TYPE_HOST = 0 };

/* The random of a ServerHello that is a HelloRetryRequest (RFC 8446 4.1.3). */
static const unsigned char retry_random[RANDOM_LEN] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
    0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
    0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

/* ---- extensions ------------------------------------------------------------------ */

/* Takes the next extension; false: the list is malformed. */
static bool next_extension(struct span *list, uint32_t *type, struct span *data)
{
    return octets_number(list, 2, type) && octets_vector(list, 2, data);
}

/* What follows the fixed part of a hello: nothing, or one list of extensions. */
static bool extension_list(struct span *in, struct span *list)
{
    list->len = 0;
    return in->len == 0 || (octets_vector(in, 2, list) && in->len == 0);
}

static bool parse_server_name(struct span data, struct span *host)
{
    struct span list, name;
    uint32_t type;

    if (!octets_vector(&data, 2, &list) || data.len > 0)
        return false;
    while (list.len > 0) {
        if (!octets_number(&list, 1, &type) || !octets_vector(&list, 2, &name))
            return false;
        if (type == NAME_TYPE_HOST && host->len == 0)
            *host = name;
    }
    return true;
}

static bool parse_alpn(struct span data, struct span *names)
{
    struct span rest, name;

    if (!octets_vector(&data, 2, names) || data.len > 0)
        return false;
    for (rest = *names; rest.len > 0;)
        if (!octets_vector(&rest, 1, &name) || name.len == 0)
            return false;
    return names->len > 0;
}

static bool parse_versions(struct span data, unsigned *highest)
{
    struct span list;
    uint32_t version;

    if (!octets_vector(&data, 1, &list) || data.len > 0 || list.len == 0)
        return false;
    *highest = TLS_VERSION_UNKNOWN;
    while (list.len > 0) {
        if (!octets_number(&list, 2, &version))
            return false;
        if (version >= TLS_VERSION_SSL3 && version <= TLS_VERSION_1_3 && version > *highest)
            *highest = version;
    }
    return true;
}

/* ---- hellos ---------------------------------------------------------------------- */

static bool client_extension(uint32_t type, struct span data, struct tls_client_hello *h)
{
    switch (type) {
    case EXTENSION_SERVER_NAME:
        return parse_server_name(data, &h->server_name);
    case EXTENSION_ALPN:
        return parse_alpn(data, &h->alpn);
    case EXTENSION_SUPPORTED_VERSIONS:
        return parse_versions(data, &h->version);
    default:
        return true;
    }
}

bool tls_client_hello_parse(struct span body, struct tls_client_hello *h)
{
    struct span random, session_id, suites, compressions, list, data;
    uint32_t version, type;

    *h = (struct tls_client_hello){ .version = TLS_VERSION_UNKNOWN };
    if (!octets_number(&body, 2, &version) || !octets_take(&body, RANDOM_LEN, &random) ||
        !octets_vector(&body, 1, &session_id) || session_id.len > SESSION_ID_MAX ||
        !octets_vector(&body, 2, &suites) || suites.len == 0 || suites.len % 2 != 0 ||
        !octets_vector(&body, 1, &compressions) || compressions.len == 0 ||
        !extension_list(&body, &list))
        return false;
    h->version = version < TLS_VERSION_1_2 ? version : TLS_VERSION_1_2;
    while (list.len > 0)
        if (!next_extension(&list, &type, &data) || !client_extension(type, data, h))
            return false;
    return true;
}

static bool server_extension(uint32_t type, struct span data, struct tls_server_hello *h)
{
    uint32_t version;

    switch (type) {
    case EXTENSION_ALPN:
        return parse_alpn(data, &h->alpn);
    case EXTENSION_PRE_SHARED_KEY:
        h->resumed = true;
        return true;
    case EXTENSION_SUPPORTED_VERSIONS:
        if (!octets_number(&data, 2, &version) || data.len > 0)
            return false;
        h->version = version;
        return true;
    default:
        return true;
    }
}

bool tls_server_hello_parse(struct span body, struct tls_server_hello *h)
{
    struct span random, session_id, list, data;
    uint32_t version, suite, compression, type;

    *h = (struct tls_server_hello){ .version = TLS_VERSION_UNKNOWN };
    if (!octets_number(&body, 2, &version) || !octets_take(&body, RANDOM_LEN, &random) ||
        !octets_vector(&body, 1, &session_id) || session_id.len > SESSION_ID_MAX ||
        !octets_number(&body, 2, &suite) || !octets_number(&body, 1, &compression) ||
        !extension_list(&body, &list))
        return false;
    h->version = version;
    h->suite = suite;
    h->retry = span_equal(random, span_of(retry_random, sizeof retry_random));
    while (list.len > 0)
        if (!next_extension(&list, &type, &data) || !server_extension(type, data, h))
            return false;
    /* Only TLS 1.3 has it, and says so in supported_versions. */
    return !h->retry || h->version == TLS_VERSION_1_3;
}

/* ---- as text --------------------------------------------------------------------- */

/* Protocol names one after the other, separated by blanks; those for which there is no room
 * are left out. */
static void alpn_text(struct span names, char *out, size_t size)
{
    struct span name;
    size_t at = 0;

    out[0] = '\0';
    while (octets_vector(&names, 1, &name)) {
        size_t blank = at > 0 ? 1 : 0;
        if (blank + name.len >= size - at)
            return;
        if (blank > 0)
            out[at++] = ' ';
        tls_facts_text(out + at, (unsigned)(size - at), name.ptr, (unsigned)name.len);
        for (size_t i = 0; i < name.len; i++)
            if (out[at + i] == ' ')
                out[at + i] = '?';
        at += name.len;
    }
}

void tls_client_hello_facts(const struct tls_client_hello *h, struct tls_facts *f)
{
    tls_facts_text(f->server_name, sizeof f->server_name, h->server_name.ptr,
                   (unsigned)h->server_name.len);
    alpn_text(h->alpn, f->alpn_offered, sizeof f->alpn_offered);
}

void tls_server_hello_facts(const struct tls_server_hello *h, struct tls_facts *f)
{
    const char *name = tls_suite_name(h->suite);

    tls_version_text(h->version, f->version);
    if (name != NULL)
        snprintf(f->cipher, sizeof f->cipher, "%s", name);
    else
        snprintf(f->cipher, sizeof f->cipher, "0x%04x", h->suite);
    alpn_text(h->alpn, f->alpn, sizeof f->alpn);
    f->resumed = h->resumed;
}

void tls_version_text(unsigned version, char out[TLS_VERSION_TEXT])
{
    if (version == TLS_VERSION_SSL3)
        snprintf(out, TLS_VERSION_TEXT, "SSLv3");
    else if (version > TLS_VERSION_SSL3 && version <= TLS_VERSION_1_3)
        snprintf(out, TLS_VERSION_TEXT, "TLSv1.%u", version - TLS_VERSION_SSL3 - 1);
    else
        snprintf(out, TLS_VERSION_TEXT, "0x%04x", version & 0xffffu);
}

const char *tls_suite_name(unsigned suite)
{
    switch (suite) {
#define TLS_SUITE(number, name)                                                                \
    case number:                                                                               \
        return name;
#include "tlswatch/suites.def"
#undef TLS_SUITE
    default:
        return NULL;
    }
}
