/* session_judge_path - the arguments of MAIL and RCPT: the path, and what may follow it. */
#include "smtp/number.h"
#include "smtp/session_judge.h"

/* Takes a parameter and the blanks before it; empty: there is none. */
static struct span take_param(struct span *params)
{
    size_t n = 0;

    *params = span_trim_left(*params);
    while (n < params->len && !span_is_blank_char(params->ptr[n]))
        n++;
    struct span param = span_first(*params, n);
    *params = span_drop(*params, n);
    return param;
}

/* BODY=8BITMIME, BINARYMIME and SMTPUTF8 allow 8-bit content (RFC 6152, 3030, 6531). */
static void note_body(struct session *s, struct span params)
{
    s->body = (struct session_body){ 0 };
    for (struct span p = take_param(&params); p.len > 0; p = take_param(&params)) {
        if (span_equal_nocase(p, SPAN_LIT("BODY=BINARYMIME")))
            s->body.eight_bit = s->body.binary_mime = true;
        else if (span_equal_nocase(p, SPAN_LIT("BODY=8BITMIME")) ||
                 span_equal_nocase(p, SPAN_LIT("SMTPUTF8")))
            s->body.eight_bit = true;
    }
}

/* A parameter whose extension this proxy keeps from the client changes what follows, too. */
static enum local_reply judge_params(struct judge *j, struct span params)
{
    for (struct span p = take_param(&params); p.len > 0; p = take_param(&params)) {
        const char *name = ehlo_parameter_removed(j->s->offer.removed, p);

        if (name != NULL) {
            note(j, NOTE_PARAM_REMOVED);
            return refuse(j, LOCAL_PARAM_REMOVED, name);
        }
    }
    return LOCAL_NONE;
}

enum local_reply judge_path(struct judge *j, enum path_kind kind)
{
    bool strict = rule(j, RULE_CMD_GRAMMAR) == WORD_STRICT;
    struct path path;

    switch (path_parse(j->cmd.arg, kind, strict, &path, &j->ex->event.notes, j->ex->event.at)) {
    case PATH_OK:
        break;
    case PATH_BAD_ARGS:
        return refuse(j, LOCAL_ARG_SYNTAX, path.why);
    case PATH_BAD_PATH:
        return refuse(j, kind == PATH_FROM ? LOCAL_PATH_FROM : LOCAL_PATH_TO, path.why);
    }
    if (path.size > NUMBER_MAX || session_exceeds_size(j->s, path.size))
        return path.size > NUMBER_MAX ? LOCAL_SIZE_TOO_LARGE : LOCAL_SIZE_OVER_LIMIT;
    enum local_reply v = j->s->env->observe ? LOCAL_NONE : judge_params(j, path.params);
    if (v != LOCAL_NONE)
        return v;
    if (kind == PATH_FROM)
        note_body(j->s, path.params);
    if (path.rewrite) {
        if (!path_canonical(&path, &j->s->out))
            session_close(j->s, CLOSE_NO_MEMORY);
        j->canon = buf_span(&j->s->out);
    }
    return LOCAL_NONE;
}
