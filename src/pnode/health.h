/* SPDX-License-Identifier: Apache-2.0 */
/* Whether results measured on this machine can be trusted: the machine watched while it emulates. Each cause is a sentence about
 * the machine, with the heartbeat at which it was noticed last; they stay until the vnodes are gone. Thresholds and why: health.c.
 */
#ifndef PNODE_HEALTH_H
#define PNODE_HEALTH_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct health;

/* Returns a watch that reads the files of /proc and /sys below 'root' ("" for the machine's own). */
struct health *health_new(const char *root);
/* NULL is fine. */
void health_free(struct health *);

/* Looks at the machine: what has happened since the last look counts, when the machine was 'settled' then and is now: building
 * vnodes takes CPU time that is no vnode's. New causes are logged. */
void health_look(struct health *, bool settled, uint64_t heartbeat);

/* Just after a look, tells that Open vSwitch has lost 'frames' frames so far, as its daemon did not take them. */
void health_upcalls(struct health *, uint64_t frames, uint64_t heartbeat);
/* Just after a look, tells that 'timers' timers were late since the last one, of those that lateness.h watches. */
void health_late_timers(struct health *, uint32_t timers, uint64_t heartbeat);
/* Between two looks, tells that netem has dropped 'frames' frames so far that nobody asked for, at one direction of a viface,
 * 'what' ("output of n1:if0"). 'key' tells directions apart. */
void health_drops(struct health *, uint64_t key, uint64_t frames, const char *what, uint64_t heartbeat);
/* Forgets a direction, at which netem drops because it is to, so that it is looked at anew later. */
void health_forget_drops(struct health *, uint64_t key);

/* Forgets all causes. */
void health_clear(struct health *);
/* Puts the causes into 'ret', sentence -> heartbeat (GUINT_TO_POINTER), in place of what is there. */
void health_tell(const struct health *, GHashTable *ret);

#endif
