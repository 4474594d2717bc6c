/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/topology.h"
#include "distem/units.h"
#include "internal.h"

/* Returns 'addr' with the length of 'prefix' behind it. */
static json_t *json_address(const struct ip_addr *addr, const struct ip_prefix *prefix)
{
    struct ip_prefix with_length = {*addr, prefix->length};
    char text[PREFIX_TEXT_SIZE];
    return text_or_null(prefix_format(&with_length, text));
}

json_t *json_viface(const struct viface *viface, const struct platform *platform)
{
    char mac[MAC_TEXT_SIZE];
    return json_pack("{s:s, s:I, s:s, s:o, s:o, s:s, s:o, s:o, s:I, s:I}", "name", viface->name, "id", (json_int_t)viface->id,
                     "vnetwork", viface->vnetwork->name, "ipv4", json_address(&viface->ipv4, &viface->vnetwork->ipv4), "ipv6",
                     json_address(&viface->ipv6, &viface->vnetwork->ipv6), "mac", mac_format(&viface->mac, mac), "input",
                     impairment_to_json_with_traces(&viface->input, platform), "output",
                     impairment_to_json_with_traces(&viface->output, platform), "input_compensation_ns",
                     (json_int_t)viface->input.compensation, "output_compensation_ns", (json_int_t)viface->output.compensation);
}

static json_t *json_route(const struct vnode *vnode, const struct route *route)
{
    char to[PREFIX_TEXT_SIZE], via[IP_TEXT_SIZE];
    return json_pack("{s:s, s:s, s:s}", "to", prefix_format(&route->to, to), "via", ip_format(&route->via, via), "viface",
                     vnode_viface(vnode, route->viface)->name);
}

json_t *json_vnode(const struct vnode *vnode, const struct platform *platform, GHashTable *lost)
{
    json_t *vifaces = json_array(), *routes = json_array();
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        json_array_append_new(vifaces, json_viface(vnode_viface(vnode, i), platform));
    }
    for (unsigned i = 0; vnode->routes && i < vnode->routes->len; i++) {
        json_array_append_new(routes, json_route(vnode, &g_array_index(vnode->routes, struct route, i)));
    }
    const char *state = vnode->pnode && g_hash_table_contains(lost, vnode->pnode) ? "lost" : vnode_state_name(vnode->state);
    g_autofree char *frequency = vnode->frequency ? frequency_format(vnode->frequency) : NULL;
    g_autofree char *memory = vnode->memory ? size_format(vnode->memory) : NULL;
    return json_pack("{s:s, s:I, s:s?, s:s, s:o, s:o, s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:o}", "name", vnode->name, "id",
                     (json_int_t)vnode->id, "pnode", vnode->pnode, "state", state, "error", text_or_null(vnode->error), "pid",
                     number_or_null((uint64_t)vnode->pid), "image", vnode->image, "labels", labels_json(vnode->labels), "forwards",
                     vnode->forwards, "cores", number_or_null(vnode->cores), "frequency", text_or_null(frequency), "memory",
                     text_or_null(memory), "vifaces", vifaces, "routes", routes);
}

static json_t *json_vnetwork(const struct vnetwork *vnetwork, unsigned vifaces)
{
    char ipv4[PREFIX_TEXT_SIZE], ipv6[PREFIX_TEXT_SIZE];
    bool vxlan = vnetwork->transport == TRANSPORT_VXLAN;
    return json_pack(
        "{s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o}", "name", vnetwork->name, "id",
        (json_int_t)vnetwork->id, "ipv4", text_or_null(prefix_format(&vnetwork->ipv4, ipv4)), "ipv6",
        text_or_null(prefix_format(&vnetwork->ipv6, ipv6)), "transport", text_or_null(transport_name(vnetwork->transport)), "vni",
        number_or_null(vxlan ? vnetwork->vni : 0), "port", number_or_null(vxlan ? vnetwork->port : 0), "underlay",
        text_or_null(vnetwork->underlay == 4   ? "ipv4"
                     : vnetwork->underlay == 6 ? "ipv6"
                                               : NULL),
        "vlan", number_or_null(vnetwork->vlan), "interface", text_or_null(vnetwork->interface), "mtu",
        number_or_null(vnetwork->mtu), "vifaces", (json_int_t)vifaces, "base_local_ns",
        number_or_null((uint64_t)vnetwork->base_local), "base_remote_ns", number_or_null((uint64_t)vnetwork->base_remote));
}

/* "ready", "changing", "failed" when something is being retried, "degraded" when only what is on lost pnodes is missing. */
static const char *platform_state(const struct platform *platform, uint64_t generation, const GPtrArray *pnodes, GHashTable *lost)
{
    bool failed = false, running = true;
    for (unsigned i = 0; i < pnodes->len; i++) {
        const struct pnode *pnode = pnodes->pdata[i];
        failed = failed || (pnode->error && !pnode->lost);
    }
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        if (!g_hash_table_contains(lost, vnode->pnode)) {
            failed = failed || vnode->state == VNODE_STATE_FAILED;
            running = running && vnode->state == VNODE_STATE_RUNNING;
        }
    }
    if (failed) {
        return "failed";
    }
    if (!running || realised_generation(pnodes, generation) != generation) {
        return "changing";
    }
    return g_hash_table_size(lost) ? "degraded" : "ready";
}

/* The traces, and when they start or have started: null when that is open. */
static json_t *json_playbacks(const struct platform *platform, int64_t start)
{
    json_t *names = json_array();
    for (unsigned i = 0; i < platform->playbacks->len; i++) {
        json_array_append_new(names, json_string(platform_playback(platform, i)->name));
    }
    return json_pack("{s:o, s:o}", "names", names, "start_ns", number_or_null((uint64_t)start));
}

json_t *json_platform(const struct platform *platform, uint64_t generation, int64_t start, const GPtrArray *pnodes)
{
    g_autoptr(GHashTable) counts = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) lost = lost_pnodes(pnodes);
    json_t *vnodes = json_array(), *vnetworks = json_array();
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        json_array_append_new(vnodes, json_vnode(vnode, platform, lost));
        for (unsigned k = 0; k < vnode->vifaces->len; k++) {
            struct vnetwork *vnetwork = vnode_viface(vnode, k)->vnetwork;
            guint count = GPOINTER_TO_UINT(g_hash_table_lookup(counts, vnetwork));
            g_hash_table_insert(counts, vnetwork, GUINT_TO_POINTER(count + 1));
        }
    }
    for (unsigned i = 0; i < platform->vnetworks->len; i++) {
        struct vnetwork *vnetwork = platform_vnetwork(platform, i);
        json_array_append_new(vnetworks, json_vnetwork(vnetwork, GPOINTER_TO_UINT(g_hash_table_lookup(counts, vnetwork))));
    }
    return json_pack("{s:s, s:I, s:s, s:s, s:o, s:o, s:o, s:o}", "name", platform->name, "generation", (json_int_t)generation,
                     "state", platform_state(platform, generation, pnodes, lost), "routing", routing_name(platform->routing),
                     "vnetworks", vnetworks, "vnodes", vnodes, "pnodes", json_pnodes(pnodes, platform, generation), "traces",
                     json_playbacks(platform, start));
}
