/* SPDX-License-Identifier: Apache-2.0 */
/* What a bridge does with a packet, as OpenFlow rules. Pure.
 *
 * Table 0, admission: packets of the ports that are ours go on; all others (the bridge's own interface, strangers) are dropped.
 * Table 1, answers: ARP requests for a known address are made into the reply and sent back; IPv6 neighbour solicitations go to the
 * owner of the address alone; everything else goes on.
 * Table 2, forwarding: a known MAC goes to its port; broadcast, multicast and unknown go to every other port of ours. */
#ifndef OVS_FORWARDING_H
#define OVS_FORWARDING_H 1

#include <glib.h>

#include "rule-set.h"

/* Returns the rules for a bridge with 'ports' (of struct vswitch_port), of which number i is OpenFlow port 'ofports'[i], 0 when the
 * switch has not opened it. The caller gets a reference. */
struct rule_set *forwarding_rules(const GArray *ports, const uint16_t *ofports);

#endif
