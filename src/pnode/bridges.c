/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "bridges.h"

#include "distem/db.h"
#include "distem/link.h"
#include "distem/vswitch.h"

static void bridge_clear(void *data)
{
    struct vswitch_bridge *bridge = data;
    g_array_unref(bridge->ports);
    g_array_unref(bridge->remotes);
}

static int compare_bridges(const void *a, const void *b)
{
    uint32_t left = ((const struct vswitch_bridge *)a)->vnetwork_id, right = ((const struct vswitch_bridge *)b)->vnetwork_id;
    return (left > right) - (left < right);
}

static int compare_ports(const void *a, const void *b)
{
    uint32_t left = ((const struct vswitch_port *)a)->viface_id, right = ((const struct vswitch_port *)b)->viface_id;
    return (left > right) - (left < right);
}

/* Returns the end of the tunnels of 'pnode' (NULL: not known) for IP version 'family', which may be none. */
static struct ip_addr tunnel_end(const struct pnode *pnode, uint8_t family)
{
    static const struct ip_addr none = {0};
    return !pnode ? none : family == 6 ? pnode->ipv6 : pnode->ipv4;
}

static struct vswitch_bridge bridge_of(const struct vnetwork *vnetwork, const struct pnode *self)
{
    struct vswitch_bridge bridge = {
        .vnetwork_id = vnetwork->id,
        .ports = g_array_new(FALSE, TRUE, sizeof(struct vswitch_port)),
        .remotes = g_array_new(FALSE, TRUE, sizeof(struct vswitch_remote)),
        .transport = vnetwork->transport,
    };
    vswitch_bridge_name(vnetwork->id, bridge.name);
    if (vnetwork->transport == TRANSPORT_VXLAN) {
        bridge.vni = vnetwork->vni;
        bridge.udp_port = vnetwork->port ? vnetwork->port : VXLAN_PORT_DEFAULT;
        bridge.local = tunnel_end(self, vnetwork->underlay);
    } else if (vnetwork->transport == TRANSPORT_VLAN) {
        bridge.vlan = vnetwork->vlan;
        g_strlcpy(bridge.interface, vnetwork->interface ? vnetwork->interface : "", sizeof bridge.interface);
    }
    return bridge;
}

/* Adds the ports of 'vnode' to the bridges they belong to, made when they are new in 'by_id' (vnetwork id -> index + 1). */
static void add_ports(GArray *bridges, GHashTable *by_id, const struct vnode *vnode, const struct pnode *self)
{
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        const struct viface *viface = vnode_viface(vnode, i);
        gpointer id = GUINT_TO_POINTER(viface->vnetwork->id);
        guint index = GPOINTER_TO_UINT(g_hash_table_lookup(by_id, id));
        if (!index) {
            struct vswitch_bridge bridge = bridge_of(viface->vnetwork, self);
            g_array_append_val(bridges, bridge);
            index = bridges->len;
            g_hash_table_insert(by_id, id, GUINT_TO_POINTER(index));
        }
        struct vswitch_port port = {.viface_id = viface->id, .mac = viface->mac, .ipv4 = viface->ipv4, .ipv6 = viface->ipv6};
        link_veth_name(viface->id, port.netdev);
        g_array_append_val(g_array_index(bridges, struct vswitch_bridge, index - 1).ports, port);
    }
}

/* Adds 'viface', which 'pnode' (NULL: not known) has, to the bridge of its vnetwork if it can be reached. */
static void add_remote(struct vswitch_bridge *bridge, const struct remote_viface *viface, const struct pnode *pnode)
{
    struct vswitch_remote remote = {.mac = viface->mac, .ipv4 = viface->ipv4, .ipv6 = viface->ipv6};
    if (bridge->transport == TRANSPORT_VXLAN && bridge->local.family) {
        remote.tunnel = tunnel_end(pnode, bridge->local.family);
    }
    if (remote.tunnel.family || bridge->transport == TRANSPORT_VLAN) {
        g_array_append_val(bridge->remotes, remote);
    }
}

GArray *bridges_make(const char *self, const GPtrArray *vnodes, const GArray *remotes, const GPtrArray *pnodes)
{
    g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; i < pnodes->len; i++) {
        struct pnode *pnode = pnodes->pdata[i];
        g_hash_table_insert(by_name, pnode->name, pnode);
    }
    GArray *bridges = g_array_new(FALSE, TRUE, sizeof(struct vswitch_bridge));
    g_array_set_clear_func(bridges, bridge_clear);
    g_autoptr(GHashTable) by_id = g_hash_table_new(NULL, NULL);
    for (unsigned i = 0; i < vnodes->len; i++) {
        add_ports(bridges, by_id, vnodes->pdata[i], g_hash_table_lookup(by_name, self));
    }
    for (unsigned i = 0; i < remotes->len; i++) {
        const struct remote_viface *viface = &g_array_index(remotes, struct remote_viface, i);
        guint index = GPOINTER_TO_UINT(g_hash_table_lookup(by_id, GUINT_TO_POINTER(viface->vnetwork_id)));
        if (index) {
            const struct pnode *pnode = viface->pnode ? g_hash_table_lookup(by_name, viface->pnode) : NULL;
            add_remote(&g_array_index(bridges, struct vswitch_bridge, index - 1), viface, pnode);
        }
    }
    for (unsigned i = 0; i < bridges->len; i++) {
        g_array_sort(g_array_index(bridges, struct vswitch_bridge, i).ports, compare_ports);
    }
    g_array_sort(bridges, compare_bridges);
    return bridges;
}
