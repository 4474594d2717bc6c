/* SPDX-License-Identifier: Apache-2.0 */
/* Who has which address on which vnetwork: a hash table over all vifaces. */
#ifndef DISTEM_PLAN_OWNERS_H
#define DISTEM_PLAN_OWNERS_H 1

#include "distem/platform.h"

/* An address that is taken. All pointers are borrowed from the platform. */
struct owner {
    const struct vnetwork *vnetwork;
    struct ip_addr addr;
    const struct vnode *vnode;
    const struct viface *viface;
};

/* Returns an empty table of struct owner, which the caller unrefs. */
GHashTable *owners_new(void);
/* Notes that 'viface' of 'vnode' has 'addr'. Returns NULL, or who has it already on the same vnetwork; then nothing is noted. */
const struct owner *owners_add(GHashTable *owners, const struct vnode *vnode, const struct viface *viface,
                               const struct ip_addr *addr);
/* Returns who has 'addr' on 'vnetwork', or NULL. */
const struct owner *owners_find(GHashTable *owners, const struct vnetwork *vnetwork, const struct ip_addr *addr);

#endif
