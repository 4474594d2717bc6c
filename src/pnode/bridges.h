/* SPDX-License-Identifier: Apache-2.0 */
/* From a pnode's share of the platform to what its switch must have. Pure. */
#ifndef PNODE_BRIDGES_H
#define PNODE_BRIDGES_H 1

#include <glib.h>

#include "distem/platform.h"

/* Returns the bridges of pnode 'self' for 'vnodes' (struct vnode: those of this machine whose devices exist), with a port for each
 * of their vifaces and, of 'remotes' (struct remote_viface, ordered by vnetwork), those on the same vnetworks. 'pnodes' (struct
 * pnode, 'self' among them) says where the tunnels end. Vifaces on pnodes without an address of the IP version that a vnetwork's
 * tunnels have are left out, and all of them where 'self' has none. An array of struct vswitch_bridge, ordered by vnetwork, each
 * with its ports ordered by viface, that the caller unrefs. */
GArray *bridges_make(const char *self, const GPtrArray *vnodes, const GArray *remotes, const GPtrArray *pnodes);

#endif
