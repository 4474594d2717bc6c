/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of jitter distributions for netem, computed. */
#ifndef LINK_DISTRIBUTION_H
#define LINK_DISTRIBUTION_H 1

#include <stdint.h>

#include "distem/platform.h"

#define DISTRIBUTION_SIZE 4096
#define DISTRIBUTION_SCALE 8192 /* NETEM_DIST_SCALE: stands for one jitter. */

/* Returns the table of 'distribution': its inverse cumulative distribution function at (i + 1/2) / DISTRIBUTION_SIZE, in multiples
 * of the jitter, times DISTRIBUTION_SCALE. Mean 0; deviation 1, but uniform goes from -1 to 1 (deviation 0.577), as netem does
 * without a table. Static, computed at the first call. */
const int16_t *distribution_table(enum distribution);

#endif
