/* SPDX-License-Identifier: Apache-2.0 */
/* The first of two stages of a direction that has a bandwidth and more: queue and bandwidth, at a device of its own, so that frames
 * come to netem when they have passed them, as on a real link (N is the viface's id):
 *
 *      input     switch -> dvN: all that it is to send -> dsN, an IFB: HTB -> back to dvN: netem -> the vnode
 *      output    the vnode -> dvN: all that it has received -> dxN, a veth: HTB -> dyN, its other end: a mark
 *                          -> dvN: what is marked -> diN, an IFB: netem -> back to dvN -> switch
 *
 * An IFB hands back only to the device that it got a frame from, and only once; hence the veth pair.
 *
 * netem has the bandwidth as its rate too: so a frame that finds the link idle takes its own time on the wire. Those behind it come
 * spaced by HTB already and do not wait again. netem's rate would keep frames from overtaking each other, so it has none where
 * jitter shall let them; a frame that finds such a link idle is not held back. Nor is one where the bandwidth follows a trace
 * and what is random depends on what was before (impairment_memory()): netem would forget that with each change of its rate.
 *
 * A direction in stages stays so as long as it has a bandwidth: nothing is lost when the last other property goes. When the
 * bandwidth goes, what waits for it is let pass before its stage is removed. */
#ifndef LINK_STAGE_H
#define LINK_STAGE_H 1

#include <stdbool.h>

#include "distem/link.h"

#include "devices.h"
#include "netdev.h"
#include "rate.h"
#include "redirect.h"

struct stage {
    char name[16], end_name[16];       /* The device of the queue; the veth's other end, or "". */
    struct netdev_plan plan, end_plan; /* What they shall be. */
    const struct device *device, *end; /* What there is. NULL: nothing. */
    struct rate rate;                  /* At the device's root. */
    struct redirect back;              /* From the other end. */
};

/* Prepares the stage of the input or of the output of viface 'id', whose port is as 'port' says; its texts must stay. */
void stage_init(struct stage *, bool output, uint32_t id, const struct netdev_plan *port);
void stage_clear(struct stage *);

/* Says whether 'impairment' shall have a stage, with what there is of one. */
bool stage_is_wanted(const struct stage *, const struct impairment *impairment);
/* ... has one that it shall not have. */
bool stage_is_left(const struct stage *, const struct impairment *impairment);

/* Finds the devices that there are. */
void stage_find(struct stage *, const struct devices *);
/* Queues the making of the devices if they are missing. */
void stage_make(struct rtnl *, const struct stage *, const char *what);
/* Says whether all devices are there. */
bool stage_is_complete(const struct stage *);
/* Queues requests that fill '*stage', which must stay where it is until the flush; nothing where there is no device. */
void stage_read(struct rtnl *, struct stage *stage);
/* Queues what makes the queue and the bandwidth those of 'impairment', for the port 'ifindex', and lets frames in. What leads them
 * there is up to the caller. */
void stage_write(struct rtnl *, struct stage *, int ifindex, const struct impairment *impairment, unsigned mtu, const char *what);
/* Queues what lets all that waits pass. */
void stage_release(struct rtnl *, const struct stage *, const char *what);
/* Queues the removal. No device is there any more. */
void stage_delete(struct rtnl *, struct stage *);

#endif
