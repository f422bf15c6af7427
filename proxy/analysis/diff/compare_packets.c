/*
 * compare_packets - what only captures show: the TCP options of the first segments.
 *
 * Where both ends of the connection are the same on both sides it is one connection, and what
 * differs was rewritten in it. Else a proxy may stand in between, with a TCP of its own.
 */
#include "analysis/diff/compare.h"

#include "base/attributes.h"
#include "base/escape.h"

enum { OPTION_TEXT_MAX = 64 };

static const struct option {
    const char *name, *what;
    enum severity severity;
} options[] = {
    { "mss", "maximum segment size", SEVERITY_LOW }, /* lowered by many a router, rightly */
    { "scale", "window scale", SEVERITY_MEDIUM },
    { "sack", "selective acknowledgement", SEVERITY_MEDIUM },
    { "timestamps", "timestamps", SEVERITY_MEDIUM },
};

/* As it stands in the transcript, which anybody may have written. */
static void text_of(char out[OPTION_TEXT_MAX], struct span option)
{
    escape(out, OPTION_TEXT_MAX, option.len > 0 ? option : SPAN_LIT("none"));
}

/* "mss 1460" of a list; empty: it is not there. */
static struct span option_of(struct span list, const char *name)
{
    while (list.len > 0) {
        struct span one = span_first(list, span_find(list, ','));
        if (span_equal(span_first(one, span_find(one, ' ')), span_str(name)))
            return one;
        list = span_trim_left(span_drop(list, one.len + 1));
    }
    return list;
}

static void say_option(struct compare *c, const struct option *o, enum side side,
                       struct span near, struct span far)
{
    const char *whose = side == CLIENT ? "client" : "server";
    char before[OPTION_TEXT_MAX], after[OPTION_TEXT_MAX];
    struct span sent = side == CLIENT ? near : far, received = side == CLIENT ? far : near;
    struct diff_finding *f = compare_found(c, CLASS_PACKETS, o->name, span_str(whose));
    bool one = c->pair == CONFIDENCE_CERTAIN;

    f->way = WAY_SESSION;
    f->sent =
        (struct diff_excerpt){ .record = c->near->open_n, .len = near.len, .octets = near };
    f->received =
        (struct diff_excerpt){ .record = c->far->open_n, .len = far.len, .octets = far };
    f->f.severity = one ? o->severity : SEVERITY_INFO;
    text_of(before, sent);
    text_of(after, received);
    compare_say(f, "the %s of the %s's SYN was %s: %s was sent, %s arrived%s", o->what, whose,
                received.len == 0 ? "removed"
                : sent.len == 0   ? "added"
                                  : "rewritten",
                before, after, one ? "" : "; a proxy in between would look the same");
}

void compare_packets(struct compare *c)
{
    for (int side = CLIENT; side <= SERVER; side++) {
        struct span near = c->near->syn[side], far = c->far->syn[side];
        if (near.len == 0 || far.len == 0)
            continue; /* not captured, or a SYN without any */
        for (size_t i = 0; i < ARRAY_LEN(options); i++) {
            struct span a = option_of(near, options[i].name);
            struct span b = option_of(far, options[i].name);
            if (!span_equal(a, b))
                say_option(c, &options[i], (enum side)side, a, b);
        }
    }
}
