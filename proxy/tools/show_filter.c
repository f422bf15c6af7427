#include "show.h"

#include "base/sid.h"

static bool has_note(const struct record *r, const char *id)
{
    const json_t *notes = json_object_get(r->root, "notes");

    for (size_t i = 0; i < json_array_size(notes); i++)
        if (strcmp(record_text(json_array_get(notes, i), "id"), id) == 0)
            return true;
    return false;
}

/* "192.0.2.1" fits "192.0.2.1:4711", "2001:db8::1" fits "[2001:db8::1]:4711". */
static bool client_fits(const char *client, const char *asked)
{
    size_t len = strlen(asked);

    if (strcmp(client, asked) == 0)
        return true;
    if (client[0] == '[' && asked[0] != '[')
        client++;
    return strncmp(client, asked, len) == 0 && (client[len] == ':' || client[len] == ']') &&
           strchr(client + len + 1, ':') == (client[len] == ']' ? client + len + 1 : NULL);
}

bool show_wants_session(const struct show_options *o, const struct record *r)
{
    if (o->session != NULL && !sid_fits(r->sid, o->session))
        return false;
    return o->client == NULL || r->kind != RECORD_OPEN ||
           client_fits(record_text(r->root, "client"), o->client);
}

bool show_is_frame(const struct record *r)
{
    return r->kind == RECORD_OPEN || r->kind == RECORD_CONNECT || r->kind == RECORD_TLS ||
           r->kind == RECORD_CLOSE;
}

static bool verb_fits(const struct record *r, const char *verb)
{
    if (r->kind == RECORD_CONTENT)
        return strcasecmp(verb, "DATA") == 0 || strcasecmp(verb, "BDAT") == 0 ||
               strcmp(verb, ".") == 0;
    return r->kind == RECORD_COMMAND && strcasecmp(record_text(r->root, "verb"), verb) == 0;
}

/* STARTTLS that is ended here, too. */
static bool is_as_usual(const struct record *r)
{
    const char *action = record_text(r->root, "action");

    return strcmp(action, "relayed") == 0 || strcmp(action, "added") == 0 ||
           strcmp(record_text(r->root, "verb"), "STARTTLS") == 0;
}

/* Something went wrong, or was seen and written down as odd. */
static bool is_error(const struct record *r)
{
    if (json_object_get(r->root, "notes") != NULL || record_count(r->root, "code") >= 400)
        return true;
    switch (r->kind) {
    case RECORD_COMMAND:
        return !is_as_usual(r) || strcmp(record_text(r->root, "origin"), "none") == 0;
    case RECORD_CONTENT:
        return record_flag(r->root, "refused") || record_flag(r->root, "altered") ||
               !record_flag(r->root, "complete");
    case RECORD_TLS:
        return !record_flag(r->root, "ok");
    case RECORD_CONNECT:
    case RECORD_CLOSE:
        return json_object_get(r->root, "error") != NULL &&
               !json_is_false(json_object_get(r->root, "error"));
    case RECORD_LOST:
        return true;
    default:
        return r->missing > 0;
    }
}

bool show_wants_record(const struct show_options *o, const struct record *r)
{
    if (o->verb != NULL && !verb_fits(r, o->verb))
        return false;
    if (o->note != NULL && !has_note(r, o->note))
        return false;
    return !o->errors || is_error(r);
}
