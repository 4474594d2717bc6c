/* SPDX-License-Identifier: Apache-2.0 */
/* One direction of a viface, made of qdiscs at the egress of one host-side device:
 *
 *      root 1: netem  ->  1:1 10: htb ...  when the kernel has netem; the HTB of rate.h only with a bandwidth
 *      root 10: htb ...                    when it lacks netem, which is enough for a bandwidth alone
 *
 * netem is there even for a bandwidth alone: so a latency can come and go later without a change of the root, and no frame is lost
 * by that. A real link queues first. With a constant latency nobody can tell (see shaping.c), but losses, duplicates and jitter
 * come before the bandwidth here: a lost frame takes none. No qdisc of this kernel hands over to netem what has left an HTB on the
 * same device. What still waits for a bandwidth is lost when the bandwidth goes, or when its queue becomes one of another kind. */
#ifndef LINK_SHAPE_H
#define LINK_SHAPE_H 1

#include <stdbool.h>

#include "distem/link.h"

#include "features.h"
#include "rate.h"

/* What there is of a direction on a device. */
struct shape {
    struct qdisc root; /* Any. */
    struct rate below; /* At netem's class. */
    struct rate alone; /* At the root. */
};

void shape_clear(struct shape *);

/* Queues requests that fill '*ret', which must stay where it is until the flush. */
void shape_read(struct rtnl *, int ifindex, struct shape *ret);

/* Says whether 'impairment' cannot be done without netem. */
bool shape_needs_netem(const struct impairment *);

/* Queues what turns 'found' into 'impairment'. 'netem' says what the kernel's can do; an impairment that needs more fails with
 * DISTEM_ERROR_UNSUPPORTED. 'what' names the direction in errors. */
bool shape_write(struct rtnl *, int ifindex, const struct shape *found, const struct impairment *impairment, unsigned mtu,
                 const struct netem_features *netem, const char *what, GError **error);

#endif
