/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/playback.h"

static const struct playback_step *step(const struct playback *playback, unsigned i)
{
    return &g_array_index(playback->steps, struct playback_step, i);
}

/* Returns the index of the step that holds 'since' ns after the trace's start, at least 0. */
static unsigned step_at(const struct playback *playback, int64_t since)
{
    unsigned low = 0, high = playback->steps->len;
    while (high - low > 1) {
        unsigned middle = low + (high - low) / 2;
        if (step(playback, middle)->at <= since) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

struct playback_moment playback_at(const struct playback *playback, bool loop, int64_t start, int64_t now)
{
    unsigned count = playback->steps->len;
    int64_t since = MAX(now - start, 0);
    bool again = loop && playback->length > 0 && count > 1;
    int64_t round = again ? start + since / playback->length * playback->length : start;
    unsigned i = step_at(playback, again ? since % playback->length : since);
    struct playback_moment moment = {step(playback, i)->value, PLAYBACK_NEVER};
    if (i + 1 < count) {
        moment.next = round + step(playback, i + 1)->at;
    } else if (again) {
        /* That the trace begins again is no change when it begins as it ended. */
        unsigned first = step(playback, 0)->value == moment.value;
        moment.next = round + playback->length + step(playback, first)->at;
    }
    return moment;
}
