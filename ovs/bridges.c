/* SPDX-License-Identifier: Apache-2.0 */
/* The bridges that are wanted, with the ports that lead from one to another: from vswitch_want()'s list to rows and rules. */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "forwarding.h"
#include "hash.h"
#include "vswitch-impl.h"

static void bridge_free(void *data)
{
    struct bridge *bridge = data;
    ofconn_free(bridge->conn);
    g_array_unref(bridge->ports);
    g_array_unref(bridge->remotes);
    g_array_unref(bridge->row_ports);
    g_hash_table_unref(bridge->index);
    g_free(bridge->ofports);
    g_free(bridge);
}

GHashTable *bridges_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, NULL, bridge_free);
}

/* Returns the bridge with 'name', made without ports when it is new. */
static struct bridge *get_bridge(GHashTable *bridges, const char *name)
{
    struct bridge *bridge = g_hash_table_lookup(bridges, name);
    if (!bridge) {
        bridge = g_new0(struct bridge, 1);
        g_strlcpy(bridge->name, name, sizeof bridge->name);
        bridge->ports = g_array_new(FALSE, TRUE, sizeof(struct vswitch_port));
        bridge->remotes = g_array_new(FALSE, TRUE, sizeof(struct vswitch_remote));
        bridge->row_ports = g_array_new(FALSE, TRUE, sizeof(struct row_port));
        bridge->index = g_hash_table_new(g_str_hash, g_str_equal);
        bridge->rules_stale = true;
        g_hash_table_insert(bridges, bridge->name, bridge);
    }
    bridge->wanted = true;
    return bridge;
}

static bool same_row_port(const struct row_port *a, const struct row_port *b)
{
    return a->kind == b->kind && !strcmp(a->name, b->name) && a->id == b->id && a->vni == b->vni && a->udp_port == b->udp_port &&
           ip_equal(&a->local, &b->local) && !strcmp(a->peer, b->peer) && a->vlan == b->vlan;
}

static bool same_port(const struct vswitch_port *a, const struct vswitch_port *b)
{
    return a->viface_id == b->viface_id && !strcmp(a->netdev, b->netdev) && mac_equal(&a->mac, &b->mac) &&
           ip_equal(&a->ipv4, &b->ipv4) && ip_equal(&a->ipv6, &b->ipv6);
}

static bool same_remote(const struct vswitch_remote *a, const struct vswitch_remote *b)
{
    return mac_equal(&a->mac, &b->mac) && ip_equal(&a->ipv4, &b->ipv4) && ip_equal(&a->ipv6, &b->ipv6) &&
           ip_equal(&a->tunnel, &b->tunnel);
}

#define SAME_ARRAYS(TYPE, SAME)                                                                                                    \
    static bool SAME##s(const GArray *a, const GArray *b)                                                                          \
    {                                                                                                                              \
        bool same = a->len == b->len;                                                                                              \
        for (unsigned i = 0; same && i < a->len; i++) {                                                                            \
            same = SAME(&g_array_index(a, struct TYPE, i), &g_array_index(b, struct TYPE, i));                                     \
        }                                                                                                                          \
        return same;                                                                                                               \
    }
SAME_ARRAYS(row_port, same_row_port)
SAME_ARRAYS(vswitch_port, same_port)
SAME_ARRAYS(vswitch_remote, same_remote)

/* Gives 'bridge' the wanted rows, which it owns from now on; OpenFlow ports that are known are kept. */
static void set_row_ports(struct bridge *bridge, GArray *rows)
{
    if (same_row_ports(bridge->row_ports, rows)) {
        g_array_unref(rows);
        return;
    }
    const struct row_port *old_first = (const struct row_port *)(const void *)bridge->row_ports->data;
    uint16_t *ofports = g_new0(uint16_t, rows->len);
    GHashTable *index = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; i < rows->len; i++) {
        struct row_port *row = &g_array_index(rows, struct row_port, i);
        g_hash_table_insert(index, row->name, row);
        const struct row_port *old = g_hash_table_lookup(bridge->index, row->name);
        ofports[i] = old ? bridge->ofports[old - old_first] : 0;
    }
    g_hash_table_unref(bridge->index);
    g_array_unref(bridge->row_ports);
    g_free(bridge->ofports);
    bridge->row_ports = rows;
    bridge->index = index;
    bridge->ofports = ofports;
    bridge->rules_stale = true;
}

/* Replaces '*array' by a copy of 'wanted'. */
static void replace(GArray **array, const GArray *wanted)
{
    GArray *copy = g_array_sized_new(FALSE, TRUE, g_array_get_element_size((GArray *)wanted), wanted->len);
    g_array_append_vals(copy, wanted->data, wanted->len);
    g_array_unref(*array);
    *array = copy;
}

static void provider_name(const char *interface, char name[16])
{
    snprintf(name, 16, "dp%08x", hash_string(interface, 0));
}

/* Adds the other end of a patch port to the provider bridge of its physical interface. */
static void add_to_provider(GHashTable *bridges, GHashTable *provider_rows, const struct vswitch_bridge *want,
                            const struct row_port *patch)
{
    char name[16];
    provider_name(want->interface, name);
    struct bridge *provider = get_bridge(bridges, name);
    g_strlcpy(provider->interface, want->interface, sizeof provider->interface);
    GArray *rows = g_hash_table_lookup(provider_rows, provider);
    if (!rows) {
        rows = g_array_new(FALSE, TRUE, sizeof(struct row_port));
        struct row_port physical = {.kind = PORT_PHYSICAL};
        g_strlcpy(physical.name, want->interface, sizeof physical.name);
        g_array_append_val(rows, physical);
        g_hash_table_insert(provider_rows, provider, rows);
    }
    struct row_port other = {.kind = PORT_PATCH, .id = want->vnetwork_id, .vlan = want->vlan};
    memcpy(other.name, patch->peer, sizeof other.name);
    memcpy(other.peer, patch->name, sizeof other.peer);
    g_array_append_val(rows, other);
}

/* Adds the port that joins 'want' to other pnodes, when there are any. */
static void add_uplink(GHashTable *bridges, GHashTable *provider_rows, const struct vswitch_bridge *want, GArray *rows)
{
    struct row_port uplink = {.id = want->vnetwork_id};
    if (!want->remotes || !want->remotes->len) {
        return;
    }
    if (want->transport == TRANSPORT_VXLAN) {
        uplink.kind = PORT_TUNNEL;
        uplink.vni = want->vni;
        uplink.udp_port = want->udp_port;
        uplink.local = want->local;
        snprintf(uplink.name, sizeof uplink.name, "dt%" G_GUINT32_FORMAT, want->vnetwork_id);
        g_array_append_val(rows, uplink);
    } else if (want->transport == TRANSPORT_VLAN) {
        uplink.kind = PORT_PATCH;
        snprintf(uplink.name, sizeof uplink.name, "dq%" G_GUINT32_FORMAT, want->vnetwork_id);
        snprintf(uplink.peer, sizeof uplink.peer, "dr%" G_GUINT32_FORMAT, want->vnetwork_id);
        g_array_append_val(rows, uplink);
        add_to_provider(bridges, provider_rows, want, &uplink);
    }
}

static void want_bridge(GHashTable *bridges, GHashTable *provider_rows, const struct vswitch_bridge *want)
{
    struct bridge *bridge = get_bridge(bridges, want->name);
    bridge->vnetwork_id = want->vnetwork_id;
    if (!same_ports(bridge->ports, want->ports)) {
        replace(&bridge->ports, want->ports);
        bridge->rules_stale = true;
    }
    g_autoptr(GArray) none = g_array_new(FALSE, TRUE, sizeof(struct vswitch_remote));
    const GArray *remotes = want->remotes ? want->remotes : none;
    if (!same_remotes(bridge->remotes, remotes)) {
        replace(&bridge->remotes, remotes);
        bridge->rules_stale = true;
    }
    GArray *rows = g_array_sized_new(FALSE, TRUE, sizeof(struct row_port), want->ports->len + 1);
    for (unsigned i = 0; i < want->ports->len; i++) {
        const struct vswitch_port *port = &g_array_index(want->ports, struct vswitch_port, i);
        struct row_port row = {.kind = PORT_VIFACE, .id = port->viface_id};
        memcpy(row.name, port->netdev, sizeof row.name);
        g_array_append_val(rows, row);
    }
    add_uplink(bridges, provider_rows, want, rows);
    set_row_ports(bridge, rows);
}

void bridges_want(GHashTable *bridges, const GArray *wanted)
{
    GHashTableIter iter;
    void *bridge, *rows;
    g_hash_table_iter_init(&iter, bridges);
    while (g_hash_table_iter_next(&iter, NULL, &bridge)) {
        ((struct bridge *)bridge)->wanted = false;
    }
    g_autoptr(GHashTable) provider_rows = g_hash_table_new(NULL, NULL);
    for (unsigned i = 0; i < wanted->len; i++) {
        want_bridge(bridges, provider_rows, &g_array_index(wanted, struct vswitch_bridge, i));
    }
    g_hash_table_iter_init(&iter, provider_rows);
    while (g_hash_table_iter_next(&iter, &bridge, &rows)) {
        set_row_ports(bridge, rows);
    }
    g_hash_table_iter_init(&iter, bridges);
    while (g_hash_table_iter_next(&iter, NULL, &bridge)) {
        if (!((struct bridge *)bridge)->wanted) {
            g_hash_table_iter_remove(&iter);
        }
    }
}

static struct rule_set *provider_rules(const struct bridge *bridge)
{
    g_autofree struct provider_vlan *vlans = g_new0(struct provider_vlan, bridge->row_ports->len);
    uint16_t interface = 0;
    unsigned count = 0;
    for (unsigned i = 0; i < bridge->row_ports->len; i++) {
        const struct row_port *row = &g_array_index(bridge->row_ports, struct row_port, i);
        if (row->kind == PORT_PHYSICAL) {
            interface = bridge->ofports[i];
        } else {
            vlans[count++] = (struct provider_vlan){row->vlan, bridge->ofports[i]};
        }
    }
    return forwarding_provider_rules(interface, vlans, count);
}

struct rule_set *bridge_rules(const struct bridge *bridge)
{
    if (!bridge->vnetwork_id) {
        return provider_rules(bridge);
    }
    struct forwarding forwarding = {.ports = bridge->ports, .ofports = bridge->ofports, .remotes = bridge->remotes};
    if (bridge->row_ports->len > bridge->ports->len) {
        const struct row_port *uplink = &g_array_index(bridge->row_ports, struct row_port, bridge->ports->len);
        forwarding.uplink = bridge->ofports[bridge->ports->len];
        forwarding.vni = uplink->vni;
    }
    return forwarding_rules(&forwarding);
}
