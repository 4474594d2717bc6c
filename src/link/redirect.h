/* SPDX-License-Identifier: Apache-2.0 */
/* The way of what comes in on one device to the egress of another, before any bridge sees it: an ingress qdisc, a u32 filter that
 * takes every frame of every protocol, and mirred. (matchall would say the same, but fewer kernels have it.) */
#ifndef LINK_REDIRECT_H
#define LINK_REDIRECT_H 1

#include <stdbool.h>

#include "rtnl.h"

/* What there is of it on a device. */
struct redirect {
    bool ingress; /* The ingress qdisc. */
    int to;       /* ifindex that the filter sends to; 0: no filter. */
};

/* Queue a request that fills '*ret', which must stay where it is until the flush, with what 'ifindex' has. */
void redirect_read(struct rtnl *, int ifindex, struct redirect *ret);
/* ... that sends all that comes in on 'ifindex' to 'to'; nothing where 'found' does. 'what' names the direction in errors. */
void redirect_write(struct rtnl *, int ifindex, const struct redirect *found, int to, const char *what);
/* ... that lets it pass again. */
void redirect_delete(struct rtnl *, int ifindex, const char *what);

/* For redirect_write(), and for trying each part out: queue the ingress qdisc; the filter, with 'to' 0 one without action. */
void redirect_put_ingress(struct rtnl *, int ifindex, const char *what);
void redirect_put_filter(struct rtnl *, int ifindex, int to, const char *what);

#endif
