#include "capture/feed.h"

#include "capture/syn.h"
#include "transcript/writer.h"

enum { KEPT = 64 };

void feed_env_init(struct feed_env *e, struct stream *records, bool findings,
                   const struct catalogue *catalogue)
{
    *e = (struct feed_env){ .records = records };
    policy_init(&e->policy, PRESET_OBSERVE);
    e->observer.catalogue = catalogue;
    e->observer.memory = findings ? detect_memory_new() : NULL;
    pool_init(&e->exchanges, session_exchange_size(), KEPT);
    pool_init(&e->contents, session_content_size(), KEPT);
    pool_init(&e->feeds, sizeof(struct feed), KEPT);
    e->session = (struct session_env){
        .policy = &e->policy,
        .observe = true,
        .helo_name = "",
        .exchanges = &e->exchanges,
        .contents = &e->contents,
    };
}

void feed_env_deinit(struct feed_env *e)
{
    pool_deinit(&e->exchanges);
    pool_deinit(&e->contents);
    pool_deinit(&e->feeds);
    detect_memory_free(&e->observer.memory);
}

static void write_open(struct feed *f, const struct feed_open *o)
{
    char client[ADDR_TEXT_MAX], server[ADDR_TEXT_MAX], syn[2][SYN_TEXT_MAX];
    struct record_open open = {
        .t_us = o->t_us,
        .listener = SPAN_LIT("import"),
        .mode = SPAN_LIT("observe"),
        .client = span_of(client, addr_text(o->client, client)),
        .server = span_of(server, addr_text(o->server, server)),
        .syn = { span_of(syn[CLIENT], syn_text(o->syn[CLIENT], syn[CLIENT])),
                 span_of(syn[SERVER], syn_text(o->syn[SERVER], syn[SERVER])) },
    };
    struct record_connect connect = {
        .t_us = o->answered_us,
        .upstream = open.server,
        .local = open.client,
        .us = o->answered_us > o->t_us ? o->answered_us - o->t_us : 0,
    };

    observer_open(&f->observer, &open);
    if (o->answered_us != 0)
        observer_connect(&f->observer, &connect);
}

struct feed *feed_new(struct feed_env *e, const struct feed_open *o)
{
    struct feed *f = pool_take(&e->feeds);

    if (f == NULL)
        return NULL;
    *f = (struct feed){
        .env = e, .opened_us = o->t_us, .now_us = o->t_us, .first = FEED_NOBODY
    };
    session_init(&f->session, &e->session);
    recorder_init(&f->recorder, e->records, o->t_us);
    observer_init(&f->observer, &e->observer, &f->recorder);
    f->observer.now_us = o->t_us;
    write_open(f, o);
    return f;
}

void feed_free(struct feed **fp)
{
    struct feed *f = *fp;

    *fp = NULL;
    if (f == NULL)
        return;
    session_deinit(&f->session);
    observer_deinit(&f->observer);
    pool_give(&f->env->feeds, f);
}

static void write_close(struct feed *f)
{
    struct record_close info = {
        .t_us = f->now_us,
        .us = f->now_us - f->opened_us,
        .reason = (enum close_reason)f->reason,
        .first = f->first,
        .how = (enum close_kind)f->how,
        .first_us = f->first_us,
        .octets_in = { f->octets[CLIENT], f->octets[SERVER] },
        .octets_out = { f->octets[SERVER], f->octets[CLIENT] },
        .good = f->session.good,
        .all = f->session.all,
    };

    observer_close(&f->observer, &info);
    f->over = true;
}

/* Carries out the actions of the input just given. */
static void work(struct feed *f)
{
    struct action action = { 0 };
    bool closed = false;

    while (session_next(&f->session, &action)) {
        if (action.content != CONTENT_NONE && action.bdat)
            record_chunk(&f->recorder, action.content, action.bytes);
        else if (action.content != CONTENT_NONE)
            record_content(&f->recorder, action.content, action.bytes);
        if (action.kind == ACTION_RECORD)
            observer_event(&f->observer, action.event);
        if (action.kind == ACTION_CLOSE) {
            closed = true;
            f->reason = (uint8_t)action.reason;
        }
    }
    if (closed)
        write_close(f);
}

static uint64_t tick(struct feed *f, uint64_t t_us)
{
    if (t_us > f->now_us)
        f->now_us = f->observer.now_us = t_us;
    return f->now_us;
}

void feed_refused(struct feed *f, const struct addr *server, const char *error, uint64_t t_us)
{
    char upstream[ADDR_TEXT_MAX];
    struct record_connect connect = {
        .t_us = tick(f, t_us),
        .upstream = span_of(upstream, addr_text(server, upstream)),
        .us = f->now_us - f->opened_us,
        .error = error,
    };

    observer_connect(&f->observer, &connect);
    session_upstream_down(&f->session, f->now_us);
    work(f);
}

void feed_opaque(struct feed *f, const char *why, uint64_t t_us)
{
    session_opaque(&f->session, why, tick(f, t_us));
}

void feed_bytes(struct feed *f, enum side from, struct span octets, uint64_t t_us)
{
    if (f->over)
        return;
    f->octets[from] += octets.len;
    session_bytes(&f->session, from, octets, tick(f, t_us));
    work(f);
}

void feed_gap(struct feed *f, enum side from, uint64_t octets, uint64_t t_us)
{
    if (f->over)
        return;
    f->octets[from] += octets;
    session_gap(&f->session, from, octets, tick(f, t_us));
    work(f);
}

void feed_eof(struct feed *f, enum side from, enum close_kind how, uint64_t t_us)
{
    if (f->over)
        return;
    if (f->first == FEED_NOBODY) {
        f->first = (int8_t)from;
        f->how = (uint8_t)how;
        f->first_us = tick(f, t_us) - f->opened_us;
    }
    session_eof(&f->session, from, how, tick(f, t_us));
    work(f);
}

void feed_end(struct feed *f, enum close_reason why, uint64_t t_us)
{
    if (f->over)
        return;
    session_end(&f->session, why, tick(f, t_us));
    work(f);
}
