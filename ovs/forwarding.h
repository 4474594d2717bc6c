/* SPDX-License-Identifier: Apache-2.0 */
/* What a bridge does with a packet, as OpenFlow rules. Pure.
 *
 * A vnetwork's bridge has ports of vifaces and, when the vnetwork has vifaces on other pnodes, an uplink: a tunnel port, or a patch
 * port to the provider bridge of a physical interface.
 *
 * Table 0, admission: packets of vifaces go on to table 1, those of the uplink (from a pnode that is known, with the vnetwork's
 * VNI) to table 3; all others (the bridge's own interface, strangers) are dropped.
 *
 * Table 1, answers: ARP requests for a known address are made into the reply and sent back; IPv6 neighbour solicitations go to the
 * owner of the address alone; everything else goes on.
 *
 * Table 2, forwarding: a known MAC goes to its port, or its pnode; broadcast, multicast and unknown go to each other pnode once,
 * and on to table 4.
 *
 * Table 3, arrivals from other pnodes: a solicitation goes to the owner of the address alone; everything else goes on.
 *
 * Table 4, delivery on this pnode: a known MAC goes to its port, all else to every other viface (with thousands of them, the tables
 * behind it go on). Nothing in it leads to the uplink, so that what came from a pnode never goes to another one.
 *
 * A provider bridge puts the VLAN tag of the patch port that a packet comes from on it and sends it out of the physical interface,
 * and takes it off again on the way back. Everything else is dropped. */
#ifndef OVS_FORWARDING_H
#define OVS_FORWARDING_H 1

#include <glib.h>

#include "distem/vswitch.h"
#include "rule-set.h"

/* What the rules of a vnetwork's bridge follow from. */
struct forwarding {
    const GArray *ports;     /* Of struct vswitch_port ... */
    const uint16_t *ofports; /* ... and their OpenFlow ports; 0: the switch has not opened it. */
    const GArray *remotes;   /* Of struct vswitch_remote. */
    uint16_t uplink;         /* OpenFlow port; 0: none, or not opened. */
    uint32_t vni;            /* What comes from the uplink must have; 0: the uplink is no tunnel. */
};

/* Returns the rules for a vnetwork's bridge. The caller gets a reference. */
struct rule_set *forwarding_rules(const struct forwarding *);

/* A vnetwork on a provider bridge. */
struct provider_vlan {
    uint16_t vlan;
    uint16_t ofport; /* Of its patch port; 0: not opened. */
};
/* Returns the rules for a provider bridge whose physical interface is OpenFlow port 'interface' (0: not opened). The caller gets a
 * reference. */
struct rule_set *forwarding_provider_rules(uint16_t interface, const struct provider_vlan *vlans, unsigned count);

#endif
