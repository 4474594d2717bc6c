/* SPDX-License-Identifier: Apache-2.0 */
/* What changes in a direction that follows traces, and when, with a clock that the test moves. */
#include <config.h>

#include "distem/units.h"
#include "src/pnode/part.h"

#define START (INT64_C(1000) * NS_PER_S)
#define MS NS_PER_MS
#define US_PER_MS 1000

struct stage {
    struct platform *platform;
    GHashTable *scores;
    struct part *part;
};

static struct stage new_stage(const struct impairment *impairment)
{
    struct stage stage = {.platform = platform_new("p"), .scores = scores_new()};
    platform_add_playback(stage.platform, "latency", "0 1ms\n1s 11ms\n3s end");
    platform_add_playback(stage.platform, "bandwidth", "0 8Mbit/s\n1s 0\n2s 16Mbit/s\n3s end");
    platform_add_playback(stage.platform, "paused", "0 0\n1s 8Mbit/s");
    platform_add_playback(stage.platform, "loss", "0 1%\n2s 0%");
    platform_add_playback(stage.platform, "fast", "0 1Mbit/s\n1ms 1Gbit/s\n2ms 1Mbit/s\n4ms 2Mbit/s\n5ms end");
    stage.part = part_new(stage.scores, stage.platform, impairment);
    return stage;
}

static void free_stage(struct stage *stage)
{
    part_free(stage->part);
    scores_trim(stage->scores);
    g_assert_cmpuint(g_hash_table_size(stage->scores), ==, 0);
    g_hash_table_unref(stage->scores);
    platform_free(stage->platform);
}

/* Moves the clock to 'us' after the start: then 'changes', and again at 'next_us' (below 0: never). */
static const struct played *advance_us(struct stage *stage, int64_t us, unsigned changes, int64_t next_us)
{
    int64_t late = 0;
    g_assert_cmpuint(part_advance(stage->part, START, START + us * NS_PER_US, &late), ==, changes);
    g_assert_cmpint(part_next(stage->part), ==, next_us < 0 ? PLAYBACK_NEVER : START + next_us * NS_PER_US);
    return &stage->part->impairment.now;
}

/* The same in ms. */
static const struct played *advance(struct stage *stage, int64_t ms, unsigned changes, int64_t next_ms)
{
    return advance_us(stage, ms * US_PER_MS, changes, next_ms * US_PER_MS);
}

static void test_none(void)
{
    const struct impairment impairment = {.latency = MS};
    struct stage stage = new_stage(&impairment);
    g_assert_null(stage.part);
    free_stage(&stage);
}

static void test_latency_and_loss(void)
{
    const struct impairment impairment = {
        .latency = MS, .latency_trace = 1 | PLAYBACK_LOOP, .loss = PPB_ONE / 100, .loss_trace = 4};
    struct stage stage = new_stage(&impairment);
    const struct played *now = advance(&stage, -500, LINK_CHANGES_NETEM, 1000);
    g_assert_cmpint(now->latency, ==, MS);
    g_assert_cmpuint(now->loss, ==, PPB_ONE / 100);
    advance(&stage, 999, 0, 1000);
    advance(&stage, 1000, LINK_CHANGES_NETEM, 2000);
    g_assert_cmpint(now->latency, ==, 11 * MS);
    advance(&stage, 2000, LINK_CHANGES_NETEM, 3000);
    g_assert_cmpuint(now->loss, ==, 0);
    advance(&stage, 3000, LINK_CHANGES_NETEM, 4000);
    g_assert_cmpint(now->latency, ==, MS);
    /* Whoever slept goes on where time is. */
    int64_t late = 0;
    g_assert_cmpuint(part_advance(stage.part, START, START + 301500 * MS, &late), ==, LINK_CHANGES_NETEM);
    g_assert_cmpint(late, ==, 297500 * MS);
    g_assert_cmpint(now->latency, ==, 11 * MS);
    g_assert_cmpint(part_next(stage.part), ==, START + 303000 * MS);
    free_stage(&stage);
}

static void test_bandwidth(void)
{
    const struct impairment impairment = {.bandwidth = 16000000, .bandwidth_trace = 2 | PLAYBACK_LOOP | PLAYBACK_PAUSES};
    struct stage stage = new_stage(&impairment);
    const struct played *now = advance(&stage, 500, LINK_CHANGES_BANDWIDTH | LINK_CHANGES_PAUSE, 1000);
    g_assert_cmpuint(now->bandwidth, ==, 8000000);
    g_assert_false(now->paused);
    /* A pause keeps the bandwidth: what had begun ends as it was. */
    advance_us(&stage, 1000000, LINK_CHANGES_PAUSE, 2000400);
    g_assert_cmpuint(now->bandwidth, ==, 8000000);
    g_assert_true(now->paused);
    /* What the link lets pass at once is waited for, too, and frames begin clearly after the next change. */
    advance_us(&stage, 2000399, 0, 2000400);
    advance_us(&stage, 2000400, LINK_CHANGES_PAUSE | LINK_CHANGES_BANDWIDTH, 3000000);
    g_assert_cmpuint(now->bandwidth, ==, 16000000);
    g_assert_false(now->paused);
    advance(&stage, 3000, LINK_CHANGES_BANDWIDTH, 4000);
    free_stage(&stage);
}

/* There is a rate even before there was one. */
static void test_begins_paused(void)
{
    const struct impairment impairment = {.bandwidth = 8000000, .bandwidth_trace = 3 | PLAYBACK_PAUSES};
    struct stage stage = new_stage(&impairment);
    const struct played *now = advance_us(&stage, 0, LINK_CHANGES_BANDWIDTH | LINK_CHANGES_PAUSE, 1000400);
    g_assert_cmpuint(now->bandwidth, ==, 8000000);
    g_assert_true(now->paused);
    advance(&stage, 1001, LINK_CHANGES_BANDWIDTH | LINK_CHANGES_PAUSE, -1);
    g_assert_false(now->paused);
    /* What failed is made anew, all of it. */
    stage.part->fresh = true;
    advance(&stage, 1002, LINK_CHANGES_BANDWIDTH | LINK_CHANGES_PAUSE, -1);
    free_stage(&stage);
}

/* A high bandwidth stays until its last frames have begun, which begin after their moments. */
static void test_fast(void)
{
    const struct impairment impairment = {.bandwidth = 1000000000, .bandwidth_trace = 5 | PLAYBACK_LOOP};
    struct stage stage = new_stage(&impairment);
    advance(&stage, 0, LINK_CHANGES_BANDWIDTH, 1);
    advance_us(&stage, 1000, LINK_CHANGES_BANDWIDTH, 2144);
    advance_us(&stage, 2144, LINK_CHANGES_BANDWIDTH, 4000);
    free_stage(&stage);
}

/* A trace that is named twice is read once; one that is not there is none. */
static void test_scores(void)
{
    const struct impairment impairment = {.latency = MS, .latency_trace = 1};
    struct stage stage = new_stage(&impairment);
    struct part *twin = part_new(stage.scores, stage.platform, &impairment);
    g_assert_true(twin->tracks[PLAYBACK_LATENCY].score == stage.part->tracks[PLAYBACK_LATENCY].score);
    scores_trim(stage.scores);
    g_assert_cmpuint(g_hash_table_size(stage.scores), ==, 1);
    part_free(twin);
    const struct impairment wrong = {.latency = MS, .latency_trace = 6};
    g_assert_null(part_new(stage.scores, stage.platform, &wrong));
    free_stage(&stage);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pnode/part/none", test_none);
    g_test_add_func("/pnode/part/latency-and-loss", test_latency_and_loss);
    g_test_add_func("/pnode/part/bandwidth", test_bandwidth);
    g_test_add_func("/pnode/part/begins-paused", test_begins_paused);
    g_test_add_func("/pnode/part/fast", test_fast);
    g_test_add_func("/pnode/part/scores", test_scores);
    return g_test_run();
}
