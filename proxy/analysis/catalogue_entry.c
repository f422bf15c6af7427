/* catalogue_entry - one entry of the file, key by key. */
#include "analysis/catalogue_private.h"

/* ---- words ------------------------------------------------------------------------------ */

static int find_word(const char *const *words, unsigned count, const char *word)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return (int)i;
    return -1;
}

#define X(id, name) name,
static const char *const severities[] = { SEVERITIES(X) };
static const char *const confidences[] = { CONFIDENCES(X) };
static const char *const places[] = { CATALOGUE_PLACES(X) };
#undef X
static const char *const directions[] = { "c2s", "s2c", "both", "conn" };

#define SEVERITY_WORDS   "info, low, medium, high or critical"
#define CONFIDENCE_WORDS "low, medium, high or certain"
#define DIRECTION_WORDS  "c2s, s2c, both or conn"
#define PLACE_WORDS      "banner, ehlo, reply, command, header and issuer"

/* ---- texts ------------------------------------------------------------------------------- */

struct text_key {
    const char *name;
    size_t offset; /* in struct catalogue_entry */
    bool required;
};

static const struct text_key text_keys[] = {
    { "id", offsetof(struct catalogue_entry, id), true },
    { "product", offsetof(struct catalogue_entry, product), true },
    { "does", offsetof(struct catalogue_entry, does), true },
    { "fix", offsetof(struct catalogue_entry, fix), false },
    { "source", offsetof(struct catalogue_entry, source), false },
    { "direction", offsetof(struct catalogue_entry, direction), true },
    { "severity", SIZE_MAX, true },
    { "confidence", SIZE_MAX, true },
};

#define KEY_WORDS                                                                              \
    "id, product, does, direction, severity, confidence, patterns, findings, fix and source"

/* NULL after an error, or "" when the key is not there and need not be. */
static const char *get_text(const struct loader *l, config_setting_t *entry, const char *key,
                            bool required)
{
    config_setting_t *s = config_setting_get_member(entry, key);
    const char *text = s != NULL ? config_setting_get_string(s) : "";

    if (s == NULL && required)
        catalogue_fail(l, entry, "the entry has no %s; add %s = \"...\";", key, key);
    else if (text == NULL)
        catalogue_fail(l, s, "%s is no text; write it in quotes", key);
    else if (required && text[0] == '\0')
        catalogue_fail(l, s != NULL ? s : entry, "%s is empty; say something", key);
    else
        for (const char *p = text; *p != '\0'; p++)
            if ((unsigned char)*p < ' ' || *p == 0x7f) {
                catalogue_fail(l, s, "%s holds a control character; take it out", key);
                return NULL;
            }
    return (s == NULL && required) || (required && text != NULL && text[0] == '\0') ? NULL
                                                                                    : text;
}

static bool take_texts(const struct loader *l, config_setting_t *s, struct catalogue_entry *e)
{
    for (size_t i = 0; i < ARRAY_LEN(text_keys); i++) {
        const struct text_key *k = &text_keys[i];
        const char *text = get_text(l, s, k->name, k->required);
        if (text == NULL)
            return false;
        if (k->offset != SIZE_MAX)
            memcpy((char *)e + k->offset, &text, sizeof text);
    }
    return true;
}

/* One of the words; -1 after an error. The key is there: take_texts(). */
static int take_word(const struct loader *l, config_setting_t *entry, const char *key,
                     const char *const *words, unsigned count)
{
    config_setting_t *s = config_setting_get_member(entry, key);
    const char *text = config_setting_get_string(s);
    int i = find_word(words, count, text);

    if (i < 0)
        catalogue_fail(l, s, "%s \"%s\" is not known; write %s", key, catalogue_show(text).text,
                       words == severities    ? SEVERITY_WORDS
                       : words == confidences ? CONFIDENCE_WORDS
                                              : DIRECTION_WORDS);
    return i;
}

static bool take_words(const struct loader *l, config_setting_t *s, struct catalogue_entry *e)
{
    int severity = take_word(l, s, "severity", severities, ARRAY_LEN(severities));
    int confidence =
        severity < 0 ? -1 : take_word(l, s, "confidence", confidences, ARRAY_LEN(confidences));

    if (confidence < 0 || take_word(l, s, "direction", directions, ARRAY_LEN(directions)) < 0)
        return false;
    e->severity = (enum severity)severity;
    e->confidence = (enum confidence)confidence;
    return true;
}

static bool check_id(const struct loader *l, config_setting_t *s,
                     const struct catalogue_entry *e)
{
    config_setting_t *at = config_setting_get_member(s, "id");

    if (strspn(e->id, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(e->id) ||
        strlen(e->id) > 64)
        return catalogue_fail(
            l, at, "id \"%s\" is no id; use a to z, 0 to 9 and -, at most 64 of them",
            catalogue_show(e->id).text);
    for (const struct catalogue_entry *other = l->c->entries; other < e; other++)
        if (strcmp(other->id, e->id) == 0)
            return catalogue_fail(
                l, at, "id \"%s\" is there twice; give this entry another one", e->id);
    return true;
}

/* ---- lists ------------------------------------------------------------------------------- */

/* The index-th text of a list, or of a single text; NULL after an error. */
static const char *list_text(const struct loader *l, const config_setting_t *s, unsigned i)
{
    const char *text = config_setting_is_aggregate(s)
                           ? config_setting_get_string_elem(s, (int)i)
                           : config_setting_get_string(s);

    if (text == NULL)
        catalogue_fail(l, s, "%s is no list of texts; write [ \"...\", \"...\" ]",
                       config_setting_name(s));
    return text;
}

static unsigned list_len(const config_setting_t *s)
{
    if (s == NULL)
        return 0;
    return config_setting_is_aggregate(s) ? (unsigned)config_setting_length(s) : 1;
}

/* SV-01 to TV-99. */
static bool is_finding(const char *id)
{
    return strlen(id) == 5 && (id[0] == 'S' || id[0] == 'T') && id[1] == 'V' && id[2] == '-' &&
           strspn(id + 3, "0123456789") == 2;
}

static bool take_findings(struct loader *l, config_setting_t *entry, struct catalogue_entry *e)
{
    config_setting_t *s = config_setting_get_member(entry, "findings");
    unsigned count = list_len(s);

    if (count > CATALOGUE_FINDINGS_MAX)
        return catalogue_fail(l, s, "more than %d findings; leave some out",
                              CATALOGUE_FINDINGS_MAX);
    e->findings = l->c->findings + l->findings;
    for (unsigned i = 0; i < count; i++) {
        const char *id = list_text(l, s, i);
        if (id == NULL)
            return false;
        if (!is_finding(id))
            return catalogue_fail(l, s,
                                  "finding \"%s\" is no id; write one like SV-01 or TV-02",
                                  catalogue_show(id).text);
        l->c->findings[l->findings++] = id;
    }
    l->c->findings[l->findings++] = NULL;
    return true;
}

static bool check_patterns(const struct loader *l, config_setting_t *entry, unsigned *total)
{
    config_setting_t *s = config_setting_get_member(entry, "patterns");

    if (s == NULL)
        return true;
    if (!config_setting_is_group(s))
        return catalogue_fail(l, s, "patterns is no group; write { banner = \"...\"; }");
    for (int i = 0; i < config_setting_length(s); i++) {
        config_setting_t *place = config_setting_get_elem(s, (unsigned)i);
        if (find_word(places, PLACE_COUNT, config_setting_name(place)) < 0)
            return catalogue_fail(l, place, "\"%s\" is no place for patterns; there are %s",
                                  catalogue_show(config_setting_name(place)).text, PLACE_WORDS);
        if (list_len(place) > CATALOGUE_PATTERNS_MAX)
            return catalogue_fail(l, place,
                                  "more than %d patterns; make two entries of this one",
                                  CATALOGUE_PATTERNS_MAX);
        *total += list_len(place);
    }
    return true;
}

static bool check_keys(const struct loader *l, config_setting_t *entry)
{
    for (int i = 0; i < config_setting_length(entry); i++) {
        config_setting_t *s = config_setting_get_elem(entry, (unsigned)i);
        const char *name = config_setting_name(s);
        bool known = strcmp(name, "patterns") == 0 || strcmp(name, "findings") == 0;
        for (size_t k = 0; k < ARRAY_LEN(text_keys); k++)
            known = known || strcmp(name, text_keys[k].name) == 0;
        if (!known)
            return catalogue_fail(l, s, "\"%s\" is no key of an entry; there are " KEY_WORDS,
                                  catalogue_show(name).text);
    }
    return true;
}

bool catalogue_take_entry(struct loader *l, config_setting_t *s, unsigned *patterns)
{
    struct catalogue_entry *e = &l->c->entries[l->c->count];

    if (!config_setting_is_group(s))
        return catalogue_fail(l, s, "an entry is no group; write { id = \"...\"; ... }");
    if (!check_keys(l, s) || !take_texts(l, s, e) || !take_words(l, s, e) ||
        !check_id(l, s, e) || !take_findings(l, s, e) || !check_patterns(l, s, patterns))
        return false;
    l->c->count++;
    return true;
}

/* All of one place. */
static bool take_place(struct loader *l, const config_setting_t *s,
                       const struct catalogue_entry *e)
{
    for (unsigned i = 0; i < list_len(s); i++) {
        struct catalogue_pattern *p = &l->c->patterns[l->patterns];
        const char *text = list_text(l, s, i);
        char why[160];
        if (text == NULL)
            return false;
        if (!pattern_compile(&p->pattern, text, why, sizeof why))
            return catalogue_fail(l, s, "pattern \"%s\" %s", catalogue_show(text).text, why);
        p->entry = e;
        l->c->first[PLACE_COUNT] = ++l->patterns; /* so many are to be freed */
    }
    return true;
}

bool catalogue_take_patterns(struct loader *l, config_setting_t *entry, unsigned place,
                             const struct catalogue_entry *e)
{
    config_setting_t *s = config_setting_get_member(entry, "patterns");

    return s == NULL || take_place(l, config_setting_get_member(s, places[place]), e);
}
