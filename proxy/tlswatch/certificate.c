#include "tlswatch/certificate.h"

#include "base/sha256.h"
#include "tlswatch/der.h"

#include <stdint.h>
#include <stdio.h>

enum { NAME_PARTS_MAX = 32, YEAR_PIVOT = 50, UTC_TIME_LEN = 13, GENERALIZED_TIME_LEN = 15 };

struct text {
    char *at;
    size_t left; /* the NUL's octet included */
};

/* ---- names ---------------------------------------------------------------------- */

static const struct {
    struct span oid; /* as encoded */
    const char *name;
} attributes[] = {
#define OID(octets, name)                                                                      \
    {                                                                                          \
        { (const unsigned char *)(octets), sizeof(octets) - 1 }, name                          \
    }
    OID("\x55\x04\x03", "CN"),
    OID("\x55\x04\x04", "SN"),
    OID("\x55\x04\x05", "serialNumber"),
    OID("\x55\x04\x06", "C"),
    OID("\x55\x04\x07", "L"),
    OID("\x55\x04\x08", "ST"),
    OID("\x55\x04\x09", "street"),
    OID("\x55\x04\x0a", "O"),
    OID("\x55\x04\x0b", "OU"),
    OID("\x55\x04\x0c", "title"),
    OID("\x55\x04\x2a", "GN"),
    OID("\x55\x04\x61", "organizationIdentifier"),
    OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", "emailAddress"),
    OID("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "DC"),
    OID("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", "UID"),
#undef OID
};

/* All of it or nothing, so that no escape is cut in two. */
static void put(struct text *t, const char *s)
{
    size_t n = strlen(s);

    if (n >= t->left) {
        t->left = 0; /* what follows would stand in the wrong place */
        return;
    }
    memcpy(t->at, s, n + 1);
    t->at += n;
    t->left -= n;
}

static void put_char(struct text *t, uint32_t c)
{
    char s[3] = { (char)c, '\0', '\0' };

    if (c < ' ' || c > '~') {
        s[0] = '?';
    } else if (strchr(",+\"\\<>;=", (int)c) != NULL) { /* RFC 4514 2.4 */
        s[0] = '\\';
        s[1] = (char)c;
    }
    put(t, s);
}

/* The octets of an OID as numbers with dots. Numbers of more than 28 bits end it. */
static void put_oid(struct text *t, struct span oid)
{
    uint32_t value = 0;
    bool first = true;

    for (size_t i = 0; i < oid.len && value < 1u << 21; i++) {
        char s[24];
        value = value << 7 | (oid.ptr[i] & 0x7fu);
        if ((oid.ptr[i] & 0x80) != 0)
            continue;
        uint32_t root = value < 80 ? value / 40 : 2;
        if (first)
            snprintf(s, sizeof s, "%u.%u", root, value - root * 40);
        else
            snprintf(s, sizeof s, ".%u", value);
        put(t, s);
        first = false;
        value = 0;
    }
}

static void put_type(struct text *t, struct span oid)
{
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
        if (span_equal(attributes[i].oid, oid)) {
            put(t, attributes[i].name);
            return;
        }
    }
    put_oid(t, oid);
}

static void put_value(struct text *t, const struct der *value)
{
    size_t width = value->tag == DER_BMP_STRING         ? 2
                   : value->tag == DER_UNIVERSAL_STRING ? 4
                                                        : 1;

    for (size_t i = 0; i + width <= value->value.len; i += width) {
        uint32_t c = 0;
        for (size_t j = 0; j < width; j++)
            c = c << 8 | value->value.ptr[i + j];
        put_char(t, c);
    }
}

/* RelativeDistinguishedName: SET OF SEQUENCE { type, value }. */
static bool put_part(struct text *t, struct span set)
{
    struct der pair, type, value;

    for (const char *before = ""; set.len > 0; before = " + ") {
        if (!der_expect(&set, DER_SEQUENCE, &pair) ||
            !der_expect(&pair.value, DER_OID, &type) || !der_next(&pair.value, &value) ||
            pair.value.len > 0)
            return false;
        put(t, before);
        put_type(t, type.value);
        put(t, "=");
        put_value(t, &value);
    }
    return true;
}

/* Name: SEQUENCE OF RelativeDistinguishedName, the most general first. */
static bool name_text(struct span *in, char *out, size_t size)
{
    struct text t = { out, size };
    struct span parts[NAME_PARTS_MAX];
    unsigned n = 0;
    struct der name, part;

    out[0] = '\0';
    if (!der_expect(in, DER_SEQUENCE, &name))
        return false;
    while (name.value.len > 0) {
        if (n == NAME_PARTS_MAX || !der_expect(&name.value, DER_SET, &part))
            return false;
        parts[n++] = part.value;
    }
    while (n-- > 0) {
        if (!put_part(&t, parts[n]))
            return false;
        if (n > 0)
            put(&t, ", ");
    }
    return true;
}

/* ---- validity ------------------------------------------------------------------- */

static bool two_digits(struct span *in, unsigned least, unsigned most, unsigned *out)
{
    if (in->len < 2 || in->ptr[0] < '0' || in->ptr[0] > '9' || in->ptr[1] < '0' ||
        in->ptr[1] > '9')
        return false;
    *out = 10u * (in->ptr[0] - '0') + (in->ptr[1] - '0');
    *in = span_drop(*in, 2);
    return *out >= least && *out <= most;
}

/* UTCTime or GeneralizedTime (RFC 5280 4.1.2.5) as RFC 3339. */
static bool time_text(struct span *in, char *out, size_t size)
{
    unsigned century = 19, year, month, day, hour, minute, second;
    struct der time;
    struct span digits;

    if (!der_next(in, &time) ||
        !((time.tag == DER_UTC_TIME && time.value.len == UTC_TIME_LEN) ||
          (time.tag == DER_GENERALIZED_TIME && time.value.len == GENERALIZED_TIME_LEN)))
        return false;
    digits = time.value;
    if (time.tag == DER_GENERALIZED_TIME && !two_digits(&digits, 0, 99, &century))
        return false;
    if (!two_digits(&digits, 0, 99, &year) || !two_digits(&digits, 1, 12, &month) ||
        !two_digits(&digits, 1, 31, &day) || !two_digits(&digits, 0, 23, &hour) ||
        !two_digits(&digits, 0, 59, &minute) || !two_digits(&digits, 0, 59, &second) ||
        digits.ptr[0] != 'Z')
        return false;
    if (time.tag == DER_UTC_TIME && year < YEAR_PIVOT)
        century = 20;
    snprintf(out, size, "%02u%02u-%02u-%02uT%02u:%02u:%02uZ", century, year, month, day, hour,
             minute, second);
    return true;
}

/* ---- the certificate ------------------------------------------------------------ */

/* TBSCertificate up to the public key. */
static bool read_body(struct span body, struct tls_facts *f)
{
    struct der version, serial, algorithm, validity, key;

    if (body.len > 0 && body.ptr[0] == DER_CONTEXT_0 && !der_next(&body, &version))
        return false;
    if (!der_expect(&body, DER_INTEGER, &serial) ||
        !der_expect(&body, DER_SEQUENCE, &algorithm) ||
        !name_text(&body, f->issuer, sizeof f->issuer) ||
        !der_expect(&body, DER_SEQUENCE, &validity) ||
        !time_text(&validity.value, f->not_before, sizeof f->not_before) ||
        !time_text(&validity.value, f->not_after, sizeof f->not_after) ||
        validity.value.len > 0 || !name_text(&body, f->subject, sizeof f->subject) ||
        !der_expect(&body, DER_SEQUENCE, &key))
        return false;
    sha256_text(key.whole, f->spki_sha256);
    return true;
}

bool tls_certificate_facts(struct span der, struct tls_facts *f)
{
    struct der certificate, body, algorithm, signature;
    struct span in = der;

    sha256_text(der, f->sha256);
    if (der_expect(&in, DER_SEQUENCE, &certificate) && in.len == 0 &&
        der_expect(&certificate.value, DER_SEQUENCE, &body) &&
        der_expect(&certificate.value, DER_SEQUENCE, &algorithm) &&
        der_expect(&certificate.value, DER_BIT_STRING, &signature) &&
        certificate.value.len == 0 && read_body(body.value, f))
        return true;
    f->subject[0] = f->issuer[0] = f->not_before[0] = f->not_after[0] = '\0';
    f->spki_sha256[0] = '\0';
    return false;
}
