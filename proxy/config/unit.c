#include "config/unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

/* Ascending; each divides the next. */
struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit sizes[] = {
    { "", 1 },
    { "k", UINT64_C(1) << 10 },
    { "M", UINT64_C(1) << 20 },
    { "G", UINT64_C(1) << 30 },
};

static const struct unit times[] = {
    { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 },
};

static const char size_form[] = "expected a number, alone or with k, M or G, as in \"10M\"";
static const char time_form[] = "expected a number with ms, s, m, h or d, as in \"30s\"";
static const char mode_form[] =
    "expected an octal mode that lets the owner write, as in \"0640\"";
static const char too_large[] = "the number is too large";

static bool fail(const char **why, const char *text)
{
    *why = text;
    return false;
}

/* Moves *text behind the digits. */
static bool parse_digits(uint64_t *value, const char **text, const char **why, const char *form)
{
    const char *p = *text;

    *value = 0;
    if (*p < '0' || *p > '9')
        return fail(why, form);
    for (; *p >= '0' && *p <= '9'; p++) {
        unsigned digit = (unsigned)(*p - '0');

        if (*value > (UINT64_MAX - digit) / 10)
            return fail(why, too_large);
        *value = *value * 10 + digit;
    }
    *text = p;
    return true;
}

static bool apply_unit(uint64_t *value, const struct unit *units, size_t count,
                       const char *name)
{
    for (size_t i = 0; i < count; i++) {
        /* "m" and "ms" differ in length, so case cannot confuse them. */
        if (strcasecmp(units[i].name, name) != 0)
            continue;
        if (*value > UINT64_MAX / units[i].factor)
            *value = UINT64_MAX;
        else
            *value *= units[i].factor;
        return true;
    }
    return false;
}

bool unit_parse_size(uint64_t *octets, const char *text, const char **why)
{
    uint64_t value;

    if (!parse_digits(&value, &text, why, size_form))
        return false;
    if (!apply_unit(&value, sizes, ARRAY_LEN(sizes), text))
        return fail(why, size_form);
    if (value == UINT64_MAX)
        return fail(why, too_large);
    *octets = value;
    return true;
}

bool unit_parse_time(uint64_t *ms, const char *text, const char **why)
{
    uint64_t value;

    if (!parse_digits(&value, &text, why, time_form))
        return false;
    if (*text == '\0' && value != 0)
        return fail(why, "the unit is missing: ms, s, m, h or d, as in \"30s\"");
    if (*text != '\0' && !apply_unit(&value, times, ARRAY_LEN(times), text))
        return fail(why, time_form);
    if (value == UINT64_MAX)
        return fail(why, too_large);
    *ms = value;
    return true;
}

bool unit_parse_mode(unsigned *mode, const char *text, const char **why)
{
    unsigned value = 0;
    size_t n = 0;

    for (; text[n] >= '0' && text[n] <= '7' && n < 5; n++)
        value = value * 8 + (unsigned)(text[n] - '0');
    if (text[n] != '\0' || n < 3 || n > 4 || value > 0777 || (value & 0200) == 0)
        return fail(why, mode_form);
    *mode = value;
    return true;
}

static void unit_text(uint64_t value, const struct unit *units, size_t count,
                      char out[UNIT_TEXT_MAX])
{
    size_t best = 0;

    for (size_t i = 1; i < count; i++) {
        if (value % units[i].factor == 0)
            best = i;
    }
    snprintf(out, UNIT_TEXT_MAX, "%" PRIu64 "%s", value / units[best].factor, units[best].name);
}

void unit_size_text(uint64_t octets, char out[UNIT_TEXT_MAX])
{
    unit_text(octets, sizes, octets == 0 ? 1 : ARRAY_LEN(sizes), out);
}

void unit_time_text(uint64_t ms, char out[UNIT_TEXT_MAX])
{
    if (ms == 0)
        snprintf(out, UNIT_TEXT_MAX, "0");
    else
        unit_text(ms, times, ARRAY_LEN(times), out);
}

void unit_mode_text(unsigned mode, char out[UNIT_TEXT_MAX])
{
    snprintf(out, UNIT_TEXT_MAX, "%04o", mode);
}
