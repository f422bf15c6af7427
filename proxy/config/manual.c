#include "config/value.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 78 };

struct manual {
    FILE *out;
    const struct config *config;
    const struct config_listener *listener;
};

/* A word at the begin of a line; mdoc reads . and ' there, and any backslash, as its own. */
static void print_word(const struct manual *m, const char *word, size_t len, bool first)
{
    if (first && (word[0] == '.' || word[0] == '\''))
        fputs("\\&", m->out);
    for (size_t i = 0; i < len; i++) {
        if (word[i] == '\\')
            fputs("\\e", m->out);
        else
            putc(word[i], m->out);
    }
}

/* The last part of a path, or more of it. */
static bool is_key(const char *name, size_t len)
{
    const struct config_key *key;

    for (unsigned i = 1; (key = config_key_at(i)) != NULL; i++) {
        size_t n = strlen(key->path);

        if (n >= len && strncmp(key->path + n - len, name, len) == 0 &&
            (n == len || key->path[n - len - 1] == '.'))
            return true;
    }
    return false;
}

/* `word` with what follows it, as a line of its own. */
static void print_marked(const struct manual *m, const char *word, size_t len)
{
    size_t n = strcspn(++word, "`");

    fprintf(m->out, ".%s %.*s", is_key(word, n) ? "Ic" : "Cm", (int)n, word);
    for (size_t i = n + 1; i + 1 < len; i++)
        fprintf(m->out, " %c", word[i]);
    putc('\n', m->out);
}

/* Each sentence begins a line, and no line is longer than WIDTH. */
static void print_prose(const struct manual *m, const char *text)
{
    size_t column = 0;

    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        bool ends = text[len - 1] == '.';

        if (column > 0 && (column + 1 + len > WIDTH || text[0] == '`')) {
            putc('\n', m->out);
            column = 0;
        }
        if (text[0] == '`') {
            print_marked(m, text, len);
        } else {
            if (column > 0)
                putc(' ', m->out);
            print_word(m, text, len, column == 0);
            column += len + (column > 0);
        }
        if (column > 0 && (ends || text[len] == '\0')) {
            putc('\n', m->out);
            column = 0;
        }
        text += len + (text[len] == ' ');
    }
}

static void print_words(const struct manual *m, const struct config_key *key)
{
    const char *word;

    fputs("One of\n", m->out);
    for (unsigned i = 0; (word = config_key_word(key, i)) != NULL; i++) {
        const char *next = config_key_word(key, i + 1);

        fprintf(m->out, ".Cm %s%s\n", word, next != NULL ? " ," : " .");
    }
}

/* A sentence on what may stand there. */
static void print_form(const struct manual *m, const struct config_key *key)
{
    char line[160], range[80];
    const char *type = config_key_type_name(key);

    if (config_key_word(key, 0) != NULL) {
        print_words(m, key);
        return;
    }
    if (key->type != KEY_WORKERS && config_range_text(key, range, sizeof range))
        snprintf(line, sizeof line, "%c%s, %s.", toupper(type[0]), type + 1, range);
    else
        snprintf(line, sizeof line, "%c%s.", toupper(type[0]), type + 1);
    print_prose(m, line);
}

/* Quotes would be taken as those of an argument. */
static void print_literal(const struct manual *m, const struct config_key *key)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    if (to == NULL)
        abort();
    config_print_value(key, m->config, m->listener, to);
    if (fclose(to) != 0)
        abort();
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"')
            fputs("\\(dq", m->out);
        else
            putc(*p, m->out);
    }
    free(text);
}

static void print_default(const struct manual *m, const struct config_key *key)
{
    if (key->zero != NULL)
        fprintf(m->out, "0 means: %s.\n", key->zero);
    if (key->type == KEY_LISTEN || key->type == KEY_UPSTREAM)
        return;
    if (config_key_is_array(key) && (key->empty == NULL || strcmp(key->empty, "none") == 0)) {
        fputs("Default: none.\n", m->out);
        return;
    }
    if (key->empty != NULL) {
        fprintf(m->out, "An empty string, the default, means: %s.\n", key->empty);
        return;
    }
    fputs("Default:\n.Ql ", m->out);
    print_literal(m, key);
    fputs(" .\n", m->out);
}

static void print_key(const struct manual *m, const struct config_key *key)
{
    fprintf(m->out, ".It Ic %s\n", config_key_name(key));
    print_prose(m, config_key_about(key));
    print_form(m, key);
    print_default(m, key);
    if (key->restart)
        fputs("Changes require a restart.\n", m->out);
}

static void print_group(struct manual *m, const struct config_key *group)
{
    const struct config_key *key;

    if (group->path[0] == '\0')
        fputs(".Ss Top level\n", m->out);
    else
        fprintf(m->out, ".Ss %s\n", group->path);
    print_prose(m, group->about);
    fputs(".Bl -tag -width Ds\n", m->out);
    for (unsigned i = 1; (key = config_key_at(i)) != NULL; i++) {
        if (config_key_is_child(key, group) && key->type != KEY_GROUP && key->type != KEY_LIST)
            print_key(m, key);
    }
    fputs(".El\n", m->out);
}

void config_print_manual(FILE *out)
{
    struct config *c = config_defaults();
    struct manual m = { .out = out, .config = c, .listener = config_listener_add(c) };
    const struct config_key *key;

    for (unsigned i = 0; (key = config_key_at(i)) != NULL; i++) {
        if (key->type == KEY_GROUP || key->type == KEY_LIST)
            print_group(&m, key);
    }
    config_free(&c);
}
