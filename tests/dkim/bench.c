/*
 * dkim_bench - what looking at signatures costs, in nanoseconds per mail, next to the digest
 * that every mail gets: the ratio is what matters. The best of several rounds.
 */
#include "transcript/content.h"
#include "transcript/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define OATH(c)                                                                                \
    "DKIM-Signature: v=1; a=rsa-sha256; c=" c "; d=example.org; s=sel;\r\n"                    \
    "\th=from:to:subject:date;\r\n bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=;\r\n "      \
    "b=AA\r\n"

enum { PIECE = 65536, ROUNDS = 15 };

static const char *const kinds[][2] = {
    { "unsigned", "" },
    { "simple", OATH("relaxed/simple") },
    { "relaxed", OATH("relaxed/relaxed") },
    { "both", OATH("relaxed/relaxed") OATH("simple/simple") },
};

static size_t make_mail(unsigned char *p, size_t size, const char *signature, const char *line)
{
    size_t n =
        (size_t)sprintf((char *)p,
                        "Received: from a.example.org by mx.example.net with ESMTP id 1\r\n"
                        "%sFrom: a@example.org\r\nTo: b@example.net\r\nSubject: x\r\n"
                        "Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n\r\n",
                        signature);

    while (n + strlen(line) <= size)
        n += (size_t)sprintf((char *)p + n, "%s", line);
    return n;
}

static double once(struct stream *s, struct span mail)
{
    struct timespec from, to;
    struct content_digest *d;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    d = content_digest_begin(s, NULL);
    for (size_t at = 0; at < mail.len; at += PIECE)
        content_add(d, CONTENT_SAME, span_first(span_drop(mail, at), PIECE), true);
    content_finish(d);
    if (d->dkim != NULL)
        (void)dkim_finish(d->dkim, true);
    content_digest_free(&d, s);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    return (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
}

static double best(enum dkim_level level, struct span mail)
{
    struct writer_config c = { .file = "/dev/null", .content = CONTENT_LEVEL_DIGEST, .fd = -1 };
    double least = 1e18;
    char error[256];

    c.dkim = level;
    struct writer *w = writer_start(&c, error, sizeof error);
    struct stream *s = stream_new(w, NULL, NULL);
    unsigned count = mail.len < 100000 ? 1000 : 1;
    for (unsigned round = 0; round < ROUNDS; round++) {
        double sum = 0;
        for (unsigned i = 0; i < count; i++)
            sum += once(s, mail);
        if (sum / count < least)
            least = sum / count;
    }
    stream_free(&s);
    writer_stop(&w, 1000);
    return least;
}

int main(void)
{
    static const size_t sizes[] = { 1024, 10240, 10 << 20 };
    static const char *const lines[] = {
        "The quick brown fox jumps over the lazy dog. It does so in sixty octets or more,\r\n",
        "        <td align=\"left\">  <b>two</b>  blanks here and there </td>\t \r\n",
        "VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZy4gSXQgZG9lcyBzbyBh\r\n",
    };
    static const char *const names[] = { "text", "blanks", "base64" };
    unsigned char *mail = malloc(sizes[2] + 4096);

    printf("%-9s %-7s %10s %14s %14s\n", "mail", "body", "octets", "digest ns", "with dkim ns");
    for (unsigned k = 0; k < 4; k++) {
        for (unsigned l = 0; l < 3; l++) {
            for (unsigned i = 0; i < 3; i++) {
                struct span m = span_of(mail, make_mail(mail, sizes[i], kinds[k][1], lines[l]));
                double without = best(DKIM_LEVEL_NO, m), with = best(DKIM_LEVEL_CHECK, m);
                printf("%-9s %-7s %10zu %14.0f %14.0f  %.2f GB/s\n", kinds[k][0], names[l],
                       m.len, without, with, (double)m.len / (with - without));
            }
        }
    }
    free(mail);
    return 0;
}
