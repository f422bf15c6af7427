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
      .about =
          "Names this observation point in every record. Transcripts of two vantage points "
          "can then be told apart." },
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
      .empty = "stay as started",
      .restart = true,
      .about = "User to become once the listening sockets are open. Needs a start as root." },
    { .path = "drain_timeout",
      .type = KEY_TIME,
      IN_CONFIG(drain_timeout_ms),
      .max = DAYS(1),
      .scale = 1,
      .zero = "at once",
      .about = "How long a stop waits for messages in transfer." },
    { .path = "memory",
      .type = KEY_SIZE,
      IN_CONFIG(memory_octets),
      .min = MEBI(1) / 4,
      .max = MEBI(1048576),
      .about = "What all sessions together may hold while they wait for a peer: commands "
               "without a reply, mail data, replies. From half of it on, who holds most is "
               "not read until others have freed some; nothing is refused." },
    { .path = "log_level",
      .type = KEY_LEVEL,
      IN_CONFIG(log_level),
      .words = log_levels,
      .about = "Least important lines to write to standard error." },

    { .path = "listeners",
      .type = KEY_LIST,
      .about =
          "One group for each service; at least one. Sessions keep the settings they began "
          "with; a reload is for new sessions." },
    { .path = "listeners.name",
      .type = KEY_NAME,
      IN_SETTINGS(name),
      .restart = true,
      .about =
          "Names the listener in records and logs. Each listener needs a name of its own." },
    { .path = "listeners.listen",
      .type = KEY_LISTEN,
      .owner = OWNER_LISTENER,
      .restart = true,
      .about =
          "Addresses and ports to listen on. Port 0 takes a free port, which the log tells. "
          "There is no default." },
    { .path = "listeners.upstream",
      .type = KEY_UPSTREAM,
      .owner = OWNER_SETTINGS,
      .about = "Where sessions go, tried in this order: an address, a host name (see "
               "HOST NAMES), or \"reflect\" for the built-in reflector. The port is 25 when "
               "none is given. Word original, alone, is where the client was going to; it "
               "needs intercept. There is no default." },
    { .path = "listeners.mode",
      .type = KEY_WORD,
      IN_SETTINGS(observe),
      .words = modes,
      .about = "Whether faults are repaired and refused as the policy says, or only written "
               "down. In mode observe a conversation is neither altered, delayed nor refused, "
               "and the policy does not act." },
#include "config/client.def"

    GROUP_KEY(
        "listeners.policy",
        "What is done about each kind of fault, in mode enforce. A key given here wins over "
        "the preset, wherever it stands."),
    { .path = "listeners.policy.preset",
      .type = KEY_PRESET,
      .about =
          "Sets all rules at once. Preset default repairs what is harmless and refuses the "
          "rest, strict refuses every fault, observe lets through what can be let through "
          "safely." },
    GROUP_KEY("listeners.policy.cmd", "Command lines."),
    GROUP_KEY("listeners.policy.data", "Mail data between DATA and the end of data."),
    GROUP_KEY("listeners.policy.bdat", "Mail data in BDAT chunks."),
    GROUP_KEY("listeners.policy.reply", "Replies of the upstream."),
    GROUP_KEY("listeners.policy.limit", "Longest lines."),
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
      .about = "Longest line of an AUTH exchange in octets, CRLF not counted (RFC 4954 4)." },

    GROUP_KEY(
        "listeners.limits",
        "How much and how long. In mode observe no timeout acts but those of connections, "
        "TLS handshakes and PROXY headers."),
    { .path = "listeners.limits.sessions",
      .type = KEY_INT,
      IN_SETTINGS(sessions),
      .min = 1,
      .max = SESSIONS_MAX,
      .about = "Sessions at a time, of all workers together; one more hears 421 4.7.0. Each "
               "session takes two file descriptors: the default is less where the limit of "
               "the process does not allow so many." },
    { .path = "listeners.limits.per_client",
      .type = KEY_INT,
      IN_SETTINGS(per_client),
      .min = 1,
      .max = SESSIONS_MAX,
      .zero = "no limit",
      .about = "Sessions at a time from one client network; one more hears 421 4.7.0. Mode "
               "observe refuses nobody: there it is noted in the record, and logged." },
    { .path = "listeners.limits.per_client_prefix4",
      .type = KEY_INT,
      IN_SETTINGS(prefix4),
      .min = 1,
      .max = 32,
      .about = "Bits of an IPv4 address that make a client network." },
    { .path = "listeners.limits.per_client_prefix6",
      .type = KEY_INT,
      IN_SETTINGS(prefix6),
      .min = 1,
      .max = 128,
      .about = "Bits of an IPv6 address that make a client network." },
    { .path = "listeners.limits.errors",
      .type = KEY_INT,
      IN_SETTINGS(error_limit),
      .min = 1,
      .max = SESSIONS_MAX,
      .zero = "no limit",
      .about = "Commands refused by the proxy before the session ends with 421 4.7.0." },
    { .path = "listeners.limits.min_rate",
      .type = KEY_INT,
      IN_SETTINGS(min_rate),
      .min = 1,
      .max = MIN_RATE_MAX,
      .zero = "no limit",
      .about =
          "Octets of mail data that a client has to send in a second on average. It may "
          "fall behind by twice data_block_timeout; one that falls behind further hears "
          "421 4.4.2. Time in which it is not read, because the upstream or "
          "the transcript is slow, does not count. A line of 9600 baud carries 960. Not in "
          "mode observe." },
    TIMEOUT_KEY("connect_timeout", connect, "For each upstream address tried."),
    TIMEOUT_KEY("greeting_timeout", greeting, "For the greeting of the upstream."),
    TIMEOUT_KEY("command_timeout", command, "For the next command of the client."),
    TIMEOUT_KEY("reply_timeout", reply, "For the upstream's reply to a command."),
    TIMEOUT_KEY("data_start_timeout", data_start, "For the upstream's reply to DATA."),
    TIMEOUT_KEY("data_block_timeout", data_block,
                "For mail data to go on, and for a peer to take what is sent to it."),
    TIMEOUT_KEY(
        "data_end_timeout", data_end,
        "For the upstream's reply to the end of data. A short time makes duplicates: the "
        "upstream may have taken the message already."),
    TIMEOUT_KEY(
        "lookalike_timeout", lookalike,
        "For more mail data after something that looks like an end of data but is none."),
    TIMEOUT_KEY("opaque_timeout", opaque, "For either side after STARTTLS was passed through."),
    TIMEOUT_KEY("tls_timeout", tls, "For a TLS handshake, on either side."),
    TIMEOUT_KEY("proxy_timeout", proxy, "For the PROXY header of a trusted client."),

    GROUP_KEY("transcript", "What is written down, and where."),
    { .path = "transcript.file",
      .type = KEY_PATH,
      IN_CONFIG(transcript.file),
      .restart = true,
      .empty = "no transcript",
      .about =
          "File for the records, a strftime(3) template in UTC; \"-\" is standard output. The "
          "folder must exist. A symbolic link, of the file or of a folder on the way, is "
          "followed only if it belongs to root or to the user that opens it, and in a folder "
          "where everybody may write the file must belong to one of them. Rotation renames "
          "the link, not the file it leads to." },
    { .path = "transcript.content",
      .type = KEY_WORD,
      IN_CONFIG(transcript.content),
      .words = contents,
      .restart = true,
      .about = "How much of the mail is recorded: nothing, counts and digests, the header as "
               "well, or everything. Word full needs a spool folder. With redact = \"all\" the "
               "header is left out and full is not possible." },
    { .path = "transcript.redact",
      .type = KEY_WORD,
      IN_CONFIG(transcript.redact),
      .words = redacts,
      .restart = true,
      .about = "What is replaced before a record is built. Word secrets replaces passwords and "
               "the like, all the mailbox names of addresses as well, none nothing." },
    { .path = "transcript.sha256",
      .type = KEY_BOOL,
      IN_CONFIG(transcript.sha256),
      .restart = true,
      .about = "Also write the SHA-256 of each mail." },
    { .path = "transcript.dkim",
      .type = KEY_WORD,
      IN_CONFIG(transcript.dkim),
      .words = dkims,
      .restart = true,
      .about = "Whether the body of each mail is compared with the body hash of its DKIM and "
               "ARC signatures; unless content = \"none\". Word repair also searches what "
               "changed a body that does not fit, and keeps up to 4 MiB of each signed mail "
               "in memory while it passes." },
    { .path = "transcript.findings",
      .type = KEY_BOOL,
      IN_CONFIG(findings),
      .restart = true,
      .about = "Whether records are looked at as they are written, for what looks like the "
               "work of a firewall or another box on the path. What is found is a record." },
    { .path = "transcript.catalogue",
      .type = KEY_PATH,
      IN_CONFIG(catalogue),
      .restart = true,
      .empty = "the one installed",
      .about = "File of the products that findings are compared with." },
    { .path = "transcript.spool",
      .type = KEY_PATH,
      IN_CONFIG(transcript.spool),
      .restart = true,
      .empty = "none",
      .about =
          "Folder for whole mails, with content = \"full\". For symbolic links the same holds "
          "as for file." },
    { .path = "transcript.flush",
      .type = KEY_TIME,
      IN_CONFIG(transcript.flush_ms),
      .max = MINUTES(60),
      .scale = 1,
      .zero = "each record at once",
      .restart = true,
      .about = "How long a record may wait in memory." },
    { .path = "transcript.on_full",
      .type = KEY_WORD,
      IN_CONFIG(transcript.on_full),
      .words = fulls,
      .restart = true,
      .about =
          "What happens when the disk cannot keep up or fills. With pause clients wait and "
          "nothing is lost; with drop records are dropped and counted." },
    { .path = "transcript.queue_size",
      .type = KEY_SIZE,
      IN_CONFIG(transcript.queue_octets),
      .min = MEBI(1) / 4,
      .max = MEBI(4096),
      .restart = true,
      .about = "Records waiting for the disk, in octets." },
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
