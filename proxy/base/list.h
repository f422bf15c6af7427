/*
 * list - a doubly linked list whose links lie in the members.
 *
 * Owns nothing. All zero is an empty list, and a member of none. The list is a ring through
 * its head, so neither may move while it is not empty. A member may be removed while the list
 * is walked with LIST_EACH only after the walk has gone past it.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev; /* of the head: the first and the last */
};

static inline bool list_is_empty(const struct list *l)
{
    return l->next == NULL || l->next == l;
}

/* Is it on a list? */
static inline bool list_is_linked(const struct list *member)
{
    return member->next != NULL;
}

static inline void list_insert(struct list *before, struct list *member)
{
    member->next = before;
    member->prev = before->prev;
    before->prev->next = member;
    before->prev = member;
}

static inline void list_append(struct list *l, struct list *member)
{
    if (l->next == NULL)
        *l = (struct list){ l, l };
    list_insert(l, member);
}

static inline void list_prepend(struct list *l, struct list *member)
{
    if (l->next == NULL)
        *l = (struct list){ l, l };
    list_insert(l->next, member);
}

static inline void list_remove(struct list *member)
{
    member->prev->next = member->next;
    member->next->prev = member->prev;
    *member = (struct list){ NULL, NULL };
}

/* All members of `from` to `to`, which is empty. */
static inline void list_move(struct list *to, struct list *from)
{
    if (list_is_empty(from))
        return;
    *to = *from;
    to->next->prev = to->prev->next = to;
    *from = (struct list){ NULL, NULL };
}

/* NULL: there is none. */
static inline struct list *list_first(const struct list *l)
{
    return list_is_empty(l) ? NULL : l->next;
}

static inline struct list *list_after(const struct list *l, const struct list *member)
{
    return member->next == l ? NULL : member->next;
}

static inline void *list_owner(struct list *member, size_t offset)
{
    return member == NULL ? NULL : (void *)((char *)member - offset);
}

#define LIST_FIRST(list, type, member)                                                         \
    ((type *)list_owner(list_first(list), offsetof(type, member)))
#define LIST_AFTER(list, at, type, member)                                                     \
    ((type *)list_owner(list_after(list, &(at)->member), offsetof(type, member)))
#define LIST_EACH(at, list, type, member)                                                      \
    for (type *at = LIST_FIRST(list, type, member); at != NULL;                                \
         at = LIST_AFTER(list, at, type, member))

#endif
