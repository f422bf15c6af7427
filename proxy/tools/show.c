/*
 * show - transcripts as people read them: smtpscope-show.
 *
 * Interleaved, records are printed as they come; while more than one session is
 * open each line begins with the end of its session's id. Grouped, the lines of a
 * session are kept until it ends. With a filter, the frame of a session (open,
 * connect, tls, close) is printed only when something in it was asked for.
 */
#include "show.h"

#include "smtp/notes.h"
#include "transcript/read/dialogue.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum {
    BUCKETS = 4096,
    POLL_MS = 100,
    SHORT_SID = 6,
    NOTES_MAX_SHOWN = 16,
};

struct session {
    struct session *next;
    char sid[27];
    bool wanted;  /* by its id and client */
    bool matched; /* a record that was asked for was seen */
    struct dialogue_legs legs;
    FILE *out; /* its text so far, until it is printed */
    char *text;
    size_t text_len;
    char client[80];
    const char *notes[NOTES_MAX_SHOWN]; /* for the summary */
};

struct show {
    struct show_options o;
    struct session *buckets[BUCKETS];
    unsigned open;
    char printed[27]; /* the session of the last line */
    bool trouble;     /* something could not be read */
};

static struct session **find_session(struct show *s, const char *sid)
{
    unsigned h = 5381;

    for (const char *c = sid; *c != '\0'; c++)
        h = h * 33 ^ (unsigned char)*c;
    struct session **at = &s->buckets[h % BUCKETS];
    while (*at != NULL && strcmp((*at)->sid, sid) != 0)
        at = &(*at)->next;
    return at;
}

static struct session *session_of(struct show *s, const struct record *r)
{
    struct session **at = find_session(s, r->sid), *new;

    if (*at != NULL)
        return *at;
    new = calloc(1, sizeof *new);
    if (new == NULL || (new->out = open_memstream(&new->text, &new->text_len)) == NULL) {
        fputs("smtpscope show: out of memory\n", stderr);
        exit(1);
    }
    memcpy(new->sid, r->sid, sizeof new->sid);
    new->wanted = show_wants_session(&s->o, r);
    *at = new;
    s->open++;
    return new;
}

static void print_text(struct session *one)
{
    fflush(one->out);
    fwrite(one->text, 1, one->text_len, stdout);
    rewind(one->out);
}

static void end_session(struct show *s, struct session *one)
{
    struct session **at = find_session(s, one->sid);

    *at = one->next;
    fclose(one->out);
    free(one->text);
    free(one);
    s->open--;
}

/* A blank line between the sessions that are printed one after the other. */
static void print_session(struct show *s, struct session *one)
{
    if (s->o.order == ORDER_GROUPED && s->printed[0] != '\0' && !s->o.summary)
        putchar('\n');
    print_text(one);
    memcpy(s->printed, one->sid, sizeof s->printed);
}

/* The name as a constant of ours: the record's goes with the record. */
static const char *note_of(const char *id)
{
    for (unsigned n = 0; n < NOTE_COUNT; n++)
        if (strcmp(note_name((enum note_id)n), id) == 0)
            return note_name((enum note_id)n);
    return "other";
}

static void remember_notes(struct session *one, const struct record *r)
{
    const json_t *notes = json_object_get(r->root, "notes");

    for (size_t i = 0; i < json_array_size(notes); i++) {
        const char *id = note_of(record_text(json_array_get(notes, i), "id"));
        unsigned k = 0;
        while (k < NOTES_MAX_SHOWN && one->notes[k] != NULL && one->notes[k] != id)
            k++;
        if (k < NOTES_MAX_SHOWN && one->notes[k] == NULL)
            one->notes[k] = id;
    }
}

/* Postfix's disconnect line, with the reason. */
static void summarize(struct show *s, struct session *one, const struct record *r)
{
    struct paint p = { .out = one->out, .color = s->o.color, .prefix = "" };
    enum paint_color color = record_flag(r->root, "error") ? RED : PLAIN;
    char lasted[32];

    paint_time(lasted, record_count(r->root, "us"));
    paint_words(&p, PLAIN, "%.19sZ %s ", r->t, one->sid);
    paint_octets(&p, PLAIN, span_str(one->client[0] != '\0' ? one->client : "?"));
    paint_words(&p, PLAIN, " ");
    paint_octets(&p, color, span_str(record_text(r->root, "reason")));
    paint_words(&p, DIM, " after %s", lasted);
    dialogue_tallies(&p, PLAIN, json_object_get(r->root, "commands"));
    for (unsigned k = 0; k < NOTES_MAX_SHOWN && one->notes[k] != NULL; k++)
        paint_words(&p, YELLOW, "%s%s", k == 0 ? " notes=" : ",", one->notes[k]);
    paint_end(&p);
}

static void render(struct show *s, struct session *one, const struct record *r)
{
    char prefix[SHORT_SID + 2] = "";
    struct dialogue d = { .paint = { .out = one->out, .color = s->o.color, .prefix = prefix },
                          .legs = one->legs,
                          .hex = s->o.hex };

    if (s->o.order == ORDER_INTERLEAVED &&
        (s->open > 1 ||
         (s->printed[0] != '\0' && strcmp(s->printed, r->sid) != 0 && r->kind != RECORD_OPEN)))
        memcpy(prefix, r->sid + strlen(r->sid) - SHORT_SID, SHORT_SID + 1);
    dialogue_print(&d, r);
}

static void take_record(struct show *s, const struct record *r)
{
    struct session *one = session_of(s, r);

    dialogue_legs_follow(&one->legs, r);
    if (r->kind == RECORD_OPEN) {
        one->wanted = show_wants_session(&s->o, r);
        snprintf(one->client, sizeof one->client, "%s", record_text(r->root, "client"));
    }
    bool asked = one->wanted && show_wants_record(&s->o, r);
    bool filtered = s->o.verb != NULL || s->o.note != NULL || s->o.errors;
    if (asked && (filtered || !show_is_frame(r) || r->kind == RECORD_CLOSE || !s->o.summary))
        one->matched = true;
    if (s->o.summary) {
        remember_notes(one, r);
        if (r->kind == RECORD_CLOSE)
            summarize(s, one, r);
    } else if (one->wanted && (asked || show_is_frame(r))) {
        render(s, one, r);
    }
    bool ended = r->kind == RECORD_CLOSE;
    if (one->matched && (ended || s->o.order == ORDER_INTERLEAVED))
        print_session(s, one);
    if (ended || r->kind == RECORD_LOST)
        end_session(s, one);
}

static void print_unfinished(struct show *s)
{
    for (unsigned i = 0; i < BUCKETS; i++) {
        while (s->buckets[i] != NULL) {
            struct session *one = s->buckets[i];
            if (one->matched && s->o.order == ORDER_GROUPED)
                print_session(s, one);
            end_session(s, one);
        }
    }
}

static void complain(struct show *s, const char *what)
{
    fflush(stdout);
    fprintf(stderr, "%s\n", what);
    s->trouble = true;
}

/* All there is now. False: reading failed. */
static bool drain(struct show *s, struct reader *reader)
{
    struct record r;

    for (;;) {
        switch (reader_next(reader, &r)) {
        case READER_RECORD:
            take_record(s, &r);
            record_free(&r);
            break;
        case READER_BAD:
            complain(s, reader_error(reader));
            break;
        case READER_END:
            return true;
        case READER_FAILED:
            complain(s, reader_error(reader));
            return false;
        }
        if (s->o.order == ORDER_INTERLEAVED && !reader_has_line(reader))
            fflush(stdout);
    }
}

static void tell_cut(struct reader *reader)
{
    if (reader_cut(reader) == 0)
        return;
    fflush(stdout);
    fprintf(stderr, "%s:%llu: the last line is cut short (%zu bytes without a newline)\n",
            reader_name(reader), (unsigned long long)reader_line(reader) + 1,
            reader_cut(reader));
}

static void show_file(struct show *s, const char *path)
{
    char error[READER_ERROR_MAX];
    struct reader *reader = reader_open(path, error);

    if (reader == NULL) {
        complain(s, error);
        return;
    }
    if (drain(s, reader))
        tell_cut(reader);
    reader_close(&reader);
}

static void wait_a_little(void)
{
    struct timespec t = { .tv_nsec = POLL_MS * 1000000l };

    nanosleep(&t, NULL);
}

/* The last file for ever, a pipe to its end. */
static void follow_file(struct show *s, const char *path)
{
    char error[READER_ERROR_MAX];
    struct reader *reader = reader_open(path, error);
    bool going = reader != NULL;

    if (reader == NULL)
        complain(s, error);
    while (going) {
        going = drain(s, reader) && !ferror(stdout);
        fflush(stdout);
        if (going && !reader_is_regular(reader)) {
            tell_cut(reader);
            going = false;
        } else if (going && !reader_follow(reader)) {
            wait_a_little();
        }
    }
    reader_close(&reader);
}

int main(int argc, char **argv)
{
    static struct show s;
    int wrong = show_options_parse(&s.o, argc, argv);

    if (wrong != 0)
        return wrong - 1;
    /* At the end of `smtpscope run` the interrupt is for the proxy; its last records still
     * come through the pipe. */
    if (s.o.follow && strcmp(s.o.files[s.o.file_count - 1], "-") == 0)
        signal(SIGINT, SIG_IGN);
    for (int i = 0; i < s.o.file_count; i++) {
        if (s.o.follow && i + 1 == s.o.file_count)
            follow_file(&s, s.o.files[i]);
        else
            show_file(&s, s.o.files[i]);
    }
    print_unfinished(&s);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "smtpscope show: cannot write: %s\n", strerror(errno));
        return 1;
    }
    return s.trouble ? 1 : 0;
}
