/*
 * config_near - which known word a mistyped one was meant to be.
 */
#ifndef APP_CONFIG_NEAR_H
#define APP_CONFIG_NEAR_H

#include <stdbool.h>

/* Optimal string alignment distance; case is ignored, words above 40 letters are far. */
unsigned config_distance(const char *a, const char *b);
/* Near enough to ask "did you mean": a third of the letters, at least one. */
bool config_is_near(const char *given, const char *known);

#endif
