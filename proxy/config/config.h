/*
 * config - the configuration file as one immutable, validated value.
 *
 * Every key stands in one schema table (schema.c): its name, type, default,
 * range and meaning. The table checks a file, prints the effective configuration,
 * and writes the reference in smtpscope.conf(5) and the commented
 * conf/smtpscope.conf. Sizes and times are strings with units ("10M", "5m"),
 * because libconfig 1.5 wraps integers silently.
 *
 * Errors name file, line, what was expected and the nearest known key; nothing is
 * half applied.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/attributes.h"
#include "relay/settings.h"
#include "transcript/writer.h"

#include <stdio.h>

struct config_strings {
    char **items;
    unsigned count;
};

/* What the contexts in settings.tls are made of. "" means not given. */
struct config_tls {
    struct config_strings certificates; /* paths */
    struct config_strings keys;         /* by certificate, or none at all */
    struct config_strings pins;
    uint8_t verify; /* enum tls_verify */
    char *ca;       /* path */
    bool ask_client;
    char *client_ca; /* path */
    char *keylog;    /* path */
};

struct config_listener {
    struct addr *listen;
    unsigned listen_count;
    struct config_tls tls;
    struct relay_settings *settings; /* one reference */
};

struct config {
    char *file;       /* NULL: made from the command line */
    char *vantage;    /* default: the host name */
    unsigned workers; /* at least 1; "auto" is resolved: one per core */
    char *user;       /* "" or NULL: stay */
    uint32_t drain_timeout_ms;
    uint64_t memory_octets; /* of all sessions: see relay/memory.h */
    char *log_level;        /* "debug", "info", "warn", "error" */
    struct config_listener *listeners;
    unsigned listener_count;
    bool findings;   /* records are looked at as they are written */
    char *catalogue; /* "": the one installed */
    /* Strings are owned by the config. */
    struct writer_config transcript;
};

/* What `smtpscope run` without a file takes from its options; NULL: the default. */
struct config_options {
    const char **listen; /* ADDR:PORT */
    unsigned listen_count;
    const char **upstream; /* ADDR:PORT, HOST:PORT, "reflect" or "original" */
    unsigned upstream_count;
    const char *mode; /* observe | enforce */
    const char *intercept;
    const char *tls_certificate, *tls_key, *tls_upstream;
    const char *transcript;
    const char *vantage;
    const char *workers;
};

enum config_purpose {
    CONFIG_RUN,   /* a certificate that has expired is served all the same: a warning */
    CONFIG_CHECK, /* it is an error */
    CONFIG_TEXT,  /* nothing but the text counts: no certificate is read */
};

/* NULL after the errors were written to `errors`, one a line: "file:line: ...". All errors
 * of a file are reported, not only the first. */
MUST_CHECK struct config *config_load(const char *file, enum config_purpose purpose,
                                      FILE *errors);
MUST_CHECK struct config *config_from_options(const struct config_options *o,
                                              enum config_purpose purpose, FILE *errors);
void config_free(struct config **c);

/*
 * What the file cannot show: the user exists, the folders of the transcript and the spool
 * are there and may be written to (by that user). For `check` and before a start. False
 * after the errors were written.
 */
MUST_CHECK bool config_check_host(const struct config *c, FILE *errors);
/*
 * Lets the TLS contexts write their secrets to the files of tls.keylog; as the user who is to
 * own them, before the first session. False: `error` says why.
 */
MUST_CHECK bool config_open_keylogs(const struct config *c, char *error, size_t size);
/* File descriptors needed when every session allowed is there. config_load() refuses a
 * file that passes the hard limit; the soft one is to be raised to this at the start. */
uint64_t config_files_needed(const struct config *c);

/*
 * For a reload: which changes a running proxy cannot take over; each is written to `why`
 * ("transcript.file", one a line; NULL: do not). Listeners are matched by name; their
 * settings but for `listen` may change. False: all that changed can be applied.
 */
bool config_needs_restart(const struct config *old, const struct config *new, FILE *why);

/* The effective configuration, as a file that gives the same again. */
void config_print(const struct config *c, FILE *out);
/* conf/smtpscope.conf: every key with its default, commented. */
void config_print_example(FILE *out);
/* The reference section of smtpscope.conf(5), mdoc source. */
void config_print_manual(FILE *out);

#endif
