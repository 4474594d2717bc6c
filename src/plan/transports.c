/* SPDX-License-Identifier: Apache-2.0 */
/* How the parts of each vnetwork are joined, and how large a packet can be on the way. */
#include <config.h>

#include <string.h>

#include "distem/plan.h"

#define MTU_USUAL 1500
#define MTU_LEAST 576
#define MTU_LEAST_IPV6 1280
/* What a tunnel adds to a packet: the inner Ethernet header, VXLAN, UDP, and IP. */
#define VXLAN_OVER_IPV4 50
#define VXLAN_OVER_IPV6 70

/* What matters about the pnodes that host a vnetwork. */
struct span {
    const struct pnode *first;
    bool several;                          /* There are others. */
    const struct pnode *no_ipv4, *no_ipv6; /* One without an address for tunnels; NULL: all have one. */
    const struct pnode *narrowest;         /* The one whose underlay has the smallest MTU. */
    const struct pnode *no_interface;      /* One without the vnetwork's interface. */
    const struct pnode *narrowest_interface;
    unsigned interface_mtu; /* That one's. */
};

/* A pnode that does not know its MTU has the usual one. */
static unsigned underlay_mtu(const struct pnode *pnode)
{
    return pnode->mtu ? pnode->mtu : MTU_USUAL;
}

static void widen(struct span *span, const struct vnetwork *vnetwork, const struct pnode *pnode)
{
    if (!span->first) {
        span->first = span->narrowest = pnode;
    }
    span->several |= span->first != pnode;
    span->no_ipv4 = span->no_ipv4 || pnode->ipv4.family ? span->no_ipv4 : pnode;
    span->no_ipv6 = span->no_ipv6 || pnode->ipv6.family ? span->no_ipv6 : pnode;
    span->narrowest = underlay_mtu(pnode) < underlay_mtu(span->narrowest) ? pnode : span->narrowest;
    if (!vnetwork->interface) {
        return;
    }
    unsigned mtu = GPOINTER_TO_UINT(g_hash_table_lookup(pnode->interfaces, vnetwork->interface));
    if (!mtu) {
        span->no_interface = span->no_interface ? span->no_interface : pnode;
    } else if (!span->narrowest_interface || mtu < span->interface_mtu) {
        span->narrowest_interface = pnode;
        span->interface_mtu = mtu;
    }
}

/* Returns the span of each vnetwork, in the platform's order; the caller frees them. */
static struct span *find_spans(const struct platform *platform, const GPtrArray *pnodes)
{
    struct span *spans = g_new0(struct span, platform->vnetworks->len + 1);
    g_autoptr(GHashTable) positions = g_hash_table_new(NULL, NULL), by_name = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; i < platform->vnetworks->len; i++) {
        g_hash_table_insert(positions, platform_vnetwork(platform, i), &spans[i]);
    }
    for (unsigned i = 0; i < pnodes->len; i++) {
        const struct pnode *pnode = pnodes->pdata[i];
        g_hash_table_insert(by_name, pnode->name, (void *)pnode);
    }
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        const struct pnode *pnode = g_hash_table_lookup(by_name, vnode->pnode);
        for (unsigned j = 0; j < vnode->vifaces->len; j++) {
            const struct vnetwork *vnetwork = vnode_viface(vnode, j)->vnetwork;
            widen(g_hash_table_lookup(positions, vnetwork), vnetwork, pnode);
        }
    }
    return spans;
}

static void choose_underlay(struct vnetwork *vnetwork, const struct span *span, struct diagnostics *problems)
{
    if (!vnetwork->underlay) {
        vnetwork->underlay = span->several && span->no_ipv4 && !span->no_ipv6 ? 6 : 4;
        vnetwork->underlay_chosen = true;
        if (span->several && span->no_ipv4 && span->no_ipv6) {
            diagnostics_add(
                problems, NULL, 0, NULL,
                "vnetwork %s: no IP version is good for its tunnels: pnode %s has no IPv4 address for them and pnode %s no "
                "IPv6 address: give them one by the option --underlay of their distemd",
                vnetwork->name, span->no_ipv4->name, span->no_ipv6->name);
        }
        return;
    }
    const struct pnode *without = vnetwork->underlay == 4 ? span->no_ipv4 : span->no_ipv6;
    if (span->several && without) {
        diagnostics_add(problems, NULL, 0, NULL,
                        "vnetwork %s: pnode %s has no IPv%u address for its tunnels: give it one by the option --underlay of its "
                        "distemd, or ask for another underlay",
                        vnetwork->name, without->name, vnetwork->underlay);
    }
}

/* Chooses the MTU, or checks it, where the way between the pnodes has 'room' bytes, for the reason 'why'. */
static void choose_mtu(struct vnetwork *vnetwork, unsigned room, const char *why, struct diagnostics *problems)
{
    unsigned least = vnetwork->ipv6.addr.family ? MTU_LEAST_IPV6 : MTU_LEAST;
    if (room < least) {
        diagnostics_add(problems, NULL, 0, NULL,
                        "vnetwork %s: it needs an MTU of at least %u, and %s: raise the MTU of that interface", vnetwork->name,
                        least, why);
    } else if (!vnetwork->mtu) {
        vnetwork->mtu = (uint16_t)MIN(room, MTU_USUAL);
        vnetwork->mtu_chosen = true;
    } else if (vnetwork->mtu > room) {
        diagnostics_add(problems, NULL, 0, NULL,
                        "vnetwork %s: an MTU of %u does not fit: %s: ask for at most %u, or raise the MTU of that interface",
                        vnetwork->name, vnetwork->mtu, why, room);
    }
}

static void plan_vxlan(struct vnetwork *vnetwork, const struct span *span, struct diagnostics *problems)
{
    unsigned before = diagnostics_count(problems);
    choose_underlay(vnetwork, span, problems);
    if (!span->several || diagnostics_count(problems) != before) {
        return;
    }
    unsigned whole = underlay_mtu(span->narrowest);
    unsigned header = vnetwork->underlay == 4 ? VXLAN_OVER_IPV4 : VXLAN_OVER_IPV6, room = whole > header ? whole - header : 0;
    g_autofree char *why = g_strdup_printf("the tunnel from pnode %s over IPv%u leaves %u of its interface's %u bytes",
                                           span->narrowest->name, vnetwork->underlay, room, whole);
    choose_mtu(vnetwork, room, why, problems);
}

static void plan_vlan(struct vnetwork *vnetwork, const struct span *span, struct diagnostics *problems)
{
    if (!span->several) {
        return;
    }
    if (span->no_interface) {
        diagnostics_add(problems, NULL, 0, NULL,
                        "vnetwork %s: pnode %s has no interface %s for its VLAN: ask for another interface, or "
                        "another transport",
                        vnetwork->name, span->no_interface->name, vnetwork->interface);
        return;
    }
    g_autofree char *why = g_strdup_printf("interface %s of pnode %s has one of %u", vnetwork->interface,
                                           span->narrowest_interface->name, span->interface_mtu);
    choose_mtu(vnetwork, span->interface_mtu, why, problems);
}

/* Closes what does not depend on machines, and checks that no two vnetworks share a VLAN. */
static void resolve(struct platform *platform, struct diagnostics *problems)
{
    g_autoptr(GHashTable) vlans = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (unsigned i = 0; i < platform->vnetworks->len; i++) {
        struct vnetwork *vnetwork = platform_vnetwork(platform, i);
        if (vnetwork->transport == TRANSPORT_AUTO) {
            vnetwork->transport = vnetwork->vlan ? TRANSPORT_VLAN : TRANSPORT_VXLAN;
        }
        if (vnetwork->transport == TRANSPORT_VXLAN) {
            vnetwork->port = vnetwork->port ? vnetwork->port : VXLAN_PORT_DEFAULT;
        }
        if (vnetwork->transport != TRANSPORT_VLAN) {
            continue;
        }
        if (!vnetwork->vlan || !vnetwork->interface) {
            diagnostics_add(problems, NULL, 0, NULL, "vnetwork %s: transport vlan needs both a VLAN and an interface",
                            vnetwork->name);
            continue;
        }
        char *key = g_strdup_printf("%u %s", vnetwork->vlan, vnetwork->interface);
        const struct vnetwork *owner = g_hash_table_lookup(vlans, key);
        if (owner) {
            diagnostics_add(problems, NULL, 0, NULL, "vnetwork %s: VLAN %u of interface %s is taken by vnetwork %s", vnetwork->name,
                            vnetwork->vlan, vnetwork->interface, owner->name);
            g_free(key);
        } else {
            g_hash_table_insert(vlans, key, vnetwork);
        }
    }
}

bool plan_transports(struct platform *platform, const GPtrArray *pnodes, struct diagnostics *problems)
{
    unsigned before = diagnostics_count(problems);
    resolve(platform, problems);
    if (!pnodes || diagnostics_count(problems) != before) {
        return diagnostics_count(problems) == before;
    }
    g_autofree struct span *spans = find_spans(platform, pnodes);
    for (unsigned i = 0; i < platform->vnetworks->len; i++) {
        struct vnetwork *vnetwork = platform_vnetwork(platform, i);
        if (vnetwork->transport == TRANSPORT_VXLAN) {
            plan_vxlan(vnetwork, &spans[i], problems);
        } else if (vnetwork->transport == TRANSPORT_VLAN) {
            plan_vlan(vnetwork, &spans[i], problems);
        }
        if (!vnetwork->mtu) {
            vnetwork->mtu = MTU_USUAL;
            vnetwork->mtu_chosen = true;
        }
    }
    return diagnostics_count(problems) == before;
}
