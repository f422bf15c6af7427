/*
 * scan - what libconfig 1.5 does not tell about the text of a file.
 *
 * It wraps numbers above 31 bits silently, reads 010 as ten where 1.7 reads eight, and
 * ends the process when an included file is a folder. This pass finds all three, and
 * explains syntax errors.
 *
 * Limits: files of 1 MiB, includes 8 deep.
 */
#ifndef CONFIG_SCAN_H
#define CONFIG_SCAN_H

#include "config/report.h"

/* The file as a string; NULL after an error was reported. The caller frees. */
MUST_CHECK char *config_read_text(struct config_report *r, const char *file);
/* Reports what it finds, also in included files; these are relative to `folder`. */
void config_scan(struct config_report *r, const char *file, const char *text,
                 const char *folder);
/* A sentence on the syntax error libconfig found in that line. */
void config_explain_syntax(const char *text, unsigned line, char *out, size_t size);
/* The first name that stands in the line. */
void config_name_in_line(const char *text, unsigned line, char *out, size_t size);

#endif
