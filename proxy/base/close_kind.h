/* close_kind - how a side of a session, or all of it, came to its end. */
#ifndef BASE_CLOSE_KIND_H
#define BASE_CLOSE_KIND_H

enum close_kind {
    END_NONE, /* not ended, or nobody saw how */
    END_FIN,
    END_RESET,
    END_TIMEOUT, /* of ours; or keepalive or retransmission gave up, no route any more */
};

#endif
