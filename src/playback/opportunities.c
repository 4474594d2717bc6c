/* SPDX-License-Identifier: Apache-2.0 */
/* The curve of all that has passed is to be a chain of straight pieces through a tunnel: opportunity k ends in the millisecond
 * before its moment. A piece goes from where the one before ended as far as any straight line can: while opportunities are taken in
 * turn, the slopes that pass through all their milliseconds become fewer, until there is none. It ends at a whole millisecond, with
 * a whole number of opportunities: so frames of that size end when the bandwidth changes, none is under way at the wrong one, and a
 * piece of one millisecond can always follow. */
#include <config.h>

#include "opportunities.h"

#include "distem/platform.h"

#define MS_PER_S INT64_C(1000)
#define BITS_PER_BYTE 8
#define SILENCE_MS (PLAYBACK_SILENCE / NS_PER_MS)
#define PIECE_MS_MOST MS_PER_S /* So less than a byte is rounded. */
#define LOOK_MOST 256          /* Opportunities past the last possible end of a piece; or time grew with the square of the trace. */

/* Where the curve is: 'count' opportunities have passed at 'ms'. */
struct knot {
    int64_t ms;
    unsigned count;
};

/* ms per opportunity. */
struct slope {
    int64_t ms, count;
};

static bool is_less(struct slope a, struct slope b)
{
    return a.ms * b.count < b.ms * a.count;
}

static int64_t moment(const GArray *moments, unsigned i)
{
    return g_array_index(moments, int64_t, i);
}

/* Says whether a piece from 'from' may end at 'to', when its slope must be from 'low' to 'high'. */
static bool may_end(const GArray *moments, struct knot from, struct knot to, struct slope low, struct slope high)
{
    const struct slope slope = {to.ms - from.ms, to.count - from.count};
    bool last = to.count == moments->len;
    return to.ms > from.ms && to.ms <= from.ms + PIECE_MS_MOST && !is_less(slope, low) && !is_less(high, slope) &&
           (last ? to.ms == moment(moments, to.count - 1) : moment(moments, to.count) > to.ms);
}

/* Returns where the longest piece from 'from' ends. */
static struct knot piece_end(const GArray *moments, struct knot from)
{
    struct slope low = {0, 1}, high = {INT64_C(1) << 32, 1};
    struct knot end = from;
    for (unsigned i = from.count; i < moments->len && (end.count == from.count || i - end.count < LOOK_MOST); i++) {
        int64_t ms = moment(moments, i), count = i + 1 - from.count;
        if (i > from.count && ms - moment(moments, i - 1) > SILENCE_MS) {
            break;
        }
        const struct slope earliest = {ms - 1 - from.ms, count}, latest = {ms - from.ms, count};
        low = is_less(low, earliest) ? earliest : low;
        high = is_less(latest, high) ? latest : high;
        if (is_less(high, low)) {
            break;
        }
        for (int64_t at = ms - 1; at <= ms; at++) {
            const struct knot to = {at, i + 1};
            end = may_end(moments, from, to, low, high) ? to : end;
        }
    }
    return end;
}

void playback_add_step(struct playback *playback, int64_t at, uint64_t value)
{
    struct playback_step step = {at, value};
    unsigned count = playback->steps->len;
    if (!count || g_array_index(playback->steps, struct playback_step, count - 1).value != value) {
        g_array_append_val(playback->steps, step);
    }
}

int64_t opportunities_reduce(const GArray *moments, struct playback *playback)
{
    int64_t owed =
        0; /* Thousandths of a byte. Never more than 0 at a knot, or an opportunity would end after the silence that follows. */
    for (struct knot from = {0}, to; from.count < moments->len; from = to) {
        int64_t next = moment(moments, from.count);
        if (next - from.ms > SILENCE_MS) {
            playback_add_step(playback, from.ms * NS_PER_MS, 0);
            from.ms = next - 1;
        }
        to = piece_end(moments, from);
        int64_t lasts = to.ms - from.ms;
        g_assert(lasts > 0);
        owed += (int64_t)(to.count - from.count) * PLAYBACK_OPPORTUNITY * MS_PER_S;
        int64_t bytes_per_s = (owed + lasts - 1) / lasts;
        owed -= bytes_per_s * lasts;
        if ((uint64_t)bytes_per_s > BANDWIDTH_LIMIT / BITS_PER_BYTE) {
            return to.ms;
        }
        playback_add_step(playback, from.ms * NS_PER_MS, (uint64_t)bytes_per_s * BITS_PER_BYTE);
    }
    playback->length = moment(moments, moments->len - 1) * NS_PER_MS;
    return 0;
}
