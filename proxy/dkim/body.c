#include "dkim/body.h"

#include <endian.h>
#include <pthread.h>

enum { LOOK = 64 }; /* octets looked at in one go: compilers make vectors of it */

/* Fetched once: EVP_sha256() is looked up under a lock each time a hash begins. */
static EVP_MD *fetched_sha1, *fetched_sha256;
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void fetch(void)
{
    fetched_sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    fetched_sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

void dkim_body_init(struct dkim_body *b, bool relaxed)
{
    *b = (struct dkim_body){ .relaxed = relaxed };
}

void dkim_body_deinit(struct dkim_body *b)
{
    for (unsigned i = 0; i < b->count; i++)
        EVP_MD_CTX_free(b->hashes[i].ctx);
    b->count = 0;
}

bool dkim_body_copy(struct dkim_body *to, const struct dkim_body *b)
{
    *to = *b;
    for (unsigned i = 0; i < b->count; i++) {
        to->hashes[i].ctx = EVP_MD_CTX_new();
        to->count = i + 1;
        if (to->hashes[i].ctx == NULL ||
            EVP_MD_CTX_copy_ex(to->hashes[i].ctx, b->hashes[i].ctx) != 1) {
            dkim_body_deinit(to);
            return false;
        }
    }
    return true;
}

int dkim_body_hash(struct dkim_body *b, bool sha1, bool limited, uint64_t length)
{
    struct dkim_body_hash h = { .sha1 = sha1, .length = limited ? length : UINT64_MAX };

    for (unsigned i = 0; i < b->count; i++) {
        if (b->hashes[i].sha1 == sha1 && b->hashes[i].length == h.length)
            return (int)i;
    }
    pthread_once(&fetched, fetch);
    h.left = h.length;
    h.ctx = EVP_MD_CTX_new();
    if (b->count == DKIM_SIGNATURES_MAX || h.ctx == NULL ||
        EVP_DigestInit_ex(h.ctx, sha1 ? fetched_sha1 : fetched_sha256, NULL) != 1) {
        EVP_MD_CTX_free(h.ctx);
        return -1;
    }
    b->hashes[b->count] = h;
    return (int)b->count++;
}

/* Canonical octets. */
static void hash(struct dkim_body *b, struct span s)
{
    for (unsigned i = 0; i < b->count && s.len > 0; i++) {
        struct dkim_body_hash *h = &b->hashes[i];
        size_t n = s.len < h->left ? s.len : (size_t)h->left;
        if (n > 0)
            EVP_DigestUpdate(h->ctx, s.ptr, n);
        if (h->length != UINT64_MAX)
            h->left -= n;
    }
}

static void hash_gathered(struct dkim_body *b)
{
    hash(b, span_of(b->gather, b->gathered));
    b->gathered = 0;
}

/* A call of the hash costs as much as 50 octets of it: short stretches are gathered. */
static void put(struct dkim_body *b, struct span s)
{
    if (s.len == 0)
        return;
    b->any = true;
    if (s.len > DKIM_GATHER - b->gathered)
        hash_gathered(b);
    if (s.len > DKIM_GATHER / 2) {
        hash_gathered(b);
        hash(b, s);
        return;
    }
    memcpy(b->gather + b->gathered, s.ptr, s.len);
    b->gathered += (unsigned)s.len;
}

/* CRLFs at the end are empty lines, until something follows. */

static void put_held(struct dkim_body *b)
{
    static const unsigned char lines[] = "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
                                         "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";
    const uint64_t most = (sizeof lines - 1) / 2;

    while (b->crlf > 0) {
        uint64_t n = b->crlf < most ? b->crlf : most;
        put(b, span_of(lines, 2 * (size_t)n));
        b->crlf -= n;
    }
    if (b->cr)
        put(b, SPAN_LIT("\r"));
    b->cr = false;
}

/* Takes CRLFs, whole or begun, off the front. */
static struct span hold_front(struct dkim_body *b, struct span in)
{
    if (b->cr && in.len > 0 && in.ptr[0] == '\n') {
        b->cr = false;
        b->crlf++;
        in = span_drop(in, 1);
    }
    while (!b->cr && in.len > 1 && in.ptr[0] == '\r' && in.ptr[1] == '\n') {
        b->crlf++;
        in = span_drop(in, 2);
    }
    if (!b->cr && in.len == 1 && in.ptr[0] == '\r') {
        b->cr = true;
        in = span_drop(in, 1);
    }
    return in;
}

static void add_lines(struct dkim_body *b, struct span in)
{
    in = hold_front(b, in);
    if (in.len == 0)
        return;
    put_held(b);
    b->cr = in.ptr[in.len - 1] == '\r';
    if (b->cr)
        in.len--;
    while (in.len > 1 && in.ptr[in.len - 2] == '\r' && in.ptr[in.len - 1] == '\n') {
        b->crlf++;
        in.len -= 2;
    }
    put(b, in);
}

/* relaxed: runs of blanks become one space, and nothing before CRLF. */

/* A blank that cannot stay as it is, or not be judged without what follows. */
static unsigned odd_blank(unsigned char c, unsigned char next)
{
    unsigned before =
        (unsigned)(next == ' ') | (unsigned)(next == '\t') | (unsigned)(next == '\r');

    return (unsigned)(c == '\t') | ((unsigned)(c == ' ') & before);
}

static bool look_is_plain(const unsigned char *p)
{
    unsigned char odd = 0;

    for (unsigned i = 0; i < LOOK; i++)
        odd |= (unsigned char)odd_blank(p[i], p[i + 1]);
    return odd == 0;
}

/* The high bit of each octet of `eight` that is c. */
static uint64_t equal_octets(uint64_t eight, unsigned char c)
{
    const uint64_t low = UINT64_C(0x7F7F7F7F7F7F7F7F);
    uint64_t differs = eight ^ c * UINT64_C(0x0101010101010101);

    return ~(((differs & low) + low) | differs | low);
}

static uint64_t load(const unsigned char *p)
{
    uint64_t eight;

    memcpy(&eight, p, sizeof eight);
    return le64toh(eight);
}

/* The first odd blank of eight octets, or 8. */
static unsigned find_odd(const unsigned char *p)
{
    uint64_t c = load(p), next = load(p + 1);
    uint64_t before =
        equal_octets(next, ' ') | equal_octets(next, '\t') | equal_octets(next, '\r');
    uint64_t odd = equal_octets(c, '\t') | (equal_octets(c, ' ') & before);

    return odd != 0 ? (unsigned)__builtin_ctzll(odd) / 8 : 8;
}

/* Octets at the front that stay as they are. */
static size_t plain_octets(struct span in)
{
    size_t at = 0;

    while (in.len - at > LOOK && look_is_plain(in.ptr + at))
        at += LOOK;
    while (in.len - at > 8) {
        unsigned n = find_odd(in.ptr + at);
        at += n;
        if (n < 8)
            return at;
    }
    while (at + 1 < in.len && !odd_blank(in.ptr[at], in.ptr[at + 1]))
        at++;
    /* The last octet: a blank waits for what follows. */
    return at + 1 == in.len && !span_is_blank_char(in.ptr[at]) ? at + 1 : at;
}

static size_t blank_octets(struct span in)
{
    size_t n = 0;

    while (n < in.len && span_is_blank_char(in.ptr[n]))
        n++;
    return n;
}

/* Blanks are held back: what becomes of them? Returns the rest of the input. */
static struct span settle_blanks(struct dkim_body *b, struct span in)
{
    if (!b->blank_cr) {
        in = span_drop(in, blank_octets(in));
        if (in.len > 0 && in.ptr[0] == '\r') {
            b->blank_cr = true;
            in = span_drop(in, 1);
        }
    }
    if (in.len == 0)
        return in;
    if (!b->blank_cr)
        add_lines(b, SPAN_LIT(" "));
    else if (in.ptr[0] == '\n')
        add_lines(b, SPAN_LIT("\r"));
    else
        add_lines(b, SPAN_LIT(" \r"));
    b->blank = b->blank_cr = false;
    return in;
}

static void add_relaxed(struct dkim_body *b, struct span in)
{
    while (in.len > 0) {
        if (b->blank) {
            in = settle_blanks(b, in);
            continue;
        }
        size_t plain = plain_octets(in);
        struct span rest = span_drop(in, plain);
        size_t blanks = blank_octets(rest);
        /* One space stays, if it is one, and it is known what follows. */
        bool stays =
            blanks > 0 && blanks < rest.len && rest.ptr[0] == ' ' && rest.ptr[blanks] != '\r';

        if (plain + stays > 0)
            add_lines(b, span_first(in, plain + stays));
        b->blank = blanks > 0 && !stays;
        in = span_drop(rest, blanks);
    }
}

void dkim_body_add(struct dkim_body *b, struct span bytes)
{
    if (b->count == 0)
        return;
    if (b->relaxed)
        add_relaxed(b, bytes);
    else
        add_lines(b, bytes);
}

void dkim_body_finish(struct dkim_body *b)
{
    if (b->blank_cr)
        add_lines(b, SPAN_LIT(" \r"));
    b->blank = b->blank_cr = false;
    if (b->cr)
        put_held(b);
    /* simple: a body without any CRLF at its end, or without anything, gets one. */
    if (b->any || !b->relaxed)
        put(b, SPAN_LIT("\r\n"));
    hash_gathered(b);
    for (unsigned i = 0; i < b->count; i++) {
        struct dkim_body_hash *h = &b->hashes[i];
        if (EVP_DigestFinal_ex(h->ctx, h->digest, NULL) != 1)
            memset(h->digest, 0, sizeof h->digest);
    }
}

const unsigned char *dkim_body_digest(const struct dkim_body *b, unsigned i)
{
    return b->hashes[i].digest;
}
