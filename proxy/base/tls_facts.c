#include "base/tls_facts.h"

const char *tls_failure_name(enum tls_failure f)
{
    static const char *const names[] = {
#define X(id, name, text) name,
        TLS_FAILURES(X)
#undef X
    };

    return names[f];
}

const char *tls_failure_text(enum tls_failure f)
{
    static const char *const texts[] = {
#define X(id, name, text) text,
        TLS_FAILURES(X)
#undef X
    };

    return texts[f];
}

void tls_facts_text(char *out, unsigned size, const void *from, unsigned len)
{
    const unsigned char *in = from;
    unsigned n = len < size - 1 ? len : size - 1;

    for (unsigned i = 0; i < n; i++)
        out[i] = in[i] >= ' ' && in[i] <= '~' ? (char)in[i] : '?';
    out[n] = '\0';
}

const char *tls_alert_name(int alert)
{
    switch (alert) {
#define ALERT(number, name)                                                                    \
    case number:                                                                               \
        return name
        ALERT(0, "close_notify");
        ALERT(10, "unexpected_message");
        ALERT(20, "bad_record_mac");
        ALERT(22, "record_overflow");
        ALERT(40, "handshake_failure");
        ALERT(42, "bad_certificate");
        ALERT(43, "unsupported_certificate");
        ALERT(44, "certificate_revoked");
        ALERT(45, "certificate_expired");
        ALERT(46, "certificate_unknown");
        ALERT(47, "illegal_parameter");
        ALERT(48, "unknown_ca");
        ALERT(49, "access_denied");
        ALERT(50, "decode_error");
        ALERT(51, "decrypt_error");
        ALERT(70, "protocol_version");
        ALERT(71, "insufficient_security");
        ALERT(80, "internal_error");
        ALERT(86, "inappropriate_fallback");
        ALERT(90, "user_canceled");
        ALERT(100, "no_renegotiation");
        ALERT(109, "missing_extension");
        ALERT(110, "unsupported_extension");
        ALERT(112, "unrecognized_name");
        ALERT(113, "bad_certificate_status_response");
        ALERT(115, "unknown_psk_identity");
        ALERT(116, "certificate_required");
        ALERT(120, "no_application_protocol");
#undef ALERT
    default:
        return "";
    }
}
