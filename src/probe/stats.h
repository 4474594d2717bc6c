/* SPDX-License-Identifier: Apache-2.0 */
/* What a list of times says. Pure. */
#ifndef DISTEM_PROBE_STATS_H
#define DISTEM_PROBE_STATS_H 1

#include <stddef.h>
#include <stdint.h>

/* All in the unit of the values, rounded. */
struct stats {
    int64_t min, mean, max;
    int64_t deviation; /* The root of the mean square of the differences from the mean. */
    int64_t median;    /* Of an even number: the mean of the two in the middle. */
};

/* Works out 'ret' for the 'n' > 0 'values', which it sorts. */
void stats_of(int64_t *values, size_t n, struct stats *ret);

#endif
