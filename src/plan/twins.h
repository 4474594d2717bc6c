/* SPDX-License-Identifier: Apache-2.0 */
/* Finds for each object of a platform the one of the same name in the platform as it stands. */
#ifndef DISTEM_PLAN_TWINS_H
#define DISTEM_PLAN_TWINS_H 1

#include "distem/platform.h"

struct twins {
    GHashTable *vnetworks, *vnodes; /* Name -> object of the platform as it stands; NULL: there is none. */
};

/* Builds the tables for 'current', which may be NULL and is borrowed. */
struct twins twins_new(const struct platform *current);
void twins_clear(struct twins *);
#define AUTO_TWINS __attribute__((cleanup(twins_clear))) struct twins

/* Return the twin, or NULL. A viface's twin belongs to a vnode of the same name, has the same name, and is on a vnetwork of the
 * same name; 'old' is the twin of its vnode (or NULL), 'i' its index in its own vnode. */
const struct vnetwork *twin_vnetwork(const struct twins *, const struct vnetwork *);
const struct vnode *twin_vnode(const struct twins *, const struct vnode *);
const struct viface *twin_viface(const struct vnode *old, const struct viface *, unsigned i);

/* Returns the viface 'name', which is likely to be number 'i', or NULL: a gateway with a thousand vifaces is not searched a
 * thousand times. */
const struct viface *vnode_guess_viface(const struct vnode *, const char *name, unsigned i);

#endif
