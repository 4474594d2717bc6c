/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and routes of a vnode. */
#ifndef LINK_IPCONF_H
#define LINK_IPCONF_H 1

#include <stdbool.h>

#include <glib.h>

#include "distem/platform.h"

#include "rtnl.h"

/* Queues on 'rtnl', a socket in the namespace of 'vnode', what adds the addresses of its vifaces that are missing and removes those
 * that distem added and that are no longer planned. 'ifindexes' has one entry for each viface. */
bool ipconf_addresses(struct rtnl *, const struct vnode *, const int *ifindexes, GError **error);

/* ... the same for its routes. Addresses must be there and vifaces up. */
bool ipconf_routes(struct rtnl *, const struct vnode *, const int *ifindexes, GError **error);

#endif
