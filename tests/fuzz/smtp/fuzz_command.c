/*
 * fuzz_command - one command line and all that looks at it.
 *
 * Always true: views lie within the line; the canonical form of a command and of a
 * path parses to the same thing and is canonical; a secret runs to the end, and
 * is no less after an attempt; whether a stream is foreign does not depend on where it is cut.
 */
#include "fuzz/always.h"
#include "smtp/command.h"
#include "smtp/foreign.h"
#include "smtp/line.h"
#include "smtp/path.h"
#include "smtp/secret.h"
#include "smtp/suggest.h"

enum { FOREIGN_OCTETS = 600 };

static void check_bdat(struct span arg)
{
    struct bdat b, again;
    char text[64];

    if (command_bdat(arg, &b) != BDAT_OK)
        return;
    snprintf(text, sizeof text, "%ju%s", (uintmax_t)b.octets, b.last ? " LAST" : "");
    ALWAYS(b.octets <= INT32_MAX);
    ALWAYS(command_bdat(span_str(text), &again) == BDAT_OK);
    ALWAYS(again.octets == b.octets && again.last == b.last && again.plain);
    ALWAYS(!b.plain || strlen(text) == arg.len);
}

/* as_servers: the path itself is only what servers take, whatever its form. */
static void check_canonical_path(const struct path *p, enum path_kind kind, bool as_servers)
{
    struct notes notes = { .len = 0 };
    struct path again;
    struct buf out;

    buf_init(&out, 1u << 24);
    if (path_canonical(p, &out)) {
        ALWAYS(path_parse(buf_span(&out), kind, !as_servers, &again, &notes, 0) == PATH_OK);
        ALWAYS(!again.rewrite && span_equal(again.path, p->path));
        ALWAYS(!notes_has(&notes, NOTE_PATH_SPACE) && !notes_has(&notes, NOTE_CMD_SYNTAX));
    }
    buf_release(&out);
}

/* plain: without control characters, which no form of a path may hold (RFC 5321 4.1.2): such
 * a line is judged before its path is. */
static void check_path(struct span arg, enum path_kind kind, bool strict, bool plain)
{
    struct notes notes = { .len = 0 };
    struct path p;
    enum path_result r = path_parse(arg, kind, strict, &p, &notes, 0);

    ALWAYS((r == PATH_OK) == (p.why == NULL));
    if (r != PATH_OK)
        return;
    ALWAYS(!(strict && p.rewrite));
    ALWAYS(!notes_has(&notes, NOTE_CMD_SYNTAX));
    ALWAYS(lies_within(p.path, arg) && lies_within(p.params, arg) &&
           lies_within(p.keyword, arg));
    if (plain)
        check_canonical_path(&p, kind, notes_has(&notes, NOTE_PATH_UNQUOTED));
}

/* Word, one space, argument: what would be forwarded. */
static void check_command(struct span text)
{
    enum { OUTER = FAULT_LEADING_WS | FAULT_TRAILING_WS | FAULT_TAB };
    struct command c = command_parse(text);
    struct buf out;

    ALWAYS(lies_within(c.text, text) && lies_within(c.word, c.text) &&
           lies_within(c.arg, c.text));
    ALWAYS((c.text.len == 0) == ((c.faults & FAULT_BLANK) != 0));
    ALWAYS(c.fault_at == 0 || c.fault_at < text.len);
    buf_init(&out, 1u << 24);
    if (buf_append(&out, c.word) && (c.arg.len == 0 || buf_append(&out, SPAN_LIT(" "))) &&
        buf_append(&out, c.arg)) {
        struct command again = command_parse(buf_span(&out));

        ALWAYS(again.faults == (c.faults & ~(unsigned)OUTER) && again.verb == c.verb);
        ALWAYS(span_equal(again.word, c.word) && span_equal(again.arg, c.arg));
    }
    buf_release(&out);
    check_bdat(c.arg);
    bool plain = (c.faults & (FAULT_NUL | FAULT_BARE_CR | FAULT_CTRL)) == 0;
    check_path(c.arg, PATH_FROM, false, plain);
    check_path(c.arg, PATH_FROM, true, plain);
    check_path(c.arg, PATH_TO, false, plain);
    check_path(c.arg, PATH_TO, true, plain);
}

/*
 * What is secret runs to the end; what leads up to it is short words, or words that are known.
 * After an attempt no less is secret than before.
 */
static void check_secret(struct span line, struct span text)
{
    struct command c = command_parse(text);
    struct secret calm = secret_find(&c, text, SECRET_CALM);
    struct secret alert = secret_find(&c, text, SECRET_ALERT);
    struct secret lines = secret_find_in_lines(line, SECRET_ALERT);

    ALWAYS(lies_within(calm.octets, text) && lies_within(alert.octets, text));
    ALWAYS(lies_within(lines.octets, line));
    ALWAYS(c.verb == VERB_XCLIENT || calm.octets.ptr + calm.octets.len == text.ptr + text.len);
    ALWAYS(alert.octets.len >= calm.octets.len || c.verb == VERB_XCLIENT);
    ALWAYS(!calm.attempt || calm.octets.len == 0 || alert.octets.len > 0);
    ALWAYS(calm.attempt || calm.octets.len == 0);
}

static void check_foreign(struct span in)
{
    enum foreign_result last = FOREIGN_MORE;
    enum note_id which = NOTE_COUNT;

    for (size_t n = 0; n <= in.len && n <= FOREIGN_OCTETS; n++) {
        enum note_id w = NOTE_COUNT;
        enum foreign_result r = foreign_sniff(span_first(in, n), false, &w);

        ALWAYS(last == FOREIGN_MORE || (r == last && w == which));
        ALWAYS((r == FOREIGN_YES) == (w != NOTE_COUNT));
        last = r;
        which = w;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = span_of(data, size);
    struct line l = line_next(in);
    struct span text = l.end == LINE_MORE ? in : l.text;
    struct span line = l.end == LINE_MORE ? in : span_first(in, l.used);
    enum verb verb;

    check_foreign(in);
    check_command(text);
    while (l.end == LINE_MORE && text.len > 0 && text.ptr[text.len - 1] == '\r')
        text.len--;
    check_secret(line, text);
    const char *meant = suggest_verb(text, &verb);
    ALWAYS((meant == NULL) == (verb == VERB_UNKNOWN));
    suggest_is_probe(text);
    command_is_domain(text);
    return 0;
}
