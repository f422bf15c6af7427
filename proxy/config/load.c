#include "config/check.h"
#include "config/near.h"
#include "config/scan.h"

#include "base/escape.h"

#include <libconfig.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MAX = 80, ERRORS_MAX = 100 };

struct loader {
    struct config_where where;
    enum config_purpose purpose;
    const config_setting_t *listener; /* being read */
    struct config_report report;
    struct config_target target;
    const char *file;
    const char *folder;  /* of the file; includes are relative to it */
    char path[PATH_MAX]; /* the included file that place_of() named last */
};

/* libconfig names an included file as the @include does: relative to the main file. */
static const char *path_of(struct loader *l, const char *file)
{
    if (file == NULL)
        return l->file;
    if (file[0] == '/' ||
        snprintf(l->path, sizeof l->path, "%s/%s", l->folder, file) >= (int)sizeof l->path)
        return file;
    return l->path;
}

/* Good until the next call. */
static struct config_place place_of(struct loader *l, const config_setting_t *s)
{
    return (struct config_place){ path_of(l, config_setting_source_file(s)),
                                  config_setting_source_line(s) };
}

static const char *found(const config_setting_t *s)
{
    switch (config_setting_type(s)) {
    case CONFIG_TYPE_GROUP:
        return "a group { }";
    case CONFIG_TYPE_LIST:
        return "a list ( )";
    case CONFIG_TYPE_ARRAY:
        return "an array [ ]";
    case CONFIG_TYPE_STRING:
        return "a string";
    case CONFIG_TYPE_BOOL:
        return "true or false";
    case CONFIG_TYPE_FLOAT:
        return "a number with a fraction";
    case CONFIG_TYPE_INT64:
        return "a number with L";
    default:
        return "a number";
    }
}

static const char *type_hint(const struct config_key *key)
{
    switch (key->type) {
    case KEY_LIST:
        return ": listeners = ( { ... } );";
    case KEY_GROUP:
        return " { }";
    case KEY_TIME:
        return " in quotes, as in \"30s\"";
    case KEY_SIZE:
        return " in quotes, as in \"10M\"";
    case KEY_OCTETS:
        return " in quotes, as in \"12288\"";
    case KEY_MODE:
        return " in quotes, as in \"0640\"";
    case KEY_INT:
        return " without quotes";
    case KEY_NAME:
    case KEY_HOST:
    case KEY_TEXT:
    case KEY_PATH:
    case KEY_BOOL:
    case KEY_WORD:
    case KEY_LEVEL:
    case KEY_WORKERS:
    case KEY_LISTEN:
    case KEY_UPSTREAM:
    case KEY_NETWORKS:
    case KEY_PATHS:
    case KEY_PINS:
    case KEY_PRESET:
    case KEY_RULE:
    case KEY_LIMIT_MODE:
        break;
    }
    return "";
}

static void wrong_type(struct loader *l, const struct config_key *key,
                       const config_setting_t *s)
{
    char words[256];

    if (config_words_text(key, words, sizeof words))
        config_error(&l->report, place_of(l, s), "%s: expected %s, found %s", key->path, words,
                     found(s));
    else
        config_error(&l->report, place_of(l, s), "%s: expected %s%s, found %s", key->path,
                     config_key_type_name(key), type_hint(key), found(s));
}

static void load_text(struct loader *l, const struct config_key *key, const config_setting_t *s)
{
    const char *text = config_setting_get_string(s);
    char why[WHY_MAX], shown[SHOWN_MAX];

    if (config_set_text(key, &l->target, text, why))
        return;
    escape(shown, sizeof shown, span_str(text));
    config_error(&l->report, place_of(l, s), "%s = \"%s\": %s", key->path, shown, why);
}

static void load_number(struct loader *l, const struct config_key *key,
                        const config_setting_t *s)
{
    int value = config_setting_get_int(s);
    char why[WHY_MAX];

    /* A negative number is above every range once unsigned. */
    if (!config_set_number(key, &l->target, (uint64_t)(int64_t)value, why))
        config_error(&l->report, place_of(l, s), "%s = %d: %s", key->path, value, why);
}

static void load_strings(struct loader *l, const struct config_key *key,
                         const config_setting_t *s)
{
    int type = config_setting_type(s), n = config_setting_length(s);

    if (type == CONFIG_TYPE_STRING) {
        load_text(l, key, s);
        return;
    }
    if (type != CONFIG_TYPE_ARRAY && type != CONFIG_TYPE_LIST) {
        l->target.listen_given |= key->type == KEY_LISTEN;
        l->target.upstream_given |= key->type == KEY_UPSTREAM;
        wrong_type(l, key, s);
        return;
    }
    for (int i = 0; i < n; i++) {
        const config_setting_t *item = config_setting_get_elem(s, (unsigned)i);

        if (config_setting_type(item) == CONFIG_TYPE_STRING)
            load_text(l, key, item);
        else
            wrong_type(l, key, item);
    }
}

static void load_scalar(struct loader *l, const struct config_key *key,
                        const config_setting_t *s)
{
    int type = config_setting_type(s);
    bool number = key->type == KEY_INT || key->type == KEY_WORKERS;

    if (number && type == CONFIG_TYPE_INT)
        load_number(l, key, s);
    else if (key->type == KEY_BOOL && type == CONFIG_TYPE_BOOL)
        config_set_bool(key, &l->target, config_setting_get_bool(s) != 0);
    else if (key->type != KEY_INT && key->type != KEY_BOOL && type == CONFIG_TYPE_STRING)
        load_text(l, key, s);
    else
        wrong_type(l, key, s);
}

/* A file that names a key of an older version serves on: it could only say what is done now. */
static bool is_removed_key(struct loader *l, const struct config_key *group,
                           const config_setting_t *s)
{
    static const struct {
        const char *group, *name, *always;
    } removed[] = {
        { "listeners.policy.cmd", "bare_cr", "a CR in a command is always refused" },
        { "listeners.policy.cmd", "nul", "a NUL in a command is always refused" },
        { "listeners.policy.cmd", "ctrl",
          "a control character in a command is always refused" },
        { "listeners.policy.cmd", "blank_line", "an empty line is always refused" },
        { "listeners.policy.cmd", "overlong", "an overlong command is always refused" },
        { "listeners.policy", "reply",
          "an invalid or unexpected reply always ends the session" },
    };

    for (size_t i = 0; i < ARRAY_LEN(removed); i++) {
        if (strcmp(group->path, removed[i].group) == 0 &&
            strcmp(config_setting_name(s), removed[i].name) == 0) {
            config_warn(&l->report, place_of(l, s),
                        "%s.%s is no longer a setting and is ignored: "
                        "%s; remove it",
                        group->path, removed[i].name, removed[i].always);
            return true;
        }
    }
    return false;
}

static void unknown_key(struct loader *l, const struct config_key *group,
                        const config_setting_t *s)
{
    char shown[SHOWN_MAX], hint[1024];
    const char *name = config_setting_name(s);

    escape(shown, sizeof shown, span_str(name));
    config_key_hint(group, name, hint, sizeof hint);
    config_error(&l->report, place_of(l, s), "unknown key '%s'%s%s; %s", shown,
                 group->path[0] != '\0' ? " in " : "", group->path, hint);
}

static void load_listeners(struct loader *l, const struct config_key *key,
                           const config_setting_t *s);

static void load_group(struct loader *l, const struct config_key *group,
                       const config_setting_t *s)
{
    int n = config_setting_length(s);

    for (int i = 0; i < n && l->report.errors < ERRORS_MAX; i++) {
        const config_setting_t *item = config_setting_get_elem(s, (unsigned)i);
        const struct config_key *key = config_key_find(group, config_setting_name(item));

        if (key == NULL && is_removed_key(l, group, item))
            continue;
        if (key == NULL)
            unknown_key(l, group, item);
        else if (key->type == KEY_LIST)
            load_listeners(l, key, item);
        else if (config_key_is_array(key))
            load_strings(l, key, item);
        else if (key->type != KEY_GROUP)
            load_scalar(l, key, item);
        else if (config_setting_type(item) == CONFIG_TYPE_GROUP)
            load_group(l, key, item);
        else
            wrong_type(l, key, item);
    }
}

/* A list element has no name and, in libconfig, no line of its own before its first key. */
static struct config_place place_of_listener(struct loader *l, const config_setting_t *s)
{
    struct config_place at = place_of(l, s);

    if (config_setting_length(s) > 0)
        return place_of(l, config_setting_get_elem(s, 0));
    return at.line > 0 ? at : place_of(l, config_setting_parent(s));
}

static struct config_place find_place(const struct config_where *w, const char *path,
                                      unsigned index)
{
    struct loader *l = CONTAINER_OF(w, struct loader, where);
    const config_setting_t *s = l->listener;
    const char *name = path != NULL ? strchr(path, '.') : NULL;
    char part[SHOWN_MAX];

    while (name != NULL && s != NULL) {
        const char *next = strchr(++name, '.');

        snprintf(part, sizeof part, "%.*s", (int)strcspn(name, "."), name);
        s = config_setting_is_group(s) ? config_setting_get_member(s, part) : NULL;
        name = next;
    }
    if (s == NULL || s == l->listener)
        return place_of_listener(l, l->listener);
    if (config_setting_is_aggregate(s) && config_setting_get_elem(s, index) != NULL)
        s = config_setting_get_elem(s, index);
    return place_of(l, s);
}

static bool gives_sessions(const config_setting_t *listener)
{
    const config_setting_t *limits = config_setting_get_member(listener, "limits");

    return limits != NULL && config_setting_type(limits) == CONFIG_TYPE_GROUP &&
           config_setting_get_member(limits, "sessions") != NULL;
}

static void load_listener(struct loader *l, const struct config_key *key,
                          const config_setting_t *s)
{
    unsigned index = l->target.config->listener_count;

    l->target.listener = config_listener_add(l->target.config);
    l->target.rules_given = 0;
    l->target.policy_given = l->target.listen_given = l->target.upstream_given = false;
    l->target.trusted_broken = false;
    l->listener = s;
    if (gives_sessions(s))
        l->target.sessions_given |= UINT64_C(1) << index;
    load_group(l, key, s);
    config_check_listener(&l->report, &l->target, &l->where, l->purpose);
    l->target.listener = NULL;
}

static void load_listeners(struct loader *l, const struct config_key *key,
                           const config_setting_t *s)
{
    int n = config_setting_length(s);

    if (config_setting_type(s) != CONFIG_TYPE_LIST) {
        wrong_type(l, key, s);
        return;
    }
    if (n > LISTENERS_MAX) {
        config_error(&l->report, place_of(l, s), "listeners: expected at most %d",
                     LISTENERS_MAX);
        return;
    }
    for (int i = 0; i < n && l->report.errors < ERRORS_MAX; i++) {
        const config_setting_t *item = config_setting_get_elem(s, (unsigned)i);

        if (config_setting_type(item) == CONFIG_TYPE_GROUP)
            load_listener(l, key, item);
        else
            config_error(&l->report, place_of(l, item),
                         "listeners: expected a group { }, found %s", found(item));
    }
}

/* libconfig stops at the first error of syntax. */
static void syntax_error(struct loader *l, const config_t *cfg, const char *text)
{
    const char *file = path_of(l, config_error_file(cfg)), *what = config_error_text(cfg);
    struct config_place at = { file, (unsigned)config_error_line(cfg) };
    char *included = file != l->file ? config_read_text(&l->report, file) : NULL;
    char more[256];

    text = included != NULL ? included : text;
    if (strcmp(what, "duplicate setting name") == 0) {
        config_name_in_line(text, at.line, more, sizeof more);
        config_error(&l->report, at, "key '%s' stands here twice; remove one", more);
    } else if (strcmp(what, "syntax error") == 0) {
        config_explain_syntax(text, at.line, more, sizeof more);
        config_error(&l->report, at, "syntax error; %s", more);
    } else if (strcmp(what, "mismatched element type in array") == 0) {
        config_error(&l->report, at,
                     "values of different types in an array; addresses and numbers "
                     "with a unit stand in quotes");
    } else {
        config_error(&l->report, at, "%s", what);
    }
    free(included);
}

static bool is_missing(const config_setting_t *listeners)
{
    return listeners == NULL || (config_setting_type(listeners) == CONFIG_TYPE_LIST &&
                                 config_setting_length(listeners) == 0);
}

static struct config_place place_of_group(struct loader *l, const config_t *cfg,
                                          const char *name)
{
    const config_setting_t *s = config_lookup(cfg, name);

    return s != NULL ? place_of(l, s) : (struct config_place){ l->file, 0 };
}

static void load_file(struct loader *l, const char *text)
{
    struct config_place at = { l->file, 0 };
    config_t cfg;

    config_init(&cfg);
    config_set_include_dir(&cfg, l->folder);
    if (config_read_string(&cfg, text) != CONFIG_TRUE) {
        syntax_error(l, &cfg, text);
    } else {
        load_group(l, config_key_at(0), config_root_setting(&cfg));
        if (is_missing(config_lookup(&cfg, "listeners")))
            config_error(&l->report, at,
                         "there is no listener: add listeners = ( { listen = "
                         "\"0.0.0.0:25\"; upstream = \"10.0.0.5:25\"; } );");
        config_check_transcript(&l->report, l->target.config,
                                place_of_group(l, &cfg, "transcript"));
        config_finish(&l->report, &l->target, place_of_group(l, &cfg, "listeners"));
    }
    config_destroy(&cfg);
}

struct config *config_load(const char *file, enum config_purpose purpose, FILE *errors)
{
    struct loader l = {
        .where.find = find_place, .purpose = purpose, .report = { .out = errors }, .file = file
    };
    char *text = config_read_text(&l.report, file);
    char *path = config_copy(file);

    l.folder = dirname(path);
    l.target.config = config_defaults();
    l.target.config->file = config_copy(file);
    if (text != NULL)
        config_scan(&l.report, file, text, l.folder);
    if (l.report.errors == 0)
        load_file(&l, text);
    if (l.report.errors > 0)
        config_free(&l.target.config);
    free(path);
    free(text);
    return l.target.config;
}
