/*
 * session_judge - what form, order and policy say of one command.
 *
 * A command is refused here only when every possible outcome of the commands still
 * unanswered would make it invalid; in doubt it is sent on and the upstream decides.
 * So the verdict depends on what was sent, never on when replies arrived.
 */
#ifndef SMTP_SESSION_JUDGE_H
#define SMTP_SESSION_JUDGE_H

#include "smtp/command.h"
#include "smtp/path.h"
#include "smtp/session_private.h"

/* A command before the bench. */
struct judge {
    struct session *s;
    struct exchange *ex;
    const struct line *line;
    struct command cmd;
    bool rewrite;      /* cmd.text + CRLF instead of what came */
    struct span canon; /* when not empty: verb + blank + this, instead */
    struct bdat bdat;  /* a BDAT chunk */
    bool framed;       /* its size is known */
};

static inline enum policy_word rule(const struct judge *j, enum policy_rule r)
{
    return policy_get(j->s->env->policy, r);
}

static inline void note(struct judge *j, enum note_id id)
{
    notes_add(&j->ex->event.notes, id, j->ex->event.at);
}

static inline void note_at(struct judge *j, enum note_id id)
{
    notes_add(&j->ex->event.notes, id, j->ex->event.at + j->cmd.fault_at);
}

static inline enum local_reply refuse(struct judge *j, enum local_reply id, const char *hint)
{
    j->ex->reply_detail = hint;
    return id;
}

/* The first word of AUTH's argument. */
static inline struct span auth_mechanism(const struct command *c)
{
    size_t n = 0;

    while (n < c->arg.len && !span_is_blank_char(c->arg.ptr[n]))
        n++;
    return span_first(c->arg, n);
}

/* The octets of the line and its ending: session_judge_line.c. */
enum local_reply judge_line(struct judge *j);

/* "FROM:<path> params": session_judge_path.c. */
enum local_reply judge_path(struct judge *j, enum path_kind kind);

/* LOCAL_NONE: send it on. Notes go to the exchange, a hint for the reply too. */
enum local_reply judge_command(struct judge *j);

#endif
