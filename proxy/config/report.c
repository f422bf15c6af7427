#include "config/report.h"

#include "base/escape.h"

#include <limits.h>
#include <stdarg.h>

static void report(FILE *out, struct config_place at, const char *kind, const char *fmt,
                   va_list ap)
{
    char file[PATH_MAX];

    escape(file, sizeof file, span_str(at.file));
    fputs(file, out);
    if (at.line > 0)
        fprintf(out, ":%u", at.line);
    fprintf(out, ": %s", kind);
    vfprintf(out, fmt, ap);
    putc('\n', out);
}

void config_error(struct config_report *r, struct config_place at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report(r->out, at, "", fmt, ap);
    va_end(ap);
    r->errors++;
}

void config_warn(struct config_report *r, struct config_place at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report(r->out, at, "warning: ", fmt, ap);
    va_end(ap);
}
