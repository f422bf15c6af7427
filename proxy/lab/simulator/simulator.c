#include "lab/simulator/simulator.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "lab/simulator/preset.h"
#include "lab/simulator/simulator_session.h"

#define BACKLOG 1024

const char simulator_note[] =
    "Not simulated, because they need packets: pmtu (full-size segments vanish; see\n"
    "iptables -m length) and wscale (the window scale option is cleared; see nft tcp "
    "option).\n";

struct simulator {
    uv_loop_t loop;
    uv_tcp_t listener;
    uv_signal_t signals[2];
    struct conn_loop conns;
    struct rules rules;
    struct simulator_sessions sessions;
    bool stopping;
};

bool simulator_preset(unsigned i, const char **name, const char **line, const char **triggers)
{
    if (i >= preset_count)
        return false;
    *name = presets[i].name;
    *line = presets[i].line;
    *triggers = presets[i].triggers;
    return true;
}

const char *simulator_parameter(unsigned i)
{
    return presets[i].parameter == PARAMETER_NONE ? NULL : parameter_help(presets[i].parameter);
}

bool simulator_check(const char *preset, char *error, size_t size)
{
    struct rules rules;

    return preset_find(preset, &rules, error, size);
}

static void shut_down(struct simulator *s)
{
    if (s->stopping)
        return;
    s->stopping = true;
    simulator_sessions_close(&s->sessions);
    uv_close((uv_handle_t *)&s->listener, NULL);
    for (size_t i = 0; i < ARRAY_LEN(s->signals); i++)
        uv_close((uv_handle_t *)&s->signals[i], NULL);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    shut_down(handle->data);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct simulator *s = CONTAINER_OF(listener, struct simulator, listener);

    if (status == 0)
        simulator_session_accept(&s->sessions, listener);
}

/* A port that is bound and not listened on refuses connections. */
MUST_CHECK static int listen_at(struct simulator *s, const struct addr *at, struct addr *bound)
{
    struct sockaddr_storage sa;
    int len = (int)addr_to_sockaddr(at, &sa);
    int error = uv_tcp_bind(&s->listener, (const struct sockaddr *)&sa, 0);

    if (error == 0 && !s->rules.read_start_failed)
        error = uv_listen((uv_stream_t *)&s->listener, BACKLOG, on_connection);
    len = (int)sizeof sa;
    if (error == 0)
        error = uv_tcp_getsockname(&s->listener, (struct sockaddr *)&sa, &len);
    if (error == 0)
        addr_from_sockaddr(bound, (const struct sockaddr *)&sa);
    return error;
}

/* False: `error` says why. */
MUST_CHECK static bool load_certificate(struct simulator *s, const struct simulator_config *c,
                                        char *error, size_t size)
{
    struct tls_key_pair pair = { c->certificate, c->key };
    struct tls_server_config server = { .pairs = &pair, .pair_count = 1 };
    struct tls_client_config client = { .verify = TLS_VERIFY_NO };
    struct tls_config_error why = { 0 };

    if (s->rules.starttls != STARTTLS_INTERCEPTED &&
        s->rules.starttls != STARTTLS_MAY_INTERCEPT)
        return true;
    if (c->certificate == NULL && s->rules.starttls == STARTTLS_MAY_INTERCEPT)
        return true;
    if (c->certificate == NULL || c->key == NULL) {
        snprintf(error, size, "%s ends TLS: it needs --certificate and --key", c->preset);
        return false;
    }
    s->rules.starttls = STARTTLS_INTERCEPTED;
    s->sessions.server = tls_context_server(&server, &why);
    if (s->sessions.server != NULL)
        s->sessions.client = tls_context_client(&client, &why);
    if (s->sessions.client == NULL)
        snprintf(error, size, "%s", why.text);
    return s->sessions.client != NULL;
}

static void init_handles(struct simulator *s)
{
    int error = uv_tcp_init(&s->loop, &s->listener);

    for (size_t i = 0; i < ARRAY_LEN(s->signals); i++) {
        error |= uv_signal_init(&s->loop, &s->signals[i]);
        s->signals[i].data = s;
    }
    assert(error == 0);
    (void)error;
}

static void catch_signals(struct simulator *s)
{
    static const int numbers[] = { SIGINT, SIGTERM };

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (uv_signal_start(&s->signals[i], on_signal, numbers[i]) != 0)
            log_warn("simulate: signal %d cannot be caught", numbers[i]);
}

static void run_loop(struct simulator *s)
{
    uv_run(&s->loop, UV_RUN_DEFAULT);
    int error = uv_loop_close(&s->loop);
    assert(error == 0);
    (void)error;
}

static bool start(struct simulator *s, const struct simulator_config *c, struct addr *bound,
                  char *error, size_t size)
{
    char at[ADDR_TEXT_MAX];
    int failed;

    if (!conn_loop_init(&s->conns, &s->loop, &simulator_session_events, BOX_READ_MAX)) {
        snprintf(error, size, "out of memory");
        return false;
    }
    if (!load_certificate(s, c, error, size))
        return false;
    failed = listen_at(s, &c->listen, bound);
    addr_text(&c->listen, at);
    if (failed != 0)
        snprintf(error, size, "%s: %s", at, uv_strerror(failed));
    else
        catch_signals(s);
    return failed == 0;
}

bool simulator_run(const struct simulator_config *c, void (*ready)(const struct addr *bound),
                   char *error, size_t size)
{
    struct simulator *s = calloc(1, sizeof *s);
    struct addr bound;

    if (s == NULL || uv_loop_init(&s->loop) != 0) {
        snprintf(error, size, "out of memory");
        free(s);
        return false;
    }
    init_handles(s);
    s->sessions = (struct simulator_sessions){
        .loop = &s->loop, .rules = &s->rules, .upstream = c->upstream, .seed = c->seed
    };
    bool ok =
        preset_find(c->preset, &s->rules, error, size) && start(s, c, &bound, error, size);
    if (ok)
        ready(&bound);
    else
        shut_down(s);
    run_loop(s);
    conn_loop_deinit(&s->conns);
    tls_context_unref(&s->sessions.server);
    tls_context_unref(&s->sessions.client);
    free(s);
    return ok;
}
