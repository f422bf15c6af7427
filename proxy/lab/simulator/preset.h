/*
 * preset - the boxes there are: a name, a line, and the rules that make it.
 *
 * "name" or "name(parameter)"; what a parameter may be is checked strictly.
 */
#ifndef LAB_SIMULATOR_PRESET_H
#define LAB_SIMULATOR_PRESET_H

#include "base/attributes.h"
#include "lab/simulator/rules.h"

#include <stdbool.h>
#include <stddef.h>

enum parameter {
    PARAMETER_NONE,
    PARAMETER_CMAP,       /* "cmap" */
    PARAMETER_KEYWORD,    /* of EHLO: to be deleted */
    PARAMETER_TEXT,       /* a footer's line */
    PARAMETER_PATTERN,    /* in what the client sends */
    PARAMETER_RECIPIENTS, /* a number */
    PARAMETER_OCTETS,     /* of a message: "10M" */
    PARAMETER_HELLO,      /* octets of a TLS hello */
    PARAMETER_IDLE,       /* seconds, and "421", "rst" or "silent": "30,rst" */
    PARAMETER_MS,
    PARAMETER_MUTATION, /* "up" or "down", "change", "delete" or "insert", octets */
};

struct preset {
    const char *name;
    const char *line;     /* what it does, for people */
    const char *triggers; /* detectors it must trigger */
    enum parameter parameter;
    struct rules rules; /* what a parameter changes has its default here */
};

extern const struct preset presets[];
extern const size_t preset_count;

/* False: `error` says what is wrong, and which name is near. rules->text is used: do not copy
 * *rules. */
MUST_CHECK bool preset_find(const char *text, struct rules *rules, char *error, size_t size);
/* What it may be, in words. */
const char *parameter_help(enum parameter parameter);

#endif
