/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "targets.h"

#include "family.h"

static int compare_prefixes(const struct ip_prefix *a, const struct ip_prefix *b)
{
    int order = ip_compare(&a->addr, &b->addr);
    return order ? order : (int)a->length - (int)b->length;
}

/* A prefix and who brings it: a vnetwork (its index), or a vroute. */
struct source {
    struct ip_prefix prefix;
    uint32_t order; /* Keeps sorting stable. */
    uint32_t vnetwork;
    const struct vroute *vroute;
};

static int compare_sources(const void *a, const void *b)
{
    const struct source *left = a, *right = b;
    int order = compare_prefixes(&left->prefix, &right->prefix);
    return order ? order : (left->order > right->order) - (left->order < right->order);
}

static GArray *collect(const struct platform *platform, uint8_t family)
{
    GArray *sources = g_array_new(FALSE, TRUE, sizeof(struct source));
    for (uint32_t i = 0; i < platform->vnetworks->len; i++) {
        const struct ip_prefix *prefix = vnetwork_prefix(platform_vnetwork(platform, i), family);
        if (prefix->addr.family) {
            struct source source = {*prefix, sources->len, i, NULL};
            g_array_append_val(sources, source);
        }
    }
    for (uint32_t i = 0; i < platform->vroutes->len; i++) {
        const struct vroute *vroute = platform_vroute(platform, i);
        const struct ip_prefix *prefix = vroute->to ? vnetwork_prefix(vroute->to, family) : &vroute->prefix;
        if (prefix->addr.family == family && vnetwork_prefix(vroute->from, family)->addr.family) {
            struct source source = {*prefix, sources->len, NONE, vroute};
            g_array_append_val(sources, source);
        }
    }
    g_array_sort(sources, compare_sources);
    return sources;
}

/* Sets 'parent' and 'end' of all. */
static void make_tree(struct targets *targets)
{
    uint32_t parent = NONE;
    for (uint32_t t = 0; t < targets->count; t++) {
        struct target *target = &targets->list[t];
        while (parent != NONE && !prefix_overlaps(&targets->list[parent].prefix, &target->prefix)) {
            targets->list[parent].end = t;
            parent = targets->list[parent].parent;
        }
        target->parent = parent;
        parent = t;
    }
    for (; parent != NONE; parent = targets->list[parent].parent) {
        targets->list[parent].end = targets->count;
    }
}

/* Adds the detour that 'vroute' asks for on target 't', unless an earlier one says the same. */
static void add_detour(struct targets *targets, uint32_t t, const struct vroute *vroute, GHashTable *positions,
                       const struct graph *graph, struct diagnostics *problems)
{
    uint32_t from = GPOINTER_TO_UINT(g_hash_table_lookup(positions, vroute->from));
    struct target *target = &targets->list[t];
    for (uint32_t i = target->first_detour; i < targets->n_detours; i++) {
        const struct detour *other = &targets->detours[i];
        if (other->from == from && other->vroute->via != vroute->via) {
            char text[PREFIX_TEXT_SIZE];
            diagnostics_add(problems, NULL, 0, NULL, "two vroutes on vnetwork %s to %s: one through vnode %s, one through vnode %s",
                            vroute->from->name, prefix_format(&target->prefix, text), other->vroute->via->name, vroute->via->name);
        }
        if (other->from == from) {
            return;
        }
    }
    targets->detours[targets->n_detours++] = (struct detour){t, from, graph_half(graph, vroute->via, from), vroute};
    target->n_detours++;
}

struct targets *targets_new(const struct platform *platform, GHashTable *positions, const struct graph *graph,
                            struct diagnostics *problems)
{
    g_autoptr(GArray) sources = collect(platform, graph->family);
    struct targets *targets = g_new0(struct targets, 1);
    targets->list = g_new0(struct target, MAX(sources->len, 1));
    targets->vnetworks = g_new(uint32_t, MAX(sources->len, 1));
    targets->detours = g_new(struct detour, MAX(sources->len, 1));
    targets->of_vnetwork = g_new(uint32_t, graph->n_vnetworks);
    for (uint32_t i = 0; i < graph->n_vnetworks; i++) {
        targets->of_vnetwork[i] = NONE;
    }
    uint32_t n_vnetworks = 0;
    for (uint32_t i = 0; i < sources->len; i++) {
        const struct source *source = &g_array_index(sources, struct source, i);
        if (i == 0 || !prefix_equal(&source->prefix, &source[-1].prefix)) {
            targets->list[targets->count++] =
                (struct target){.prefix = source->prefix, .first_vnetwork = n_vnetworks, .first_detour = targets->n_detours};
        }
        uint32_t t = targets->count - 1;
        if (source->vroute) {
            add_detour(targets, t, source->vroute, positions, graph, problems);
        } else {
            targets->vnetworks[n_vnetworks++] = source->vnetwork;
            targets->of_vnetwork[source->vnetwork] = t;
            targets->list[t].n_vnetworks++;
        }
    }
    make_tree(targets);
    return targets;
}

void targets_free(struct targets *targets)
{
    if (targets) {
        g_free(targets->list);
        g_free(targets->vnetworks);
        g_free(targets->of_vnetwork);
        g_free(targets->detours);
        g_free(targets);
    }
}
