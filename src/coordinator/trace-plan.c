/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "trace-plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "distem/error.h"

#define BROADCAST "broadcast"

static void station_free(void *data)
{
    struct trace_station *station = data;
    g_free(station->flow);
    g_free(station);
}

static void leg_free(void *data)
{
    struct trace_leg *leg = data;
    g_ptr_array_unref(leg->stations);
    g_free(leg);
}

/* Finds "n1" or "n1:if0"; without a viface '*ret_viface' is NULL. */
static bool find_end(const struct platform *platform, const char *text, const struct vnode **ret_vnode,
                     const struct viface **ret_viface, GError **error)
{
    const char *colon = strchr(text, ':');
    g_autofree char *name = g_strndup(text, colon ? (size_t)(colon - text) : strlen(text));
    *ret_vnode = platform_find_vnode(platform, name);
    if (!*ret_vnode) {
        return fail(error, DISTEM_ERROR_NOT_FOUND, 0, "there is no vnode \"%s\" in platform %s", name, platform->name);
    }
    *ret_viface = colon ? vnode_find_viface(*ret_vnode, colon + 1) : NULL;
    if (colon && !*ret_viface) {
        return fail(error, DISTEM_ERROR_NOT_FOUND, 0, "vnode %s has no viface \"%s\"", name, colon + 1);
    }
    return true;
}

/* Describes the packet on its way out of 'from' to the MAC of 'to' (NULL: to all), without the port it comes in by. */
static char *describe_packet(const struct viface *from, const struct viface *to, const struct ip_addr *source,
                             const struct ip_addr *destination)
{
    char from_mac[MAC_TEXT_SIZE], to_mac[MAC_TEXT_SIZE] = "ff:ff:ff:ff:ff:ff", from_ip[IP_TEXT_SIZE], to_ip[IP_TEXT_SIZE];
    mac_format(&from->mac, from_mac);
    if (to) {
        mac_format(&to->mac, to_mac);
    }
    ip_format(source, from_ip);
    ip_format(destination, to_ip);
    bool ipv6 = source->family == 6;
    return g_strdup_printf("dl_src=%s,dl_dst=%s,%s,%s=%s,%s=%s,nw_ttl=64", from_mac, to_mac,
                           ipv6 ? "icmp6,icmpv6_type=128" : "icmp,icmp_type=8", ipv6 ? "ipv6_src" : "nw_src", from_ip,
                           ipv6 ? "ipv6_dst" : "nw_dst", to_ip);
}

/* Adds the switch of 'pnode', where the packet comes in by 'port'. 'tunnel' is what its tunnel says of it, "" when it came by none.
 */
static void add_station(struct trace_leg *leg, const char *pnode, const char *port, const char *tunnel, const char *packet)
{
    struct trace_station *station = g_new0(struct trace_station, 1);
    station->pnode = pnode;
    g_strlcpy(station->port, port, sizeof station->port);
    station->flow = g_strdup_printf("in_port=%s,%s%s", port, tunnel, packet);
    g_ptr_array_add(leg->stations, station);
}

static const struct pnode *find_pnode_by_name(const GPtrArray *pnodes, const char *name)
{
    for (unsigned i = 0; i < pnodes->len; i++) {
        const struct pnode *pnode = pnodes->pdata[i];
        if (!strcmp(pnode->name, name)) {
            return pnode;
        }
    }
    return NULL;
}

/* Returns what a tunnel says of a packet between two pnodes, ended by a comma; "" where the vnetwork has no tunnels. */
static char *describe_tunnel(const struct vnetwork *vnetwork, const GPtrArray *pnodes, const char *from, const char *to)
{
    const struct pnode *source = find_pnode_by_name(pnodes, from), *destination = find_pnode_by_name(pnodes, to);
    if (vnetwork->transport != TRANSPORT_VXLAN || !source || !destination) {
        return g_strdup("");
    }
    bool ipv6 = vnetwork->underlay == 6;
    char source_text[IP_TEXT_SIZE], destination_text[IP_TEXT_SIZE];
    ip_format(ipv6 ? &source->ipv6 : &source->ipv4, source_text);
    ip_format(ipv6 ? &destination->ipv6 : &destination->ipv4, destination_text);
    return g_strdup_printf("tun_id=%" PRIu32 ",%s=%s,%s=%s,", vnetwork->vni, ipv6 ? "tun_ipv6_src" : "tun_src", source_text,
                           ipv6 ? "tun_ipv6_dst" : "tun_dst", destination_text);
}

/* Adds the switch of 'pnode' as one that the packet comes to from the leg's sender. */
static void add_arrival(struct trace_leg *leg, const GPtrArray *pnodes, const char *pnode, const char *packet)
{
    char port[16];
    snprintf(port, sizeof port, "%s%" PRIu32, leg->vnetwork->transport == TRANSPORT_VLAN ? "dq" : "dt", leg->vnetwork->id);
    g_autofree char *tunnel = describe_tunnel(leg->vnetwork, pnodes, leg->from.vnode->pnode, pnode);
    add_station(leg, pnode, port, tunnel, packet);
}

static struct trace_leg *leg_new(const struct hop *from, const char *packet)
{
    struct trace_leg *leg = g_new0(struct trace_leg, 1);
    leg->vnetwork = from->viface->vnetwork;
    leg->from = *from;
    leg->stations = g_ptr_array_new_with_free_func(station_free);
    char port[16];
    snprintf(port, sizeof port, "dv%" PRIu32, from->viface->id);
    add_station(leg, from->vnode->pnode, port, "", packet);
    return leg;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Returns the pnodes other than 'home' that have vifaces on 'vnetwork', ordered by name: borrowed names, to be unreffed. */
static GPtrArray *other_hosts(const struct platform *platform, const struct vnetwork *vnetwork, const char *home)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *hosts = g_ptr_array_new();
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        for (unsigned k = 0; k < vnode->vifaces->len; k++) {
            if (vnode_viface(vnode, k)->vnetwork == vnetwork && strcmp(vnode->pnode, home) != 0 &&
                g_hash_table_add(seen, vnode->pnode)) {
                g_ptr_array_add(hosts, vnode->pnode);
            }
        }
    }
    g_ptr_array_sort(hosts, compare_names);
    return hosts;
}

/* A broadcast stays in its vnetwork and comes to all pnodes of it. */
static GPtrArray *plan_broadcast(const struct platform *platform, const GPtrArray *pnodes, const struct vnode *vnode,
                                 const struct viface *viface)
{
    bool ipv4 = viface->ipv4.family != 0;
    struct ip_addr all = {.family = ipv4 ? 4 : 6};
    if (ipv4) {
        memset(all.bytes, 0xff, 4);
    } else {
        all.bytes[0] = 0xff;
        all.bytes[1] = 0x02;
        all.bytes[15] = 0x01;
    }
    g_autofree char *packet = describe_packet(viface, NULL, ipv4 ? &viface->ipv4 : &viface->ipv6, &all);
    struct hop out = {.vnode = vnode, .viface = viface, .output = true};
    struct trace_leg *leg = leg_new(&out, packet);
    g_autoptr(GPtrArray) hosts = other_hosts(platform, viface->vnetwork, vnode->pnode);
    for (unsigned i = 0; i < hosts->len; i++) {
        add_arrival(leg, pnodes, hosts->pdata[i], packet);
    }
    GPtrArray *legs = g_ptr_array_new_with_free_func(leg_free);
    g_ptr_array_add(legs, leg);
    return legs;
}

/* Makes the legs of 'path', whose hops are an output and an input for each vnetwork. */
static GPtrArray *plan_legs(const GPtrArray *pnodes, const struct path *path, const struct ip_addr *source,
                            const struct ip_addr *destination)
{
    GPtrArray *legs = g_ptr_array_new_with_free_func(leg_free);
    for (unsigned i = 0; i + 1 < path->hops->len; i += 2) {
        const struct hop *out = &g_array_index(path->hops, struct hop, i), *in = out + 1;
        g_autofree char *packet = describe_packet(out->viface, in->viface, source, destination);
        struct trace_leg *leg = leg_new(out, packet);
        leg->to = *in;
        if (strcmp(out->vnode->pnode, in->vnode->pnode) != 0) {
            add_arrival(leg, pnodes, in->vnode->pnode, packet);
        }
        g_ptr_array_add(legs, leg);
    }
    return legs;
}

/* Finds the first of the 'count' addresses (family 0: none) that there is a way to from 'vnode', by 'viface' unless that is NULL.
 */
static bool find_way(const struct platform *platform, const struct vnode *vnode, const struct viface *viface,
                     const struct ip_addr *const *addresses, unsigned count, struct path *ret, const struct ip_addr **ret_address,
                     GError **error)
{
    struct path_finder *finder = path_finder_new(platform);
    g_autoptr(GError) problem = NULL;
    bool found = false;
    for (unsigned i = 0; i < count && !found; i++) {
        if (addresses[i]->family) {
            g_clear_error(&problem);
            found = path_find(finder, vnode, addresses[i], ret, &problem);
            *ret_address = addresses[i];
        }
    }
    path_finder_free(finder);
    if (!found) {
        if (problem) {
            g_propagate_error(error, g_steal_pointer(&problem));
        } else {
            fail(error, DISTEM_ERROR_INVALID, 0, "the destination has no address");
        }
        return false;
    }
    const struct viface *used = ret->hops->len ? g_array_index(ret->hops, struct hop, 0).viface : NULL;
    if (!used || (viface && used != viface)) {
        g_array_unref(ret->hops);
        if (used) {
            fail(error, DISTEM_ERROR_INVALID, 0, "vnode %s sends this by %s, not by %s", vnode->name, used->name, viface->name);
        } else {
            fail(error, DISTEM_ERROR_INVALID, 0, "vnode %s sends nothing to itself through a switch", vnode->name);
        }
        return false;
    }
    return true;
}

GPtrArray *trace_plan(const struct platform *planned, const GPtrArray *pnodes, const char *from, const char *to, GError **error)
{
    const struct vnode *vnode, *target;
    const struct viface *viface = NULL, *target_viface = NULL;
    if (!find_end(planned, from, &vnode, &viface, error)) {
        return NULL;
    }
    if (!strcmp(to, BROADCAST)) {
        if (!vnode->vifaces->len) {
            fail(error, DISTEM_ERROR_INVALID, 0, "vnode %s has no viface", vnode->name);
            return NULL;
        }
        return plan_broadcast(planned, pnodes, vnode, viface ? viface : vnode_viface(vnode, 0));
    }
    struct ip_addr address;
    g_autoptr(GArray) candidates = g_array_new(FALSE, FALSE, sizeof(const struct ip_addr *));
    if (ip_addr_parse(to, &address, NULL)) {
        const struct ip_addr *only = &address;
        g_array_append_val(candidates, only);
    } else {
        if (!find_end(planned, to, &target, &target_viface, error)) {
            return NULL;
        }
        for (unsigned i = 0; i < target->vifaces->len; i++) {
            const struct viface *one = vnode_viface(target, i);
            const struct ip_addr *both[] = {&one->ipv4, &one->ipv6};
            if (!target_viface || one == target_viface) {
                g_array_append_vals(candidates, both, G_N_ELEMENTS(both));
            }
        }
    }
    struct path path;
    const struct ip_addr *destination = NULL;
    if (!find_way(planned, vnode, viface, (const struct ip_addr *const *)(const void *)candidates->data, candidates->len, &path,
                  &destination, error)) {
        return NULL;
    }
    const struct viface *first = g_array_index(path.hops, struct hop, 0).viface;
    GPtrArray *legs = plan_legs(pnodes, &path, destination->family == 6 ? &first->ipv6 : &first->ipv4, destination);
    g_array_unref(path.hops);
    return legs;
}
