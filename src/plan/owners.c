/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "owners.h"

#include <string.h>

#include "hash.h"

static guint owner_hash(gconstpointer data)
{
    const struct owner *owner = data;
    uint64_t words[2];
    memcpy(words, owner->addr.bytes, sizeof words);
    return (guint)hash_64(words[0] ^ hash_64(words[1] ^ (uintptr_t)owner->vnetwork));
}

static gboolean owner_equal(gconstpointer a, gconstpointer b)
{
    const struct owner *left = a, *right = b;
    return left->vnetwork == right->vnetwork && ip_equal(&left->addr, &right->addr);
}

GHashTable *owners_new(void)
{
    return g_hash_table_new_full(owner_hash, owner_equal, g_free, NULL);
}

const struct owner *owners_add(GHashTable *owners, const struct vnode *vnode, const struct viface *viface,
                               const struct ip_addr *addr)
{
    const struct owner *there = owners_find(owners, viface->vnetwork, addr);
    if (!there) {
        const struct owner owner = {viface->vnetwork, *addr, vnode, viface};
        g_hash_table_add(owners, g_memdup2(&owner, sizeof owner));
    }
    return there;
}

const struct owner *owners_find(GHashTable *owners, const struct vnetwork *vnetwork, const struct ip_addr *addr)
{
    const struct owner key = {.vnetwork = vnetwork, .addr = *addr};
    return g_hash_table_lookup(owners, &key);
}
