/* compare_reply - one reply that became another, was swallowed, or was made up. */
#include "analysis/diff/compare.h"

#include "analysis/diff/align.h"

enum { ALIKE_MIN = 40 };

static bool has_verb(const struct unit *u, const char *verb)
{
    return span_equal(u->verb, span_str(verb));
}

static struct diff_finding *reply_found(struct compare *c, enum diff_class id, const char *sub,
                                        const struct unit *near, const struct unit *far)
{
    struct diff_finding *f = compare_found(c, id, sub, unit_name(near));

    f->way = WAY_REPLY;
    compare_show_delta(f, far, far->reply, near, near->reply);
    return f;
}

static bool say_masked(struct compare *c, const struct unit *near, const struct unit *far)
{
    static const enum diff_class ids[] = { CLASS_ALTERED, CLASS_STARS, CLASS_ONE_STAR,
                                           CLASS_LETTERS };
    enum mask_kind mask = mask_of(far->reply, near->reply);

    if (mask == MASK_NONE)
        return false;
    struct diff_finding *f = reply_found(c, ids[mask], "reply", near, far);
    f->rule = mask;
    compare_say(f, "the %s was overwritten in place with %s on the way back; its length stayed",
                near->kind == UNIT_GREETING ? "greeting" : "reply",
                mask == MASK_LETTERS ? "X" : "*");
    return true;
}

/* ---- lines of a reply that were lost, or added ---- */

static struct span next_line(struct span *s)
{
    size_t lf = span_find(*s, '\n');
    struct span line = span_first(*s, lf < s->len ? lf + 1 : s->len);

    *s = span_drop(*s, line.len);
    return line;
}

/* Without code, separator and ending. */
static struct span line_text(struct span line)
{
    while (line.len > 0 && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
        line.len--;
    return span_drop(line, 4);
}

static size_t count_lines(struct span s)
{
    size_t n = 0;

    for (; s.len > 0; n++)
        next_line(&s);
    return n;
}

/* Every line of `few` is one of `many`, in order. */
static bool is_part_of(struct span few, struct span many)
{
    while (few.len > 0) {
        struct span line = line_text(next_line(&few));
        bool found = false;
        while (many.len > 0 && !found)
            found = span_equal(line_text(next_line(&many)), line);
        if (!found)
            return false;
    }
    return true;
}

/* The first line of `s` that is none of `other`. */
static struct span missing_line(struct span s, struct span other)
{
    while (s.len > 0) {
        struct span line = next_line(&s), left = other;
        bool found = false;
        while (left.len > 0 && !found)
            found = span_equal(line_text(next_line(&left)), line_text(line));
        if (!found)
            return line;
    }
    return s;
}

static bool say_lines(struct compare *c, const struct unit *near, const struct unit *far)
{
    struct span sent = far->reply.s, received = near->reply.s;
    size_t before = count_lines(sent), after = count_lines(received);
    struct diff_finding *f;

    if (before == after)
        return false;
    if (after < before && is_part_of(received, sent)) {
        f = reply_found(c, CLASS_SWALLOWED_REPLY, "lines", near, far);
        f->f.severity = SEVERITY_MEDIUM;
        f->rule = compare_hash(0, missing_line(sent, received));
        compare_say(f, "the reply lost %zu of its %zu lines on the way back", before - after,
                    before);
        return true;
    }
    if (after > before && is_part_of(sent, received)) {
        f = reply_found(c, CLASS_INJECTED_REPLY, "lines", near, far);
        f->f.severity = SEVERITY_MEDIUM;
        f->rule = compare_hash(0, missing_line(received, sent));
        compare_say(f, "%zu lines that nobody sent stand in the reply", after - before);
        return true;
    }
    return false;
}

/* ---- the reply as a whole ---- */

/* NEAR had it before FAR sent it, by the clocks. */
static bool came_early(const struct compare *c, const struct unit *near, const struct unit *far)
{
    const struct diff_clock *k = c->clock;

    if (!k->known || near->kind == UNIT_GREETING)
        return false;
    int64_t here = (int64_t)(near->t_us + near->reply_us) + k->ahead_us;
    return here + (int64_t)k->error_us < (int64_t)(far->t_us + far->reply_us);
}

/* The mail was accepted before the server had all of it: TV-20 says so. */
static bool is_told_as_early(const struct compare *c, const struct unit *near,
                             const struct unit *far)
{
    const struct diff_clock *k = c->clock;

    if (!has_verb(near, ".") || near->code / 100 != 2 || !k->known)
        return false;
    int64_t here = (int64_t)(near->t_us + near->reply_us) + k->ahead_us;
    return here + (int64_t)k->error_us < (int64_t)far->t_us;
}

static void say_replaced(struct compare *c, const struct unit *near, const struct unit *far)
{
    bool same_code = near->code == far->code;
    bool early = came_early(c, near, far);
    struct diff_finding *f;

    if (is_told_as_early(c, near, far))
        return;
    f = reply_found(c, same_code ? CLASS_SWALLOWED_REPLY : CLASS_INJECTED_REPLY, "replaced",
                    near, far);
    f->rule = compare_hash(0, span_first(near->reply.s, 3));
    compare_say(f,
                same_code ? "the server's %u never arrived: another %u stands in its place%s"
                          : "the server said %u, the client heard %u%s",
                far->code, near->code, early ? ", and came before it was sent" : "");
}

static void say_altered(struct compare *c, const struct unit *near, const struct unit *far)
{
    struct delta d = text_delta(far->reply, near->reply);
    const char *sub = d.sent == 0 ? "inserted" : d.received == 0 ? "deleted" : "replaced";
    struct diff_finding *f = reply_found(c, CLASS_ALTERED, sub, near, far);
    bool meaning = near->code / 100 != far->code / 100;

    f->f.severity = meaning                   ? SEVERITY_HIGH
                    : near->code != far->code ? SEVERITY_MEDIUM
                                              : SEVERITY_LOW;
    compare_say(f, "the %s%s was altered on the way back at byte %zu: %zu bytes %s",
                near->kind == UNIT_GREETING ? "" : "reply to ", f->subject, d.at,
                d.sent == 0 ? d.received : d.sent, sub);
}

void compare_replies(struct compare *c, const struct unit *near, const struct unit *far)
{
    bool ehlo = has_verb(near, "EHLO") && near->code == 250 && far->code == 250;

    if (ehlo && compare_ehlo(c, near, far))
        return;
    if (say_masked(c, near, far) || say_lines(c, near, far))
        return;
    if (near->kind != UNIT_GREETING && text_likeness(far->reply, near->reply) < ALIKE_MIN)
        say_replaced(c, near, far);
    else
        say_altered(c, near, far);
}

/* ---- without a partner ---- */

void compare_reply_only_near(struct compare *c, size_t i)
{
    const struct unit *u = &c->near->units[i];

    /* A command that never arrived: its finding shows the reply, too. */
    if (u->passed && c->far_of[i] == ALIGN_NONE)
        return;
    struct diff_finding *f = compare_found(c, CLASS_INJECTED_REPLY, "inserted", unit_name(u));
    f->way = WAY_REPLY;
    compare_show(&f->received, u, u->reply_field, u->reply, 0, u->reply.s.len);
    f->rule = u->code;
    f->f.bytes = span_first(u->reply.s, FINDING_BYTES_MAX);
    if (u->code != 0)
        compare_say(f, "the client heard %u, which the server never said", u->code);
    else
        compare_say(f, "%zu bytes that are no reply came back, and the server never sent them",
                    u->reply.s.len);
    if (c->far->missing || !c->far->closed) {
        f->f.severity = SEVERITY_LOW;
        f->f.confidence = CONFIDENCE_LOW;
    }
}

/* The client had gone when it came, or was going. */
static bool nobody_listened(const struct compare *c, const struct unit *u)
{
    const struct talk *near = c->near;
    uint64_t sent = u->t_us + u->reply_us - (uint64_t)c->clock->ahead_us;

    if (!near->closed)
        return true;
    return c->clock->known && sent + c->clock->error_us >= near->close_us;
}

void compare_reply_only_far(struct compare *c, size_t i)
{
    const struct unit *u = &c->far->units[i];
    bool made_up = u->passed && c->near_of[i] == ALIGN_NONE;

    if (made_up) /* the reply to a command that was never sent went to who sent it */
        return;
    struct diff_finding *f = compare_found(c, CLASS_SWALLOWED_REPLY, "dropped", unit_name(u));
    f->way = WAY_REPLY;
    compare_show(&f->sent, u, u->reply_field, u->reply, 0, u->reply.s.len);
    f->rule = u->code;
    compare_say(f, "the server said %u, which the client never heard", u->code);
    if (nobody_listened(c, u)) {
        f->f.severity = SEVERITY_INFO;
        f->f.confidence = CONFIDENCE_LOW;
        compare_say(f, "the server said %u when the client had gone", u->code);
    }
    if (c->near->missing)
        f->f.confidence = CONFIDENCE_LOW;
}
