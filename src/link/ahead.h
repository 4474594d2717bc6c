/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that would come early: where vnodes of a vnetwork run on several machines, their directions leave out the base latency
 * between machines (see plan_compensation()). Between two on one machine the way is shorter, and the program of the latency matrix
 * holds frames back for the rest. It knows them by the MAC address that they come from, so this holds for each hop. */
#ifndef LINK_AHEAD_H
#define LINK_AHEAD_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "distem/platform.h"

struct ahead;

struct ahead *ahead_new(void);
void ahead_free(struct ahead *);

/* Makes it that of 'vnodes' (of const struct vnode), which are those on this machine. Returns whether any viface is concerned. */
bool ahead_survey(struct ahead *, const GPtrArray *vnodes);
/* Says whether frames to a viface may come early from another one here. */
bool ahead_holds(const struct ahead *, const struct viface *);

/* Takes the maps of the program, which stay the caller's. */
void ahead_use(struct ahead *, int neighbours, int receivers);
/* Makes the maps what the survey has shown, but for receivers that are to be set. False with an error. */
bool ahead_write(struct ahead *, GError **error);
/* Makes the device 'ifindex' that of a viface which receives. False with an error. */
bool ahead_set_receiver(const struct ahead *, const struct viface *, uint32_t ifindex, GError **error);

#endif
