/* SPDX-License-Identifier: Apache-2.0 */
/* The bandwidth of a direction: an HTB with one class, and the queue in front of it.
 *
 *      parent -> 10: htb -> 10:1 (rate) -> 20: bfifo, 21: pfifo ... (see queue.c)
 *
 * HTB with a small burst sends a frame when all before it are paid for, and lets the next wait until this one is, whatever its
 * size: frames start as on a wire. TBF must collect the bytes of a full frame before it can send one, so a dozen small ones would
 * pass at once; and each change would fill its bucket anew. What neither does is to hold back a frame for its own time on the wire:
 * one that finds the link idle leaves as if it had no length (netem makes up for that, see stage.h). When the rate changes, the
 * frame before the next is still paid for at the old one: what is being sent stays as it was begun. */
#ifndef LINK_RATE_H
#define LINK_RATE_H 1

#include "qdisc.h"

/* What there is of it. */
struct rate {
    struct qdisc htb, queue;
    struct nlattr *class; /* A copy of the class's options; NULL: there is none. */
};

void rate_clear(struct rate *);

/* Queue requests that fill '*ret', which must stay where it is until the flush, with what is at 'parent' of device 'ifindex'. */
void rate_read(struct rtnl *, int ifindex, uint32_t parent, struct rate *ret);
/* ... that turn 'found' into the bandwidth and queue of 'impairment'. 'what' names the direction in errors. */
void rate_write(struct rtnl *, int ifindex, uint32_t parent, const struct rate *found, const struct impairment *, unsigned mtu,
                const char *what);

/* ... that make the bandwidth what it is at present; nothing else changes. */
void rate_write_class(struct rtnl *, int ifindex, const struct impairment *, unsigned mtu, const char *what);
/* ... that hold back all frames, or let them go on, where the bandwidth follows a trace with pauses. */
void rate_pause(struct rtnl *, int ifindex, bool pause, const char *what);

/* ... that let what waits there pass as fast as it can. A frame that was still being paid for is first paid. */
void rate_release(struct rtnl *, int ifindex, const char *what);

/* The message of a class for 'impairment', for rate_write() and tests: what follows the kind; and whether 'options', as dumped,
 * already say so. */
void rate_put_class(struct nl_msg *, const struct impairment *, unsigned mtu);
bool rate_has_class(const struct nlattr *options, const struct impairment *, unsigned mtu);

#endif
