#include "smtp/sasl.h"

#include "base/attributes.h"

static const char *const layered[] = { "GSSAPI", "DIGEST-MD5", "KERBEROS_V4" };

static const char *const plain[] = {
    "PLAIN",  "LOGIN", "CRAM-MD5", "EXTERNAL", "ANONYMOUS", "XOAUTH2",  "OAUTHBEARER",
    "XOAUTH", "NTLM",  "OTP",      "SKEY",     "SECURID",   "OPENID20", "SAML20",
};

/* Families without a layer: RFC 5802 4, RFC 5801 5. */
static const char *const plain_families[] = { "SCRAM-", "GS2-" };

static bool is_among(struct span mechanism, const char *const *list, unsigned len)
{
    for (unsigned i = 0; i < len; i++)
        if (span_equal_nocase(mechanism, span_str(list[i])))
            return true;
    return false;
}

bool sasl_has_layer(struct span mechanism)
{
    return is_among(mechanism, layered, ARRAY_LEN(layered));
}

bool sasl_may_have_layer(struct span mechanism)
{
    for (unsigned i = 0; i < ARRAY_LEN(plain_families); i++)
        if (span_starts_with_nocase(mechanism, span_str(plain_families[i])))
            return false;
    return !is_among(mechanism, plain, ARRAY_LEN(plain));
}

bool sasl_begins_layer(unsigned char first)
{
    return first < ' ' && first != '\t' && first != '\r' && first != '\n';
}
