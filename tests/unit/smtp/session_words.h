/*
 * session_words - what the scripts of session_script.h say again and again.
 */
#ifndef UNIT_SMTP_SESSION_WORDS_H
#define UNIT_SMTP_SESSION_WORDS_H

#include "unit/smtp/session_script.h"

#include "base/attributes.h"

#define NO       UPSTREAM_TLS_NO
#define MAY      UPSTREAM_TLS_MAY
#define REQUIRE  UPSTREAM_TLS_REQUIRE
#define IMPLICIT UPSTREAM_TLS_IMPLICIT

/* Up to the EHLO of a client in the clear; the upstream offers STARTTLS, or does not. */
#define GREET     S("220 mx\r\n"), C("EHLO c\r\n")
#define OFFERED   GREET, S("250-mx\r\n250 STARTTLS\r\n")
#define UNOFFERED GREET, S("250 mx\r\n")

#define GREET_LOG     "<220 mx|{greeting 220}>EHLO c|"
#define OFFERED_LOG   GREET_LOG "<250-mx|250 STARTTLS|{EHLO 250}"
#define UNOFFERED_LOG GREET_LOG "<250-mx|250 STARTTLS|{EHLO 250 ehlo-modified}"

#define READY    "=220 2.0.0 Ready to start TLS|[tls client]"
#define INJECTED "=554 5.5.0 Protocol error: plaintext sent after STARTTLS|"
#define NOT_OFFERED                                                                            \
    "=454 4.7.0 TLS is not available: the mail server behind this proxy does not offer it|"
#define REFUSED "=454 4.7.0 TLS is not available: the mail server behind this proxy refused it|"
#define BROKEN                                                                                 \
    "=454 4.7.0 TLS is not available: the handshake with the mail server behind this proxy "   \
    "failed|"
#define GONE  "=421 4.7.0 TLS with the mail server behind this proxy failed|"
#define FIRST "=530 5.7.0 Must issue a STARTTLS command first|"

/* The whole way up, both legs. */
#define BOTH     OFFERED, C("STARTTLS\r\n"), S("220 go\r\n"), TLS(SERVER), TLS(CLIENT)
#define BOTH_LOG OFFERED_LOG ">STARTTLS|[tls server]" READY "{STARTTLS 220}"

#define GROUP(table)                                                                           \
    static void group_##table(void **state)                                                    \
    {                                                                                          \
        (void)state;                                                                           \
        scripts_play(table, ARRAY_LEN(table));                                                 \
    }

#endif
