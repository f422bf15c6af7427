#include "config/schema.h"

#define MEMBER(type, member)                                                                   \
    .offset = offsetof(type, member), .size = sizeof((type *)NULL)->member
#define IN_CONFIG(member)   .owner = OWNER_CONFIG, MEMBER(struct config, member)
#define IN_LISTENER(member) .owner = OWNER_LISTENER, MEMBER(struct config_listener, member)
#define IN_SETTINGS(member) .owner = OWNER_SETTINGS, MEMBER(struct relay_settings, member)
#define MINUTES(n)          ((n)*UINT64_C(60000))
#define DAYS(n)             ((n)*MINUTES(1440))
#define MEBI(n)             ((n) * (UINT64_C(1) << 20))

enum { SESSIONS_MAX = 1000000, MIN_RATE_MAX = 1000000, COMMAND_OCTETS_MAX = 32768 };

static const char *const log_levels[] = { "debug", "info", "warn", "error", NULL };
static const char *const modes[] = { "enforce", "observe", NULL }; /* index: settings.observe */
static const char *const intercepts[] = { "no", "redirect", "tproxy", NULL };
static const char *const sources[] = { "proxy", "client", NULL }; /* settings.source_client */
static const char *const proxy_accepted[] = { "no", "v1", "v2", "any", NULL };
static const char *const proxy_sent[] = { "no", "v1", "v2", NULL };
static const char *const upstream_tls[] = { "no", "may", "require", "implicit", NULL };
static const char *const verifies[] = { "no", "ca", "pin", NULL };
static const char *const contents[] = { "none", "digest", "headers", "full", NULL };
static const char *const redacts[] = { "secrets", "none", "all", NULL };
static const char *const dkims[] = { "no", "check", "repair", NULL };
static const char *const fulls[] = { "pause", "drop", NULL };

_Static_assert(CONTENT_LEVEL_FULL == 3 && REDACT_ALL == 2 && ON_FULL_DROP == 1 &&
                   DKIM_LEVEL_REPAIR == 2,
               "words follow the enums of writer.h");
_Static_assert(INTERCEPT_TPROXY == 2 && PROXY_ANY == (PROXY_V1 | PROXY_V2) && PROXY_V2 == 2 &&
                   UPSTREAM_TLS_IMPLICIT == 3 && TLS_VERIFY_PIN == 2,
               "words follow the enums of origin.h, proxy_header.h, session.h, tls_context.h");

/* What each rule of policy.def is about. */
static const char *const rule_about[RULE_COUNT] = {
#define ABOUT(id, text) [RULE_##id] = text,
#include "config/rules.def"
#undef ABOUT
};

#define GROUP_KEY(where, text)                                                                 \
    {                                                                                          \
        .path = where, .type = KEY_GROUP, .about = text                                        \
    }
#define TIMEOUT_KEY(name, member, text)                                                        \
    {                                                                                          \
        .path = "listeners.limits." name, .type = KEY_TIME, IN_SETTINGS(timeouts.member),      \
        .min = 100, .max = DAYS(1), .scale = 1, .about = text                                  \
    }
#define RULE_TYPE(id) (RULE_##id == RULE_LIMIT_MODE ? KEY_LIMIT_MODE : KEY_RULE)
#define RULE_PATH(id, key)                                                                     \
    (RULE_##id == RULE_STARTTLS ? "listeners.tls.starttls" : "listeners.policy." key)

static const struct config_key keys[] = {
    { .path = "", .type = KEY_GROUP, .about = "" },
    { .path = "vantage",
      .type = KEY_NAME,
      IN_CONFIG(vantage),
      .empty = "the host name",
      .restart = true,
      .about = "Name of this observation point, written to every record. It tells the "
               "transcripts of two vantage points apart." },
    { .path = "workers",
      .type = KEY_WORKERS,
      IN_CONFIG(workers),
      .min = 1,
      .max = 256,
      .restart = true,
      .about = "Number of worker threads, or \"auto\" for one per processor." },
    { .path = "user",
      .type = KEY_TEXT,
      IN_CONFIG(user),
      .empty = "the user that started smtpscope",
      .restart = true,
      .about = "User to switch to once the listening sockets are open. smtpscope must "
               "be started as root for this." },
    { .path = "drain_timeout",
      .type = KEY_TIME,
      IN_CONFIG(drain_timeout_ms),
      .max = DAYS(1),
      .scale = 1,
      .zero = "do not wait",
      .about = "How long a shutdown waits for messages in transfer." },
    { .path = "memory",
      .type = KEY_SIZE,
      IN_CONFIG(memory_octets),
      .min = MEBI(1) / 4,
      .max = MEBI(1048576),
      .about = "Memory that all sessions together may use for data waiting for a peer: "
               "commands without a reply, mail data and replies. Once half of it is in "
               "use, the sessions that hold the most are not read until others have "
               "freed some; nothing is refused." },
    { .path = "log_level",
      .type = KEY_LEVEL,
      IN_CONFIG(log_level),
      .words = log_levels,
      .about = "Lowest severity of the messages logged to standard error." },

    { .path = "listeners",
      .type = KEY_LIST,
      .about = "One group for each service; at least one is required. Sessions keep "
               "the settings they began with; a reload applies to new sessions." },
    { .path = "listeners.name",
      .type = KEY_NAME,
      IN_SETTINGS(name),
      .restart = true,
      .about = "Name of the listener in records and logs. Each listener needs a name "
               "of its own." },
    { .path = "listeners.listen",
      .type = KEY_LISTEN,
      .owner = OWNER_LISTENER,
      .restart = true,
      .about = "Addresses and ports to listen on. Port 0 picks a free port, which is "
               "logged. There is no default." },
    { .path = "listeners.upstream",
      .type = KEY_UPSTREAM,
      .owner = OWNER_SETTINGS,
      .about = "Servers to connect to, tried in this order: an address, a host name "
               "(see HOST NAMES), or `reflect` for the built-in reflector. The port "
               "defaults to 25. The value `original`, on its own, means the "
               "destination the client was connecting to; it requires `intercept`. "
               "There is no default." },
    { .path = "listeners.mode",
      .type = KEY_WORD,
      IN_SETTINGS(observe),
      .words = modes,
      .about = "Whether faults are repaired and refused according to the policy, or "
               "only recorded. In mode `observe` a conversation is neither altered, "
               "delayed nor refused, and the policy has no effect." },
#include "config/client.def"

    GROUP_KEY("listeners.policy",
              "How each kind of fault is handled, in mode enforce. A key given here "
              "takes precedence over the preset, regardless of their order. A session "
              "always ends when the upstream sends a reply that no command asked for, "
              "or one that is not SMTP."),
    { .path = "listeners.policy.preset",
      .type = KEY_PRESET,
      .about = "Sets all rules at once. The preset `default` repairs what is harmless "
               "and refuses the rest, `strict` refuses every fault, and `observe` "
               "passes everything that can be passed safely." },
    GROUP_KEY("listeners.policy.cmd",
              "Command lines. Some faults are always refused: a CR, NUL or other "
              "control character in a command and an empty line (500 5.5.2), and a "
              "command longer than the limit, which gets a single 500 5.5.2 and whose "
              "excess is never read as a command."),
    GROUP_KEY("listeners.policy.data", "Mail data between DATA and the end of data."),
    GROUP_KEY("listeners.policy.bdat", "Mail data in BDAT chunks."),
    GROUP_KEY("listeners.policy.limit", "Line lengths."),
    GROUP_KEY("listeners.tls", "Encryption."),
#define RULE(id, key, choices, normal, observe, strict)                                        \
    { .path = RULE_PATH(id, key),                                                              \
      .type = RULE_TYPE(id),                                                                   \
      .owner = OWNER_SETTINGS,                                                                 \
      .min = COMMAND_LINE_OCTETS,                                                              \
      .max = COMMAND_OCTETS_MAX,                                                               \
      .rule = RULE_##id },
#include "smtp/policy.def"
#undef RULE
#include "config/tls.def"
    { .path = "listeners.policy.limit.auth_line",
      .type = KEY_OCTETS,
      IN_SETTINGS(policy.limit_auth_line),
      .min = COMMAND_LINE_OCTETS,
      .max = COMMAND_OCTETS_MAX,
      .about = "Longest line of an AUTH exchange in bytes, not counting CRLF (RFC 4954 "
               "4)." },

    GROUP_KEY("listeners.limits",
              "Limits and timeouts. In mode observe no timeout is enforced except "
              "those for connections, TLS handshakes and PROXY headers."),
    { .path = "listeners.limits.sessions",
      .type = KEY_INT,
      IN_SETTINGS(sessions),
      .min = 1,
      .max = SESSIONS_MAX,
      .about = "Concurrent sessions, of all workers together. Further connections are "
               "refused with 421 4.7.0. Each session takes two file descriptors: the "
               "default is lower if the limit of the process does not allow that many." },
    { .path = "listeners.limits.per_client",
      .type = KEY_INT,
      IN_SETTINGS(per_client),
      .min = 1,
      .max = SESSIONS_MAX,
      .zero = "no limit",
      .about = "Concurrent sessions from one client network. Further connections are "
               "refused with 421 4.7.0. In mode `observe` nobody is refused; the "
               "excess is recorded and logged instead." },
    { .path = "listeners.limits.per_client_prefix4",
      .type = KEY_INT,
      IN_SETTINGS(prefix4),
      .min = 1,
      .max = 32,
      .about = "Prefix length, in bits, of an IPv4 client network." },
    { .path = "listeners.limits.per_client_prefix6",
      .type = KEY_INT,
      IN_SETTINGS(prefix6),
      .min = 1,
      .max = 128,
      .about = "Prefix length, in bits, of an IPv6 client network." },
    { .path = "listeners.limits.errors",
      .type = KEY_INT,
      IN_SETTINGS(error_limit),
      .min = 1,
      .max = SESSIONS_MAX,
      .zero = "no limit",
      .about = "Commands refused by the proxy before the session is closed with 421 "
               "4.7.0." },
    { .path = "listeners.limits.min_rate",
      .type = KEY_INT,
      IN_SETTINGS(min_rate),
      .min = 1,
      .max = MIN_RATE_MAX,
      .zero = "no limit",
      .about = "Average rate, in bytes per second, at which a client must send mail "
               "data. A client may lag by twice `data_block_timeout`; beyond that the "
               "session is closed with 421 4.4.2. Time during which the client is not "
               "read, because the upstream or the transcript is slow, does not count. "
               "A line of 9600 baud carries 960. Not enforced in mode `observe`." },
    TIMEOUT_KEY("connect_timeout", connect,
                "Time allowed for a connection to each upstream address."),
    TIMEOUT_KEY("greeting_timeout", greeting, "Time allowed for the greeting of the upstream."),
    TIMEOUT_KEY("command_timeout", command, "Time allowed for the next command of the client."),
    TIMEOUT_KEY("reply_timeout", reply, "Time allowed for the upstream's reply to a command."),
    TIMEOUT_KEY("data_start_timeout", data_start,
                "Time allowed for the upstream's reply to DATA."),
    TIMEOUT_KEY("data_block_timeout", data_block,
                "Longest pause in mail data, and longest time for a peer to accept "
                "data sent to it."),
    TIMEOUT_KEY("data_end_timeout", data_end,
                "Time allowed for the upstream's reply to the end of data. A short "
                "time causes duplicates: the upstream may have accepted the message "
                "already."),
    TIMEOUT_KEY("lookalike_timeout", lookalike,
                "Time allowed for more mail data after something that looks like the "
                "end of data but is not."),
    TIMEOUT_KEY("opaque_timeout", opaque,
                "Longest silence of either side after STARTTLS was passed through."),
    TIMEOUT_KEY("tls_timeout", tls, "Time allowed for a TLS handshake, on either side."),
    TIMEOUT_KEY("proxy_timeout", proxy,
                "Time allowed for the PROXY header of a trusted client."),

    GROUP_KEY("transcript", "What is recorded, and where."),
    { .path = "transcript.file",
      .type = KEY_PATH,
      IN_CONFIG(transcript.file),
      .restart = true,
      .empty = "no transcript",
      .about = "File for the records, a strftime(3) template in UTC; \"-\" is standard "
               "output. The folder must exist. A symbolic link, whether the file or a "
               "folder on the way to it, is followed only if it is owned by root or by "
               "the user that opens it; in a world-writable folder the file itself "
               "must be owned by one of them. Rotation renames the link, not the file "
               "it points to." },
    { .path = "transcript.content",
      .type = KEY_WORD,
      IN_CONFIG(transcript.content),
      .words = contents,
      .restart = true,
      .about = "How much of the mail is recorded: nothing, counts and digests, also "
               "the header, or everything. The value `full` requires `spool`. With "
               "redact = \"all\" the header is left out, and `full` is not possible." },
    { .path = "transcript.redact",
      .type = KEY_WORD,
      IN_CONFIG(transcript.redact),
      .words = redacts,
      .restart = true,
      .about = "What is masked before a record is built. The value `secrets` masks "
               "passwords and other secrets, `all` also the local parts of addresses, "
               "and `none` nothing." },
    { .path = "transcript.sha256",
      .type = KEY_BOOL,
      IN_CONFIG(transcript.sha256),
      .restart = true,
      .about = "Also record the SHA-256 of each mail." },
    { .path = "transcript.dkim",
      .type = KEY_WORD,
      IN_CONFIG(transcript.dkim),
      .words = dkims,
      .restart = true,
      .about = "Whether the body of each mail is compared with the body hash of its "
               "DKIM and ARC signatures, unless content = \"none\". The value `repair` "
               "also searches for the change that explains a body hash that does not "
               "match, and keeps up to 4 MiB of each signed mail in memory while it "
               "passes." },
    { .path = "transcript.findings",
      .type = KEY_BOOL,
      IN_CONFIG(findings),
      .restart = true,
      .about = "Whether records are examined, as they are written, for signs of a "
               "firewall or another middlebox on the path. What is found is written as "
               "a record." },
    { .path = "transcript.catalogue",
      .type = KEY_PATH,
      IN_CONFIG(catalogue),
      .restart = true,
      .empty = "the installed file",
      .about = "File that lists the products findings are compared with." },
    { .path = "transcript.spool",
      .type = KEY_PATH,
      IN_CONFIG(transcript.spool),
      .restart = true,
      .empty = "none",
      .about = "Folder for whole mails, with content = \"full\". Symbolic links are "
               "followed as for `transcript.file`." },
    { .path = "transcript.flush",
      .type = KEY_TIME,
      IN_CONFIG(transcript.flush_ms),
      .max = MINUTES(60),
      .scale = 1,
      .zero = "write each record immediately",
      .restart = true,
      .about = "How long a record may wait in memory before it is written." },
    { .path = "transcript.on_full",
      .type = KEY_WORD,
      IN_CONFIG(transcript.on_full),
      .words = fulls,
      .restart = true,
      .about = "What happens when the disk is full or cannot keep up. With `pause` "
               "clients wait and nothing is lost; with `drop` records are dropped and "
               "counted." },
    { .path = "transcript.queue_size",
      .type = KEY_SIZE,
      IN_CONFIG(transcript.queue_octets),
      .min = MEBI(1) / 4,
      .max = MEBI(4096),
      .restart = true,
      .about = "Size of the queue of records waiting for the disk, in bytes." },
    { .path = "transcript.rotate_size",
      .type = KEY_SIZE,
      IN_CONFIG(transcript.rotate_octets),
      .min = MEBI(1) / 16,
      .max = MEBI(1048576),
      .zero = "never",
      .restart = true,
      .about = "Begin a new file at this size." },
    { .path = "transcript.rotate_age",
      .type = KEY_TIME,
      IN_CONFIG(transcript.rotate_seconds),
      .min = MINUTES(1),
      .max = DAYS(366),
      .zero = "never",
      .scale = 1000,
      .restart = true,
      .about = "Begin a new file at this age." },
    { .path = "transcript.file_mode",
      .type = KEY_MODE,
      IN_CONFIG(transcript.file_mode),
      .restart = true,
      .about = "Permissions of new files." },
};

const struct config_key *config_key_at(unsigned i)
{
    return i < ARRAY_LEN(keys) ? &keys[i] : NULL;
}

const char *config_key_about(const struct config_key *key)
{
    return key->about != NULL ? key->about : rule_about[key->rule];
}
