/* SPDX-License-Identifier: Apache-2.0 */
/* What a trace says at which moment, with a clock that the test moves. */
#include <config.h>

#include <string.h>

#include "distem/playback.h"

#define START (INT64_C(5000) * NS_PER_S)

static struct playback *parse(const char *text)
{
    AUTO_DIAGNOSTICS problems = {0};
    struct playback *playback = playback_parse(text, strlen(text), "t", PLAYBACK_LATENCY, &problems);
    g_assert_nonnull(playback);
    return playback;
}

static void check(const struct playback *playback, bool loop, int64_t since_ns, uint64_t value, int64_t next_since_ns)
{
    struct playback_moment moment = playback_at(playback, loop, START, START + since_ns);
    g_assert_cmpuint(moment.value, ==, value);
    g_assert_cmpint(moment.next, ==, next_since_ns == PLAYBACK_NEVER ? PLAYBACK_NEVER : START + next_since_ns);
}

static void test_once(void)
{
    struct playback *playback = parse("0 1ms\n1s 2ms\n3s 3ms\n4s end\n");
    check(playback, false, -7, 1000000, NS_PER_S);
    check(playback, false, 0, 1000000, NS_PER_S);
    check(playback, false, NS_PER_S - 1, 1000000, NS_PER_S);
    check(playback, false, NS_PER_S, 2000000, 3 * NS_PER_S);
    check(playback, false, 3 * NS_PER_S, 3000000, PLAYBACK_NEVER);
    check(playback, false, 1000 * NS_PER_S, 3000000, PLAYBACK_NEVER);
    playback_free(playback);
}

static void test_loop(void)
{
    struct playback *playback = parse("0 1ms\n1s 2ms\n3s 3ms\n4s end\n");
    check(playback, true, -7, 1000000, NS_PER_S);
    check(playback, true, 3 * NS_PER_S, 3000000, 4 * NS_PER_S);
    check(playback, true, 4 * NS_PER_S - 1, 3000000, 4 * NS_PER_S);
    check(playback, true, 4 * NS_PER_S, 1000000, 5 * NS_PER_S);
    /* Rounds do not drift. */
    check(playback, true, 4000000 * NS_PER_S + 1, 1000000, 4000001 * NS_PER_S);
    check(playback, true, 4000001 * NS_PER_S, 2000000, 4000003 * NS_PER_S);
    playback_free(playback);
}

/* No wake-up for what is no change. */
static void test_same(void)
{
    struct playback *playback = parse("0 1ms\n1s 2ms\n2s 2ms\n3s 1ms\n4s end\n");
    check(playback, true, NS_PER_S, 2000000, 3 * NS_PER_S);
    check(playback, true, 3 * NS_PER_S, 1000000, 5 * NS_PER_S);
    check(playback, true, 4 * NS_PER_S, 1000000, 5 * NS_PER_S);
    playback_free(playback);
    playback = parse("0 1ms\n1s 1ms\n2s end\n");
    check(playback, true, 0, 1000000, PLAYBACK_NEVER);
    check(playback, true, 9 * NS_PER_S, 1000000, PLAYBACK_NEVER);
    playback_free(playback);
}

/* Whoever sleeps until each next change sees every change once, in order, at its exact moment. */
static void test_walk(void)
{
    struct playback *playback = parse("0 1ms\n1ms 2ms\n2.5ms 3ms\n100ms end\n");
    static const int64_t changes[] = {0, 1000000, 2500000};
    int64_t now = START;
    for (int64_t i = 0; i < 3000; i++) {
        struct playback_moment moment = playback_at(playback, true, START, now);
        g_assert_cmpint(now, ==, START + i / 3 * 100 * NS_PER_MS + changes[i % 3]);
        g_assert_cmpuint(moment.value, ==, (uint64_t)(i % 3 + 1) * 1000000);
        now = moment.next;
    }
    playback_free(playback);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/playback/once", test_once);
    g_test_add_func("/playback/loop", test_loop);
    g_test_add_func("/playback/same", test_same);
    g_test_add_func("/playback/walk", test_walk);
    return g_test_run();
}
