/* SPDX-License-Identifier: Apache-2.0 */
/* Quantities: what is read, what is refused and how, and that what is written reads back as the same. */
#include <config.h>

#include <string.h>

#include "distem/error.h"
#include "distem/units.h"

/* The five kinds of quantity behind one face. */
struct kind {
    const char *name;
    bool (*parse)(const char *text, uint64_t *ret, GError **error);
    char *(*format)(uint64_t);
    uint64_t limit;
};

static bool parse_time(const char *text, uint64_t *ret, GError **error)
{
    int64_t ns;
    return time_parse(text, &ns, error) && (*ret = (uint64_t)ns, true);
}

static char *format_time(uint64_t ns)
{
    return time_format((int64_t)ns);
}

static bool parse_percent(const char *text, uint64_t *ret, GError **error)
{
    uint32_t ppb;
    return percent_parse(text, &ppb, error) && (*ret = ppb, true);
}

static char *format_percent(uint64_t ppb)
{
    return percent_format((uint32_t)ppb);
}

#define LIMIT ((UINT64_C(1) << 62) - 1)

enum { TIME, RATE, SIZE, PERCENT, FREQUENCY, KINDS };
static const struct kind kinds[KINDS] = {
    [TIME] = {"time", parse_time, format_time, LIMIT},
    [RATE] = {"rate", rate_parse, rate_format, LIMIT},
    [SIZE] = {"size", size_parse, size_format, LIMIT},
    [PERCENT] = {"percent", parse_percent, format_percent, PPB_ONE},
    [FREQUENCY] = {"frequency", frequency_parse, frequency_format, LIMIT},
};

static void test_read(void)
{
    static const struct {
        int kind;
        const char *text;
        uint64_t value;
    } rows[] = {
        {TIME, "20ms", 20000000},
        {TIME, "1.5s", 1500000000},
        {TIME, "250us", 250000},
        {TIME, "250\302\265s", 250000},
        {TIME, "10ns", 10},
        {TIME, "0.000000001s", 1},
        {TIME, "0s", 0},
        {TIME, "0", 0},
        {TIME, "0.0ms", 0},
        {TIME, "5 ms", 5000000},
        {TIME, "007ms", 7000000},
        {TIME, "1.0000000000000000000000000ms", 1000000},
        {TIME, "4611686018427387903ns", LIMIT},
        {RATE, "10Mbit/s", 10000000},
        {RATE, "150kbit/s", 150000},
        {RATE, "1.5Gbit/s", 1500000000},
        {RATE, "1Tbit/s", 1000000000000},
        {RATE, "4096bit/s", 4096},
        {RATE, "0bit/s", 0},
        {SIZE, "512MiB", UINT64_C(512) << 20},
        {SIZE, "64kB", 64000},
        {SIZE, "1.5GiB", UINT64_C(1536) << 20},
        {SIZE, "1TB", 1000000000000},
        {SIZE, "1500B", 1500},
        {PERCENT, "0.5%", 5000000},
        {PERCENT, "100%", PPB_ONE},
        {PERCENT, "0.0000001%", 1},
        {FREQUENCY, "2.4GHz", 2400000000},
        {FREQUENCY, "800MHz", 800000000},
        {FREQUENCY, "1Hz", 1},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t value = 4711;
        g_autoptr(GError) error = NULL;
        g_test_message("%s %s", kinds[rows[i].kind].name, rows[i].text);
        g_assert_true(kinds[rows[i].kind].parse(rows[i].text, &value, &error));
        g_assert_no_error(error);
        g_assert_cmpuint(value, ==, rows[i].value);
    }
}

static void test_refuse(void)
{
    static const struct {
        int kind;
        const char *text, *reason;
    } rows[] = {
        {TIME, "", "is not a time"},
        {TIME, "20", "has no unit"},
        {TIME, "ms", "is not a time"},
        {TIME, "20m", "unknown unit \"m\""},
        {TIME, "20 Ms", "unknown unit"},
        {TIME, "-1ms", "is negative"},
        {TIME, "+1ms", "is not a time"},
        {TIME, " 1ms", "is not a time"},
        {TIME, "1ms ", "unknown unit"},
        {TIME, "1.ms", "is not a time"},
        {TIME, ".5ms", "is not a time"},
        {TIME, "1.2.3ms", "unknown unit"},
        {TIME, "1e3ms", "unknown unit"},
        {TIME, "nan", "is not a time"},
        {TIME, "inf", "is not a time"},
        {TIME, "0x10ms", "unknown unit"},
        {TIME, "0.5ns", "finer than"},
        {TIME, "4611686018427387904ns", "too large"},
        {TIME, "9223372036854775808ns", "too large"},
        {TIME, "1000000000000000000s", "too large"},
        {TIME, "18446744073709551616ns", "too many digits"},
        {TIME, "0.00000000000000000000000000000000000001s", "finer than"},
        {RATE, "10", "has no unit"},
        {RATE, "10mbps", "megabytes"},
        {RATE, "10Mbps", "megabytes"},
        {RATE, "10MB/s", "unknown unit"},
        {RATE, "10M", "unknown unit"},
        {RATE, "0.5bit/s", "finer than"},
        {SIZE, "64k", "unknown unit"},
        {SIZE, "64KB", "unknown unit"},
        {SIZE, "0.1GiB", "finer than"},
        {SIZE, "8388608TiB", "too large"},
        {PERCENT, "1", "has no unit"},
        {PERCENT, "100.1%", "too large"},
        {PERCENT, "0.00000001%", "finer than"},
        {PERCENT, "-0%", "is negative"},
        {FREQUENCY, "2.4 ghz", "unknown unit"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t value = 4711;
        g_autoptr(GError) error = NULL;
        g_test_message("%s \"%s\"", kinds[rows[i].kind].name, rows[i].text);
        g_assert_false(kinds[rows[i].kind].parse(rows[i].text, &value, &error));
        g_assert_error(error, DISTEM_ERROR, DISTEM_ERROR_INVALID);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, rows[i].reason));
        g_assert_cmpuint(value, ==, 4711);
    }
}

static void test_write(void)
{
    static const struct {
        int kind;
        uint64_t value;
        const char *text;
    } rows[] = {
        {TIME, 12500000, "12.5ms"},
        {TIME, 20000000, "20ms"},
        {TIME, 0, "0ns"},
        {TIME, 1500, "1.5us"},
        {TIME, 1234567, "1234.567us"},
        {TIME, 60000000000, "60s"},
        {RATE, 10000000, "10Mbit/s"},
        {RATE, 1500000000, "1.5Gbit/s"},
        {RATE, 1234567, "1234.567kbit/s"},
        {RATE, 1, "1bit/s"},
        {RATE, 256000, "256kbit/s"},
        {SIZE, UINT64_C(256) << 20, "256MiB"},
        {SIZE, 64000, "64kB"},
        {SIZE, 1500, "1500B"},
        {SIZE, UINT64_C(1) << 40, "1TiB"},
        {PERCENT, 5000000, "0.5%"},
        {PERCENT, PPB_ONE, "100%"},
        {PERCENT, 1, "0.0000001%"},
        {PERCENT, 333333333, "33.3333333%"},
        {FREQUENCY, 2400000000, "2.4GHz"},
        {FREQUENCY, 800000000, "800MHz"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = kinds[rows[i].kind].format(rows[i].value);
        g_assert_cmpstr(text, ==, rows[i].text);
    }
}

static void assert_round_trip(const struct kind *kind, uint64_t value)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = kind->format(value);
    uint64_t again = ~value;
    g_assert_true(kind->parse(text, &again, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(again, ==, value);
}

/* Any value, of any magnitude, reads back as itself. */
static void test_round_trip(void)
{
    for (int k = 0; k < KINDS; k++) {
        for (int i = 0; i < 20000; i++) {
            uint64_t value = ((uint64_t)g_test_rand_int() << 32 | (uint32_t)g_test_rand_int()) >> g_test_rand_int_range(2, 64);
            uint64_t round = 1;
            for (int zeros = g_test_rand_int_range(0, 12); zeros; zeros--) {
                round *= 10;
            }
            assert_round_trip(&kinds[k], value % (kinds[k].limit + 1));
            assert_round_trip(&kinds[k], value % (kinds[k].limit / round + 1) * round);
        }
        assert_round_trip(&kinds[k], 0);
        assert_round_trip(&kinds[k], kinds[k].limit);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/units/read", test_read);
    g_test_add_func("/units/refuse", test_refuse);
    g_test_add_func("/units/write", test_write);
    g_test_add_func("/units/round-trip", test_round_trip);
    return g_test_run();
}
