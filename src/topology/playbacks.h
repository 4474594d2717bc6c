/* SPDX-License-Identifier: Apache-2.0 */
/* The traces of a topology file, or of a platform, and the properties that follow one: {"trace": "lte.csv", "loop": true} in place
 * of a value. */
#ifndef TOPOLOGY_PLAYBACKS_H
#define TOPOLOGY_PLAYBACKS_H 1

#include "distem/platform.h"
#include "distem/playback.h"
#include "reader.h"

/* What has been found out about them so far, so that each is read once however many vifaces follow it. */
struct playbacks {
    struct platform *platform; /* Whose traces they are; borrowed. */
    GHashTable *index;         /* Name -> 1 + index in the platform's traces. */
    GArray *summaries;         /* Of struct playback_summary (see playbacks.c). */
    bool runs;                 /* The platform is no file's, but there already. */
};

void playbacks_init(struct playbacks *, struct platform *);
void playbacks_clear(struct playbacks *);

/* Reads the section "traces": names with arrays of lines. Those that are there already must have the same lines. */
void playbacks_read(struct playbacks *, struct reader *, const json_t *);

/* Reads {"trace": NAME, "loop": BOOL} as what a property of that quantity follows: its value, which stands for the trace where one
 * value must (the lowest latency; the highest bandwidth or loss), and the member of struct impairment that names the trace. What is
 * wrong becomes a problem, and then the result is false. The reader's 'playbacks' may be NULL: no trace can be named. */
bool playbacks_read_property(struct reader *, const json_t *value, enum playback_quantity, uint64_t *ret_value,
                             uint32_t *ret_trace);

#endif
