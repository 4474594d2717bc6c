/* SPDX-License-Identifier: Apache-2.0 */
/* How late this machine's timers fire. The timers of netem and of the bandwidths cannot be watched themselves; a thread of its own
 * with real-time priority sets one like them, again and again, and is woken as they are: by the kernel's high resolution timers. */
#ifndef PNODE_LATENESS_H
#define PNODE_LATENESS_H 1

#include <stdint.h>

#include <glib.h>

/* Later than so many ns is noted. */
#define LATENESS_NOTED 1000000

struct lateness;

/* Starts a watch that sets a timer every 'period' ns. Returns NULL with '*error' when the thread cannot be had, for example because
 * nobody may have real-time priority here: one without says more about other programs than about timers. */
struct lateness *lateness_new(int64_t period, GError **error);
/* Ends it, within a period. NULL is fine. */
void lateness_free(struct lateness *);

/* Returns how many timers were later than LATENESS_NOTED since the last call, of one watch that only one thread asks. */
uint32_t lateness_take(struct lateness *);

#endif
