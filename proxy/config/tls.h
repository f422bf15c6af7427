/*
 * tls - the TLS part of a listener: what it needs, and its contexts.
 */
#ifndef CONFIG_TLS_H
#define CONFIG_TLS_H

#include "config/report.h"
#include "config/value.h"

/* TLS of clients ends here. */
bool config_ends_tls(const struct config_listener *l);
/* TLS towards the upstream may begin here. */
bool config_begins_tls(const struct config_listener *l);

/* Reads certificates, keys and CAs into settings.tls, after config_check_tls() was content;
 * tells of certificates out of date, or about to be. */
void config_make_contexts(struct config_report *r, struct config_listener *l,
                          const struct config_where *w, enum config_purpose purpose);

#endif
