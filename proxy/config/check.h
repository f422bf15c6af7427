/*
 * check - what single keys cannot tell: how values fit together and fit this host.
 */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "config/report.h"
#include "config/value.h"

/* After the last key of t->listener; resolves the default of tls.starttls, and makes the TLS
 * contexts when all is right. */
void config_check_listener(struct config_report *r, const struct config_target *t,
                           const struct config_where *w, enum config_purpose purpose);
/* The part of it that is about TLS. */
void config_check_tls(struct config_report *r, const struct config_target *t,
                      const struct config_where *w);
void config_check_transcript(struct config_report *r, const struct config *c,
                             struct config_place at);
/* After the last key of all; resolves "auto" and "". */
void config_finish(struct config_report *r, struct config_target *t, struct config_place at);

#endif
