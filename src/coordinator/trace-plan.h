/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a packet through a planned platform: which vnetworks it crosses, and what is to be asked of which switch to see how.
 */
#ifndef COORDINATOR_TRACE_PLAN_H
#define COORDINATOR_TRACE_PLAN_H 1

#include "distem/expect.h"

/* A switch that a packet passes. */
struct trace_station {
    const char *pnode; /* Borrowed from the platform. */
    char port[16];     /* By which it comes in. */
    char *flow;        /* The packet as it comes in, as vswitch_trace() takes it. */
};

/* The crossing of one vnetwork. */
struct trace_leg {
    const struct vnetwork *vnetwork;
    struct hop from, to; /* Out of one vnode, into another; to.viface is NULL for a broadcast, which goes to all. */
    GPtrArray *stations; /* Of struct trace_station: the sender's pnode first, then those that it goes to. */
};

/* Works out the way from 'from' ("n1" or "n1:if0") to 'to' ("n4", "n4:if0", an address, or "broadcast"). Returns an array of struct
 * trace_leg, which borrows from 'planned' and which the caller unrefs; NULL with an error. 'pnodes' (struct pnode) tell the ends of
 * tunnels. */
GPtrArray *trace_plan(const struct platform *planned, const GPtrArray *pnodes, const char *from, const char *to, GError **error);

#endif
