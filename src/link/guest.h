/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a vnode's network namespace: its own netlink socket, sysctls, addresses, routes. */
#ifndef LINK_GUEST_H
#define LINK_GUEST_H 1

#include <stdbool.h>

#include <glib.h>

#include "distem/link.h"

#include "netdev.h"
#include "rtnl.h"

struct guest {
    struct rtnl *rtnl;
    int socket;      /* For ioctls in the namespace; -1: not open. */
    GArray *netdevs; /* Of struct netdev: what guest_list() found. */
};

/* Goes into the namespace 'fd', opens sockets there, sets its sysctls (forwarding when 'forwards'), and comes back. 'ret' is to be
 * cleared with guest_clear() also after a failure. */
bool guest_open(int fd, bool forwards, struct guest *ret, GError **error);
void guest_clear(struct guest *);

/* Lists the devices of the namespace anew into 'netdevs'. */
bool guest_list(struct guest *, GError **error);
/* Returns the device with that name, or NULL; valid until the next guest_list(). */
const struct netdev *guest_find(const struct guest *, const char *name);

/* Makes lo and the vifaces of 'vnode', which must be there, as planned: MAC, MTU ('default_mtu' where the vnetwork has none),
 * addresses and routes; up. What is right stays as it is; addresses and routes that are ours and not planned go. */
bool guest_configure(struct guest *, const struct vnode *, uint16_t default_mtu, GError **error);

#endif
