/* import_options - the command line of smtpscope-import. */
#ifndef TOOLS_IMPORT_OPTIONS_H
#define TOOLS_IMPORT_OPTIONS_H

#include "transcript/writer.h"

enum { IMPORT_PORTS_MAX = 64 };

struct import_options {
    const char *capture;
    const char *output; /* "-": standard output */
    const char *vantage;
    const char *spool;
    enum content_level content;
    bool no_findings;
    uint16_t ports[IMPORT_PORTS_MAX];
    unsigned port_count;
};

/* 0: go on; 1: all is done (--help); 3: told what is wrong. */
int import_options_parse(struct import_options *o, int argc, char **argv);

#endif
