#include "smtp/path.h"

#include "smtp/number.h"

enum {
    LOCAL_PART_OCTETS = 64, /* RFC 5321 4.5.3.1.1 */
    PATH_OCTETS = 256,      /* 4.5.3.1.3, with its brackets */
    SIZE_DIGITS_MAX = 20,   /* RFC 1870 3 */
    PARAMS_MAX = 64,
};

/* Where an unquoted local part and a domain end. */
enum { STOPS_LOCAL = 1, STOPS_DOMAIN = 2, STOPS_BOTH = 3 };

static const unsigned char stops[256] = {
    ['@'] = STOPS_BOTH,  ['<'] = STOPS_BOTH,  ['>'] = STOPS_BOTH, ['"'] = STOPS_BOTH,
    ['('] = STOPS_BOTH,  [')'] = STOPS_BOTH,  [' '] = STOPS_BOTH, ['\t'] = STOPS_BOTH,
    [','] = STOPS_BOTH,  [':'] = STOPS_BOTH,  [';'] = STOPS_BOTH, ['\\'] = STOPS_BOTH,
    ['['] = STOPS_LOCAL, [']'] = STOPS_LOCAL,
};

static size_t run_length(struct span s, unsigned stop)
{
    size_t n = 0;

    while (n < s.len && (stops[s.ptr[n]] & stop) == 0)
        n++;
    return n;
}

static size_t blanks_length(struct span s)
{
    return s.len - span_trim_left(s).len;
}

static size_t word_length(struct span s)
{
    size_t n = 0;

    while (n < s.len && !span_is_blank_char(s.ptr[n]))
        n++;
    return n;
}

/* "FROM" *WSP ":" *WSP from the front of *rest. */
static bool take_keyword(struct span *rest, enum path_kind kind, struct path *out)
{
    struct span keyword = kind == PATH_FROM ? SPAN_LIT("FROM") : SPAN_LIT("TO");

    if (!span_starts_with_nocase(*rest, keyword))
        return false;
    out->keyword = span_first(*rest, keyword.len);
    *rest = span_drop(*rest, keyword.len);
    size_t before = blanks_length(*rest);
    *rest = span_drop(*rest, before);
    if (rest->len == 0 || rest->ptr[0] != ':')
        return false;
    *rest = span_drop(*rest, 1);
    size_t behind = blanks_length(*rest);
    *rest = span_drop(*rest, behind);
    out->rewrite = before > 0 || behind > 0;
    return true;
}

/* Position of the ">" that closes the path, s.len when there is none. */
static size_t find_closing(struct span s)
{
    bool quoted = false;

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = s.ptr[i];

        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (c == '>' && !quoted)
            return i;
        else if (c == '<' && !quoted)
            return s.len;
    }
    return s.len;
}

static bool take_bracketed(struct span rest, struct path *out)
{
    struct span inner = span_drop(rest, 1);
    size_t end = find_closing(inner);

    if (end == inner.len) {
        out->why = "the closing > is missing";
        return false;
    }
    out->path = span_first(inner, end);
    out->params = span_drop(inner, end + 1);
    return true;
}

static bool take_bare(struct span rest, struct path *out)
{
    size_t end = word_length(rest);

    out->path = span_first(rest, end);
    out->params = span_drop(rest, end);
    out->rewrite = true;
    if (span_find(out->path, '<') < end || span_find(out->path, '>') < end) {
        out->why = "the opening < is missing";
        return false;
    }
    return true;
}

/* Octets of the quoted string at the start of s, 0 when it does not end. */
static size_t quoted_length(struct span s)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.ptr[i] == '\\')
            i++;
        else if (s.ptr[i] == '"')
            return i + 1;
    }
    return 0;
}

/* "[" dtext "]", with the colons of IPv6 that no other domain may have. */
static bool is_literal(struct span s)
{
    if (s.len < 3 || s.ptr[0] != '[' || s.ptr[s.len - 1] != ']')
        return false;
    for (size_t i = 1; i < s.len - 1; i++) {
        unsigned char c = s.ptr[i];

        if (c != ':' && stops[c] != 0)
            return false;
    }
    return true;
}

/* [ "@" route ":" ] local-part [ "@" domain ] (RFC 5321 4.1.2, A-d-l and Mailbox). */
static bool mailbox_is_sound(struct span path, size_t *local_octets)
{
    struct span s = path;

    if (s.ptr[0] == '@') {
        size_t colon = span_find(s, ':');
        if (colon < 2 || colon == s.len)
            return false;
        s = span_drop(s, colon + 1);
    }
    bool quoted = s.len > 0 && s.ptr[0] == '"';
    size_t local = quoted ? quoted_length(s) : run_length(s, STOPS_LOCAL);
    if (local == 0)
        return false;
    *local_octets = local;
    s = span_drop(s, local);
    if (s.len == 0)
        return true;
    if (s.ptr[0] != '@')
        return false;
    s = span_drop(s, 1);
    return (s.len > 0 && run_length(s, STOPS_DOMAIN) == s.len) || is_literal(s);
}

/* A character of a local part that ought to be quoted, and that common servers take as it is.
 */
static bool is_taken_unquoted(unsigned char c)
{
    return c == ' ' || c == ',' || c == ';';
}

/* The domain outside comments: no blanks but around it. */
struct domain {
    size_t octets;
    bool ended;
};

static bool take_domain(struct domain *d, unsigned char c)
{
    if (c == ' ') {
        d->ended = d->octets > 0;
        return true;
    }
    d->octets++;
    return !d->ended && (stops[c] & STOPS_DOMAIN) == 0;
}

/*
 * Comments anywhere, blanks, commas and semicolons in the local part. Nothing by which one
 * reader could see another end of the path than the next one: no bracket, quote or
 * backslash, and comments that end (RFC 5322 3.2.2, without what nests by quoting).
 */
static bool mailbox_is_passable(struct span path, size_t *local_octets)
{
    struct domain domain = { 0 };
    size_t depth = 0, local = 0;
    bool at = false;

    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = path.ptr[i];

        if (c == '<' || c == '>' || c == '"' || c == '\\' || c == '\t')
            return false;
        if (c == ')' && depth-- == 0)
            return false;
        if (c == '(')
            depth++;
        if (c == '(' || c == ')' || depth > 0)
            continue;
        if (!at && c == '@')
            at = true;
        else if (at ? !take_domain(&domain, c)
                    : (stops[c] & STOPS_LOCAL) != 0 && !is_taken_unquoted(c))
            return false;
        else if (!at && c != ' ')
            local++;
    }
    *local_octets = local;
    return depth == 0 && local > 0 && (!at || domain.octets > 0);
}

static enum path_result check_path(enum path_kind kind, bool strict, struct path *out,
                                   struct notes *notes, uint64_t at)
{
    size_t local = 0;

    if (out->path.len == 0 && kind == PATH_TO) {
        out->why = "the address is empty";
        return PATH_BAD_PATH;
    }
    if (out->path.len == 0)
        return PATH_OK;
    if (out->path.ptr[0] == '@')
        notes_add(notes, NOTE_PATH_SOURCE_ROUTE, at);
    bool sound = mailbox_is_sound(out->path, &local);
    if (!sound && !strict && mailbox_is_passable(out->path, &local)) {
        notes_add(notes, NOTE_PATH_UNQUOTED, at);
        sound = true;
    }
    if (!sound) {
        out->why = "not of the form name@domain";
        return PATH_BAD_PATH;
    }
    if (local > LOCAL_PART_OCTETS || out->path.len + 2 > PATH_OCTETS)
        notes_add(notes, NOTE_PATH_OVERLONG, at);
    return PATH_OK;
}

/* ALNUM *( ALNUM / "-" ) */
static bool is_param_keyword(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = s.ptr[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

        if (!alnum && (c != '-' || i == 0))
            return false;
    }
    return s.len > 0;
}

/* 1*( any octet but "=", SP and controls ) */
static bool is_param_value(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= 0x20 || s.ptr[i] == 0x7f || s.ptr[i] == '=')
            return false;
    return s.len > 0;
}

/* A size that receivers read differently is left to the session: a mail may be as large. */
static bool is_size(struct span s, uint64_t *size)
{
    return number_parse(s, size) || (s.len > 0 && s.len <= SIZE_DIGITS_MAX &&
                                     number_digits(s) == s.len && *size > NUMBER_MAX);
}

/* "BY=-120;R", "HOLDFOR=3600", "MT-PRIORITY=-3" (RFC 2852, 4865, 6710). */
static bool is_other_number(struct span s)
{
    if (s.len > 0 && s.ptr[0] == '-')
        s = span_drop(s, 1);
    size_t digits = number_digits(s);
    return digits > 0 && digits < NUMBER_DIGITS_MAX &&
           (digits == s.len || s.ptr[digits] == ';');
}

/* Why the value of a parameter that is a number cannot stand, NULL when it can. */
static const char *number_fault(struct span keyword, struct span value, uint64_t *size)
{
    static const char *const others[] = { "BY", "HOLDFOR", "MT-PRIORITY" };

    if (span_equal_nocase(keyword, SPAN_LIT("SIZE")))
        return is_size(value, size) ? NULL : "SIZE is not a number of 1 to 10 digits";
    for (unsigned i = 0; i < ARRAY_LEN(others); i++)
        if (span_equal_nocase(keyword, span_str(others[i])) && !is_other_number(value))
            return "a parameter is not a number of 1 to 9 digits";
    return NULL;
}

static bool is_among(struct span word, const struct span *list, unsigned len)
{
    for (unsigned i = 0; i < len; i++)
        if (span_equal_nocase(word, list[i]))
            return true;
    return false;
}

/* Why the parameters cannot stand, NULL when they can. */
static const char *params_fault(struct span params, uint64_t *size)
{
    struct span seen[PARAMS_MAX];
    unsigned count = 0;

    for (struct span rest = span_trim_left(params); rest.len > 0; rest = span_trim_left(rest)) {
        struct span word = span_first(rest, word_length(rest));
        size_t equals = span_find(word, '=');
        struct span keyword = span_first(word, equals);
        struct span value = span_drop(word, equals + 1);

        rest = span_drop(rest, word.len);
        if (!is_param_keyword(keyword) || (equals < word.len && !is_param_value(value)))
            return "a parameter is malformed";
        if (count == PARAMS_MAX)
            return "too many parameters";
        if (is_among(keyword, seen, count))
            return "a parameter is given twice";
        const char *fault = number_fault(keyword, value, size);
        if (fault != NULL)
            return fault;
        seen[count++] = keyword;
    }
    return NULL;
}

/* What stands behind "FROM:", not empty. */
static enum path_result parse_path_and_params(struct span rest, enum path_kind kind,
                                              bool strict, struct path *out,
                                              struct notes *notes, uint64_t at)
{
    bool split = rest.ptr[0] == '<' ? take_bracketed(rest, out) : take_bare(rest, out);

    if (!split)
        return PATH_BAD_PATH;
    if (out->params.len > 0 && !span_is_blank_char(out->params.ptr[0])) {
        out->why = "no space after the address";
        return PATH_BAD_ARGS;
    }
    enum path_result result = check_path(kind, strict, out, notes, at);
    if (result != PATH_OK)
        return result;
    out->why = params_fault(out->params, &out->size);
    return out->why == NULL ? PATH_OK : PATH_BAD_ARGS;
}

enum path_result path_parse(struct span arg, enum path_kind kind, bool strict, struct path *out,
                            struct notes *notes, uint64_t at)
{
    struct span rest = arg;
    enum path_result result = PATH_BAD_ARGS;

    *out = (struct path){ .rewrite = false };
    bool keyword = take_keyword(&rest, kind, out);
    bool bare = keyword && rest.len > 0 && rest.ptr[0] != '<';
    if (out->rewrite)
        notes_add(notes, NOTE_PATH_SPACE, at);
    if (out->rewrite && strict) {
        out->why = "spaces are not allowed around the colon";
        return PATH_BAD_ARGS;
    }
    if (bare)
        notes_add(notes, NOTE_PATH_MISSING_BRACKETS, at);
    if (bare && strict) {
        out->why = "the address must be enclosed in < and >";
        return PATH_BAD_ARGS;
    }
    if (!keyword)
        out->why = kind == PATH_FROM ? "FROM: is missing" : "TO: is missing";
    else if (rest.len == 0)
        out->why = "the address is missing";
    else
        result = parse_path_and_params(rest, kind, strict, out, notes, at);
    if (result != PATH_OK)
        notes_add(notes, NOTE_CMD_SYNTAX, at);
    return result;
}

static bool append_params(struct span params, struct buf *out)
{
    for (struct span rest = span_trim_left(params); rest.len > 0; rest = span_trim_left(rest)) {
        struct span word = span_first(rest, word_length(rest));

        if (!buf_append(out, SPAN_LIT(" ")) || !buf_append(out, word))
            return false;
        rest = span_drop(rest, word.len);
    }
    return true;
}

bool path_canonical(const struct path *p, struct buf *out)
{
    uint32_t len = out->len;
    bool ok = buf_append(out, p->keyword) && buf_append(out, SPAN_LIT(":<")) &&
              buf_append(out, p->path) && buf_append(out, SPAN_LIT(">")) &&
              append_params(p->params, out);

    if (!ok)
        out->len = len;
    return ok;
}
