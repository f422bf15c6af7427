/* side - the two ends of a session: who connected, and the server it is connected to. */
#ifndef BASE_SIDE_H
#define BASE_SIDE_H

enum side { CLIENT, SERVER };

#endif
