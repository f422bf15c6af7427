#include "config/config.h"
#include "config/report.h"
#include "config/tls.h"

#include "base/clock.h"
#include "base/escape.h"
#include "transcript/writer.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GROUPS_MAX = 256 };

/* Who will write. */
struct writer_user {
    const char *name; /* NULL: whoever we are */
    uid_t uid;
    gid_t groups[GROUPS_MAX];
    int group_count;
};

struct host {
    struct config_report report;
    struct config_place at;
    struct writer_user user;
};

static bool find_user(struct host *h, const char *name)
{
    struct passwd *pw;

    if (name == NULL || name[0] == '\0')
        return true;
    pw = getpwnam(name);
    if (pw == NULL) {
        config_error(&h->report, h->at,
                     "user: there is no user \"%s\"; create it, as in adduser --system %s",
                     name, name);
        return false;
    }
    if (geteuid() != 0)
        return true; /* the test below is about us: becoming another user needs root */
    h->user.name = name;
    h->user.uid = pw->pw_uid;
    h->user.group_count = GROUPS_MAX;
    if (getgrouplist(name, pw->pw_gid, h->user.groups, &h->user.group_count) < 0)
        h->user.group_count = GROUPS_MAX;
    return true;
}

static bool is_in_group(const struct writer_user *u, gid_t group)
{
    for (int i = 0; i < u->group_count; i++) {
        if (u->groups[i] == group)
            return true;
    }
    return false;
}

/* Permission bits only: what access() would say to that user. */
static bool may(const struct writer_user *u, const char *path, int want)
{
    struct stat st;

    if (u->name == NULL)
        return access(path, want) == 0;
    if (stat(path, &st) != 0)
        return false;
    if (u->uid == 0)
        return true;
    if (st.st_uid == u->uid)
        return (st.st_mode >> 6 & (mode_t)want) == (mode_t)want;
    if (is_in_group(u, st.st_gid))
        return (st.st_mode >> 3 & (mode_t)want) == (mode_t)want;
    return (st.st_mode & (mode_t)want) == (mode_t)want;
}

/* Root can see what that user cannot reach: each folder above counts, too. */
static bool may_reach(const struct writer_user *u, const char *path, int want)
{
    char above[PATH_MAX];

    for (size_t i = 1; u->name != NULL && path[i - 1] != '\0'; i++) {
        if (path[i] != '/' || i >= sizeof above)
            continue;
        memcpy(above, path, i);
        above[i] = '\0';
        if (!may(u, above, X_OK))
            return false;
    }
    return may(u, path, want);
}

static void check_folder(struct host *h, const char *key, const char *folder)
{
    struct config_report *r = &h->report;
    const char *who = h->user.name != NULL ? h->user.name : "this user";
    char shown[PATH_MAX];
    struct stat st;

    escape(shown, sizeof shown, span_str(folder));
    if (stat(folder, &st) != 0)
        config_error(r, h->at, "%s: the folder %s: %s; create it, as in install -d -o %s %s",
                     key, shown, strerror(errno), h->user.name != NULL ? h->user.name : "USER",
                     shown);
    else if (!S_ISDIR(st.st_mode))
        config_error(r, h->at, "%s: %s is not a folder", key, shown);
    else if (!may_reach(&h->user, folder, W_OK | X_OK))
        config_error(r, h->at,
                     "%s: %s may not write to the folder %s; give it away, as in chown", key,
                     who, shown);
}

static void check_file(struct host *h, const char *template)
{
    const char *who = h->user.name != NULL ? h->user.name : "this user";
    char file[PATH_MAX], folder[PATH_MAX], shown[PATH_MAX];
    struct stat st;

    if (!writer_file_name(template, (time_t)(clock_wall_us() / 1000000), file)) {
        config_error(&h->report, h->at, "transcript.file: the path is too long");
        return;
    }
    snprintf(folder, sizeof folder, "%s", file);
    check_folder(h, "transcript.file", dirname(folder));
    escape(shown, sizeof shown, span_str(file));
    if (stat(file, &st) != 0)
        return;
    if (S_ISDIR(st.st_mode))
        config_error(&h->report, h->at, "transcript.file: %s is a folder; add a file name",
                     shown);
    else if (!may(&h->user, file, W_OK))
        config_error(&h->report, h->at, "transcript.file: %s may not write to %s", who, shown);
}

/* The file that holds the key of the index-th certificate. */
static const char *key_file(const struct config_tls *tls, unsigned index)
{
    const char *key = tls->keys.count > 0 ? tls->keys.items[index] : "";

    return key[0] != '\0' ? key : tls->certificates.items[index];
}

static void check_key(struct host *h, const struct relay_settings *s, const char *file)
{
    char shown[PATH_MAX];
    struct stat st;

    escape(shown, sizeof shown, span_str(file));
    if (stat(file, &st) != 0)
        return; /* config_load() told of it */
    if ((st.st_mode & S_IRWXO) != 0)
        config_warn(&h->report, h->at,
                    "listener \"%s\": everybody may read the private key in %s: chmod o= %s",
                    s->name, shown, shown);
    if (h->user.name != NULL && !may_reach(&h->user, file, R_OK))
        config_warn(&h->report, h->at,
                    "listener \"%s\": a reload will fail, as user %s may not read the private "
                    "key in %s: give it to the group of %s, with chgrp and chmod g+r",
                    s->name, h->user.name, shown, h->user.name);
}

static void check_keylog(struct host *h, const char *file)
{
    char folder[PATH_MAX];

    if (file[0] == '\0')
        return;
    snprintf(folder, sizeof folder, "%s", file);
    check_folder(h, "listeners.tls.keylog", dirname(folder));
}

static void check_tls(struct host *h, const struct config_listener *l)
{
    for (unsigned i = 0; config_ends_tls(l) && i < l->tls.certificates.count; i++)
        check_key(h, l->settings, key_file(&l->tls, i));
    check_keylog(h, l->tls.keylog);
}

bool config_check_host(const struct config *c, FILE *errors)
{
    const struct writer_config *t = &c->transcript;
    struct host h = { .report.out = errors, .at.file = c->file != NULL ? c->file : "run" };

    if (find_user(&h, c->user)) {
        if (t->file != NULL && t->file[0] != '\0' && strcmp(t->file, "-") != 0)
            check_file(&h, t->file);
        if (t->content == CONTENT_LEVEL_FULL)
            check_folder(&h, "transcript.spool", t->spool);
        for (unsigned i = 0; i < c->listener_count; i++)
            check_tls(&h, &c->listeners[i]);
    }
    return h.report.errors == 0;
}
