/* export_options - the command line of smtpscope-export. */
#ifndef TOOLS_EXPORT_OPTIONS_H
#define TOOLS_EXPORT_OPTIONS_H

struct export_options {
    const char *transcript;
    const char *output;  /* "-": standard output */
    const char *session; /* NULL: all */
    const char *spool;   /* NULL: none */
};

/* 0: go on; 1: all is done (--help); 3: told what is wrong. */
int export_options_parse(struct export_options *o, int argc, char **argv);

#endif
