#include "capture/capture.h"

#include "capture/fragment.h"
#include "capture/frame.h"
#include "capture/table.h"
#include "transcript/writer.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_OCTETS = 1 << 20, MICROSECONDS = 1000000 };

static const uint16_t usual_ports[] = { 25, 465, 587, 2525 };

struct import {
    const struct capture_config *config;
    struct capture_result *result;
    pcap_t *pcap;
    int link_type;
    struct connection_env env;
    struct table table;
    struct fragments fragments;
    bool stopped; /* records cannot be written */
};

static bool is_asked_for(const struct capture_config *c, uint16_t port)
{
    const uint16_t *ports = c->port_count > 0 ? c->ports : usual_ports;
    unsigned n = c->port_count > 0 ? c->port_count : ARRAY_LEN(usual_ports);

    for (unsigned i = 0; i < n; i++)
        if (ports[i] == port)
            return true;
    return false;
}

/* Who sent this first segment of a connection? */
static enum side first_side(const struct import *im, const struct segment *s)
{
    if ((s->flags & SEGMENT_SYN) != 0)
        return (s->flags & SEGMENT_ACK) != 0 ? SERVER : CLIENT;
    if (connection_is_greeting(s->payload))
        return SERVER;
    return is_asked_for(im->config, s->to.port) ? CLIENT : SERVER;
}

/* A connection of others: its client's port may be one of ours, and must not pass for a
 * server's. */
static struct connection *remember(struct import *im, const struct segment *s, enum side from)
{
    struct connection *c;

    if (!is_asked_for(im->config, from == CLIENT ? s->from.port : s->to.port))
        return NULL;
    c = table_add(&im->table, &im->env, s, from, false);
    if (c != NULL) {
        connection_ignore(c);
        table_touch(&im->table, c, false);
    }
    return NULL;
}

/* A connection begins, or is met in its middle; NULL: nothing of interest. */
static struct connection *add(struct import *im, const struct segment *s)
{
    enum side from = first_side(im, s);
    bool on_port = is_asked_for(im->config, from == CLIENT ? s->to.port : s->from.port);
    bool begins = (s->flags & SEGMENT_SYN) != 0;

    if (!on_port && begins && im->config->port_count > 0)
        return remember(im, s, from);
    if (!on_port && !begins)
        return NULL;
    if (!begins && s->payload.len + s->cut == 0)
        return NULL; /* the last words of one that was over */
    return table_add(&im->table, &im->env, s, from, on_port);
}

static void take_segment(struct import *im, struct segment *s)
{
    struct connection *c = table_find(&im->table, s);

    if (c != NULL && connection_is_renewed(c, s)) {
        table_end(&im->table, c, CLOSE_CAPTURE_END);
        c = NULL;
    }
    if (c == NULL)
        c = add(im, s);
    if (c == NULL)
        return;
    bool was_dead = c->dead;
    connection_take(c, s);
    table_touch(&im->table, c, was_dead);
    if (c->foreign && !c->start) /* else its ends are known, and are remembered */
        table_remove(&im->table, c);
}

static void take_packet(struct import *im, const struct pcap_pkthdr *h, struct span frame)
{
    uint64_t t_us = (uint64_t)h->ts.tv_sec * MICROSECONDS + (uint64_t)h->ts.tv_usec;
    struct ip_packet p;
    struct segment s;
    struct span packet;

    im->env.order++;
    im->result->packets++;
    im->result->octets += h->len;
    if (!frame_packet(im->link_type, frame, &packet) ||
        !ip_parse(packet, h->len - (size_t)(packet.ptr - frame.ptr), &p)) {
        im->result->skipped++;
        return;
    }
    if (p.fragment) {
        im->result->fragments++;
        if (!fragments_take(&im->fragments, &p, t_us))
            return;
    }
    if (!segment_parse(&p, &s)) {
        im->result->skipped++;
        return;
    }
    s.t_us = t_us;
    take_segment(im, &s);
}

/* False: waiting for room in the transcript was of no use. */
static bool has_room(struct import *im)
{
    const struct capture_config *c = im->config;

    while (stream_is_blocked(c->records)) {
        if (c->wait == NULL || !c->wait(c->wait_arg)) {
            im->stopped = true;
            return false;
        }
    }
    return true;
}

static bool read_failed(const struct import *im, char *error, size_t size)
{
    const char *why = pcap_geterr(im->pcap);

    im->result->truncated = strstr(why, "truncated") != NULL;
    snprintf(error, size, "%s: %s, behind %llu packets", im->config->file, why,
             (unsigned long long)im->result->packets);
    return false;
}

static bool read_packets(struct import *im, char *error, size_t size)
{
    struct pcap_pkthdr *h;
    const u_char *octets;
    int got;

    while ((got = pcap_next_ex(im->pcap, &h, &octets)) == 1) {
        take_packet(im, h, span_of(octets, h->caplen));
        if (!has_room(im)) {
            snprintf(error, size, "the transcript cannot be written");
            return false;
        }
    }
    return got == PCAP_ERROR_BREAK || read_failed(im, error, size);
}

/* ---- the file --------------------------------------------------------------------- */

static FILE *open_file(const struct capture_config *c, char *error, size_t size)
{
    FILE *f = strcmp(c->file, "-") == 0 ? stdin : fopen(c->file, "rbe");

    if (f == NULL)
        snprintf(error, size, "%s: %s", c->file, strerror(errno));
    else
        (void)setvbuf(f, NULL, _IOFBF, READ_OCTETS);
    return f;
}

/* The file is libpcap's from here on, or closed. */
static bool open_pcap(struct import *im, FILE *f, char *error, size_t size)
{
    char why[PCAP_ERRBUF_SIZE];

    im->pcap = pcap_fopen_offline(f, why);
    if (im->pcap == NULL) {
        snprintf(error, size, "%s: no capture in pcap or pcapng form: %s", im->config->file,
                 why);
        fclose(f);
        return false;
    }
    im->link_type = pcap_datalink(im->pcap);
    if (frame_is_known(im->link_type))
        return true;
    const char *name = pcap_datalink_val_to_name(im->link_type);
    snprintf(error, size,
             "%s: link type %s is not known here; Ethernet, Linux cooked, raw IP and loopback "
             "are",
             im->config->file, name != NULL ? name : "without a name");
    pcap_close(im->pcap);
    return false;
}

static bool run(struct import *im, FILE *f, char *error, size_t size)
{
    if (!open_pcap(im, f, error, size))
        return false;
    if (!table_init(&im->table, TABLE_MAX)) {
        pcap_close(im->pcap);
        snprintf(error, size, "out of memory");
        return false;
    }
    feed_env_init(&im->env.feed, im->config->records, im->config->findings,
                  im->config->catalogue);
    fragments_init(&im->fragments);
    bool whole = read_packets(im, error, size);
    table_deinit(&im->table);
    fragments_deinit(&im->fragments);
    feed_env_deinit(&im->env.feed);
    pcap_close(im->pcap);
    return whole;
}

bool capture_import(const struct capture_config *c, struct capture_result *out, char *error,
                    size_t size)
{
    struct import im = { .config = c, .result = out };

    *out = (struct capture_result){ .packets = 0 };
    error[0] = '\0';
    im.env.result = out;
    FILE *f = c->open != NULL ? c->open : open_file(c, error, size);
    return f != NULL && run(&im, f, error, size);
}
