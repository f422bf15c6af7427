/*
 * test_mutation - one octet replaced, deleted or inserted on the way between two vantage
 * points, ten thousand times, in both directions: every time diff must say where.
 *
 *   test_mutation FOLDER [COUNT [full]]     full: contents are kept
 *
 * Exact means the offset of the first octet that differs. A line that nobody could read any
 * more as what it was may be told as a unit: lost, or made up; content by its block.
 */
#include "diff/duo.h"

#include "analysis/diff/diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { COUNT = 10000, MAIL_LINES = 260 };

enum edit { EDIT_REPLACE, EDIT_DELETE, EDIT_INSERT, EDITS };

struct mutation {
    enum side to;
    enum edit edit;
    uint64_t at;
    unsigned char octet;
    bool done;
    uint64_t differs; /* offset of the first octet that differs */
    uint64_t unit;    /* where the reply in which it lies begins (to CLIENT) */
    uint64_t before;  /* and the one before: what comes first in one may be last in the other */
    char sid[DIFF_SID];
};

struct tally {
    const struct mutation *list;
    size_t count, seen, exact, block, unit, missed;
    bool begun;
};

static uint64_t state = 0x9e3779b97f4a7c15u;

static uint64_t chance(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

static void mutate(void *arg, enum side to, uint64_t at, struct span in, struct duo_octets *out)
{
    struct mutation *m = arg;

    for (size_t i = 0; i < in.len; i++) {
        unsigned char c = in.ptr[i];
        if (to == m->to && at + i == m->at) {
            m->done = true;
            if (m->edit == EDIT_DELETE)
                continue;
            if (m->edit == EDIT_INSERT)
                out->bytes[out->len++] = m->octet;
            else
                c = m->octet;
        }
        out->bytes[out->len++] = c;
    }
}

/* A deleted octet is seen where the next one is another; an inserted one likewise. */
static uint64_t first_difference(const struct mutation *m, const struct duo_octets *sent)
{
    uint64_t at = m->at;

    if (m->edit == EDIT_DELETE)
        while (at + 1 < sent->len && sent->bytes[at + 1] == sent->bytes[at])
            at++;
    if (m->edit == EDIT_INSERT)
        while (at < sent->len && sent->bytes[at] == m->octet)
            at++;
    return at;
}

static uint64_t reply_begin(const struct duo_octets *said, uint64_t at)
{
    uint64_t begin = 0;

    for (size_t i = 0; i < said->len && i < at; i++) {
        size_t line = i;
        while (line > 0 && said->bytes[line - 1] != '\n')
            line--;
        if (said->bytes[i] == '\n' && i + 1 < said->len && said->bytes[line + 3] == ' ')
            begin = i + 1;
    }
    return begin;
}

static const char *mail(void)
{
    static char text[32768];
    size_t n = 0;

    n += (size_t)snprintf(text, sizeof text,
                          "From: a@example.org\r\nTo: b@example.net\r\nSubject: test\r\n"
                          "Message-ID: <1@example.org>\r\n\r\n");
    for (unsigned i = 0; i < MAIL_LINES; i++)
        n += (size_t)snprintf(text + n, sizeof text - n,
                              "%sline %u of the text, which says nothing %llx\r\n",
                              i % 50 == 7 ? ".." : "", i, (unsigned long long)i * 2654435761u);
    snprintf(text + n, sizeof text - n, ".\r\n");
    return text;
}

static size_t make_steps(const char *steps[24])
{
    size_t n = 0;

    steps[n++] = "EHLO client.example.org\r\n";
    steps[n++] = "VRFY someone\r\n";
    steps[n++] = "MAIL FROM:<a@example.org> SIZE=1000 BODY=8BITMIME\r\n";
    steps[n++] = "RCPT TO:<b@example.net>\r\n";
    steps[n++] = "RCPT TO:<c@example.net> NOTIFY=NEVER\r\n";
    steps[n++] = "DATA\r\n";
    steps[n++] = mail();
    steps[n++] = "RSET\r\n";
    steps[n++] = "MAIL FROM:<>\r\n";
    steps[n++] = "RCPT TO:<\"odd one\"@example.net>\r\n";
    steps[n++] = "BDAT 20\r\n0123456789\r\n45678\r\n";
    steps[n++] = "BDAT 12 LAST\r\nlast chunk\r\n";
    steps[n++] = "HELP\r\n";
    steps[n++] = "NOOP\r\n";
    steps[n++] = "QUIT\r\n";
    return n;
}

/* Half of them in the dialogue, half anywhere. */
static void choose(struct mutation *m, const struct duo_octets *sent)
{
    uint64_t len = sent->len;

    m->edit = (enum edit)chance(EDITS);
    m->at = m->to == CLIENT || chance(2) == 0 ? chance(len) : chance(400);
    if (m->to == SERVER && chance(4) == 0)
        m->at = len - 1 - chance(250);
    do
        m->octet = chance(3) == 0 ? (unsigned char)"\r\n. *X-0"[chance(8)]
                                  : (unsigned char)chance(256);
    while (m->edit == EDIT_REPLACE && m->octet == sent->bytes[m->at]);
}

/* ---- what diff says ---- */

static bool is_within(uint64_t at, uint64_t begin, uint64_t len)
{
    return at >= begin && at <= begin + len;
}

enum place { PLACE_NONE, PLACE_UNIT, PLACE_BLOCK, PLACE_EXACT };

static enum place judge_sent(const struct mutation *m, const struct diff_finding *f)
{
    const struct diff_excerpt *s = &f->sent, *r = &f->received;

    if (f->way == WAY_CONTENT && !f->block && s->octets.len > 0 &&
        s->stream + s->at == m->differs)
        return PLACE_EXACT;
    if (f->way == WAY_CONTENT && s->record != 0)
        return is_within(m->differs, s->stream + s->at, s->len) ? PLACE_BLOCK : PLACE_NONE;
    if (f->way != WAY_COMMAND)
        return PLACE_NONE;
    if (s->record != 0 && s->stream + s->at == m->differs && r->record != 0)
        return PLACE_EXACT;
    if (s->record != 0 && is_within(m->differs, s->stream, s->octets.len))
        return PLACE_UNIT;
    /* One octet more or less moves what is behind it. */
    return r->record != 0 && is_within(m->differs + 1, r->stream, r->octets.len + 1)
               ? PLACE_UNIT
               : PLACE_NONE;
}

static bool says(struct span octets, const struct duo_octets *said, uint64_t at)
{
    return octets.len > 0 && at + octets.len <= said->len &&
           memcmp(said->bytes + at, octets.ptr, octets.len) == 0;
}

static const struct duo_octets *said;

static enum place judge_reply(const struct mutation *m, const struct diff_excerpt *s,
                              uint64_t unit)
{
    if (s->octets.len == 0)
        return PLACE_UNIT;
    if (!says(s->octets, said, unit + s->from))
        return PLACE_NONE;
    if (unit + s->at == m->differs)
        return PLACE_EXACT;
    return is_within(m->differs, unit + s->from, s->octets.len) ? PLACE_UNIT : PLACE_NONE;
}

static enum place judge_replied(const struct mutation *m, const struct diff_finding *f)
{
    enum place here = judge_reply(m, &f->sent, m->unit);
    enum place before = judge_reply(m, &f->sent, m->before);

    if (f->way != WAY_REPLY)
        return PLACE_NONE;
    if (m->differs == said->len)
        return PLACE_UNIT; /* an empty line behind all replies: of the one that never came */
    return here > before ? here : before;
}

static void on_compared(void *arg, const struct diff_pair *pair,
                        const struct diff_finding *list, size_t len)
{
    struct tally *t = arg;
    const struct mutation *m = &t->list[t->seen];
    enum place best = PLACE_NONE;

    if (!t->begun) { /* the session in which nothing was changed */
        t->begun = true;
        t->missed += len;
        return;
    }
    t->seen++;

    if (strcmp(m->sid, pair->near.sid) != 0) {
        printf("another session: %s, not %s\n", pair->near.sid, m->sid);
        exit(1);
    }
    for (size_t i = 0; i < len; i++) {
        enum place p = m->to == SERVER ? judge_sent(m, &list[i]) : judge_replied(m, &list[i]);
        best = p > best ? p : best;
    }
    t->exact += best == PLACE_EXACT;
    t->block += best == PLACE_BLOCK;
    t->unit += best == PLACE_UNIT;
    t->missed += best == PLACE_NONE;
    if (best != PLACE_NONE || t->missed > 10)
        return;
    printf("MISSED %s: to %s, edit %d at %llu (differs at %llu, unit %llu), byte %02x\n",
           m->sid, m->to == SERVER ? "server" : "client", (int)m->edit,
           (unsigned long long)m->at, (unsigned long long)m->differs,
           (unsigned long long)m->unit, m->octet);
    for (size_t i = 0; i < len; i++)
        printf("   %s %s %s: %s [sent record %u stream %llu at %llu]\n", list[i].f.id,
               list[i].sub, list[i].subject, list[i].f.text, list[i].sent.record,
               (unsigned long long)list[i].sent.stream, (unsigned long long)list[i].sent.at);
}

static void on_trouble(void *arg, const char *what)
{
    (void)arg;
    printf("trouble: %s\n", what);
}

static int compare(const struct duo_config *c, struct tally *t)
{
    struct diff_options o = { .files = { &c->file[NEAR], &c->file[FAR] },
                              .file_count = { 1, 1 },
                              .spool = { c->spool[NEAR], c->spool[FAR] },
                              .examples = 1,
                              .trouble = on_trouble,
                              .compared = on_compared,
                              .arg = t };
    char error[DIFF_ERROR_MAX];
    struct diff_result *r = diff_run(&o, error);

    if (r == NULL) {
        printf("%s\n", error);
        return 1;
    }
    printf("%zu mutations: %zu to the byte, %zu to the block, %zu to the line or reply, "
           "%zu missed; %zu groups\n",
           t->count, t->exact, t->block, t->unit, t->missed, r->group_count);
    bool all = t->seen == t->count && r->totals.pairs == t->count + 1 && t->missed == 0 &&
               r->totals.unpaired[NEAR] + r->totals.unpaired[FAR] == 0;
    diff_free(&r);
    return all ? 0 : 1;
}

/* The transcripts, and the list of what was done. */
static bool make_sessions(struct duo *d, struct mutation *list, size_t count,
                          struct duo_octets sent[2])
{
    const char *steps[24];
    size_t len = make_steps(steps);
    struct mutation none = { .at = UINT64_MAX };

    /* What passes when nothing is changed: the first session of both files. */
    duo_session(d, steps, len, mutate, &none);
    sent[CLIENT] = *duo_sent(d, CLIENT);
    sent[SERVER] = *duo_sent(d, SERVER);
    for (size_t i = 0; i < count; i++) {
        struct mutation *m = &list[i];
        m->to = chance(2) == 0 ? CLIENT : SERVER;
        choose(m, &sent[m->to]);
        m->differs = first_difference(m, &sent[m->to]);
        m->unit = reply_begin(&sent[CLIENT], m->differs);
        m->before = m->unit > 0 ? reply_begin(&sent[CLIENT], m->unit - 1) : 0;
        duo_session(d, steps, len, mutate, m);
        snprintf(m->sid, sizeof m->sid, "%s", duo_near_sid(d));
        if (!m->done)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : COUNT;
    const char *folder = argc > 1 ? argv[1] : ".";
    bool full = argc > 3 && strcmp(argv[3], "full") == 0;
    char near[512], far[512], spool[2][512];

    snprintf(near, sizeof near, "%s/near%s.jsonl", folder, full ? "-full" : "");
    snprintf(far, sizeof far, "%s/far%s.jsonl", folder, full ? "-full" : "");
    snprintf(spool[0], sizeof spool[0], "%s/near-spool", folder);
    snprintf(spool[1], sizeof spool[1], "%s/far-spool", folder);
    mkdir(spool[0], 0700);
    mkdir(spool[1], 0700);
    remove(near);
    remove(far);
    struct duo_config c = { .file = { near, far },
                            .observe = true,
                            .content = full ? CONTENT_LEVEL_FULL : CONTENT_LEVEL_DIGEST,
                            .spool = { full ? spool[0] : NULL, full ? spool[1] : NULL } };
    struct duo *d = duo_new(&c);
    struct mutation *list = calloc(count, sizeof *list);
    struct duo_octets *sent = calloc(2, sizeof *sent);
    struct tally t = { .list = list, .count = count };
    said = &sent[CLIENT];
    bool made = list != NULL && sent != NULL && make_sessions(d, list, count, sent);
    duo_free(&d);
    int code = made ? compare(&c, &t) : 1;
    free(list);
    free(sent);
    return code;
}
