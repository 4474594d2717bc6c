/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "stats.h"

#include <math.h>
#include <stdlib.h>

#include <glib.h>

static int compare(const void *a_, const void *b_)
{
    const int64_t *a = a_, *b = b_;
    return (*a > *b) - (*a < *b);
}

void stats_of(int64_t *values, size_t n, struct stats *ret)
{
    g_assert(n > 0);
    qsort(values, n, sizeof *values, compare);
    /* Sums of differences from one of the values keep all digits where sums of squares of ns would not. */
    int64_t base = values[n / 2];
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)(values[i] - base);
    }
    double offset = sum / (double)n;
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        double difference = (double)(values[i] - base) - offset;
        squares += difference * difference;
    }
    *ret = (struct stats){
        .min = values[0],
        .max = values[n - 1],
        .mean = base + llround(offset),
        .deviation = llround(sqrt(squares / (double)n)),
        .median = n % 2 ? base : base - (base - values[n / 2 - 1]) / 2,
    };
}
