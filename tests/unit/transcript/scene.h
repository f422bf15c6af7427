/* scene - what the tests of records share: a recorder, and the text it wrote. */
#ifndef UNIT_TRANSCRIPT_SCENE_H
#define UNIT_TRANSCRIPT_SCENE_H

#include "unit/transcript/lines.h"

#include "transcript/record.h"
#include "transcript/writer.h"

enum { T = 1795424641 };

static char folder[64], path[96];

struct scene {
    struct writer *writer;
    struct stream *stream;
    struct recorder recorder;
};

static inline void begin(struct scene *s, struct writer_config c)
{
    char error[256];

    make_folder(folder);
    snprintf(path, sizeof path, "%s/t.jsonl", folder);
    c.file = path;
    c.fd = -1;
    c.vantage = "here \"1\"";
    c.flush_ms = 1000;
    c.spool = folder;
    s->writer = writer_start(&c, error, sizeof error);
    assert_non_null(s->writer);
    s->stream = stream_new(s->writer, NULL, NULL);
    assert_non_null(s->stream);
    recorder_init(&s->recorder, s->stream, (uint64_t)T * 1000000);
}

/* All that was written; the caller frees. */
static char *end(struct scene *s)
{
    stream_free(&s->stream);
    writer_stop(&s->writer, 1000);
    char *text = file_text(path);
    check_whole_lines(text);
    unlink(path);
    return text;
}

static inline void end_folder(void)
{
    assert_int_equal(rmdir(folder), 0);
}

/* What stands behind the head of the only record. */
static inline void check_tail(char *text, const char *tail)
{
    const char *at = strstr(text, "\"vantage\":\"here \\\"1\\\"\"");

    assert_non_null(at);
    assert_string_equal(at + 22, tail);
    free(text);
}

static inline struct event command(enum verb verb, const char *line, size_t arg_at)
{
    struct event e = { .kind = EVENT_COMMAND,
                       .t_us = (uint64_t)T * 1000000 + 17,
                       .verb = verb,
                       .at = 5,
                       .disposition = DISPOSITION_RELAYED,
                       .origin = ORIGIN_UPSTREAM,
                       .code = 250,
                       .reply_us = 3 };

    e.received = span_str(line);
    e.received_octets = e.received.len;
    e.word = span_of(line, 4);
    if (arg_at > 0)
        e.arg = span_of(line + arg_at, strcspn(line + arg_at, "\r\n"));
    e.reply = SPAN_LIT("250 ok\r\n");
    return e;
}

#endif
