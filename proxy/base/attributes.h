/* attributes - compiler attributes with names that read well. */
#ifndef BASE_ATTRIBUTES_H
#define BASE_ATTRIBUTES_H

#define MUST_CHECK          __attribute__((warn_unused_result))
#define UNUSED              __attribute__((unused))
#define PRINTF_LIKE(fmt, a) __attribute__((format(printf, fmt, a)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof *(a))

/* The object that contains this member. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
