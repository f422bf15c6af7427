/* side - the two ends of a session: who connected, and the server it is connected to. */
#ifndef BASE_SIDE_H
#define BASE_SIDE_H

enum side { CLIENT, SERVER };

static inline enum side side_other(enum side side)
{
    return side == CLIENT ? SERVER : CLIENT;
}

#endif
