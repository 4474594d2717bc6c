/* SPDX-License-Identifier: Apache-2.0 */
/* IP addresses: those asked for first, then those that are kept, then the lowest free ones. */
#include <config.h>

#include <inttypes.h>

#include "distem/plan.h"
#include "family.h"
#include "owners.h"
#include "twins.h"

/* How far one prefix is used up. */
struct pool {
    uint64_t wanted; /* Vifaces on the vnetwork. */
    uint64_t next;   /* No host below this number is free. */
};

struct allotment {
    struct platform *platform;
    struct twins twins;
    struct diagnostics *problems;
    uint8_t family;
    GHashTable *owners;
    GHashTable *pools; /* struct vnetwork -> struct pool. */
};

/* One of the passes over all vifaces: 'old' is the viface as it stands, or NULL. */
typedef void allot_func(struct allotment *, const struct vnode *, struct viface *, const struct viface *old);

static void for_each_viface(struct allotment *a, allot_func *func)
{
    for (unsigned i = 0; i < a->platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(a->platform, i);
        const struct vnode *old = twin_vnode(&a->twins, vnode);
        for (unsigned j = 0; j < vnode->vifaces->len; j++) {
            struct viface *viface = vnode_viface(vnode, j);
            func(a, vnode, viface, twin_viface(old, viface, j));
        }
    }
}

static struct ip_addr *address_to_set(const struct allotment *a, struct viface *viface)
{
    return a->family == 4 ? &viface->ipv4 : &viface->ipv6;
}

/* Counts what is wanted, and takes the address that the user asked for. */
static void take_asked(struct allotment *a, const struct vnode *vnode, struct viface *viface, const struct viface *old)
{
    (void)old;
    const struct ip_prefix *prefix = vnetwork_prefix(viface->vnetwork, a->family);
    const struct ip_addr *addr = viface_address(viface, a->family);
    char address_text[IP_TEXT_SIZE], prefix_text[PREFIX_TEXT_SIZE];
    if (prefix->addr.family) {
        struct pool *pool = g_hash_table_lookup(a->pools, viface->vnetwork);
        pool->wanted++;
    }
    if (!addr->family) {
        return;
    }
    if (!prefix->addr.family) {
        diagnostics_add(a->problems, NULL, 0, NULL, "vnode %s, viface %s: vnetwork %s has no IPv%u prefix for address %s",
                        vnode->name, viface->name, viface->vnetwork->name, a->family, ip_format(addr, address_text));
        return;
    }
    if (!prefix_host_number(prefix, addr, NULL)) {
        diagnostics_add(a->problems, NULL, 0, NULL, "vnode %s, viface %s: %s is no host's address in %s of vnetwork %s",
                        vnode->name, viface->name, ip_format(addr, address_text), prefix_format(prefix, prefix_text),
                        viface->vnetwork->name);
        return;
    }
    const struct owner *owner = owners_add(a->owners, vnode, viface, addr);
    if (owner) {
        diagnostics_add(a->problems, NULL, 0, NULL,
                        "vnode %s, viface %s: address %s is taken on vnetwork %s by vnode %s, viface %s", vnode->name, viface->name,
                        ip_format(addr, address_text), viface->vnetwork->name, owner->vnode->name, owner->viface->name);
    }
}

/* Keeps the address that the viface has, unless it no longer fits or somebody asked for it. */
static void keep(struct allotment *a, const struct vnode *vnode, struct viface *viface, const struct viface *old)
{
    struct ip_addr *addr = address_to_set(a, viface);
    if (addr->family || !old) {
        return;
    }
    const struct ip_addr *kept = viface_address(old, a->family);
    if (prefix_host_number(vnetwork_prefix(viface->vnetwork, a->family), kept, NULL) &&
        !owners_add(a->owners, vnode, viface, kept)) {
        *addr = *kept;
    }
}

/* Gives the lowest free address, if there is one. */
static void allot(struct allotment *a, const struct vnode *vnode, struct viface *viface, const struct viface *old)
{
    (void)old;
    const struct ip_prefix *prefix = vnetwork_prefix(viface->vnetwork, a->family);
    struct ip_addr *addr = address_to_set(a, viface);
    if (addr->family || !prefix->addr.family) {
        return;
    }
    struct pool *pool = g_hash_table_lookup(a->pools, viface->vnetwork);
    uint64_t count = prefix_host_count(prefix);
    while (!addr->family && pool->next < count) {
        struct ip_addr candidate = prefix_host(prefix, pool->next++);
        if (!owners_add(a->owners, vnode, viface, &candidate)) {
            *addr = candidate;
        }
    }
}

/* Reports each prefix that is too small, once and with its numbers. */
static void report_exhausted(const struct allotment *a)
{
    for (unsigned i = 0; i < a->platform->vnetworks->len; i++) {
        const struct vnetwork *vnetwork = platform_vnetwork(a->platform, i);
        const struct ip_prefix *prefix = vnetwork_prefix(vnetwork, a->family);
        const struct pool *pool = g_hash_table_lookup(a->pools, vnetwork);
        if (prefix->addr.family && pool->wanted > prefix_host_count(prefix)) {
            char text[PREFIX_TEXT_SIZE];
            diagnostics_add(a->problems, NULL, 0, NULL,
                            "vnetwork %s: %s has addresses for %" PRIu64 " vifaces, %" PRIu64 " are wanted", vnetwork->name,
                            prefix_format(prefix, text), prefix_host_count(prefix), pool->wanted);
        }
    }
}

/* The latency matrix knows vnodes by their addresses: those of two that are in it must differ, on different vnetworks, too. */
static void check_matrix(const struct platform *platform, struct diagnostics *problems)
{
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (unsigned i = 0; platform->matrix && i < platform->vnodes->len; i++) {
        struct vnode *vnode = platform_vnode(platform, i);
        for (unsigned k = 0; vnode->group && k < 2 * vnode->vifaces->len; k++) {
            char text[IP_TEXT_SIZE];
            const struct ip_addr *address = viface_address(vnode_viface(vnode, k / 2), k % 2 ? 6 : 4);
            const struct vnode *other = g_hash_table_lookup(known, ip_format(address, text));
            if (other && other != vnode) {
                diagnostics_add(
                    problems, NULL, 0, NULL,
                    "vnodes %s and %s have the same address, %s, on two vnetworks, and the latency matrix knows vnodes by "
                    "their addresses: expected others, or not both in the matrix",
                    other->name, vnode->name, text);
            } else if (*text) {
                g_hash_table_insert(known, g_strdup(text), vnode);
            }
        }
    }
}

bool plan_addresses(struct platform *platform, const struct platform *current, struct diagnostics *problems)
{
    unsigned before = diagnostics_count(problems);
    struct allotment a = {.platform = platform, .twins = twins_new(current), .problems = problems};
    for (a.family = 4; a.family <= 6; a.family += 2) {
        a.owners = owners_new();
        a.pools = g_hash_table_new_full(NULL, NULL, NULL, g_free);
        for (unsigned i = 0; i < platform->vnetworks->len; i++) {
            g_hash_table_insert(a.pools, platform_vnetwork(platform, i), g_new0(struct pool, 1));
        }
        for_each_viface(&a, take_asked);
        for_each_viface(&a, keep);
        for_each_viface(&a, allot);
        report_exhausted(&a);
        g_hash_table_unref(a.pools);
        g_hash_table_unref(a.owners);
    }
    twins_clear(&a.twins);
    check_matrix(platform, problems);
    return diagnostics_count(problems) == before;
}
