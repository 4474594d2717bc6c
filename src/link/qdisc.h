/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of qdisc that shape a direction, one file each behind an ops table, and what they share: reading and writing one. */
#ifndef LINK_QDISC_H
#define LINK_QDISC_H 1

#include <stdbool.h>
#include <stdint.h>

#include <netlink/attr.h>

#include "distem/link.h"

#include "rtnl.h"

/* A kind of qdisc. Every member is there but the last one. */
struct qdisc_ops {
    const char *kind;    /* As the kernel names it. */
    const char *module;  /* The kernel module that brings it. */
    uint32_t handle;     /* The handle that it gets from us. */
    size_t options_size; /* Room that the options need at most. */
    /* Appends the content of TCA_OPTIONS that makes 'impairment' true, whatever was set before. */
    void (*put_options)(struct nl_msg *, const struct impairment *, unsigned mtu);
    /* Says whether 'options', as dumped, already are what put_options() would set. */
    bool (*has_options)(const struct nlattr *options, const struct impairment *, unsigned mtu);
    /* Returns the room that the options of 'impairment' need beyond options_size. NULL: none. */
    size_t (*more_room)(const struct impairment *);
};

extern const struct qdisc_ops qdisc_netem; /* Latency, jitter, loss, duplication, corruption, reordering. */
/* The latency and the loss alone, and the rate: to change one that is there, from any thread. Losses then are independent, and the
 * seed any: not for directions with an impairment_memory(). */
extern const struct qdisc_ops qdisc_netem_values;
/* Says whether the kernel that dumped 'options' of a netem knows seeds: it then tells the one it has. */
bool netem_has_seed(const struct nlattr *options);
extern const struct qdisc_ops qdisc_htb; /* What makes a bandwidth, with the class of rate.h. */
/* Returns the kind of queue that 'impairment' asks for. */
const struct qdisc_ops *qdisc_queue(const struct impairment *);

/* Queues a request that makes the queue at 'parent', which is one for pauses, hold back all frames, or let them go on. 'tolerated'
 * is an errno that counts as success. 'what' names the direction in errors. */
void queue_pause(struct rtnl *, int ifindex, uint32_t parent, bool pause, int tolerated, const char *what);

/* A qdisc that the kernel has. */
struct qdisc {
    uint32_t handle; /* 0: none of anybody's, or the device's default. */
    char kind[16];
    struct nlattr *options, *stab; /* Copies; NULL: none. The stab is its size table. */
    uint32_t waiting;              /* Frames in it and below. */
};

/* Says whether 'found' is the one of that kind that we made. */
bool qdisc_is(const struct qdisc *found, const struct qdisc_ops *);

/* Frees what is inside; it may be used again. */
void qdisc_clear(struct qdisc *);

/* Queue a request that fills '*ret', which must stay where it is until the flush, with the qdisc at 'parent' of device 'ifindex';
 * with none (handle 0) where there is none. */
void qdisc_read(struct rtnl *, int ifindex, uint32_t parent, struct qdisc *ret);
/* ... that makes the qdisc at 'parent' be of kind 'ops' and do 'impairment': changed in place where 'found' is of that kind,
 * nothing at all where it does it already. At the root it also says what counts of a frame, for all below it. 'what' names the
 * direction in errors. Returns whether 'found' had to go. */
bool qdisc_write(struct rtnl *, int ifindex, uint32_t parent, const struct qdisc *found, const struct qdisc_ops *ops,
                 const struct impairment *impairment, unsigned mtu, const char *what);
/* ... that removes the qdisc at 'parent'. */
void qdisc_delete(struct rtnl *, int ifindex, uint32_t parent, const char *what);

#endif
