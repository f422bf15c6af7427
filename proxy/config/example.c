#include "config/value.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH = 78 };

struct example {
    FILE *out;
    const struct config *config;
    const struct config_listener *listener;
    int depth;
};

static void print_group(struct example *e, const struct config_key *group);

/* Words of `text`, as comment lines. */
static void print_comment(const struct example *e, const char *text, size_t len)
{
    int indent = 2 * e->depth, column = 0;

    while (len > 0) {
        size_t word = strcspn(text, " ") < len ? strcspn(text, " ") : len;

        if (column > 0 && column + 1 + (int)word > WIDTH) {
            putc('\n', e->out);
            column = 0;
        }
        if (column == 0)
            column = fprintf(e->out, "%*s#", indent, "");
        putc(' ', e->out);
        for (size_t i = 0; i < word; i++)
            putc(text[i] == '`' ? '"' : text[i], e->out);
        column += 1 + (int)word;
        word += word < len; /* and the blank */
        text += word;
        len -= word;
    }
    putc('\n', e->out);
}

static size_t first_sentence(const char *text)
{
    const char *end = strstr(text, ". ");

    return end != NULL ? (size_t)(end + 1 - text) : strlen(text);
}

/* "a", "b" or "c"; nothing where any text may stand. */
static void print_choices(const struct example *e, const struct config_key *key)
{
    char line[512] = "";
    const char *word;
    size_t len = 0;

    for (unsigned i = 0; (word = config_key_word(key, i)) != NULL && len < sizeof line; i++)
        len +=
            (size_t)snprintf(line + len, sizeof line - len, "%s%s", i > 0 ? " | " : "", word);
    if (len > 0)
        print_comment(e, line, len);
}

static void print_meaning(const struct example *e, const struct config_key *key)
{
    const char *about = config_key_about(key);
    char line[512];

    print_comment(e, about, first_sentence(about));
    print_choices(e, key);
    if (key->empty != NULL) {
        snprintf(line, sizeof line, "\"\": %s", key->empty);
        print_comment(e, line, strlen(line));
    }
    if (key->zero != NULL) {
        snprintf(line, sizeof line, "0: %s", key->zero);
        print_comment(e, line, strlen(line));
    }
}

static void open_group(const struct example *e, const struct config_key *key)
{
    fprintf(e->out, "%*s%s = %s\n", 2 * e->depth, "", config_key_name(key),
            key->type == KEY_LIST ? "(\n  {" : "{");
}

static void print_container(struct example *e, const struct config_key *key)
{
    bool list = key->type == KEY_LIST;

    print_meaning(e, key);
    open_group(e, key);
    e->depth += list ? 2 : 1;
    e->listener = list ? e->config->listeners : e->listener;
    print_group(e, key);
    e->listener = list ? NULL : e->listener;
    e->depth -= list ? 2 : 1;
    fprintf(e->out, "%*s%s\n", 2 * e->depth, "", list ? "  }\n);" : "};");
}

static void print_key(struct example *e, const struct config_key *key)
{
    bool required = key->type == KEY_LISTEN || key->type == KEY_UPSTREAM;

    if (key->type == KEY_GROUP || key->type == KEY_LIST) {
        print_container(e, key);
        return;
    }
    print_meaning(e, key);
    fprintf(e->out, "%*s%s%s = ", 2 * e->depth, "", required ? "" : "#", config_key_name(key));
    config_print_value(key, e->config, e->listener, e->out);
    fputs(";\n", e->out);
}

static void print_group(struct example *e, const struct config_key *group)
{
    const struct config_key *key;
    bool first = true;

    for (unsigned i = 1; (key = config_key_at(i)) != NULL; i++) {
        if (!config_key_is_child(key, group))
            continue;
        if (!first)
            putc('\n', e->out);
        print_key(e, key);
        first = false;
    }
}

void config_print_example(FILE *out)
{
    struct config_target t = { .config = config_defaults() };
    struct example e = { .out = out, .config = t.config };
    char why[WHY_MAX];

    t.listener = config_listener_add(t.config);
    if (!config_set_text(config_key_by_path("listeners.listen"), &t, "127.0.0.1:2525", why) ||
        !config_set_text(config_key_by_path("listeners.upstream"), &t, "reflect", why))
        abort();
    fputs("# smtpscope.conf - where smtpscope listens, where it connects to, how it handles\n"
          "# faults and what it records. See smtpscope.conf(5).\n"
          "#\n"
          "# Commented-out keys show the default. Sizes (\"10M\") and times (\"5m\") must be\n"
          "# quoted. Check a change with: smtpscope check -f FILE\n\n",
          out);
    print_group(&e, config_key_at(0));
    config_free(&t.config);
}
