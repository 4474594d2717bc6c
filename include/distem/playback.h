/* SPDX-License-Identifier: Apache-2.0 */
/* Traces: how a bandwidth, a latency or a loss changes with time. Text -> steps -> what holds at a moment. Pure: no I/O, no clock.
 *
 * A trace is one of two kinds of text, told apart by the first line that says something:
 *
 * - Lines "TIME VALUE" (blanks or one comma between), "1.5s 10Mbit/s": from then on, counted from the start, the value holds. The
 *   first time is 0, each further one at least PLAYBACK_GAP_LEAST later. A line "TIME end" may close the trace; without it the
 * trace has no length and cannot be looped. A bandwidth of 0 is a blackout. What follows a "#" is a comment.
 * - Lines with one whole number, as Mahimahi has them, for bandwidths only: a millisecond at which PLAYBACK_OPPORTUNITY bytes may
 *   pass. They never decrease, may repeat, and the last one is the trace's length. 0 counts as 1.
 *
 * Mahimahi's moments become bandwidths such that, for each k, the k-th PLAYBACK_OPPORTUNITY bytes have passed at the k-th moment,
 * and at most a millisecond and PLAYBACK_SLACK before it: so what has passed is never behind the trace, and ahead of it by no more
 * than what the trace lets pass in that time and one opportunity that is under way. Values are whole bytes a second, rounded up;
 * each value makes up for the one before, so that at each change, and at the end of each round, less than a byte too much has
 * passed, however long the trace is. Values change at whole milliseconds, between two opportunities, and each holds about as
 * long as one value can, but at most a second. Before an opportunity that is more than PLAYBACK_SILENCE away the bandwidth is 0,
 * until the millisecond in which it passes; shorter gaps are low bandwidths. */
#ifndef DISTEM_PLAYBACK_H
#define DISTEM_PLAYBACK_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include "distem/error.h"
#include "distem/units.h"

#define PLAYBACK_GAP_LEAST NS_PER_MS
#define PLAYBACK_LENGTH_MOST (366 * INT64_C(86400) * NS_PER_S)
#define PLAYBACK_TEXT_MOST (UINT32_C(16) << 20) /* Bytes. */
#define PLAYBACK_OPPORTUNITY 1500               /* Bytes. */
#define PLAYBACK_SILENCE (20 * NS_PER_MS)
#define PLAYBACK_SLACK (NS_PER_MS / 50)
#define PLAYBACK_NEVER INT64_MAX

enum playback_quantity {
    PLAYBACK_BANDWIDTH, /* bit/s, whole bytes per second. */
    PLAYBACK_LATENCY,   /* ns. */
    PLAYBACK_LOSS,      /* Billionths. */
};

struct playback_step {
    int64_t at; /* ns since the trace's start. */
    uint64_t value;
};

/* A trace that was read; never changed. */
struct playback {
    GArray *steps;  /* Of struct playback_step: at least one, the first at 0, each with another value than the one before. */
    int64_t length; /* ns; 0: it has none, its last value holds for ever. */
};

/* Reads the trace 'text' of 'size' bytes, which the user knows as 'file', as values of that quantity. What is wrong is added to
 * 'problems' with file and line; then the result is NULL. Else the trace, which the caller frees with playback_free(). */
struct playback *playback_parse(const char *text, size_t size, const char *file, enum playback_quantity quantity,
                                struct diagnostics *problems);
/* NULL is fine. */
void playback_free(struct playback *);

/* What a trace says at a moment. */
struct playback_moment {
    uint64_t value;
    int64_t next; /* When another value follows, on the clock of 'start' and 'now'; PLAYBACK_NEVER: not any more. */
};

/* Returns what holds at 'now' (ns, at least 0) when the trace started at 'start' (ns on the same clock). With 'loop', which needs a
 * length, it begins again at its end; else its last value stays. Before its start the first value holds. It depends on nothing
 * else: who was late or restarted goes on where time is. */
struct playback_moment playback_at(const struct playback *, bool loop, int64_t start, int64_t now);

#endif
