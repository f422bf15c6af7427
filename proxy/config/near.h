/*
 * near - which known word or key a mistyped one was meant to be.
 */
#ifndef CONFIG_NEAR_H
#define CONFIG_NEAR_H

#include "config/schema.h"

#include <stdbool.h>

/* Optimal string alignment distance; case is ignored, words above 40 letters are far. */
unsigned config_distance(const char *a, const char *b);
/* Near enough to ask "did you mean": a third of the letters differs, or one begins with
 * the other. */
bool config_is_near(const char *given, const char *known);
/* What to write instead of a key the group does not have. */
void config_key_hint(const struct config_key *group, const char *name, char *out, size_t size);

#endif
