/* SPDX-License-Identifier: Apache-2.0 */
/* Routes, in the order in which they come about: who forwards (forwarding.h), the graph of vnetworks and gateways (graph.h), what
 * can be gone to (targets.h), the shortest ways there (shortest.h, ways.h) for each class of vnodes (classes.h), and the routes
 * that say so (tables.h). */
#include <config.h>

#include "classes.h"
#include "distem/plan.h"
#include "family.h"
#include "forwarding.h"
#include "graph.h"
#include "tables.h"
#include "targets.h"
#include "ways.h"

enum { REACH_IPV4 = 1, REACH_IPV6 = 2 };

static void plan_family(struct platform *platform, GHashTable *positions, GHashTable *lost, struct classes *classes, uint8_t family,
                        uint8_t *reach, struct diagnostics *problems)
{
    bool computed = platform->routing != ROUTING_NONE;
    struct graph *graph = graph_new(platform, positions, lost, family);
    struct targets *targets = targets_new(platform, positions, graph, problems);
    struct ways *ways = ways_new(graph, targets, classes, computed, reach, family == 4 ? REACH_IPV4 : REACH_IPV6);
    tables_append(ways, computed, problems);
    ways_free(ways);
    targets_free(targets);
    graph_free(graph);
}

/* Gives each vnode the table of its class. */
static void assign(struct platform *platform, const struct classes *classes)
{
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        struct vnode *vnode = platform_vnode(platform, i);
        if (vnode->routes) {
            g_array_unref(vnode->routes);
        }
        vnode->routes = g_array_ref(classes_get(classes, classes->of_vnode[i])->routes);
    }
}

static void report_unreachable(const struct platform *platform, GHashTable *positions, const uint8_t *reach, GPtrArray *unreachable)
{
    uint32_t n = platform->vnetworks->len;
    g_autofree bool *inhabited = g_new0(bool, n + 1);
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        for (unsigned j = 0; j < vnode->vifaces->len; j++) {
            inhabited[GPOINTER_TO_UINT(g_hash_table_lookup(positions, vnode_viface(vnode, j)->vnetwork))] = true;
        }
    }
    uint64_t more = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct vnetwork *from = platform_vnetwork(platform, i);
        for (uint32_t j = 0; inhabited[i] && j < n; j++) {
            const struct vnetwork *to = platform_vnetwork(platform, j);
            bool both4 = from->ipv4.addr.family && to->ipv4.addr.family, both6 = from->ipv6.addr.family && to->ipv6.addr.family;
            uint8_t reached = reach[(size_t)i * n + j], wanted = (both4 ? REACH_IPV4 : 0) | (both6 ? REACH_IPV6 : 0);
            if (i == j || !inhabited[j] || (wanted && reached == wanted)) {
                continue;
            }
            if (unreachable->len == PLAN_UNREACHABLE_MAX) {
                more++;
                continue;
            }
            const char *which = !reached ? "" : reached == REACH_IPV4 ? " (IPv6)" : " (IPv4)";
            g_ptr_array_add(unreachable, g_strdup_printf("%s -> %s%s", from->name, to->name, which));
        }
    }
    if (more) {
        g_ptr_array_add(unreachable, g_strdup_printf("... and %" G_GUINT64_FORMAT " more", more));
    }
}

/* Returns the set of those vnodes whose machines are lost; the caller unrefs it. */
static GHashTable *find_lost(const struct platform *platform, const GPtrArray *pnodes)
{
    GHashTable *lost = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; pnodes && i < pnodes->len; i++) {
        const struct pnode *pnode = pnodes->pdata[i];
        if (pnode->lost) {
            g_hash_table_add(names, pnode->name);
        }
    }
    for (unsigned i = 0; g_hash_table_size(names) && i < platform->vnodes->len; i++) {
        struct vnode *vnode = platform_vnode(platform, i);
        if (vnode->pnode && g_hash_table_contains(names, vnode->pnode)) {
            g_hash_table_add(lost, vnode);
        }
    }
    return lost;
}

bool plan_routes(struct platform *platform, const GPtrArray *pnodes, GPtrArray *unreachable, struct diagnostics *problems)
{
    unsigned before = diagnostics_count(problems);
    g_autoptr(GHashTable) positions = forwarding_positions(platform), lost = find_lost(platform, pnodes);
    if (!forwarding_decide(platform, positions, lost, problems)) {
        return false;
    }
    struct classes *classes = classes_new(platform, positions, problems);
    if (!classes) {
        return false;
    }
    g_autofree uint8_t *reach = g_new0(uint8_t, (size_t)platform->vnetworks->len * platform->vnetworks->len + 1);
    plan_family(platform, positions, lost, classes, 4, reach, problems);
    plan_family(platform, positions, lost, classes, 6, reach, problems);
    bool ok = diagnostics_count(problems) == before;
    if (ok) {
        assign(platform, classes);
    }
    if (ok && unreachable) {
        report_unreachable(platform, positions, reach, unreachable);
    }
    classes_free(classes);
    return ok;
}
