/* SPDX-License-Identifier: Apache-2.0 */
/* Mahimahi's moments as bandwidths: every opportunity passes in its millisecond, and no byte is lost, whatever the trace. */
#include <config.h>

#include <string.h>

#include "distem/platform.h"
#include "distem/playback.h"

#define BITS_PER_BYTE 8
#define TRACES 300
#define OPPORTUNITIES 3000
#define ROUNDED 1e-4 /* Bytes, by the arithmetic of this test. */

static struct playback *parse(const char *text)
{
    AUTO_DIAGNOSTICS problems = {0};
    struct playback *playback = playback_parse(text, strlen(text), "trace", PLAYBACK_BANDWIDTH, &problems);
    g_assert_nonnull(playback);
    return playback;
}

static struct playback *parse_moments(const GArray *moments)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < moments->len; i++) {
        g_string_append_printf(text, "%" G_GINT64_FORMAT "\n", g_array_index(moments, int64_t, i));
    }
    return parse(text->str);
}

static const struct playback_step *step(const struct playback *playback, unsigned i)
{
    return &g_array_index(playback->steps, struct playback_step, i);
}

static void check_step(const struct playback *playback, unsigned i, int64_t ms, uint64_t value)
{
    g_assert_cmpuint(i, <, playback->steps->len);
    g_assert_cmpint(step(playback, i)->at, ==, ms * NS_PER_MS);
    g_assert_cmpuint(step(playback, i)->value, ==, value);
}

static void test_examples(void)
{
    /* Two a millisecond, a silence, five at once, a gap that is none, and the end. */
    struct playback *playback = parse("1\n1\n2\n2\n# nothing\n40\n40\n40\n40\n40\n50\n");
    g_assert_cmpuint(playback->steps->len, ==, 4);
    check_step(playback, 0, 0, 24000000);
    check_step(playback, 1, 2, 0);
    check_step(playback, 2, 39, 60000000);
    check_step(playback, 3, 40, 1200000);
    g_assert_cmpint(playback->length, ==, 50 * NS_PER_MS);
    playback_free(playback);
    playback = parse("0\n1\n");
    check_step(playback, 0, 0, 24000000);
    g_assert_cmpint(playback->length, ==, NS_PER_MS);
    playback_free(playback);
    /* A gap, then more than one at once: the first passes as early as it may. */
    playback = parse("1\n12\n12\n12\n");
    check_step(playback, 0, 0, 12000000);
    check_step(playback, 1, 1, 1200000);
    check_step(playback, 2, 11, 24000000);
    playback_free(playback);
}

/* What has passed of a trace up to a moment in it, by its steps. */
struct curve {
    const struct playback *playback;
    unsigned at;        /* The step. */
    double bytes, most; /* Until it began; until it ends. */
};

static double bytes_per_ns(const struct curve *curve)
{
    return (double)step(curve->playback, curve->at)->value / BITS_PER_BYTE / (double)NS_PER_S;
}

static void enter_step(struct curve *curve, unsigned i, double bytes)
{
    const struct playback *playback = curve->playback;
    int64_t until = i + 1 < playback->steps->len ? step(playback, i + 1)->at : playback->length;
    curve->at = i;
    curve->bytes = bytes;
    curve->most = bytes + bytes_per_ns(curve) * (double)(until - step(playback, i)->at);
}

/* Returns when so many bytes have passed, in ns; they grow from call to call. */
static double passed_at(struct curve *curve, double bytes)
{
    while (curve->most < bytes && curve->at + 1 < curve->playback->steps->len) {
        enter_step(curve, curve->at + 1, curve->most);
    }
    return (double)step(curve->playback, curve->at)->at + MAX(bytes - curve->bytes, 0) / bytes_per_ns(curve);
}

static void check_promises(const struct playback *playback, const GArray *moments)
{
    struct curve curve = {.playback = playback};
    enter_step(&curve, 0, 0);
    for (unsigned k = 1; k <= moments->len; k++) {
        int64_t moment = MAX(g_array_index(moments, int64_t, k - 1), 1) * NS_PER_MS;
        double passed = passed_at(&curve, (double)k * PLAYBACK_OPPORTUNITY - ROUNDED);
        g_assert_cmpfloat(passed, >=, (double)(moment - NS_PER_MS - PLAYBACK_SLACK));
        g_assert_cmpfloat(passed, <=, (double)moment);
    }
    g_assert_cmpuint(curve.at, ==, playback->steps->len - 1);
    g_assert_cmpfloat(curve.most, <, (double)moments->len * PLAYBACK_OPPORTUNITY + 1);
    for (unsigned i = 0; i < playback->steps->len; i++) {
        uint64_t value = step(playback, i)->value;
        g_assert_cmpint(step(playback, i)->at % NS_PER_MS, ==, 0);
        g_assert_cmpint(step(playback, i)->at, >=, i ? step(playback, i - 1)->at + PLAYBACK_GAP_LEAST : 0);
        g_assert_true(!value || (value >= BANDWIDTH_LEAST && value <= BANDWIDTH_LIMIT));
        g_assert_cmpuint(value % BITS_PER_BYTE, ==, 0);
    }
    g_assert_cmpint(playback->length, >=, step(playback, playback->steps->len - 1)->at + PLAYBACK_GAP_LEAST);
}

/* Who follows the loop from change to change lets the same pass in each round. */
static void check_rounds(const struct playback *playback, unsigned opportunities)
{
    const int64_t rounds = 3, start = 17;
    double bytes = 0;
    for (int64_t now = start, end = start + rounds * playback->length; now < end;) {
        struct playback_moment moment = playback_at(playback, true, start, now);
        int64_t until = MIN(moment.next, end);
        bytes += (double)moment.value / BITS_PER_BYTE / (double)NS_PER_S * (double)(until - now);
        now = until;
    }
    double asked = (double)(rounds * PLAYBACK_OPPORTUNITY) * opportunities;
    g_assert_cmpfloat(bytes, >, asked - ROUNDED);
    g_assert_cmpfloat(bytes, <, asked + (double)rounds);
}

/* A trace whose character changes again and again: regular, with jitter, bursts, silences. */
static GArray *random_moments(void)
{
    GArray *moments = g_array_new(FALSE, FALSE, sizeof(int64_t));
    double exact = g_test_rand_double_range(0, 40);
    for (unsigned phase = 0; moments->len < OPPORTUNITIES; phase++) {
        double gap = g_test_rand_bit() ? g_test_rand_double_range(0.01, 2) : g_test_rand_double_range(1, 30);
        double jitter = g_test_rand_bit() ? g_test_rand_double_range(0, 4) : 0;
        for (int left = g_test_rand_int_range(1, 200); left > 0; left--) {
            int64_t ms = (int64_t)(exact + g_test_rand_double_range(0, 1) * jitter * gap);
            ms = moments->len ? MAX(ms, g_array_index(moments, int64_t, moments->len - 1)) : ms;
            g_array_append_val(moments, ms);
            exact = MAX(exact, (double)ms) + gap;
        }
        exact += g_test_rand_int_range(0, 5) ? 0 : g_test_rand_double_range(0, 5000);
    }
    return moments;
}

static void test_random(void)
{
    for (unsigned i = 0; i < TRACES; i++) {
        g_autoptr(GArray) moments = random_moments();
        struct playback *playback = parse_moments(moments);
        check_promises(playback, moments);
        check_rounds(playback, moments->len);
        playback_free(playback);
    }
}

/* A constant rate is few values, though no moment is where the rate has it. */
static void test_regular(void)
{
    g_autoptr(GArray) moments = g_array_new(FALSE, FALSE, sizeof(int64_t));
    for (unsigned i = 1; i <= OPPORTUNITIES; i++) {
        int64_t ms = (int64_t)(0.7389056 * i) + 1;
        g_array_append_val(moments, ms);
    }
    struct playback *playback = parse_moments(moments);
    check_promises(playback, moments);
    g_assert_cmpuint(playback->steps->len, <=, OPPORTUNITIES / 100);
    playback_free(playback);
}

/* As mobile links are: from 1 to 40 Mbit/s, another rate each 10 to 50 ms, with jitter. */
static void test_mobile(void)
{
    const int64_t seconds = 60;
    g_autoptr(GArray) moments = g_array_new(FALSE, FALSE, sizeof(int64_t));
    double rate = 10, waits = 0; /* Mbit/s; opportunities. */
    int left = 0;
    for (int64_t ms = 1; ms <= seconds * 1000; ms++) {
        if (left-- <= 0) {
            left = g_test_rand_int_range(10, 50);
            rate = CLAMP(rate * g_test_rand_double_range(0.5, 1.6), 1, 40);
        }
        waits += rate / 12 * g_test_rand_double_range(0.5, 1.5);
        for (int count = (int)waits; count > 0; count--) {
            g_array_append_val(moments, ms);
        }
        waits -= (int)waits;
    }
    struct playback *playback = parse_moments(moments);
    check_promises(playback, moments);
    int64_t changes = playback->steps->len / seconds;
    g_test_message("%" G_GINT64_FORMAT " opportunities and %" G_GINT64_FORMAT " changes a second", moments->len / seconds, changes);
    g_assert_cmpint(changes, <, 350);
    playback_free(playback);
}

/* However the text is made, reading it takes no time worth speaking of. */
static void test_long(void)
{
    g_autoptr(GArray) moments = g_array_new(FALSE, FALSE, sizeof(int64_t));
    for (int64_t i = 0, ms = 1; i < 1000000; i++) {
        ms += i % 3 ? 0 : 1 + (i / 3) % 2;
        g_array_append_val(moments, ms);
    }
    struct playback *playback = parse_moments(moments);
    check_promises(playback, moments);
    playback_free(playback);
}

static void test_too_fast(void)
{
    g_autoptr(GString) text = g_string_new("1\n");
    for (unsigned i = 0; i < 840; i++) {
        g_string_append(text, "7\n");
    }
    AUTO_DIAGNOSTICS problems = {0};
    g_assert_null(playback_parse(text->str, text->len, "lte", PLAYBACK_BANDWIDTH, &problems));
    g_autofree char *problem = diagnostic_format(diagnostics_get(&problems, 0));
    g_assert_cmpstr(problem, ==, "lte: the moments up to 7 make more than 10Gbit/s: expected at most that");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/playback/opportunities/examples", test_examples);
    g_test_add_func("/playback/opportunities/random", test_random);
    g_test_add_func("/playback/opportunities/regular", test_regular);
    g_test_add_func("/playback/opportunities/mobile", test_mobile);
    g_test_add_func("/playback/opportunities/long", test_long);
    g_test_add_func("/playback/opportunities/too-fast", test_too_fast);
    return g_test_run();
}
