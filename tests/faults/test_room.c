/*
 * Room in the transcript comes at the worst moment: between a look at it that says "full" and
 * whatever is done then. For the Nth look, N = 1, 2, ... until no session looks that often,
 * room comes before that look returns, or before the loop goes round: every session has to go
 * on by itself.
 *
 * Nothing depends on time here: who waits in vain waits until the client gives up.
 */
#include "base/log.h"
#include "faults/stage.h"
#include "transcript/queue.h"
#include "transcript/stream.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>

enum { COMMANDS = 20 };

enum room { ROOM_IN_THE_LOOK, ROOM_AFTER_THE_TURN };

static struct queue *queue; /* NULL: looks do not count */
static unsigned looks, full_at;
static enum room room;

static void set_full(bool full)
{
    pthread_mutex_lock(&queue->lock);
    queue_set_failing(queue, full); /* which tells all streams when there is room */
    pthread_mutex_unlock(&queue->lock);
}

bool __real_stream_is_blocked(const struct stream *s);
bool __wrap_stream_is_blocked(const struct stream *s);
bool __wrap_stream_is_blocked(const struct stream *s)
{
    if (queue == NULL)
        return __real_stream_is_blocked(s);
    if (++looks == full_at)
        set_full(true);
    bool full = __real_stream_is_blocked(s);
    if (looks == full_at && room == ROOM_IN_THE_LOOK)
        set_full(false);
    return full;
}

struct ends {
    int upstream;
    struct addr entrance;
    uv_async_t done;
    bool observe, client_fine, server_fine;
};

/* Answers EHLO, VRFY and QUIT: what comes, one reply for each line. */
static bool answer_lines(int fd)
{
    char in[4096];
    ssize_t n;

    while ((n = recv(fd, in, sizeof in, 0)) > 0)
        for (ssize_t i = 0; i < n; i++)
            if (in[i] == '\n' && !say(fd, "250 ok\r\n", 8))
                return false;
    return n == 0;
}

static void *serve(void *arg)
{
    struct ends *e = arg;
    struct pollfd p = { .fd = e->upstream, .events = POLLIN };
    int fd = poll(&p, 1, STEP_SECONDS * 1000) == 1 ? accept(e->upstream, NULL, NULL) : -1;

    e->server_fine = say(fd, "220 mx.test ESMTP\r\n", 19) && answer_lines(fd);
    close(fd);
    return NULL;
}

/* Commands in one write, then silence: nothing that this client says later wakes anybody. */
static bool talk(int fd)
{
    char commands[COMMANDS * 16] = "";

    for (unsigned i = 0; i < COMMANDS; i++)
        strcat(commands, "NOOP\r\n");
    strcat(commands, "HELP\r\n");
    return hear(fd, "ESMTP\r\n") && say(fd, "EHLO c.test\r\n", 13) && hear(fd, "250 ok\r\n") &&
           say(fd, commands, strlen(commands));
}

static bool hear_lines(int fd, unsigned count)
{
    char c;

    while (count > 0 && recv(fd, &c, 1, 0) == 1)
        count -= c == '\n';
    return count == 0;
}

static void *call(void *arg)
{
    struct ends *e = arg;
    int fd = call_socket(&e->entrance);

    e->client_fine = talk(fd) && hear_lines(fd, COMMANDS + 1);
    close(fd);
    uv_async_send(&e->done);
    return NULL;
}

static void on_done(uv_async_t *async)
{
    uv_close((uv_handle_t *)async, NULL);
}

static struct relay_settings *settings_for(const struct addr *upstream, bool observe)
{
    struct relay_settings *s = settings_new();

    s->observe = observe;
    s->upstreams = calloc(1, sizeof *s->upstreams);
    s->upstream_count = 1;
    s->upstreams[0] = (struct upstream){ .text = strdup("upstream"), .addr = *upstream };
    return s;
}

/* True when the transcript was found full. */
static bool run(bool observe, unsigned nth, enum room when)
{
    struct ends ends = { .observe = observe };
    struct stage stage = { 0 };
    struct addr upstream;
    pthread_t client, server;

    ends.upstream = listen_socket(&upstream);
    stage_open(&stage, settings_for(&upstream, observe), &ends.entrance);
    assert_int_equal(uv_async_init(&stage.loop, &ends.done, on_done), 0);
    looks = 0;
    full_at = nth;
    room = when;
    queue = writer_queue(stage.writer);
    assert_int_equal(pthread_create(&server, NULL, serve, &ends), 0);
    assert_int_equal(pthread_create(&client, NULL, call, &ends), 0);
    while (!uv_is_closing((uv_handle_t *)&ends.done) || relay_loop_live(stage.relays) > 0) {
        uv_run(&stage.loop, UV_RUN_ONCE);
        if (atomic_load(&queue->full))
            set_full(false);
    }
    queue = NULL;
    pthread_join(client, NULL);
    pthread_join(server, NULL);
    stage_close(&stage);
    close(ends.upstream);
    if (!ends.client_fine || !ends.server_fine)
        fail_msg("%s, full at look %u, room %s: the session stopped",
                 observe ? "observe" : "enforce", nth,
                 when == ROOM_IN_THE_LOOK ? "at once" : "later");
    return looks >= nth;
}

static void every_look(bool observe)
{
    unsigned nth = 1;

    while (run(observe, nth, ROOM_IN_THE_LOOK) && run(observe, nth, ROOM_AFTER_THE_TURN))
        nth++;
    print_message("%s: %u looks\n", observe ? "observe" : "enforce", nth - 1);
    assert_true(nth > COMMANDS);
}

static void room_comes_after_any_look(void **state)
{
    (void)state;
    every_look(false);
}

static void room_comes_after_any_look_observe(void **state)
{
    (void)state;
    every_look(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_comes_after_any_look),
        cmocka_unit_test(room_comes_after_any_look_observe),
    };
    log_set_level(LOG_ERROR + 1);
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
