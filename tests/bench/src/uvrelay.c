/*
 * uvrelay - the floor for a proxy built on libuv: a TCP relay that knows
 * nothing of SMTP.  Reads into one shared buffer, writes with uv_try_write and
 * queues (and stops reading) only when the other side's socket is full.
 *
 *   --tls       TLS on both sides from the first byte (OpenSSL, memory BIOs)
 *   --starttls  relay in the clear until STARTTLS is accepted, then TLS on
 *               both sides.  A shortcut for measuring, not a proper proxy: it
 *               expects the verb and its reply in reads of their own.
 *   --tickets   how many session tickets a client gets (TLS 1.3; none)
 */
#define _GNU_SOURCE
#include "bench.h"

#include <getopt.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <uv.h>

struct session;

struct side {
    uv_tcp_t        tcp;
    struct session *s;
    struct side    *peer;
    SSL            *ssl;
    BIO            *in, *out;
    bool            established, connected, eof, stopped, closed;
    unsigned        queued; /* uv_writes under way */
};

struct session {
    struct side          cl, up;
    uv_connect_t         conn;
    bool                 tls_on, saw_starttls, ended;
    int                  open;
};

struct wreq {
    uv_write_t   req;
    struct side *to;
    char         data[];
};

static uv_loop_t         *loop;
static struct sockaddr_in upstream;
static bool               do_tls, do_starttls;
static SSL_CTX           *srv_ctx, *cli_ctx;
static size_t             bufsize = 65536;
static char              *rdbuf, *plain, *cipher;

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *b);
static void process(struct side *d, const char *p, size_t n);

static void alloc_cb(uv_handle_t *h, size_t hint, uv_buf_t *b)
{
    (void)h;
    (void)hint;
    b->base = rdbuf;
    b->len = bufsize;
}

static void on_close(uv_handle_t *h)
{
    struct side *d = h->data;

    if (--d->s->open == 0) {
        SSL_free(d->s->cl.ssl);
        SSL_free(d->s->up.ssl);
        free(d->s);
    }
}

static void side_close(struct side *d)
{
    if (!d->closed) {
        d->closed = true;
        uv_close((uv_handle_t *)&d->tcp, on_close);
    }
}

static void end_session(struct session *s)
{
    if (s->ended)
        return;
    s->ended = true;
    side_close(&s->cl);
    side_close(&s->up);
}

static void resume(struct side *d)
{
    if (d->stopped && !d->closed) {
        d->stopped = false;
        uv_read_start((uv_stream_t *)&d->tcp, alloc_cb, on_read);
    }
}

static void maybe_finish(struct side *src)
{
    /* the source is at its end and all it sent is delivered */
    if (src->eof && !src->peer->queued)
        end_session(src->s);
}

static void on_written(uv_write_t *r, int status)
{
    struct wreq *w = (struct wreq *)r;
    struct side *to = w->to;

    free(w);
    to->queued--;
    if (status < 0) {
        end_session(to->s);
        return;
    }
    if (!to->queued) {
        resume(to->peer);
        maybe_finish(to->peer);
    }
}

static void put(struct side *to, const char *p, size_t n)
{
    if (to->closed)
        return;
    if (!to->queued) {
        uv_buf_t b = uv_buf_init((char *)p, (unsigned)n);
        int      r = uv_try_write((uv_stream_t *)&to->tcp, &b, 1);
        if (r > 0) {
            p += r;
            n -= (size_t)r;
        } else if (r < 0 && r != UV_EAGAIN) {
            end_session(to->s);
            return;
        }
    }
    if (!n)
        return;
    struct wreq *w = malloc(sizeof *w + n);
    if (!w) {
        end_session(to->s);
        return;
    }
    w->to = to;
    memcpy(w->data, p, n);
    uv_buf_t b = uv_buf_init(w->data, (unsigned)n);
    if (uv_write(&w->req, (uv_stream_t *)&to->tcp, &b, 1, on_written) < 0) {
        free(w);
        end_session(to->s);
        return;
    }
    to->queued++;
    if (!to->peer->stopped && !to->peer->closed) {
        to->peer->stopped = true;
        uv_read_stop((uv_stream_t *)&to->peer->tcp);
    }
}

/* ------------------------------------------------------------------- TLS */

static void flush_cipher(struct side *d)
{
    int n;

    while (!d->closed && (n = BIO_read(d->out, cipher, (int)bufsize)) > 0)
        put(d, cipher, (size_t)n);
}

static void tls_start(struct side *d, bool server)
{
    d->ssl = SSL_new(server ? srv_ctx : cli_ctx);
    d->in = BIO_new(BIO_s_mem());
    d->out = BIO_new(BIO_s_mem());
    SSL_set_bio(d->ssl, d->in, d->out);
    if (server) {
        SSL_set_accept_state(d->ssl);
    } else {
        SSL_set_connect_state(d->ssl);
        SSL_do_handshake(d->ssl);
        flush_cipher(d);
    }
}

static void tls_pump(struct side *d)
{
    struct side *to = d->peer;

    if (!d->established) {
        int r = SSL_do_handshake(d->ssl);
        flush_cipher(d);
        if (r != 1) {
            if (SSL_get_error(d->ssl, r) != SSL_ERROR_WANT_READ) {
                ERR_clear_error();
                end_session(d->s);
            }
            return;
        }
        d->established = true;
        if (to->established)
            tls_pump(to); /* what came before we were ready */
    }
    if (!to->established)
        return; /* stays in d's BIO */
    for (;;) {
        int n = SSL_read(d->ssl, plain, 16384);
        if (n <= 0) {
            int e = SSL_get_error(d->ssl, n);
            ERR_clear_error();
            if (e != SSL_ERROR_WANT_READ) {
                d->eof = true;
                break;
            }
            break;
        }
        if (SSL_write(to->ssl, plain, n) <= 0) {
            end_session(d->s);
            return;
        }
    }
    flush_cipher(to);
    flush_cipher(d);
}

/* ----------------------------------------------------------------- relay */

static void process(struct side *d, const char *p, size_t n)
{
    struct session *s = d->s;

    if (s->tls_on) {
        BIO_write(d->in, p, (int)n);
        tls_pump(d);
        return;
    }
    put(d->peer, p, n);
    if (do_starttls && !s->ended) {
        if (d == &s->cl)
            s->saw_starttls = n == 10 && !memcmp(p, "STARTTLS\r\n", 10);
        else if (s->saw_starttls && n > 4 && !memcmp(p, "220 ", 4)) {
            s->tls_on = true;
            tls_start(&s->cl, true);
            tls_start(&s->up, false);
        }
    }
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *b)
{
    struct side *d = h->data;

    if (n > 0) {
        process(d, b->base, (size_t)n);
        if (d->eof)
            maybe_finish(d);
    } else if (n < 0) {
        d->eof = true;
        if (!d->stopped) {
            d->stopped = true;
            uv_read_stop(h);
        }
        maybe_finish(d);
    }
}

static void on_connect(uv_connect_t *c, int status)
{
    struct session *s = c->data;

    if (status < 0 || s->ended) {
        end_session(s);
        return;
    }
    uv_tcp_nodelay(&s->up.tcp, 1);
    if (do_tls) {
        s->tls_on = true;
        tls_start(&s->cl, true);
        tls_start(&s->up, false);
    }
    uv_read_start((uv_stream_t *)&s->cl.tcp, alloc_cb, on_read);
    uv_read_start((uv_stream_t *)&s->up.tcp, alloc_cb, on_read);
}

static void on_connection(uv_stream_t *srv, int status)
{
    if (status < 0)
        return;
    struct session *s = calloc(1, sizeof *s);
    if (!s)
        return;
    s->cl.s = s->up.s = s;
    s->cl.peer = &s->up;
    s->up.peer = &s->cl;
    s->cl.tcp.data = &s->cl;
    s->up.tcp.data = &s->up;
    s->conn.data = s;
    s->open = 2;
    uv_tcp_init(loop, &s->cl.tcp);
    uv_tcp_init(loop, &s->up.tcp);
    if (uv_accept(srv, (uv_stream_t *)&s->cl.tcp) < 0) {
        end_session(s);
        return;
    }
    uv_tcp_nodelay(&s->cl.tcp, 1);
    if (uv_tcp_connect(&s->conn, &s->up.tcp, (struct sockaddr *)&upstream,
                       on_connect) < 0)
        end_session(s);
}

static void on_signal(uv_signal_t *h, int sig)
{
    (void)sig;
    uv_stop(h->loop);
}

int main(int argc, char **argv)
{
    static const struct option lo[] = {
        {"listen", 1, 0, 'l'}, {"upstream", 1, 0, 'u'}, {"buffer", 1, 0, 'b'},
        {"tls", 0, 0, 't'}, {"starttls", 0, 0, 'S'},
        {"cert", 1, 0, 'c'}, {"key", 1, 0, 'k'}, {"tickets", 1, 0, 'T'},
        {0, 0, 0, 0}};
    const char *l = NULL, *u = NULL, *cert = NULL, *key = NULL;
    size_t      tickets = 0;
    int         o;

    while ((o = getopt_long(argc, argv, "l:u:b:", lo, NULL)) != -1) {
        switch (o) {
        case 'l': l = optarg; break;
        case 'u': u = optarg; break;
        case 'b': bufsize = parse_size(optarg); break;
        case 't': do_tls = true; break;
        case 'S': do_starttls = true; break;
        case 'c': cert = optarg; break;
        case 'k': key = optarg; break;
        case 'T': tickets = parse_size(optarg); break;
        default: l = NULL; goto usage;
        }
    }
usage:
    if (!l || !u)
        die("usage: uvrelay -l ADDR:PORT -u ADDR:PORT [-b BUFFER] "
            "[--tls|--starttls --cert PEM --key PEM [--tickets N]]");
    signal(SIGPIPE, SIG_IGN);
    raise_nofile();
    if (do_tls || do_starttls) {
        srv_ctx = SSL_CTX_new(TLS_server_method());
        cli_ctx = SSL_CTX_new(TLS_client_method());
        if (!cert || !key ||
            SSL_CTX_use_certificate_chain_file(srv_ctx, cert) != 1 ||
            SSL_CTX_use_PrivateKey_file(srv_ctx, key, SSL_FILETYPE_PEM) != 1)
            die("uvrelay: cannot load --cert/--key");
        SSL_CTX_set_mode(srv_ctx, SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_mode(cli_ctx, SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_session_cache_mode(srv_ctx, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_num_tickets(srv_ctx, tickets);
    }
    struct sockaddr_in la;
    parse_addr(l, &la);
    parse_addr(u, &upstream);
    rdbuf = malloc(bufsize);
    plain = malloc(16384);
    cipher = malloc(bufsize);
    loop = uv_default_loop();
    uv_tcp_t srv;
    uv_tcp_init(loop, &srv);
    if (uv_tcp_bind(&srv, (struct sockaddr *)&la, 0) < 0 ||
        uv_listen((uv_stream_t *)&srv, 4096, on_connection) < 0)
        die("uvrelay: cannot listen on %s", l);
    uv_signal_t st;
    uv_signal_init(loop, &st);
    uv_signal_start(&st, on_signal, SIGTERM);
    uv_run(loop, UV_RUN_DEFAULT);
    return 0;
}
