/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "graph.h"

#include "family.h"
#include "hash.h"

/* Five hours. Longer latencies count as this, so that sums over a million vifaces do not overflow. */
#define COST_MAX (UINT64_C(1) << 44)

uint64_t graph_cost(const struct viface *viface, enum routing routing)
{
    uint64_t cost = (uint64_t)viface->input.latency + (uint64_t)viface->output.latency;
    return routing == ROUTING_LATENCY ? MIN(cost, COST_MAX) : 0;
}

/* Appends the halves of 'vnode', gateway number 'gateway', to 'halves'. 'last_on' says for each vnetwork which gateway (+ 1) had a
 * half there last. */
static void add_halves(GArray *halves, const struct vnode *vnode, uint32_t gateway, GHashTable *positions, uint32_t *last_on,
                       uint8_t family, enum routing routing)
{
    for (uint32_t i = 0; i < vnode->vifaces->len; i++) {
        const struct viface *viface = vnode_viface(vnode, i);
        uint32_t vnetwork = GPOINTER_TO_UINT(g_hash_table_lookup(positions, viface->vnetwork));
        if (!viface_address(viface, family)->family || last_on[vnetwork] == gateway + 1) {
            continue;
        }
        last_on[vnetwork] = gateway + 1;
        struct half half = {
            .gateway = gateway,
            .vnetwork = vnetwork,
            .viface = i,
            .addr = *viface_address(viface, family),
            .weight = {graph_cost(viface, routing), 1, vnode->id, hash_64(viface->id) >> 20},
        };
        g_array_append_val(halves, half);
    }
}

/* Sorts the halves by vnetwork. */
static void index_by_vnetwork(struct graph *graph)
{
    graph->of_vnetwork = g_new0(uint32_t, graph->n_vnetworks + 1);
    graph->by_vnetwork = g_new(uint32_t, graph->n_halves);
    for (uint32_t i = 0; i < graph->n_halves; i++) {
        graph->of_vnetwork[graph->halves[i].vnetwork + 1]++;
    }
    for (uint32_t v = 0; v < graph->n_vnetworks; v++) {
        graph->of_vnetwork[v + 1] += graph->of_vnetwork[v];
    }
    g_autofree uint32_t *next = g_memdup2(graph->of_vnetwork, (graph->n_vnetworks + 1) * sizeof *next);
    for (uint32_t i = 0; i < graph->n_halves; i++) {
        graph->by_vnetwork[next[graph->halves[i].vnetwork]++] = i;
    }
}

struct graph *graph_new(const struct platform *platform, GHashTable *positions, GHashTable *lost, uint8_t family)
{
    struct graph *graph = g_new0(struct graph, 1);
    graph->family = family;
    graph->n_vnetworks = platform->vnetworks->len;
    graph->indexes = g_hash_table_new(NULL, NULL);
    g_autoptr(GPtrArray) gateways = g_ptr_array_new();
    g_autoptr(GArray) halves = g_array_new(FALSE, FALSE, sizeof(struct half));
    g_autoptr(GArray) of_gateway = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autofree uint32_t *last_on = g_new0(uint32_t, graph->n_vnetworks);
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        struct vnode *vnode = platform_vnode(platform, i);
        if (vnode->forwards) {
            g_array_append_val(of_gateway, halves->len);
            add_halves(halves, vnode, gateways->len, positions, last_on, family, platform->routing);
            g_ptr_array_add(gateways, vnode);
            g_hash_table_insert(graph->indexes, vnode, GUINT_TO_POINTER(gateways->len));
        }
    }
    g_array_append_val(of_gateway, halves->len);
    graph->n_gateways = gateways->len;
    graph->n_halves = halves->len;
    graph->gateways = (struct vnode **)g_ptr_array_free(g_steal_pointer(&gateways), FALSE);
    graph->halves = (struct half *)(void *)g_array_free(g_steal_pointer(&halves), FALSE);
    graph->of_gateway = (uint32_t *)(void *)g_array_free(g_steal_pointer(&of_gateway), FALSE);
    graph->lost = g_new0(bool, graph->n_gateways + 1);
    for (uint32_t i = 0; i < graph->n_gateways; i++) {
        graph->lost[i] = g_hash_table_contains(lost, graph->gateways[i]);
    }
    index_by_vnetwork(graph);
    return graph;
}

void graph_free(struct graph *graph)
{
    if (graph) {
        g_hash_table_unref(graph->indexes);
        g_free(graph->gateways);
        g_free(graph->lost);
        g_free(graph->halves);
        g_free(graph->of_gateway);
        g_free(graph->of_vnetwork);
        g_free(graph->by_vnetwork);
        g_free(graph);
    }
}

uint32_t graph_gateway(const struct graph *graph, const struct vnode *vnode)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(graph->indexes, vnode)) - 1;
}

uint32_t graph_half(const struct graph *graph, const struct vnode *vnode, uint32_t vnetwork)
{
    uint32_t gateway = graph_gateway(graph, vnode);
    if (gateway == NONE) {
        return NONE;
    }
    for (uint32_t i = graph->of_gateway[gateway]; i < graph->of_gateway[gateway + 1]; i++) {
        if (graph->halves[i].vnetwork == vnetwork) {
            return i;
        }
    }
    return NONE;
}
