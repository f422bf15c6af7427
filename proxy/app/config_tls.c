#include "app/config_tls.h"

bool config_ends_tls(const struct config_listener *l)
{
    return l->settings->tls.implicit ||
           policy_get(&l->settings->policy, RULE_STARTTLS) == WORD_TERMINATE;
}

bool config_begins_tls(const struct config_listener *l)
{
    uint8_t upstream = l->settings->tls.upstream;

    return upstream == UPSTREAM_TLS_IMPLICIT ||
           (upstream != UPSTREAM_TLS_NO && config_ends_tls(l));
}
