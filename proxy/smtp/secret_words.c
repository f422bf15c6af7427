#include "smtp/secret_words.h"

#include "base/attributes.h"
#include "smtp/suggest.h"
#include "smtp/verb.h"

/*
 * RFC 4954 with the registry of SASL mechanisms, those of Exchange, and HTTP's. A name that is
 * not here may be the secret itself: "AUTH hunter2".
 */
static const char *const mechanisms[] = {
    "PLAIN",
    "LOGIN",
    "CRAM-MD5",
    "DIGEST-MD5",
    "XOAUTH2",
    "XOAUTH",
    "OAUTHBEARER",
    "OAUTH10A",
    "GSSAPI",
    "GSS-SPNEGO",
    "NTLM",
    "MSN",
    "EXTERNAL",
    "ANONYMOUS",
    "SCRAM-SHA-1",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-224",
    "SCRAM-SHA-224-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-384",
    "SCRAM-SHA-384-PLUS",
    "SCRAM-SHA-512",
    "SCRAM-SHA-512-PLUS",
    "SCRAM-MD5",
    "CRAM-SHA1",
    "KERBEROS_V4",
    "KERBEROS_V5",
    "GS2-KRB5",
    "GS2-KRB5-PLUS",
    "SKEY",
    "OTP",
    "SECURID",
    "SAML20",
    "OPENID20",
    "SXOVER-PLUS",
    "EAP-AES128",
    "EAP-AES128-PLUS",
    "SRP",
    "PASSDSS-3DES-1",
    "NMAS-SAMBA-AUTH",
    "NMAS_LOGIN",
    "DIGEST-MD5-HTTP",
    "BASIC",
    "BEARER",
    "NEGOTIATE",
};

/* The words of other protocols, and of ours that carry one. */
static const char *const logins[] = { "PASS", "PASSWD",   "PASSWORD", "APOP",
                                      "USER", "USERNAME", "BURL" };

static const char *const auths[] = { "AUTH", "AUTHENTICATE", "AUTHINFO", "AUTHORIZATION" };

enum {
    TYPO_MIN = 3,       /* AUT */
    TYPO_MAX = 6,       /* AUTHEN: longer words may be a secret with AUTH in it */
    GLUED_MAX = 4 + 20, /* AUTHPLAIN */
};

static bool is_one_of(struct span word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (span_equal_nocase(word, span_str(list[i])))
            return true;
    return false;
}

#define IS_ONE_OF(word, list) is_one_of((word), (list), ARRAY_LEN(list))

static bool is_between(unsigned char c)
{
    return c <= ' ' || c >= 0x7f || memchr("\"'`=:;,<>()", c, 11) != NULL;
}

struct span secret_take_word(struct span *rest)
{
    size_t n = 0;

    while (rest->len > 0 && is_between(rest->ptr[0]))
        *rest = span_drop(*rest, 1);
    while (n < rest->len && !is_between(rest->ptr[n]))
        n++;
    struct span word = span_first(*rest, n);
    *rest = span_drop(*rest, n);
    return word;
}

bool secret_has_auth(struct span text)
{
    static const char letters[] = "auth";
    unsigned found = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = text.ptr[i];

        if (c <= ' ' || c >= 0x7f)
            continue;
        if ((c | 0x20) == (unsigned char)letters[found])
            found++;
        else
            found = (c | 0x20) == 'a';
        if (found == 4)
            return true;
    }
    return false;
}

/* AUTH, AUHT, XAUTH2, AUTHPLAIN: too short to be more than that, or known to the end. */
static bool is_like_auth(struct span word)
{
    enum verb meant;

    if (IS_ONE_OF(word, auths))
        return true;
    if (span_starts_with_nocase(word, SPAN_LIT("AUTH")) && word.len <= GLUED_MAX &&
        IS_ONE_OF(span_drop(word, 4), mechanisms))
        return true;
    if (word.len < TYPO_MIN || word.len > TYPO_MAX)
        return false;
    suggest_verb(word, &meant);
    return meant == VERB_AUTH || secret_has_auth(word);
}

/* "250", "250-" and "C" of "C: AUTH"; an ESC or CSI prefix has its letters between words. */
static bool is_lead(struct span word)
{
    size_t digits = 0;

    if (verb_lookup(word) != VERB_UNKNOWN || span_equal_nocase(word, SPAN_LIT("C")) ||
        span_equal_nocase(word, SPAN_LIT("S")))
        return true;
    while (digits < word.len && word.ptr[digits] >= '0' && word.ptr[digits] <= '9')
        digits++;
    return digits == 3 && (word.len == 3 || (word.len == 4 && word.ptr[3] == '-'));
}

enum secret_word secret_word(struct span word)
{
    if (IS_ONE_OF(word, mechanisms))
        return SECRET_WORD_MECHANISM;
    if (IS_ONE_OF(word, logins))
        return SECRET_WORD_LOGIN;
    if (verb_lookup(word) != VERB_AUTH && is_lead(word))
        return SECRET_WORD_LEAD;
    return is_like_auth(word) ? SECRET_WORD_AUTH : SECRET_WORD_OTHER;
}
