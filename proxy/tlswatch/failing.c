#include "tlswatch/failing.h"

#include "base/attributes.h"
#include "tlswatch/hello.h"

#include <stdio.h>

enum { ALERT_PROTOCOL_VERSION = 70 };

static const char *const side_names[] = { [CLIENT] = "client", [SERVER] = "server" };

static void set(struct tls_facts *f, enum tls_failure why)
{
    f->failure = why;
    f->detail[0] = '\0';
}

void tls_failing_protocol(struct tls_facts *f, enum side from, const char *what)
{
    set(f, TLS_FAILURE_PROTOCOL);
    snprintf(f->detail, sizeof f->detail, "the %s sent %s", side_names[from], what);
}

/* ---- alerts (RFC 8446 6.2, 5246 7.2.2) -------------------------------------------- */

static const struct {
    int number;
    enum tls_failure why;
    const char *words; /* what it wants to say, "" when its name does */
} alerts[] = {
    { 40, TLS_FAILURE_ALERT, "no cipher, curve or signature in common, or no certificate" },
    { 42, TLS_FAILURE_BAD_CERTIFICATE, "" },
    { 43, TLS_FAILURE_BAD_CERTIFICATE, "" },
    { 44, TLS_FAILURE_BAD_CERTIFICATE, "" },
    { 45, TLS_FAILURE_EXPIRED, "" },
    { 46, TLS_FAILURE_BAD_CERTIFICATE, "it does not accept the certificate" },
    { 48, TLS_FAILURE_UNKNOWN_CA, "it does not trust the issuer of the certificate" },
    { ALERT_PROTOCOL_VERSION, TLS_FAILURE_VERSION, "" },
    { 71, TLS_FAILURE_CIPHER, "it wants stronger ciphers than those offered" },
    { 86, TLS_FAILURE_VERSION, "the client fell back though it need not" },
    { 112, TLS_FAILURE_ALERT, "it has no certificate for the name asked for" },
    { 116, TLS_FAILURE_ALERT, "it wants a certificate of the client" },
    { 120, TLS_FAILURE_ALPN, "" },
    { TLS_ALERT_FOR_FINISHED, TLS_FAILURE_ALERT,
      "no Finished, so most often it does not trust the certificate" },
};

static void alert_name(int number, char *out, size_t size)
{
    const char *name = tls_alert_name(number);

    if (name[0] != '\0')
        snprintf(out, size, "alert %s", name);
    else if (number >= TLS_ALERT_HIDDEN)
        snprintf(out, size, "an encrypted alert");
    else
        snprintf(out, size, "alert %d", number);
}

void tls_failing_alert(struct tls_facts *f, enum side from, int number, unsigned offered)
{
    char name[48], version[TLS_VERSION_TEXT], words[96] = "";

    set(f, TLS_FAILURE_ALERT);
    if (number < TLS_ALERT_HIDDEN)
        *(from == SERVER ? &f->alert_received : &f->alert_sent) = (int16_t)number;
    for (size_t i = 0; i < ARRAY_LEN(alerts); i++) {
        if (alerts[i].number == number) {
            f->failure = alerts[i].why;
            snprintf(words, sizeof words, "%s", alerts[i].words);
        }
    }
    if (number == ALERT_PROTOCOL_VERSION && offered != TLS_VERSION_UNKNOWN) {
        tls_version_text(offered, version);
        snprintf(words, sizeof words, "the client offered at most %s", version);
    }
    alert_name(number, name, sizeof name);
    snprintf(f->detail, sizeof f->detail, "the %s sent %s%s%s", side_names[from], name,
             words[0] != '\0' ? ": " : "", words);
}

/* ---- ends of the connection ------------------------------------------------------- */

/* How far the handshake came. */
static void where(char *out, size_t size, const char *last, bool within)
{
    if (last == NULL)
        snprintf(out, size, "%s",
                 within ? "in the middle of its first message" : "before anything came");
    else
        snprintf(out, size, "%s %s",
                 within ? "in the middle of a message after" : "right after", last);
}

void tls_failing_end(struct tls_facts *f, enum tls_ending how, enum side from, const char *last,
                     bool within)
{
    static const struct {
        enum tls_failure why;
        const char *subject, *verb;
    } endings[] = {
        [TLS_ENDING_EOF] = { TLS_FAILURE_EOF, "the ", " closed the connection" },
        [TLS_ENDING_RESET] = { TLS_FAILURE_RESET, "the ", " reset the connection" },
        [TLS_ENDING_TIMEOUT] = { TLS_FAILURE_TIMEOUT, "time ran out", "" },
        [TLS_ENDING_STOPPED] = { TLS_FAILURE_EOF, "the session ended", "" },
    };
    const char *who = how == TLS_ENDING_EOF || how == TLS_ENDING_RESET ? side_names[from] : "";
    char place[80];

    where(place, sizeof place, last, within);
    set(f, endings[how].why);
    snprintf(f->detail, sizeof f->detail, "%s%s%s %s", endings[how].subject, who,
             endings[how].verb, place);
}

/* ---- strangers -------------------------------------------------------------------- */

static bool is_text(unsigned char c)
{
    return (c >= ' ' && c <= '~') || c == '\r' || c == '\n' || c == '\t';
}

static bool text_take(struct tls_stranger *st, struct span in, struct tls_facts *f)
{
    unsigned room = st->from == CLIENT ? TLS_STRANGER_WORD_MAX : TLS_STRANGER_MAX;
    char text[TLS_STRANGER_MAX + 1];
    bool enough = false;

    for (size_t i = 0; i < in.len && !enough; i++) {
        unsigned char c = in.ptr[i];
        enough = c == '\r' || c == '\n' || (st->from == CLIENT && c == ' ');
        if (!enough)
            st->octets[st->len++] = c;
        enough = enough || st->len == room;
    }
    tls_facts_text(text, sizeof text, st->octets, st->len);
    set(f, TLS_FAILURE_PLAINTEXT);
    snprintf(f->detail, sizeof f->detail, "the %s said in the clear: %s%s",
             side_names[st->from], text, st->from == CLIENT ? " ..." : "");
    return enough;
}

/* The hello of SSL 2 has its length first, with the top bit set, then type 1 (RFC 5246 E.2). */
static bool binary_take(struct tls_stranger *st, struct span in, struct tls_facts *f)
{
    enum { SSL2_TYPE_AT = 2, SSL2_CLIENT_HELLO = 1 };
    char what[48];
    bool may_be_ssl2;

    for (; in.len > 0 && st->len <= SSL2_TYPE_AT; in = span_drop(in, 1))
        st->octets[st->len++] = in.ptr[0];
    may_be_ssl2 = st->first && st->from == CLIENT && (st->octets[0] & 0x80) != 0;
    if (may_be_ssl2 && st->len > SSL2_TYPE_AT && st->octets[SSL2_TYPE_AT] == SSL2_CLIENT_HELLO)
        snprintf(what, sizeof what, "a hello in the form of SSL 2");
    else
        snprintf(what, sizeof what, "0x%02x where a record begins", st->octets[0]);
    tls_failing_protocol(f, (enum side)st->from, what);
    return !may_be_ssl2 || st->len > SSL2_TYPE_AT;
}

bool tls_stranger_take(struct tls_stranger *st, struct span in, struct tls_facts *f)
{
    unsigned char first = st->len > 0 ? st->octets[0] : in.ptr[0];

    return is_text(first) ? text_take(st, in, f) : binary_take(st, in, f);
}
