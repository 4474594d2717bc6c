/* SPDX-License-Identifier: Apache-2.0 */
/* Plays the traces that directions of vifaces follow: a thread of its own wakes at each moment at which a value changes, and
 * changes all that do then at once. What holds depends on nothing but the trace, its start and the time. */
#ifndef PNODE_PLAYER_H
#define PNODE_PLAYER_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "distem/link.h"
#include "distem/platform.h"

#define PLAYBACK_NOT_STARTED (INT64_MAX / 4) /* ns on any clock. */

struct player;

/* Starts the thread, which plays nothing yet. NULL with an error. The caller must be in the host's network namespace. */
struct player *player_new(GError **error);
/* Ends it; the values stay as they are. NULL is fine. */
void player_free(struct player *);

/* Sets when all traces start, in ns since 1970; 0: it is not known yet, and their first values hold. To be told again now and then,
 * as the clock may have been set meanwhile. */
void player_set_start(struct player *, int64_t start);

/* Before the network of 'vnode', a vnode of 'platform', is made: ends playing on it until the next player_play(), and sets what
 * holds now in all its directions that follow a trace, for link_apply_vnode(). */
void player_prepare(struct player *, const struct platform *platform, const struct vnode *vnode);

/* The directions of 'vnode' of 'platform', whose network is complete, that follow traces are played from now on: they get what
 * holds now, and go on. Nothing happens to them where they do so already. Nothing is kept of the arguments. */
void player_play(struct player *, struct link_manager *, const struct platform *platform, const struct vnode *vnode,
                 uint16_t default_mtu);
/* Ends playing on vnode 'id', whose network is about to go. Returns whether it was played. */
bool player_leave(struct player *, uint32_t vnode_id);

/* Returns why there are directions that could not be changed at last, to be freed; NULL: there are none. Each is tried again after
 * a pause, and the others go on meanwhile. */
char *player_error(struct player *);
/* Returns how many changes were later than LATENESS_NOTED since the last call. */
uint32_t player_take_late(struct player *);

#endif
