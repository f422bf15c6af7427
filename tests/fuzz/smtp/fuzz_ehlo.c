/*
 * fuzz_ehlo - an EHLO reply under some terms: two octets of flags, then the reply.
 *
 * Always true: what is left is one 250 reply; what it offers is what *offered says;
 * filtering it again changes nothing.
 */
#include "fuzz/always.h"
#include "smtp/ehlo.h"
#include "smtp/reply.h"

static void set(struct policy *p, enum policy_rule rule, bool yes, struct span word)
{
    if (yes)
        ALWAYS(policy_set(p, rule, word));
}

static struct policy policy_from(unsigned flags)
{
    struct policy p;

    policy_init(&p, (enum policy_preset)((flags & 3) % PRESET_COUNT));
    set(&p, RULE_STARTTLS, (flags & 4) != 0, SPAN_LIT("refuse"));
    set(&p, RULE_ETRN, (flags & 8) != 0, SPAN_LIT("reject"));
    set(&p, RULE_EHLO_UNKNOWN, (flags & 16) != 0, SPAN_LIT("pass"));
    set(&p, RULE_VRFY, (flags & 32) != 0, SPAN_LIT("pass"));
    return p;
}

static struct ehlo_terms terms_from(unsigned flags, const struct policy *policy)
{
    return (struct ehlo_terms){
        .policy = policy,
        .client_secure = (flags & 1) != 0,
        .upstream_secure = (flags & 2) != 0,
        .terminate = (flags & 4) != 0,
        .trusted = (flags & 8) != 0,
    };
}

static void check_filtered(struct span left, const struct ehlo_terms *terms, ehlo_set offered)
{
    struct notes notes = { .len = 0 };
    struct reply r;
    struct buf out;
    struct ehlo_offer again;

    buf_init(&out, 2 * REPLY_MAX);
    ALWAYS(reply_parse(left, &r, &notes, 0) == REPLY_OK && r.code == 250);
    ALWAYS(r.received.len == left.len);
    ALWAYS(ehlo_parse(left) == offered);
    ALWAYS(ehlo_filter(left, terms, &again, &out));
    ALWAYS(out.len == 0 && again.offered == offered && again.removed == 0 && !again.sasl_layer);
    for (unsigned v = 0; v < VERB_COUNT; v++)
        ALWAYS(ehlo_command_limit((enum verb)v, offered, terms->policy) >= COMMAND_LINE_OCTETS);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = span_drop(span_of(data, size), 2);
    struct notes notes = { .len = 0 };
    struct reply r;
    struct buf out;
    struct ehlo_offer offer;

    if (size < 2)
        return 0;
    struct policy policy = policy_from(data[0]);
    struct ehlo_terms terms = terms_from(data[1], &policy);
    bool whole = reply_parse(in, &r, &notes, 0) == REPLY_OK && r.code == 250 &&
                 !notes_has(&notes, NOTE_REPLY_CODE_MISMATCH);
    ehlo_set added = terms.terminate ? UINT64_C(1) << EHLO_STARTTLS : 0;
    struct span reply = whole ? r.received : in;
    buf_init(&out, 2 * REPLY_MAX);
    ALWAYS(ehlo_filter(reply, &terms, &offer, &out) || in.len > REPLY_MAX);
    ehlo_set offered = offer.offered;
    ALWAYS((offered & offer.removed) == 0);
    ALWAYS(((ehlo_parse(reply) | added) & offered) == offered);
    ALWAYS(!(terms.client_secure && ehlo_offers(offered, EHLO_STARTTLS)));
    if (whole && out.len <= REPLY_MAX)
        check_filtered(out.len > 0 ? buf_span(&out) : reply, &terms, offered);
    buf_release(&out);
    return 0;
}
