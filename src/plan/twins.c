/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "twins.h"

#include <string.h>

struct twins twins_new(const struct platform *current)
{
    struct twins twins = {0};
    if (current) {
        twins.vnetworks = platform_index_vnetworks(current);
        twins.vnodes = platform_index_vnodes(current);
    }
    return twins;
}

void twins_clear(struct twins *twins)
{
    g_clear_pointer(&twins->vnetworks, g_hash_table_unref);
    g_clear_pointer(&twins->vnodes, g_hash_table_unref);
}

const struct vnetwork *twin_vnetwork(const struct twins *twins, const struct vnetwork *vnetwork)
{
    return twins->vnetworks ? g_hash_table_lookup(twins->vnetworks, vnetwork->name) : NULL;
}

const struct vnode *twin_vnode(const struct twins *twins, const struct vnode *vnode)
{
    return twins->vnodes ? g_hash_table_lookup(twins->vnodes, vnode->name) : NULL;
}

const struct viface *vnode_guess_viface(const struct vnode *vnode, const char *name, unsigned i)
{
    const struct viface *viface = i < vnode->vifaces->len ? vnode_viface(vnode, i) : NULL;
    return viface && !strcmp(viface->name, name) ? viface : vnode_find_viface(vnode, name);
}

const struct viface *twin_viface(const struct vnode *old, const struct viface *viface, unsigned i)
{
    const struct viface *twin = old ? vnode_guess_viface(old, viface->name, i) : NULL;
    return twin && !strcmp(twin->vnetwork->name, viface->vnetwork->name) ? twin : NULL;
}
