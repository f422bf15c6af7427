/*
 * smuggling_models - how receivers of all kinds find the end of the mail data.
 *
 * Descriptions of behaviour, strict and careless, to try an output on: who sees an
 * end earlier than the sender meant can be made to take the rest for commands.
 */
#ifndef MODELS_SMUGGLING_MODELS_H
#define MODELS_SMUGGLING_MODELS_H

#include "base/span.h"

enum { SMUGGLING_MODELS = 16, MODEL_NO_END = -1 };

/* model: 0 to SMUGGLING_MODELS - 1; 0 is the strict one. */
const char *smuggling_model_name(unsigned model);

/* Octets up to and with the end of the data, or MODEL_NO_END. */
long smuggling_model_end(unsigned model, struct span octets);

#endif
