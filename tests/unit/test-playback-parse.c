/* SPDX-License-Identifier: Apache-2.0 */
/* Traces as text: what is read, what is refused and how. */
#include <config.h>

#include <string.h>

#include "distem/playback.h"

static struct playback *parse(const char *text, enum playback_quantity quantity)
{
    AUTO_DIAGNOSTICS problems = {0};
    struct playback *playback = playback_parse(text, strlen(text), "lte.csv", quantity, &problems);
    for (unsigned i = 0; i < diagnostics_count(&problems); i++) {
        g_autofree char *problem = diagnostic_format(diagnostics_get(&problems, i));
        g_test_message("%s", problem);
    }
    g_assert_nonnull(playback);
    return playback;
}

static void check_step(const struct playback *playback, unsigned i, int64_t at, uint64_t value)
{
    g_assert_cmpuint(i, <, playback->steps->len);
    g_assert_cmpint(g_array_index(playback->steps, struct playback_step, i).at, ==, at);
    g_assert_cmpuint(g_array_index(playback->steps, struct playback_step, i).value, ==, value);
}

static void test_lines(void)
{
    struct playback *playback =
        parse("# Zug über Land\n\n0 10Mbit/s\n 1.5s,\t1Mbit/s # slow\r\n2s , 0\n2.5s 0\n3s 8kbit/s\n4s end", PLAYBACK_BANDWIDTH);
    g_assert_cmpuint(playback->steps->len, ==, 4);
    check_step(playback, 0, 0, 10000000);
    check_step(playback, 1, 1500000000, 1000000);
    check_step(playback, 2, 2000000000, 0);
    check_step(playback, 3, 3000000000, 8000);
    g_assert_cmpint(playback->length, ==, 4000000000);
    playback_free(playback);
    playback = parse("0s 0.5%\n1ms 100%\n", PLAYBACK_LOSS);
    check_step(playback, 0, 0, 5000000);
    check_step(playback, 1, 1000000, 1000000000);
    g_assert_cmpint(playback->length, ==, 0);
    playback_free(playback);
}

static void test_refuse(void)
{
    static const struct {
        enum playback_quantity quantity;
        const char *text, *problem;
    } rows[] = {
        {PLAYBACK_BANDWIDTH, "# nothing\n", "lte.csv: the trace is empty: expected lines such as \"1.5s 10Mbit/s\""},
        {PLAYBACK_BANDWIDTH, "0 end",
         "lte.csv:1: the trace ends before it says anything: expected a line such as \"0 10Mbit/s\" first"},
        {PLAYBACK_BANDWIDTH, "1s 1Mbit/s",
         "lte.csv:1: the first time is \"1s\": expected 0, as a trace says from its start on what holds"},
        {PLAYBACK_BANDWIDTH, "0 1Mbit/s\n2s 0\n2s 1Mbit/s",
         "lte.csv:3: time \"2s\" is not at least 1ms after 2s, the one before: expected that, as changes are timed to 1ms"},
        {PLAYBACK_BANDWIDTH, "0 1Mbit/s\n367000h end", "lte.csv:2: \"367000h\" has the unknown unit \"h\"*"},
        {PLAYBACK_BANDWIDTH, "0 1Mbit/s\n99999999s end",
         "lte.csv:2: time \"99999999s\" is out of range: expected at most 366 days"},
        {PLAYBACK_BANDWIDTH, "0 10bit/s", "lte.csv:1: \"10bit/s\" is out of range: expected 0, or 1kbit/s to 10Gbit/s"},
        {PLAYBACK_BANDWIDTH, "0 11Gbit/s", "lte.csv:1: \"11Gbit/s\" is out of range: expected 0, or 1kbit/s to 10Gbit/s"},
        {PLAYBACK_BANDWIDTH, "0 1001bit/s",
         "lte.csv:1: bandwidth \"1001bit/s\" is no whole number of bytes per second, which the "
         "kernel counts in: expected 1000bit/s, for example"},
        {PLAYBACK_BANDWIDTH, "0 10", "lte.csv:1: \"10\" has no unit: *"},
        {PLAYBACK_BANDWIDTH, "0 1Mbit/s 2",
         "lte.csv:1: a line has 3 words: expected a time and a value, such as \"1.5s 10Mbit/s\""},
        {PLAYBACK_BANDWIDTH, "0 1Mbit/s\n5", "lte.csv:2: a line has 1 word: expected a time and a value, *"},
        {PLAYBACK_BANDWIDTH, "0 1Mbit/s\n1s end\n2s 0", "lte.csv:3: the trace goes on after its end: *"},
        {PLAYBACK_BANDWIDTH, "0 \x01", "lte.csv:1: the line has a byte 0x01: expected plain text, but in comments"},
        {PLAYBACK_BANDWIDTH, "0 11111111111111111111111111111111111111111",
         "lte.csv:1: a word has 41 characters: expected at most 40"},
        {PLAYBACK_LATENCY, "0 3601s", "lte.csv:1: \"3601s\" is out of range: expected at most 3600s"},
        {PLAYBACK_LATENCY, "0\n1\n",
         "lte.csv:1: moments at which packets may pass make a bandwidth only: expected lines such as \"1.5s 20ms\""},
        {PLAYBACK_LOSS, "0 101%", "lte.csv:1: *"},
        {PLAYBACK_BANDWIDTH, "0\n0\n", "lte.csv:2: the trace has no length: expected a last moment after 0"},
        {PLAYBACK_BANDWIDTH, "7\n5\n", "lte.csv:2: moment 5 is before 7, the last one: expected that they do not decrease"},
        {PLAYBACK_BANDWIDTH, "7\n8 9\n", "lte.csv:2: a line has 2 words: expected one, as in the lines before"},
        {PLAYBACK_BANDWIDTH, "7\n99999999999\n", "lte.csv:2: \"99999999999\" is no moment at which a packet may pass: *"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        AUTO_DIAGNOSTICS problems = {0};
        g_assert_null(playback_parse(rows[i].text, strlen(rows[i].text), "lte.csv", rows[i].quantity, &problems));
        g_assert_cmpuint(diagnostics_count(&problems), >=, 1);
        g_autofree char *problem = diagnostic_format(diagnostics_get(&problems, 0));
        if (!g_pattern_match_simple(rows[i].problem, problem)) {
            g_test_message("row %u: %s", i, problem);
            g_test_fail();
        }
    }
}

/* All problems are told, up to a limit, and a byte 0 does not hide the rest. */
static void test_many(void)
{
    AUTO_DIAGNOSTICS problems = {0};
    static const char two[] = "0 1%\n1s\0 2%\n2s x\n";
    g_assert_null(playback_parse(two, sizeof two - 1, "t", PLAYBACK_LOSS, &problems));
    g_assert_cmpuint(diagnostics_count(&problems), ==, 2);
    diagnostics_clear(&problems);
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < 1000; i++) {
        g_string_append(text, "x y\n");
    }
    g_assert_null(playback_parse(text->str, text->len, "t", PLAYBACK_LOSS, &problems));
    g_assert_cmpuint(diagnostics_count(&problems), ==, 20);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/playback/lines", test_lines);
    g_test_add_func("/playback/refuse", test_refuse);
    g_test_add_func("/playback/many", test_many);
    return g_test_run();
}
