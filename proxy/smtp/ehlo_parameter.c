/* Which keyword allows which parameter of MAIL and RCPT. */
#include "base/attributes.h"
#include "smtp/ehlo.h"

static const struct {
    const char *name, *value; /* value NULL: any, or none */
    enum ehlo_keyword keyword;
} parameters[] = {
    { "SIZE", NULL, EHLO_SIZE },               /* RFC 1870 */
    { "BODY", "BINARYMIME", EHLO_BINARYMIME }, /* RFC 3030 */
    { "BODY", NULL, EHLO_8BITMIME },           /* RFC 6152 */
    { "SMTPUTF8", NULL, EHLO_SMTPUTF8 },       /* RFC 6531 */
    { "AUTH", NULL, EHLO_AUTH },               /* RFC 4954 */
    { "RET", NULL, EHLO_DSN },                 /* RFC 3461 */
    { "ENVID", NULL, EHLO_DSN },
    { "NOTIFY", NULL, EHLO_DSN },
    { "ORCPT", NULL, EHLO_DSN },
    { "REQUIRETLS", NULL, EHLO_REQUIRETLS },   /* RFC 8689 */
    { "BY", NULL, EHLO_DELIVERBY },            /* RFC 2852 */
    { "MT-PRIORITY", NULL, EHLO_MT_PRIORITY }, /* RFC 6710 */
    { "HOLDFOR", NULL, EHLO_FUTURERELEASE },   /* RFC 4865 */
    { "HOLDUNTIL", NULL, EHLO_FUTURERELEASE },
    { "SOLICIT", NULL, EHLO_NO_SOLICITING }, /* RFC 3865 */
    { "MTRK", NULL, EHLO_MTRK },             /* RFC 3885 */
    { "RRVS", NULL, EHLO_RRVS },             /* RFC 7293 */
    { "SUBMITTER", NULL, EHLO_SUBMITTER },   /* RFC 4405 */
    { "TRANSID", NULL, EHLO_CHECKPOINT },    /* RFC 1845 */
    { "XVERP", NULL, EHLO_XVERP },           /* Postfix */
    { "VERP", NULL, EHLO_XVERP },
    { "PRDR", NULL, EHLO_PRDR }, /* Exim */
};

_Static_assert(EHLO_KEYWORD_COUNT < 64, "a set has a bit for keywords that are not known");

static bool is_parameter(struct span name, struct span value, unsigned i)
{
    return span_equal_nocase(name, span_str(parameters[i].name)) &&
           (parameters[i].value == NULL ||
            span_equal_nocase(value, span_str(parameters[i].value)));
}

const char *ehlo_parameter_removed(ehlo_set removed, struct span parameter)
{
    size_t equals = span_find(parameter, '=');
    struct span name = span_first(parameter, equals);
    struct span value = span_drop(parameter, equals + (equals < parameter.len));
    unsigned i = 0;

    removed |= UINT64_C(1) << EHLO_PRDR;
    while (i < ARRAY_LEN(parameters) && !is_parameter(name, value, i))
        i++;
    if (i == ARRAY_LEN(parameters))
        return ehlo_offers(removed, EHLO_KEYWORD_COUNT) ? "its extension is not offered" : NULL;
    return ehlo_offers(removed, parameters[i].keyword) ? parameters[i].name : NULL;
}
