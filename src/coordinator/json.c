/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/topology.h"
#include "distem/units.h"
#include "internal.h"

/* Returns "" as null, other texts as they are. */
static json_t *text_or_null(const char *text)
{
    return text && *text ? json_string(text) : json_null();
}

static json_t *number_or_null(uint64_t number)
{
    return number ? json_integer((json_int_t)number) : json_null();
}

/* Returns 'addr' with the length of 'prefix' behind it. */
static json_t *json_address(const struct ip_addr *addr, const struct ip_prefix *prefix)
{
    struct ip_prefix with_length = {*addr, prefix->length};
    char text[PREFIX_TEXT_SIZE];
    return text_or_null(prefix_format(&with_length, text));
}

static json_t *json_viface(const struct viface *viface)
{
    char mac[MAC_TEXT_SIZE];
    return json_pack("{s:s, s:I, s:s, s:o, s:o, s:s, s:o, s:o}", "name", viface->name, "id", (json_int_t)viface->id, "vnetwork",
                     viface->vnetwork->name, "ipv4", json_address(&viface->ipv4, &viface->vnetwork->ipv4), "ipv6",
                     json_address(&viface->ipv6, &viface->vnetwork->ipv6), "mac", mac_format(&viface->mac, mac), "input",
                     impairment_to_json(&viface->input), "output", impairment_to_json(&viface->output));
}

static json_t *json_route(const struct vnode *vnode, const struct route *route)
{
    char to[PREFIX_TEXT_SIZE], via[IP_TEXT_SIZE];
    return json_pack("{s:s, s:s, s:s}", "to", prefix_format(&route->to, to), "via", ip_format(&route->via, via), "viface",
                     vnode_viface(vnode, route->viface)->name);
}

json_t *json_vnode(const struct vnode *vnode)
{
    json_t *vifaces = json_array(), *routes = json_array();
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        json_array_append_new(vifaces, json_viface(vnode_viface(vnode, i)));
    }
    for (unsigned i = 0; vnode->routes && i < vnode->routes->len; i++) {
        json_array_append_new(routes, json_route(vnode, &g_array_index(vnode->routes, struct route, i)));
    }
    g_autofree char *frequency = vnode->frequency ? frequency_format(vnode->frequency) : NULL;
    g_autofree char *memory = vnode->memory ? size_format(vnode->memory) : NULL;
    return json_pack("{s:s, s:I, s:s?, s:s, s:o, s:o, s:s, s:b, s:o, s:o, s:o, s:o, s:o}", "name", vnode->name, "id",
                     (json_int_t)vnode->id, "pnode", vnode->pnode, "state", vnode_state_name(vnode->state), "error",
                     text_or_null(vnode->error), "pid", number_or_null((uint64_t)vnode->pid), "image", vnode->image, "forwards",
                     vnode->forwards, "cores", number_or_null(vnode->cores), "frequency", text_or_null(frequency), "memory",
                     text_or_null(memory), "vifaces", vifaces, "routes", routes);
}

static json_t *json_vnetwork(const struct vnetwork *vnetwork, unsigned vifaces)
{
    char ipv4[PREFIX_TEXT_SIZE], ipv6[PREFIX_TEXT_SIZE];
    return json_pack("{s:s, s:I, s:o, s:o, s:I, s:o, s:o, s:I}", "name", vnetwork->name, "id", (json_int_t)vnetwork->id, "ipv4",
                     text_or_null(prefix_format(&vnetwork->ipv4, ipv4)), "ipv6", text_or_null(prefix_format(&vnetwork->ipv6, ipv6)),
                     "vni", (json_int_t)vnetwork->vni, "vlan", number_or_null(vnetwork->vlan), "mtu", number_or_null(vnetwork->mtu),
                     "vifaces", (json_int_t)vifaces);
}

json_t *json_pnodes(const GPtrArray *pnodes, const struct platform *platform)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < pnodes->len; i++) {
        const struct pnode *pnode = pnodes->pdata[i];
        unsigned vnodes = 0;
        for (unsigned k = 0; platform && k < platform->vnodes->len; k++) {
            vnodes += !g_strcmp0(platform_vnode(platform, k)->pnode, pnode->name);
        }
        g_autofree char *memory = size_format(pnode->memory);
        json_array_append_new(list, json_pack("{s:s, s:I, s:s, s:I, s:I, s:o, s:o}", "name", pnode->name, "cores",
                                              (json_int_t)pnode->cores, "memory", memory, "vnodes", (json_int_t)vnodes,
                                              "generation", (json_int_t)pnode->generation, "missing", text_or_null(pnode->missing),
                                              "error", text_or_null(pnode->error)));
    }
    return list;
}

uint64_t realised_generation(const GPtrArray *pnodes, uint64_t generation)
{
    uint64_t realised = pnodes->len ? generation : 0;
    for (unsigned i = 0; i < pnodes->len; i++) {
        realised = MIN(realised, ((const struct pnode *)pnodes->pdata[i])->generation);
    }
    return realised;
}

/* "ready", "changing", or "failed" when something is being retried. */
static const char *platform_state(const struct platform *platform, uint64_t generation, const GPtrArray *pnodes)
{
    bool failed = false, running = true;
    for (unsigned i = 0; i < pnodes->len; i++) {
        failed = failed || ((const struct pnode *)pnodes->pdata[i])->error;
    }
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        failed = failed || platform_vnode(platform, i)->state == VNODE_STATE_FAILED;
        running = running && platform_vnode(platform, i)->state == VNODE_STATE_RUNNING;
    }
    if (failed) {
        return "failed";
    }
    return running && realised_generation(pnodes, generation) == generation ? "ready" : "changing";
}

json_t *json_platform(const struct platform *platform, uint64_t generation, const GPtrArray *pnodes)
{
    g_autoptr(GHashTable) counts = g_hash_table_new(NULL, NULL);
    json_t *vnodes = json_array(), *vnetworks = json_array();
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        json_array_append_new(vnodes, json_vnode(vnode));
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
    return json_pack("{s:s, s:I, s:s, s:s, s:o, s:o, s:o}", "name", platform->name, "generation", (json_int_t)generation, "state",
                     platform_state(platform, generation, pnodes), "routing", routing_name(platform->routing), "vnetworks",
                     vnetworks, "vnodes", vnodes, "pnodes", json_pnodes(pnodes, platform));
}
