/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/units.h"

#include <inttypes.h>
#include <string.h>

#include "distem/error.h"

struct unit {
    const char *name;
    uint64_t factor;
    bool written; /* Used when a value is written; the others are only read. */
};

/* What a kind of quantity looks like; units from the largest down. */
struct quantity {
    const char *what;    /* "a time" */
    const char *example; /* "\"20ms\" or \"1.5s\"" */
    const struct unit *units;
    uint64_t limit; /* Values are at most this. */
};

static const struct unit time_units[] = {{"s", 1000000000, true},    {"ms", 1000000, true}, {"us", 1000, true},
                                         {"\302\265s", 1000, false}, {"ns", 1, true},       {NULL, 0, false}};
static const struct unit rate_units[] = {{"Tbit/s", 1000000000000, false}, {"Gbit/s", 1000000000, true}, {"Mbit/s", 1000000, true},
                                         {"kbit/s", 1000, true},           {"bit/s", 1, true},           {NULL, 0, false}};
static const struct unit size_units[] = {{"TiB", UINT64_C(1) << 40, true},
                                         {"GiB", UINT64_C(1) << 30, true},
                                         {"MiB", UINT64_C(1) << 20, true},
                                         {"KiB", 1024, true},
                                         {"TB", 1000000000000, false},
                                         {"GB", 1000000000, false},
                                         {"MB", 1000000, false},
                                         {"kB", 1000, true},
                                         {"B", 1, true},
                                         {NULL, 0, false}};
static const struct unit percent_units[] = {{"%", 10000000, true}, {NULL, 0, false}};
static const struct unit frequency_units[] = {
    {"GHz", 1000000000, true}, {"MHz", 1000000, true}, {"kHz", 1000, true}, {"Hz", 1, true}, {NULL, 0, false}};

#define VALUE_LIMIT (UINT64_C(1) << 62)

static const struct quantity quantity_time = {"a time", "\"20ms\", \"1.5s\" or \"250us\"", time_units, VALUE_LIMIT - 1};
static const struct quantity quantity_rate = {"a rate", "\"10Mbit/s\", \"150kbit/s\" or \"1.5Gbit/s\"", rate_units,
                                              VALUE_LIMIT - 1};
static const struct quantity quantity_size = {"a size", "\"512MiB\", \"64kB\" or \"1500B\"", size_units, VALUE_LIMIT - 1};
static const struct quantity quantity_percent = {"a percentage", "\"0.5%\", from 0% to 100%", percent_units, PPB_ONE};
static const struct quantity quantity_frequency = {"a frequency", "\"2.4GHz\" or \"800MHz\"", frequency_units, VALUE_LIMIT - 1};

/* Appends the digits from 'c' to 'end' to '*mantissa'; false when it does not hold them. */
static bool append_digits(const char *c, const char *end, uint64_t *mantissa)
{
    for (; c < end; c++) {
        if (*mantissa > (UINT64_MAX - 9) / 10) {
            return false;
        }
        *mantissa = *mantissa * 10 + (uint64_t)(*c - '0');
    }
    return true;
}

static const char *skip_digits(const char *c)
{
    while (g_ascii_isdigit(*c)) {
        c++;
    }
    return c;
}

enum decimal { DECIMAL_FINE, DECIMAL_NONE, DECIMAL_LONG };

/* Reads a decimal number at '*text' as 'mantissa' / 10^'decimals' and moves '*text' behind it. DECIMAL_NONE: there is no number;
 * DECIMAL_LONG: it has more digits than can be kept. */
static enum decimal decimal_parse(const char **text, uint64_t *ret_mantissa, unsigned *ret_decimals)
{
    const char *point = skip_digits(*text), *end = point;
    const char *significant = point; /* Behind the last digit that counts. */
    if (point == *text) {
        return DECIMAL_NONE;
    }
    if (*point == '.') {
        end = significant = skip_digits(point + 1);
        if (end == point + 1) {
            return DECIMAL_NONE;
        }
        while (significant[-1] == '0') {
            significant--;
        }
    }
    uint64_t mantissa = 0;
    if (!append_digits(*text, point, &mantissa) || (end > point && !append_digits(point + 1, significant, &mantissa))) {
        return DECIMAL_LONG;
    }
    *text = end;
    *ret_mantissa = mantissa;
    *ret_decimals = significant > point + 1 ? (unsigned)(significant - point - 1) : 0;
    return DECIMAL_FINE;
}

static bool quantity_parse(const struct quantity *quantity, const char *text, uint64_t *ret, GError **error)
{
    const char *rest = text;
    uint64_t mantissa = 0;
    unsigned decimals = 0;
    if (*text == '-') {
        return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\" is negative: expected %s such as %s", text, quantity->what,
                    quantity->example);
    }
    enum decimal decimal = decimal_parse(&rest, &mantissa, &decimals);
    if (decimal == DECIMAL_LONG) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\" has too many digits: expected %s such as %s", text, quantity->what,
                    quantity->example);
    }
    if (decimal == DECIMAL_NONE) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\" is not %s: write it like %s", text, quantity->what, quantity->example);
    }
    while (*rest == ' ') {
        rest++;
    }
    if (!*rest && !mantissa) {
        *ret = 0;
        return true;
    }
    if (!*rest) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\" has no unit: write %s like %s", text, quantity->what,
                    quantity->example);
    }
    const struct unit *unit = quantity->units;
    while (unit->name && strcmp(unit->name, rest) != 0) {
        unit++;
    }
    if (!unit->name) {
        const char *hint = g_ascii_strcasecmp(rest, "mbps") == 0 ? " (some tools read mbps as megabytes, some as megabits)" : "";
        return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\" has the unknown unit \"%s\"%s: write %s like %s", text, rest, hint,
                    quantity->what, quantity->example);
    }
    unsigned __int128 value = (unsigned __int128)mantissa * unit->factor;
    for (; decimals; decimals--) {
        if (value % 10) {
            return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\" is finer than can be kept exactly: use fewer decimals", text);
        }
        value /= 10;
    }
    if (value > quantity->limit) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\" is too large: expected %s such as %s", text, quantity->what,
                    quantity->example);
    }
    *ret = (uint64_t)value;
    return true;
}

/* Writes 'value' in the largest unit that needs at most three decimals and gives at least 1, else in the smallest unit. */
static char *quantity_format(const struct quantity *quantity, uint64_t value, unsigned max_decimals)
{
    const struct unit *best = quantity->units;
    for (const struct unit *unit = quantity->units; unit->name; unit++) {
        if (!unit->written) {
            continue;
        }
        best = unit;
        uint64_t scale = 1;
        for (unsigned i = 0; i < max_decimals && unit->factor / scale % 10 == 0; i++) {
            scale *= 10;
        }
        bool exact = value % (unit->factor / scale) == 0;
        if (value >= unit->factor && exact) {
            break;
        }
    }
    uint64_t whole = value / best->factor, part = value % best->factor;
    if (!part) {
        return g_strdup_printf("%" PRIu64 "%s", whole, best->name);
    }
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "%" PRIu64 ".", whole);
    for (uint64_t factor = best->factor; part; part %= factor) {
        factor /= 10;
        g_string_append_c(text, (char)('0' + part / factor));
    }
    g_string_append(text, best->name);
    return g_string_free(text, FALSE);
}

bool time_parse(const char *text, int64_t *ret_ns, GError **error)
{
    uint64_t value;
    if (!quantity_parse(&quantity_time, text, &value, error)) {
        return false;
    }
    *ret_ns = (int64_t)value;
    return true;
}

bool rate_parse(const char *text, uint64_t *ret_bits_per_s, GError **error)
{
    return quantity_parse(&quantity_rate, text, ret_bits_per_s, error);
}

bool size_parse(const char *text, uint64_t *ret_bytes, GError **error)
{
    return quantity_parse(&quantity_size, text, ret_bytes, error);
}

bool percent_parse(const char *text, uint32_t *ret_ppb, GError **error)
{
    uint64_t value;
    if (!quantity_parse(&quantity_percent, text, &value, error)) {
        return false;
    }
    *ret_ppb = (uint32_t)value;
    return true;
}

bool frequency_parse(const char *text, uint64_t *ret_hz, GError **error)
{
    return quantity_parse(&quantity_frequency, text, ret_hz, error);
}

char *time_format(int64_t ns)
{
    return quantity_format(&quantity_time, (uint64_t)ns, 3);
}

char *rate_format(uint64_t bits_per_s)
{
    return quantity_format(&quantity_rate, bits_per_s, 3);
}

char *size_format(uint64_t bytes)
{
    return quantity_format(&quantity_size, bytes, 0);
}

char *percent_format(uint32_t ppb)
{
    return quantity_format(&quantity_percent, ppb, 7);
}

char *frequency_format(uint64_t hz)
{
    return quantity_format(&quantity_frequency, hz, 3);
}
