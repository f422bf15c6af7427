#include "analysis/diff/kept.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_OCTETS = 4096, NAME_OCTETS = 128 };

/* Names come from a transcript: they stay in their folder. */
static bool is_plain_name(struct span name)
{
    if (name.len == 0 || name.len > NAME_OCTETS || name.ptr[0] == '.')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = name.ptr[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '.')
            return false;
    }
    return true;
}

bool kept_map(struct span *out, const char *folder, struct span name)
{
    char path[PATH_OCTETS];
    struct stat st;
    void *p = MAP_FAILED;

    *out = (struct span){ NULL, 0 };
    if (folder == NULL || !is_plain_name(name))
        return false;
    int n =
        snprintf(path, sizeof path, "%s/%.*s", folder, (int)name.len, (const char *)name.ptr);
    int fd = n < PATH_OCTETS ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size <= KEPT_MAX)
        p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (p == MAP_FAILED)
        return false;
    *out = span_of(p, (size_t)st.st_size);
    return true;
}

void kept_unmap(struct span *s)
{
    if (s->ptr != NULL)
        munmap((void *)(uintptr_t)s->ptr, s->len);
    *s = (struct span){ NULL, 0 };
}
