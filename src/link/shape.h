/* SPDX-License-Identifier: Apache-2.0 */
/* One direction of a viface, made of qdiscs at the egress of one host-side device:
 *
 *      root 1: netem                       latency, loss ... with the bandwidth, if there is one, in a stage of its own (stage.h)
 *      root 1: netem  ->  1:1 10: htb ...  a bandwidth alone
 *      root 10: htb ...                    a bandwidth alone, when the kernel lacks netem
 *
 * netem is there even for a bandwidth alone: so a latency can come and go later without a change of the root, and no frame is lost
 * by that. No qdisc of this kernel hands over to netem what has left an HTB on the same device; hence the stages. */
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

/* Queues what turns 'found' into 'impairment', but for its bandwidth if that is 'staged'. 'netem' says what the kernel's can do; an
 * impairment that needs more fails with DISTEM_ERROR_UNSUPPORTED. 'what' names the direction in errors. */
bool shape_write(struct rtnl *, int ifindex, const struct shape *found, const struct impairment *impairment, bool staged,
                 unsigned mtu, const struct netem_features *netem, const char *what, GError **error);

/* Says whether shape_write() leaves a bandwidth below netem that is not to be there any more, for what still waits for it. Then
 * shape_release_rate() queues what lets that pass at once, and shape_end_rate() the removal. */
bool shape_leaves_rate(const struct shape *found, const struct impairment *impairment, bool staged);
void shape_release_rate(struct rtnl *, int ifindex, const char *what);
void shape_end_rate(struct rtnl *, int ifindex, const char *what);

#endif
