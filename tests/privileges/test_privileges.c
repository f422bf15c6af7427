/*
 * What is left after privileges_drop(), as the kernel tells it. Each case runs in a process
 * of its own. Most need root; where the kernel has no transparent sockets for root either (a
 * container without CAP_NET_RAW), those about them are left out.
 */
#include "app/privileges.h"
#include "transport/origin.h"

#include <errno.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define BIT(capability) (UINT64_C(1) << (capability))

/* Ends the process of the case. */
#define NEED(x)                                                                                \
    ((x) ? (void)0 : (fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #x), _exit(1)))

static void in_child(void (*run)(void))
{
    int status;

    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        run();
        _exit(0);
    }
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* "CapEff", "NoNewPrivs": a line of /proc/self/status, hexadecimal. */
static uint64_t status_of(const char *name)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    uint64_t value = UINT64_MAX;

    NEED(f != NULL);
    while (fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
            value = strtoull(line + strlen(name) + 1, NULL, 16);
    }
    fclose(f);
    NEED(value != UINT64_MAX);
    return value;
}

static void expect_left(uint64_t left)
{
    NEED(status_of("CapEff") == left);
    NEED(status_of("CapPrm") == left);
    NEED(status_of("CapInh") == 0);
    NEED(status_of("CapAmb") == 0);
    NEED(status_of("NoNewPrivs") == 1);
}

static struct config *config_for(const char *user, bool source_client)
{
    struct config_options none = { 0 };
    struct config *c = config_from_options(&none, CONFIG_TEXT, stderr);

    NEED(c != NULL);
    free(c->user);
    c->user = strdup(user);
    c->listeners[0].settings->source_client = source_client;
    return c;
}

static void drop(const char *user, bool source_client)
{
    struct config *c = config_for(user, source_client);
    char error[512] = "";

    if (!privileges_drop(c, error, sizeof error)) {
        fprintf(stderr, "%s\n", error);
        _exit(1);
    }
    config_free(&c);
}

static void expect_nobody(void)
{
    const struct passwd *pw = getpwnam("nobody");

    NEED(pw != NULL && getuid() == pw->pw_uid && geteuid() == pw->pw_uid);
    NEED(getgid() == pw->pw_gid && getegid() == pw->pw_gid);
    NEED(setuid(0) != 0); /* there is no way back */
}

static void as_nobody(void)
{
    drop("nobody", false);
    expect_nobody();
    expect_left(0);
    NEED(status_of("CapBnd") == 0);
    NEED(!origin_allowed());
}

static void as_nobody_for_clients(void)
{
    drop("nobody", true);
    expect_nobody();
    expect_left(BIT(CAP_NET_RAW));
    NEED(status_of("CapBnd") == BIT(CAP_NET_RAW));
    NEED(origin_allowed());
}

static void as_root(void)
{
    uint64_t before = status_of("CapEff");

    drop("", false);
    NEED(geteuid() == 0 && status_of("CapEff") == before && status_of("NoNewPrivs") == 1);
}

/* As systemd's AmbientCapabilities= starts a program. */
static void become_nobody_with(uint64_t capabilities)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
    const struct passwd *pw = getpwnam("nobody");

    data[0].effective = data[0].permitted = data[0].inheritable = (uint32_t)capabilities;
    NEED(pw != NULL && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
    NEED(setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == 0);
    NEED(setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == 0);
    NEED(syscall(SYS_capset, &header, data) == 0);
    for (unsigned long i = 0; i < 64; i++) {
        if ((capabilities & BIT(i)) != 0)
            NEED(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) == 0);
    }
    NEED(status_of("CapAmb") == capabilities);
}

static void given_and_not_needed(void)
{
    become_nobody_with(BIT(CAP_NET_RAW) | BIT(CAP_NET_BIND_SERVICE));
    drop("", false);
    expect_left(0);
}

static void given_and_needed(void)
{
    become_nobody_with(BIT(CAP_NET_RAW) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_NET_ADMIN));
    drop("nobody", true);
    expect_left(BIT(CAP_NET_RAW));
}

/* The stronger one does as well, where it is all there is. */
static void given_the_other(void)
{
    become_nobody_with(BIT(CAP_NET_ADMIN));
    drop("", true);
    expect_left(BIT(CAP_NET_ADMIN));
    NEED(origin_allowed());
}

static void another_user_without_root(void)
{
    struct config *c;
    char error[512];

    become_nobody_with(0);
    c = config_for("root", false);
    NEED(!privileges_drop(c, error, sizeof error));
    NEED(strstr(error, "cannot switch to user \"root\": ") != NULL);
    c->user[0] = '?';
    NEED(!privileges_drop(c, error, sizeof error));
    NEED(strcmp(error, "user \"?oot\": no such user") == 0);
    config_free(&c);
}

static void not_allowed(void)
{
    struct config *c;
    char error[512] = "";

    become_nobody_with(0);
    c = config_for("", false);
    NEED(privileges_suffice(c, false, error, sizeof error));
    c->listeners[0].settings->intercept = INTERCEPT_REDIRECT;
    NEED(privileges_suffice(c, false, error, sizeof error));
    c->listeners[0].settings->intercept = INTERCEPT_TPROXY;
    NEED(privileges_suffice(c, true, error, sizeof error)); /* its sockets are there */
    NEED(!privileges_suffice(c, false, error, sizeof error));
    NEED(strstr(error, "listener \"smtp\": intercept = \"tproxy\" requires the capability "
                       "CAP_NET_RAW") == error);
    NEED(strstr(error, "setcap cap_net_raw,cap_net_bind_service+ep") != NULL);
    NEED(strstr(error, "AmbientCapabilities=") != NULL);
    NEED(strstr(error, "--cap-add=NET_RAW") != NULL);
    c->listeners[0].settings->source_client = true;
    NEED(!privileges_suffice(c, true, error, sizeof error));
    NEED(strstr(error, "source = \"client\"") != NULL && strstr(error, "restart") != NULL);
    config_free(&c);
}

static void allowed(void)
{
    struct config *c;
    char error[512] = "";

    become_nobody_with(BIT(CAP_NET_RAW));
    c = config_for("", true);
    NEED(privileges_suffice(c, false, error, sizeof error));
    NEED(privileges_suffice(c, true, error, sizeof error));
    config_free(&c);
}

static void test_always(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    in_child(as_nobody);
    in_child(as_root);
    in_child(another_user_without_root);
    in_child(not_allowed);
}

static void test_transparent(void **state)
{
    (void)state;
    if (geteuid() != 0 || !origin_allowed())
        skip();
    in_child(as_nobody_for_clients);
    in_child(given_and_not_needed);
    in_child(given_and_needed);
    in_child(allowed);
}

static void test_net_admin(void **state)
{
    (void)state;
    if (geteuid() != 0 || (status_of("CapEff") & BIT(CAP_NET_ADMIN)) == 0)
        skip();
    in_child(given_the_other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_always),
        cmocka_unit_test(test_transparent),
        cmocka_unit_test(test_net_admin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
