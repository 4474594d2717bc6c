/* SPDX-License-Identifier: Apache-2.0 */
/* The network between the pnodes, as this machine sees it. */
#ifndef PNODE_UNDERLAY_H
#define PNODE_UNDERLAY_H 1

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "distem/ip.h"

/* Where this machine's tunnels end. */
struct underlay {
    struct ip_addr ipv4, ipv6; /* Family 0: none. */
    uint16_t mtu;
    char interface[IFNAMSIZ];
};

/* Finds it by an interface's name, or by an address; the address of the other IP version is the first one of the same interface
 * that is neither link-local nor loopback. */
bool underlay_find(const char *name_or_address, struct underlay *ret, GError **error);

#endif
