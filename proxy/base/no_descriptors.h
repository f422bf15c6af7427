/*
 * no_descriptors - tells the operator that the system gave no file descriptor, and what to do.
 *
 * One line in ten seconds at most, whoever asks: all threads together.
 */
#ifndef BASE_NO_DESCRIPTORS_H
#define BASE_NO_DESCRIPTORS_H

#include <stdbool.h>

/* EMFILE: this process may have no more; ENFILE: the system has none. Either sign. */
bool no_descriptors_is(int error);
/* For such an error; what becomes of it: "new connections wait". */
void no_descriptors_tell(int error, const char *consequence);

#endif
