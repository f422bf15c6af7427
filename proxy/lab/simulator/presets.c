/* The boxes of the catalogue. */
#include "lab/simulator/preset.h"

#include "base/attributes.h"

#define BIT(verb) (1u << VERB_##verb)
#define SEVEN                                                                                  \
    (BIT(HELO) | BIT(MAIL) | BIT(RCPT) | BIT(DATA) | BIT(RSET) | BIT(NOOP) | BIT(QUIT))
#define FIFTEEN                                                                                \
    (SEVEN | BIT(AUTH) | BIT(EHLO) | BIT(ETRN) | BIT(HELP) | BIT(SAML) | BIT(SEND) |           \
     BIT(SOML) | BIT(VRFY))

#define ASA                                                                                    \
    .commands = SCOPE_PER_READ, .replies = SCOPE_PER_READ, .banner = BANNER_MASKED,            \
    .unknown = UNKNOWN_X_LINE, .pipe_to_blank = true
#define ASA_DEFAULT                                                                            \
    ASA, .verbs = FIFTEEN,                                                                     \
         .ehlo.clear = "8BITMIME AUTH BINARYMIME CHECKPOINT DSN ENHANCEDSTATUSCODES ETRN "     \
                       "PIPELINING SIZE VRFY",                                                 \
         .limits = { .command = 512,                                                           \
                     .header_line = 998,                                                       \
                     .recipients = 100,                                                        \
                     .sender = 320,                                                            \
                     .file_name = 255 }
#define LINES                 .commands = SCOPE_PER_LINE, .replies = SCOPE_PER_LINE
#define EHLO_DROP(list)       .replies = SCOPE_PER_LINE, .ehlo.drop = (list)
#define STARTTLS_ANSWER(text) LINES, .answers = { { VERB_STARTTLS, text "\r\n" } }
#define AVAST_FOOTER                                                                           \
    "-- \r\nThis email has been checked for viruses by Avast antivirus software.\r\n"
#define NORTON_HEADERS                                                                         \
    "X-Antivirus: Norton (VPS 260408-0, 4/7/2026), Outbound message\r\n"                       \
    "X-Antivirus-Status: Clean\r\n"

#define SIMPLE(name, line, triggers, ...)                                                      \
    {                                                                                          \
        name, line, triggers, PARAMETER_NONE,                                                  \
        {                                                                                      \
            __VA_ARGS__                                                                        \
        }                                                                                      \
    }
#define TAKES(name, parameter, line, triggers, ...)                                            \
    {                                                                                          \
        name, line, triggers, PARAMETER_##parameter,                                           \
        {                                                                                      \
            __VA_ARGS__                                                                        \
        }                                                                                      \
    }

const struct preset presets[] = {
    SIMPLE("clean", "a wire", "", .mutated = 0),
    SIMPLE("clean-resegment", "joins and splits reads at random", "TV-19", .resegment = true),

    /* Cisco PIX, ASA, IOS */
    TAKES("pix4", CMAP,
          "PIX 4: banner of asterisks, or (cmap) its own; all but seven verbs become X",
          "SV-01 SV-04 TV-01 TV-02", .commands = SCOPE_PER_READ, .replies = SCOPE_PER_READ,
          .banner = BANNER_STARS, .verbs = SEVEN, .unknown = UNKNOWN_X_VERB),
    SIMPLE(
        "pix6", "PIX 5 and 6: masked banner, NOOP for all but seven verbs, split end swallowed",
        "SV-01 SV-05 SV-15 TV-01 TV-04", .commands = SCOPE_PER_READ, .replies = SCOPE_PER_READ,
        .banner = BANNER_MASKED, .verbs = SEVEN, .unknown = UNKNOWN_NOOP, .eod_split = true),
    SIMPLE("asa-default",
           "ASA inspect esmtp: masked banner, STARTTLS X both ways, fifteen verbs, limits",
           "SV-01 SV-02 SV-04 TV-01 TV-02", ASA_DEFAULT),
    SIMPLE("asa-allow-tls", "ASA with allow-tls: masked banner, STARTTLS passes", "SV-01 TV-01",
           ASA, .verbs = FIFTEEN | BIT(STARTTLS) | BIT(BDAT)),
    SIMPLE("asa841-eod", "ASA 8.4(1): an end of data split by a segment border is swallowed",
           "SV-15 TV-09", .eod_split = true),
    SIMPLE("pix-dkim", "PIX before 7.2(3): resets when a signature names Content-Type", "TV-18",
           .header_in_header = true),
    SIMPLE("ios-reset", "IOS ip inspect: resets both sides at an unknown verb", "SV-16",
           .commands = SCOPE_PER_LINE, .verbs = FIFTEEN | BIT(STARTTLS),
           .unknown = UNKNOWN_KILLED),

    /* Firewalls, gateways, proxies */
    SIMPLE("isa", "ISA Server: closes at unknown verbs, MAIL or RCPT beyond 266 octets",
           "SV-16", .commands = SCOPE_PER_LINE, .kill = KILL_CLOSE,
           .verbs = FIFTEEN | BIT(STARTTLS) | BIT(BDAT) | BIT(EXPN), .unknown = UNKNOWN_KILLED,
           .limits = { .mail_line = 266, .rcpt_line = 266 }),
    SIMPLE("ehlo-whitelist", "Zorp: few keywords, rewritten commands, AUTH below 256 octets",
           "TV-05 TV-10", LINES, .ehlo.keep = "PIPELINING SIZE ETRN 8BITMIME",
           .normalise = true, .limits = { .command = 512, .auth_line = 256 },
           .limit_answer = "500 Error parsing command\r\n", .mail_parameters = "SIZE BODY AUTH",
           .reply = REPLY_CUT),
    TAKES("ehlo-delete", KEYWORD, "one keyword of EHLO is deleted (STARTTLS)", "SV-08 TV-05",
          EHLO_DROP("STARTTLS")),
    TAKES("ehlo-dangling", KEYWORD,
          "the same, and a last line stays open (without a keyword: whatever is last)",
          "SV-07 TV-05", .replies = SCOPE_PER_LINE,
          .ehlo = { .drop_last = true, .dangling = true }),
    SIMPLE("fsecure", "F-Secure Internet Gatekeeper: four keywords deleted, SIZE lowered",
           "TV-05", LINES,
           .ehlo = { .drop = "CHUNKING BINARYMIME PIPELINING STARTTLS",
                     .size_most = 2000000000,
                     .add_missing = "250 AUTH PLAIN LOGIN" },
           .mail_syntax_answer = "501 Syntax error (MAIL FROM:) (F-Secure/fsigk_smtp)\r\n"),
    SIMPLE("netdefend", "NetDefendOS: keywords deleted, pipelined commands reset",
           "SV-16 TV-05", LINES, .ehlo.drop = "PIPELINING CHUNKING BINARYMIME STARTTLS",
           .pipelined = PIPELINED_KILLED),
    SIMPLE("smtpgated", "smtp-gated: CHU*KING, BDAT without LAST, X-NAT-Received",
           "SV-03 TV-03 TV-17 TV-24", LINES, .ehlo.star = "CHUNKING BINARYMIME XEXCH50",
           .bdat = BDAT_LAST_LOST, .insert_top = "X-NAT-Received: 10.0.0.2\r\n"),
    SIMPLE("p3scan", "P3Scan: its own 354, holds the message, a header, no PIPELINING",
           "SV-13 TV-07 TV-17 TV-19", LINES, .ehlo.drop_middle = "PIPELINING",
           .data = DATA_STORED, .data_answer = "354 P3Scan 2.3.2 accepting data.\r\n",
           .insert_end = "X-P3Scan: v2.3.2 by Jack S. Lai. No outbound virus detected.\r\n"),
    SIMPLE("paloalto", "PAN-OS: a virus is answered 541, client reset, server left open",
           "SV-13 TV-06 TV-18", .virus = true, .kill = KILL_RESET_CLIENT,
           .virus_answer = "541 5.4.1 Content blocked by Palo Alto Networks Firewall\r\n"),
    SIMPLE("sonicwall", "SonicWall GAV: a virus is answered 552, both sides reset", "TV-06",
           .virus = true, .virus_answer = "552 Requested mail action aborted: virus found\r\n"),
    TAKES("watchguard", RECIPIENTS, "Fireware: recipients beyond 50 get 250 and are lost",
          "TV-11", LINES, .rcpt_keep = 50),
    SIMPLE("checkpoint", "FireWall-1 Security Server: its banner, 250 before the server's",
           "SV-12 TV-20", LINES, .banner = BANNER_TEXT,
           .banner_text = "220 CheckPoint FireWall-1 secure ESMTP server\r\n",
           .answers = { { VERB_NOOP, "220 OK\r\n" } }, .data = DATA_QUEUED),

    /* Antivirus on the client's machine */
    SIMPLE("eset-like", "a mail scanner: its banner and EHLO, no TLS, no AUTH", "SV-06 SV-08",
           .replies = SCOPE_PER_LINE, .banner = BANNER_TEXT,
           .banner_text = "220 %h ESMTP Service ready\r\n",
           .ehlo = { .name = "Requested mail action okay, completed",
                     .keep = "SIZE ETRN 8BITMIME",
                     .size_most = 20000000,
                     .add = "250 OK" }),
    SIMPLE("avast", "Mail Shield: accepts for any server, two headers, its TLS certificate",
           "SV-10 SV-24 SV-28 TV-17 TV-21", LINES, .banner = BANNER_TEXT,
           .banner_text = "220 %h avast! SMTP proxy ready.\r\n", .insert_end = NORTON_HEADERS,
           .starttls = STARTTLS_MAY_INTERCEPT,
           .refused = "421 Cannot connect to SMTP server, connect error 10061\r\n"),

    /* STARTTLS: six vectors */
    SIMPLE("striptls-strip", "STARTTLS is deleted from EHLO", "SV-08 TV-05",
           EHLO_DROP("STARTTLS")),
    SIMPLE("striptls-454", "STARTTLS is answered 454 by the box", "SV-09 TV-06",
           STARTTLS_ANSWER("454 TLS not available due to temporary reason")),
    SIMPLE("striptls-501", "STARTTLS is answered 501 by the box", "SV-09 TV-06",
           STARTTLS_ANSWER("501 Syntax error")),
    SIMPLE("striptls-200", "STARTTLS is answered 200 by the box", "SV-09 TV-06",
           STARTTLS_ANSWER("200 STRIPTLS")),
    SIMPLE("striptls-inject", "a command of the box's own leaves with STARTTLS", "TV-08", LINES,
           .starttls = STARTTLS_INJECTED),
    SIMPLE("striptls-intercept", "TLS ends in the box, with its certificate", "TV-21", LINES,
           .starttls = STARTTLS_INTERCEPTED),

    /* Networks */
    SIMPLE("hotel", "port 25 leads to the hotel's own server", "SV-12 SV-24",
           .own_name = "relay.wanderingwifi.com"),
    TAKES("gfw", PATTERN, "both sides reset when the client sends a pattern (DATA)", "TV-18",
          .keyword = "DATA"),
    SIMPLE("bannerkill", "both sides reset behind the greeting", "SV-16",
           .killed_greeting = true),
    SIMPLE("block25", "connections are refused", "SV-23", .read_start_failed = true),
    TAKES("idle", IDLE, "after 30 s of silence: 421, a reset, or nothing passes any more",
          "SV-21", .idle_s = 30),
    TAKES("tarpit", MS, "replies arrive octet by octet, 20 ms apart", "", .tarpit_ms = 20),
    TAKES("size", OCTETS, "both sides reset behind 10M octets of a message", "TV-18",
          .limits.content = 10485760),
    TAKES("ch-drop", HELLO, "the client's TLS hello is lost (above so many octets)", "SV-11",
          .hello_drop = true),

    /* Line endings and dots of mail data */
    SIMPLE("nl-lf2crlf", "a bare LF becomes CRLF", "SV-27 TV-13",
           .transform = TRANSFORM_LF2CRLF),
    SIMPLE("nl-cr2crlf", "a bare CR becomes CRLF", "SV-27 TV-13",
           .transform = TRANSFORM_CR2CRLF),
    SIMPLE("nl-crlf2lf", "CRLF becomes LF", "SV-27 TV-13", .transform = TRANSFORM_CRLF2LF),
    SIMPLE("nl-crcrlf", "CRLF becomes CR CR LF", "SV-27 TV-13", .transform = TRANSFORM_CRCRLF),
    SIMPLE("nl-stray2space", "a bare CR or LF becomes a space", "SV-27 TV-13",
           .transform = TRANSFORM_STRAY2SPACE),
    SIMPLE("dot-unstuff-only", "dots are unstuffed, not stuffed again", "TV-14",
           .transform = TRANSFORM_UNSTUFF),
    SIMPLE("dot-stuff-twice", "stuffed dots are stuffed again", "TV-14",
           .transform = TRANSFORM_STUFF),
    SIMPLE("dot-drop-dot-line", "a line that is a dot is lost", "TV-14",
           .transform = TRANSFORM_DROP_DOT_LINE),
    SIMPLE("dot-buffer-boundary", "a dot is lost when it is the first octet of a read", "TV-14",
           .transform = TRANSFORM_BUFFER_DOT),

    /* Octets */
    SIMPLE("bytes-7bit", "the eighth bit is lost", "TV-12", .transform = TRANSFORM_7BIT),
    SIMPLE("bytes-nul-del", "NUL is lost", "TV-12", .transform = TRANSFORM_NUL_DELETE),
    SIMPLE("bytes-nul-cut", "a line ends at NUL", "TV-12", .transform = TRANSFORM_NUL_CUT),
    SIMPLE("bytes-ctrl-del", "control octets are lost", "TV-12",
           .transform = TRANSFORM_CONTROL_DELETE),
    SIMPLE("bytes-1a-cut", "the message ends at octet 1A", "TV-12",
           .transform = TRANSFORM_1A_CUT),
    SIMPLE("bytes-high-question", "octets above 7F become question marks", "TV-12",
           .transform = TRANSFORM_HIGH_QUESTION),
    SIMPLE("bytes-latin1-utf8", "octets above 7F are recoded as if ISO 8859-1", "TV-12",
           .transform = TRANSFORM_LATIN1_UTF8),
    SIMPLE("bytes-tab-space", "a tab becomes a space", "TV-12",
           .transform = TRANSFORM_TAB_SPACE),

    /* Long lines and white space */
    SIMPLE("line-fold990", "lines are folded at 990 with an exclamation mark", "TV-15",
           .transform = TRANSFORM_FOLD, .column = 990, .fold = "!\r\n"),
    SIMPLE("line-fold998", "lines are folded at 998 with CRLF and a space", "TV-15",
           .transform = TRANSFORM_FOLD, .column = 998, .fold = "\r\n "),
    SIMPLE("line-fold4096", "lines are folded at 4096 with CRLF", "TV-15",
           .transform = TRANSFORM_FOLD, .column = 4096, .fold = "\r\n"),
    SIMPLE("line-cut1024", "lines end at 1024", "TV-16", .transform = TRANSFORM_CUT,
           .column = 1024),
    SIMPLE("line-reject1000", "a line beyond 1000 is answered 554, both sides closed", "TV-06",
           .limits.body_line = 1000, .kill = KILL_CLOSE,
           .line_answer = "554 5.6.0 Message contains a line that is too long\r\n"),
    SIMPLE("ws-strip", "blanks before the end of a line are lost", "TV-12",
           .transform = TRANSFORM_WS_STRIP),
    SIMPLE("ws-collapse", "blanks become one space", "TV-12",
           .transform = TRANSFORM_WS_COLLAPSE),
    SIMPLE("ws-tail", "empty lines at the end of the message are lost", "TV-13",
           .transform = TRANSFORM_WS_TAIL),

    /* Header, footer, parts */
    SIMPLE("hdr-insert-top", "a Received line goes in at the top", "SV-26 TV-17",
           .insert_top = "Received: from x by y\r\n"),
    SIMPLE("hdr-insert-end", "two header lines go in before the empty line",
           "SV-26 SV-28 TV-17",
           .insert_end = "X-EsetResult: clean, is OK\r\nX-EsetId: 37303A2980D94855627C65\r\n"),
    SIMPLE("hdr-delete", "X-Mailer is deleted", "TV-17", .header = HEADER_DELETED,
           .header_name = "X-Mailer:"),
    SIMPLE("hdr-rewrite-id", "Message-ID is rewritten", "TV-17", .header = HEADER_REWRITTEN,
           .header_name = "Message-ID: ", .header_text = "<9@relay>"),
    TAKES("foot-text", TEXT, "lines are appended to the message", "SV-26 SV-27 TV-17",
          .footer = AVAST_FOOTER),
    SIMPLE("subj-tag", "[SPAM] goes in before the subject", "SV-26 TV-17",
           .header = HEADER_TAGGED, .header_name = "Subject: ", .header_text = "[SPAM] "),
    SIMPLE("part-replace", "a notice stands for each attachment", "SV-27 TV-17",
           .part_notice = "The attachment was removed by your mail gateway.\r\n"),

    /* BDAT, pipelining, replies */
    SIMPLE("bdat-x", "BDAT becomes X, chunks are lost", "SV-20 TV-24",
           .commands = SCOPE_PER_LINE, .bdat = BDAT_X),
    SIMPLE("bdat-second-stall", "nothing passes behind the first message in chunks",
           "SV-20 TV-24", .bdat = BDAT_SECOND_STALL),
    SIMPLE("bdat-length", "a chunk loses a CR: it is an octet shorter than announced",
           "SV-20 TV-24", .bdat = BDAT_LENGTH_OFF),
    SIMPLE("bdat-last-lost", "LAST is lost", "TV-24", .commands = SCOPE_PER_LINE,
           .bdat = BDAT_LAST_LOST),
    SIMPLE("pipe-lose", "the second and later commands of a read are lost", "SV-17",
           .commands = SCOPE_PER_LINE, .pipelined = PIPELINED_LOST),
    SIMPLE("pipe-x", "the second and later commands of a read become X", "SV-04",
           .commands = SCOPE_PER_LINE, .pipelined = PIPELINED_X),
    SIMPLE("reply-flatten", "replies of several lines become one of RFC 821's", "TV-07",
           .replies = SCOPE_PER_LINE, .reply = REPLY_FLATTENED),
    SIMPLE("reply-strip-enhanced", "enhanced status codes are lost", "TV-00",
           .replies = SCOPE_PER_LINE, .reply = REPLY_STRIPPED),
    SIMPLE("reply-cut512", "lines of replies end at 512", "TV-00", .replies = SCOPE_PER_LINE,
           .reply = REPLY_CUT),

    SIMPLE("combo", "asa-default, tarpit and foot-text at once",
           "SV-01 SV-02 SV-04 SV-27 TV-01 TV-02 TV-17", ASA_DEFAULT, .tarpit_ms = 5,
           .footer = AVAST_FOOTER),
    TAKES("mutate", MUTATION, "one octet is changed, lost or new, at random (--seed)", "",
          .mutation = MUTATION_ANY, .mutated = 3, .mutation_within = 1000),
};

const size_t preset_count = ARRAY_LEN(presets);
