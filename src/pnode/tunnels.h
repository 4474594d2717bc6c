/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's own devices that frames from other pnodes come in by. They must come as they were sent: GRO would merge those of a
 * connection to one large frame, and in front of a bandwidth that is another experiment. */
#ifndef PNODE_TUNNELS_H
#define PNODE_TUNNELS_H 1

#include <glib.h>

/* Returns the names of the devices that the bridges (struct vswitch_bridge) with remotes get frames by: the kernel's device of a
 * VXLAN port and 'underlay', the interface below it; the physical interface of a VLAN. NULL-terminated; the caller frees it. */
char **tunnels_devices(const GArray *bridges, const char *underlay);

#endif
