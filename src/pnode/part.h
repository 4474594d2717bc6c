/* SPDX-License-Identifier: Apache-2.0 */
/* One direction of a viface that follows traces: what holds in it at a moment. No clock, no I/O. */
#ifndef PNODE_PART_H
#define PNODE_PART_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "distem/link.h"
#include "distem/playback.h"

#define PART_QUANTITIES (PLAYBACK_LOSS + 1)

struct score; /* A trace that was read, as values of one quantity. */

/* How a quantity goes on. */
struct track {
    struct score *score; /* NULL: it follows no trace. */
    bool loop;
    int64_t next; /* ns: when it changes. */
};

struct part {
    unsigned place;            /* Among the vnode's directions: twice the viface's, and 1 more for its output. */
    struct delay_table *table; /* A reference to the one of the impairment; NULL: it has none. */
    struct link_direction direction;
    struct impairment impairment; /* With what holds by the last part_advance(). */
    struct track tracks[PART_QUANTITIES];
    char *what;       /* For errors. */
    bool fresh;       /* All is to be made. */
    bool failed;      /* By the last flush of what plays. */
    int64_t retry_at; /* ns: it had failed, and nothing is tried before; 0: it had not. */
};

/* Returns a table of the traces that were read, so that each is once, to be unreffed. */
GHashTable *scores_new(void);
/* Forgets those that no part follows. */
void scores_trim(GHashTable *);

/* Returns a fresh part for 'impairment' of 'platform', without a direction, or NULL when that follows no trace. */
struct part *part_new(GHashTable *scores, const struct platform *platform, const struct impairment *impairment);
/* NULL is fine. */
void part_free(void *part);
/* Says whether both are the same direction of a vnode, and follow the same traces with the same properties besides. */
bool part_equal(const struct part *, const struct part *);

/* Brings all that is due up to 'now', when the traces started at 'start' (both in ns on one clock). Returns which values change
 * (LINK_CHANGES_...), and raises '*late' to how many ns that is late. */
unsigned part_advance(struct part *, int64_t start, int64_t now, int64_t *late);
/* Notes that what changed at 'now' could not be made: all is to be made in a while, and nothing before. */
void part_fail(struct part *, int64_t now);
/* Returns when it changes next; PLAYBACK_NEVER: not any more. */
int64_t part_next(const struct part *);

#endif
