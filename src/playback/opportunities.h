/* SPDX-License-Identifier: Apache-2.0 */
/* Moments at which packets may pass -> few bandwidths that let them pass then. */
#ifndef PLAYBACK_OPPORTUNITIES_H
#define PLAYBACK_OPPORTUNITIES_H 1

#include "distem/playback.h"

/* Adds to 'playback' that 'value' holds from 'at' (ns) on, if another one did before. */
void playback_add_step(struct playback *, int64_t at, uint64_t value);

/* Makes of 'moments' (int64_t, in ms, at least 1, in order, at least one) the steps and the length of 'playback', as
 * distem/playback.h promises. Returns 0, or the moment up to which they would make more than BANDWIDTH_LIMIT. */
int64_t opportunities_reduce(const GArray *moments, struct playback *playback);

#endif
