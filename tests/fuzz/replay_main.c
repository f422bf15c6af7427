/*
 * replay_main - runs a fuzz target over files instead of over what libFuzzer makes up.
 *
 * Arguments are files or folders; a folder that is not there is skipped, but a run
 * over no input at all fails: a replay that replays nothing proves nothing.
 *
 *   random=COUNT[,SEED]   so many inputs of chance, the same ones for the same seed (1): for
 *                         targets whose inputs mean something octet by octet
 */
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replayed;

static void replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct stat st;

    if (f == NULL || fstat(fileno(f), &st) != 0) {
        perror(path);
        exit(1);
    }
    size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size ? size : 1); /* exact size: ASan sees one octet too far */
    if (data == NULL || fread(data, 1, size, f) != size) {
        perror(path);
        exit(1);
    }
    fclose(f);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    replayed++;
}

static void replay_folder(const char *path)
{
    struct dirent **names;
    int n = scandir(path, &names, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        char file[4096];
        if (names[i]->d_name[0] != '.') {
            snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
            replay_file(file);
        }
        free(names[i]);
    }
    if (n >= 0)
        free(names);
}

enum { RANDOM_OCTETS = 96 };

static uint64_t chance(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static const uint8_t *random_data; /* for abort(): the input that failed */
static size_t random_size;

static void show_random(int signal)
{
    (void)signal;
    fprintf(stderr, "input: ");
    for (size_t i = 0; i < random_size; i++)
        fprintf(stderr, "%02x", random_data[i]);
    fprintf(stderr, "\n");
}

static void replay_random(const char *what)
{
    char *end;
    unsigned long count = strtoul(what, &end, 10);
    uint64_t state = *end == ',' ? strtoull(end + 1, NULL, 10) : 1;

    signal(SIGABRT, show_random);
    for (unsigned long i = 0; i < count; i++) {
        size_t size = 1 + (size_t)(chance(&state) % RANDOM_OCTETS);
        uint8_t *data = malloc(size);
        if (data == NULL)
            exit(1);
        for (size_t k = 0; k < size; k++)
            data[k] = (uint8_t)chance(&state);
        random_data = data;
        random_size = size;
        LLVMFuzzerTestOneInput(data, size);
        free(data);
        replayed++;
    }
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (strncmp(argv[i], "random=", 7) == 0) {
            replay_random(argv[i] + 7);
            continue;
        }
        if (stat(argv[i], &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode))
            replay_folder(argv[i]);
        else
            replay_file(argv[i]);
    }
    printf("%u inputs replayed\n", replayed);
    return replayed > 0 ? 0 : 1;
}
