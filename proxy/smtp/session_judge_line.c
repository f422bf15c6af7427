/* session_judge_line - what the octets of a command line say, before its verb is looked at. */
#include "smtp/session_judge.h"

static enum local_reply judge_ending(struct judge *j)
{
    if (j->line->end == LINE_LF) {
        note(j, NOTE_CMD_BARE_LF);
        if (rule(j, RULE_CMD_BARE_LF) == WORD_REJECT)
            return LOCAL_SYNTAX_LF;
        j->rewrite = true;
    } else if (j->line->end == LINE_CRCRLF) {
        note(j, NOTE_CMD_CRCRLF);
        if (rule(j, RULE_CMD_CRCRLF) == WORD_REJECT)
            return LOCAL_SYNTAX_CRCRLF;
        j->rewrite = true;
    }
    return LOCAL_NONE;
}

/* Parsers disagree about where such a line ends: it is never sent on. */
static enum local_reply judge_octets(struct judge *j)
{
    unsigned faults = j->cmd.faults;

    if ((faults & FAULT_NUL) != 0) {
        note_at(j, NOTE_CMD_NUL);
        return LOCAL_SYNTAX_NUL;
    }
    if ((faults & FAULT_BARE_CR) != 0) {
        note_at(j, NOTE_CMD_BARE_CR);
        return LOCAL_SYNTAX_CR;
    }
    if ((faults & FAULT_CTRL) != 0) {
        note_at(j, NOTE_CMD_CTRL);
        return LOCAL_SYNTAX_CTRL;
    }
    if ((faults & FAULT_BLANK) != 0) {
        note(j, NOTE_CMD_BLANK);
        return LOCAL_SYNTAX_BLANK;
    }
    return LOCAL_NONE;
}

static enum local_reply judge_blanks(struct judge *j)
{
    if ((j->cmd.faults & FAULT_LEADING_WS) != 0) {
        note(j, NOTE_CMD_LEADING_WS);
        if (rule(j, RULE_CMD_LEADING_WS) == WORD_REJECT)
            return LOCAL_SYNTAX_LEADING;
        j->rewrite = true;
    }
    if ((j->cmd.faults & FAULT_TRAILING_WS) != 0) {
        note(j, NOTE_CMD_TRAILING_WS);
        if (rule(j, RULE_CMD_TRAILING_WS) == WORD_REJECT)
            return LOCAL_SYNTAX_TRAILING;
        if (rule(j, RULE_CMD_TRAILING_WS) == WORD_NORMALIZE)
            j->rewrite = true;
    }
    if ((j->cmd.faults & FAULT_TAB) != 0) {
        note(j, NOTE_CMD_TAB);
        j->canon = j->cmd.arg;
    }
    return LOCAL_NONE;
}

/* RFC 6531: UTF-8 only in what SMTPUTF8 covers, and only when it was offered. */
static enum local_reply judge_8bit(struct judge *j)
{
    enum verb v = j->cmd.verb;
    bool covered = (verb_flags(v) & VERB_UTF8) != 0;

    if ((j->cmd.faults & FAULT_8BIT_VERB) != 0) {
        note_at(j, NOTE_CMD_8BIT);
        return LOCAL_SYNTAX_8BIT_VERB;
    }
    if ((j->cmd.faults & FAULT_8BIT_ARG) == 0)
        return LOCAL_NONE;
    note_at(j, NOTE_CMD_8BIT);
    if (covered && ehlo_offers(j->s->offer.offered, EHLO_SMTPUTF8) &&
        (j->cmd.faults & FAULT_NOT_UTF8) == 0)
        return LOCAL_NONE;
    if (rule(j, RULE_CMD_8BIT) == WORD_PASS)
        return LOCAL_NONE;
    if (covered)
        return LOCAL_ARG_8BIT;
    return refuse(j, LOCAL_ARG_8BIT_NEVER, v < VERB_UNKNOWN ? verb_name(v) : "This command");
}

enum local_reply judge_line(struct judge *j)
{
    static enum local_reply (*const stages[])(struct judge *) = { judge_ending, judge_octets,
                                                                  judge_blanks, judge_8bit };

    for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
        enum local_reply v = stages[i](j);
        if (v != LOCAL_NONE)
            return v;
    }
    return LOCAL_NONE;
}
