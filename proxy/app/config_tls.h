/*
 * config_tls - the TLS part of a listener: what it needs, and its contexts made.
 */
#ifndef APP_CONFIG_TLS_H
#define APP_CONFIG_TLS_H

#include "app/config_report.h"
#include "app/config_value.h"

/* TLS of clients ends here. */
bool config_ends_tls(const struct config_listener *l);
/* TLS towards the upstream may begin here. */
bool config_begins_tls(const struct config_listener *l);

#endif
