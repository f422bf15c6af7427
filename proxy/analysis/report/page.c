#include "analysis/report/page.h"

#include "base/sha256.h"

#include <time.h>

/* RFC 4648; the length is that of a SHA-256. */
static void base64(const unsigned char in[SHA256_OCTETS], char out[45])
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at = 0;

    for (size_t i = 0; i < SHA256_OCTETS; i += 3) {
        unsigned left = SHA256_OCTETS - (unsigned)i;
        unsigned long bits = (unsigned long)in[i] << 16 |
                             (left > 1 ? (unsigned long)in[i + 1] << 8 : 0) |
                             (left > 2 ? (unsigned long)in[i + 2] : 0);
        out[at++] = letters[bits >> 18 & 63];
        out[at++] = letters[bits >> 12 & 63];
        out[at++] = left > 1 ? letters[bits >> 6 & 63] : '=';
        out[at++] = left > 2 ? letters[bits & 63] : '=';
    }
    out[at] = '\0';
}

static void put_policy(FILE *out)
{
    unsigned char hash[SHA256_OCTETS];
    char text[45];

    sha256(span_of(page_style, page_style_len), hash);
    base64(hash, text);
    html_markupf(out,
                 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                 "style-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n",
                 text);
}

void page_begin(FILE *out, const char *title)
{
    html_markup(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    put_policy(out);
    html_markup(out, "<meta name=\"viewport\" content=\"width=device-width, "
                     "initial-scale=1\">\n"
                     "<meta name=\"color-scheme\" content=\"light dark\">\n"
                     "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
    html_text(out, title);
    html_markup(out, "</title>\n<style>");
    fwrite(page_style, 1, page_style_len, out);
    html_markup(out, "</style>\n</head>\n<body>\n"
                     "<a class=\"skip\" href=\"#findings\">To the findings</a>\n"
                     "<header>\n<h1>");
    html_text(out, title);
    html_markup(out, "</h1>\n");
}

void page_end(FILE *out)
{
    html_markup(
        out, "<footer>\n<p>Made by smtpscope from its transcripts. Octets of the wire are "
             "shown as C writes them: <code>\\r\\n</code>, <code>\\000</code>. Passwords and "
             "other secrets were replaced before they were written down: <code>***</code>. "
             "Times are UTC.</p>\n</footer>\n</body>\n</html>\n");
}

void page_time(FILE *out, uint64_t us)
{
    time_t seconds = (time_t)(us / 1000000);
    struct tm tm;
    char text[32];

    if (gmtime_r(&seconds, &tm) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        return;
    html_markupf(out, "%s.%03u", text, (unsigned)(us / 1000 % 1000));
}

void page_badge(FILE *out, enum severity s)
{
    html_markupf(out, "<span class=\"badge %s\">%s</span>", severity_name(s), severity_name(s));
}

/* ---- the verdict ---------------------------------------------------------------------- */

static void put_fixes(FILE *out, const struct verdict *v)
{
    if (v->fix_count == 0)
        return;
    html_markup(out, "<h3>To fix</h3>\n<ul class=\"fixes\">\n");
    for (unsigned i = 0; i < v->fix_count; i++) {
        html_markup(out, "<li>");
        html_text(out, v->fixes[i]);
        html_markup(out, "</li>\n");
    }
    html_markup(out, "</ul>\n");
}

void page_verdict(FILE *out, const struct verdict *v, const struct match *m)
{
    html_markupf(out,
                 "<section class=\"verdict %s\" aria-labelledby=\"verdict\">\n"
                 "<h2 id=\"verdict\">Verdict</h2>\n<p class=\"sentence\">",
                 v->damaged ? severity_name(v->worst) : "clean");
    html_text(out, v->sentence);
    html_markup(out, "</p>\n");
    if (v->damaged)
        html_markupf(out, "<p>Worst finding: %s, %s.", severity_name(v->worst),
                     confidence_words(v->confidence));
    if (v->damaged && m->count > 0)
        html_markup(out, " <a href=\"#products\">Why this product</a>.");
    html_markup(out, v->damaged ? "</p>\n" : "");
    put_fixes(out, v);
    html_markup(out, "</section>\n");
}
