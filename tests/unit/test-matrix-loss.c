/* SPDX-License-Identifier: Apache-2.0 */
/* Which frames a seed of the latency matrix makes lost: as many as asked for, the same each time, and as if by chance. */
#include <config.h>

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "src/link/matrix-bpf.h"

#define FRAMES 20000
#define PAIRS 200
#define STEP 3       /* So that no frame is in two of the couples that are counted. */
#define SIGMAS 2.576 /* Of 100 figures, one lies beyond so many standard deviations. */
#define BEYOND_MOST 8

static const double rates[] = {0.001, 0.01, 0.1, 0.5};

/* Returns the pair between two vnodes 10.0.x.y. */
static struct matrix_pair make_pair(unsigned from, unsigned to)
{
    struct matrix_address source = {{[10] = 0xff, [11] = 0xff, [12] = 10, [14] = (__u8)(from >> 8), [15] = (__u8)from}};
    struct matrix_address target = {{[10] = 0xff, [11] = 0xff, [12] = 10, [14] = (__u8)(to >> 8), [15] = (__u8)to}};
    return (struct matrix_pair){.source = matrix_identity(&source), .target = matrix_identity(&target)};
}

static bool is_lost(unsigned seed, const struct matrix_pair *pair, __u64 number, double rate)
{
    return matrix_draw(seed, pair, number) < rate * 4294967296.0;
}

/* Says whether so many of FRAMES lie outside of the interval that has 99 % of all. */
static bool is_beyond(unsigned count, double rate)
{
    return fabs(count - FRAMES * rate) > SIGMAS * sqrt(FRAMES * rate * (1 - rate)) + 0.5;
}

static void test_rate(void)
{
    for (unsigned r = 0; r < G_N_ELEMENTS(rates); r++) {
        unsigned beyond = 0, all = 0;
        for (unsigned p = 0; p < PAIRS; p++) {
            struct matrix_pair pair = make_pair(p, p + 1);
            unsigned count = 0;
            for (unsigned n = 0; n < FRAMES; n++) {
                count += is_lost(p / 8 + 1, &pair, n, rates[r]);
            }
            beyond += is_beyond(count, rates[r]);
            all += count;
        }
        g_test_message("%g: %u of %u pairs beyond, all together %g", rates[r], beyond, PAIRS, all / (double)FRAMES / PAIRS);
        g_assert_cmpuint(beyond, <=, BEYOND_MOST);
        g_assert_cmpfloat(fabs(all - rates[r] * FRAMES * PAIRS), <, SIGMAS * sqrt(rates[r] * (1 - rates[r]) * FRAMES * PAIRS));
    }
    struct matrix_pair pair = make_pair(1, 2);
    for (unsigned n = 0; n < FRAMES; n++) {
        g_assert_true(is_lost(1, &pair, n, 1));
        g_assert_false(is_lost(1, &pair, n, 0));
    }
}

/* One frame, and another that shall have nothing to do with it. */
struct twin {
    const char *name;
    unsigned seed;           /* Is added to the first one's. */
    unsigned number;         /* Likewise. */
    unsigned source, target; /* Likewise. */
    bool back;               /* Source and target change places. */
};

/* Losses of both are as frequent as chance makes them. */
static void check_twins(const struct twin *twin, double rate)
{
    unsigned beyond = 0;
    for (unsigned p = 0; p < PAIRS; p++) {
        struct matrix_pair one = make_pair(p, 2 * p + 1), other = make_pair(p + twin->source, 2 * p + 1 + twin->target);
        if (twin->back) {
            other = (struct matrix_pair){.source = one.target, .target = one.source};
        }
        unsigned both = 0;
        for (unsigned n = 0; n < STEP * FRAMES; n += STEP) {
            both += is_lost(p + 1, &one, n, rate) && is_lost(p + 1 + twin->seed, &other, n + twin->number, rate);
        }
        beyond += is_beyond(both, rate * rate);
    }
    g_test_message("%s, %g: %u of %u beyond", twin->name, rate, beyond, PAIRS);
    g_assert_cmpuint(beyond, <=, BEYOND_MOST);
}

static void test_independence(void)
{
    static const struct twin twins[] = {
        {.name = "the next frame", .number = 1},
        {.name = "the one after it", .number = 2},
        {.name = "the next source", .source = 1},
        {.name = "the next target", .target = 1},
        {.name = "the next pair", .source = 1, .target = 1},
        {.name = "the way back", .back = true},
        {.name = "the next seed", .seed = 1},
        {.name = "the next of all", .seed = 1, .number = 1, .source = 1, .target = 1},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(twins); i++) {
        check_twins(&twins[i], 0.1);
        check_twins(&twins[i], 0.5);
    }
}

/* What a seed means does not change with a new version: published results name it. Figures of another program. */
static void test_stable(void)
{
    struct matrix_pair pair = make_pair(1, 2);
    g_assert_cmphex(pair.source, ==, UINT64_C(0xcbcc71a480377d95));
    g_assert_cmphex(matrix_draw(7, &pair, 0), ==, 0xc662c436u);
    g_assert_cmphex(matrix_draw(7, &pair, 1), ==, 0x110cbfceu);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/matrix/loss/rate", test_rate);
    g_test_add_func("/matrix/loss/independence", test_independence);
    g_test_add_func("/matrix/loss/stable", test_stable);
    return g_test_run();
}
