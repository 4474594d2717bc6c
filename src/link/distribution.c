/* SPDX-License-Identifier: Apache-2.0 */
/* netem draws an entry t of the table with equal probability for all, and delays by latency + jitter * t / 8192 (tabledist() in
 * net/sched/sch_netem.c). So a table is an inverse cumulative distribution function.
 *
 *      uniform       Q(u) = 2u - 1
 *      normal        Q(u) with Phi(Q(u)) = u
 *      pareto        Q(u) = (1 - u)^(-1/3): Pareto's distribution with shape 3, the one whose table iproute2 has
 *      paretonormal  Q(u) = 1/4 normal + 3/4 pareto, the weights of iproute2
 *
 * All but uniform are moved to mean 0 and scaled to deviation 1. Entries have 16 bits, which cuts a tail at 4 deviations; moving
 * and scaling are repeated until they hold for what is left. */
#include <config.h>

#include "distribution.h"

#include <math.h>

#define ENTRY_MAX ((double)INT16_MAX / DISTRIBUTION_SCALE)
#define NORMALISE_ROUNDS 64
#define PARETO_SHAPE 3.0
#define NORMAL_WEIGHT 0.25

static double uniform(double u)
{
    return 2 * u - 1;
}

/* Halves an interval that holds the answer until a double can tell no more. */
static double normal(double u)
{
    double low = -10, high = 10;
    for (unsigned i = 0; i < 64; i++) {
        double middle = (low + high) / 2;
        if (erfc(-middle / M_SQRT2) / 2 < u) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static double pareto(double u)
{
    return pow(1 - u, -1 / PARETO_SHAPE);
}

/* Moves and scales to mean 0 and deviation 1, and cuts what is too large. */
static void normalise(double values[DISTRIBUTION_SIZE])
{
    double sum = 0, squares = 0;
    for (unsigned i = 0; i < DISTRIBUTION_SIZE; i++) {
        sum += values[i];
        squares += values[i] * values[i];
    }
    double mean = sum / DISTRIBUTION_SIZE, deviation = sqrt(squares / DISTRIBUTION_SIZE - mean * mean);
    for (unsigned i = 0; i < DISTRIBUTION_SIZE; i++) {
        values[i] = CLAMP((values[i] - mean) / deviation, -ENTRY_MAX, ENTRY_MAX);
    }
}

static void fill(double values[DISTRIBUTION_SIZE], double (*quantile)(double))
{
    for (unsigned i = 0; i < DISTRIBUTION_SIZE; i++) {
        values[i] = quantile((i + 0.5) / DISTRIBUTION_SIZE);
    }
    for (unsigned round = 0; round < NORMALISE_ROUNDS && quantile != uniform; round++) {
        normalise(values);
    }
}

const int16_t *distribution_table(enum distribution distribution)
{
    static int16_t tables[4][DISTRIBUTION_SIZE];
    static bool computed[4];
    int16_t *table = tables[distribution];
    if (!computed[distribution]) {
        double values[DISTRIBUTION_SIZE], normals[DISTRIBUTION_SIZE];
        fill(values, distribution == DISTRIBUTION_UNIFORM ? uniform : distribution == DISTRIBUTION_NORMAL ? normal : pareto);
        if (distribution == DISTRIBUTION_PARETONORMAL) {
            fill(normals, normal);
            for (unsigned i = 0; i < DISTRIBUTION_SIZE; i++) {
                values[i] = NORMAL_WEIGHT * normals[i] + (1 - NORMAL_WEIGHT) * values[i];
            }
            for (unsigned round = 0; round < NORMALISE_ROUNDS; round++) {
                normalise(values);
            }
        }
        for (unsigned i = 0; i < DISTRIBUTION_SIZE; i++) {
            table[i] = (int16_t)lrint(values[i] * DISTRIBUTION_SCALE);
        }
        computed[distribution] = true;
    }
    return table;
}
