/*
 * check [data|bdat] FILE... - what the signatures of mails kept in files say, one line each:
 * file, header, result, canonicalization, d=, s=, damage, its text; by tabs.
 */
#include "dkim/repair.h"

#include <stdio.h>

static void print(const char *file, const struct dkim_signature *s)
{
    printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", file, s->arc ? "arc" : "dkim",
           dkim_result_name(s->result), s->relaxed ? "relaxed" : "simple", s->domain,
           s->selector, s->damage != NULL ? s->damage : "-", s->damage_text);
}

int main(int argc, char **argv)
{
    static struct dkim_repair_file r;
    char error[256];

    for (int i = 2; i < argc; i++) {
        if (!dkim_repair_file(argv[i], strcmp(argv[1], "data") == 0, DKIM_REPAIR_TOOL, &r,
                              error)) {
            fprintf(stderr, "%s\n", error);
            return 1;
        }
        for (unsigned k = 0; k < r.verdict.count; k++)
            print(argv[i], &r.verdict.signatures[k]);
    }
    return 0;
}
