/*
 * generate - two transcripts of many sessions, for measuring: every tenth session had its
 * STARTTLS masked on the way, every hundredth a line of its mail changed.
 *
 *   generate NEAR FAR SESSIONS [nat]
 */
#include "diff/duo.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 7, MAIL_OCTETS = 1 << 14 };

struct wire {
    unsigned serial;
};

static void pass(struct duo_octets *out, const void *p, size_t len)
{
    memcpy(out->bytes + out->len, p, len);
    out->len += len;
}

static void change(void *arg, enum side to, uint64_t at, struct span in, struct duo_octets *out)
{
    const struct wire *w = arg;
    const char *from = to == CLIENT ? "STARTTLS" : "line 9";
    const char *into = to == CLIENT ? "XXXXXXXA" : "Line 9";
    unsigned every = to == CLIENT ? 10 : 100;
    const unsigned char *hit = memmem(in.ptr, in.len, from, strlen(from));

    (void)at;
    if (hit == NULL || w->serial % every != 0) {
        pass(out, in.ptr, in.len);
        return;
    }
    size_t before = (size_t)(hit - in.ptr), len = strlen(from);
    pass(out, in.ptr, before);
    pass(out, into, len);
    pass(out, hit + len, in.len - before - len);
}

static void make_mail(char *text, unsigned serial)
{
    size_t n = (size_t)snprintf(text, MAIL_OCTETS,
                                "From: a%u@example.org\r\nMessage-ID: <%u@example.org>\r\n\r\n",
                                serial, serial);

    for (unsigned i = 0; i < 60; i++)
        n += (size_t)snprintf(text + n, MAIL_OCTETS - n,
                              "line %u of mail %u, which is about nothing\r\n", i, serial);
    snprintf(text + n, MAIL_OCTETS - n, ".\r\n");
}

int main(int argc, char **argv)
{
    static char text[STEPS][MAIL_OCTETS];
    const char *steps[STEPS];
    struct wire w;

    if (argc < 4)
        return 2;
    struct duo_config c = { .file = { argv[1], argv[2] },
                            .observe = true,
                            .content = CONTENT_LEVEL_DIGEST,
                            .ahead_us = 1234567,
                            .nat = argc > 4 };
    unsigned count = (unsigned)strtoul(argv[3], NULL, 10);
    struct duo *d = duo_new(&c);
    for (unsigned i = 0; i < STEPS; i++)
        steps[i] = text[i];
    for (unsigned i = 0; i < count; i++) {
        w.serial = i;
        snprintf(text[0], MAIL_OCTETS, "EHLO client%u.example.org\r\n", i % 5000);
        snprintf(text[1], MAIL_OCTETS, "MAIL FROM:<a%u@example.org>\r\n", i);
        snprintf(text[2], MAIL_OCTETS, "RCPT TO:<b%u@example.net>\r\n", i % 977);
        snprintf(text[3], MAIL_OCTETS, "RCPT TO:<c%u@example.net>\r\n", i % 1009);
        snprintf(text[4], MAIL_OCTETS, "DATA\r\n");
        make_mail(text[5], i);
        snprintf(text[6], MAIL_OCTETS, "QUIT\r\n");
        duo_session(d, steps, STEPS, change, &w);
    }
    duo_free(&d);
    return 0;
}
