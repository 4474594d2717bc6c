/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "groups.h"

#include <stdlib.h>
#include <string.h>

static uint32_t root_of(uint32_t *next, uint32_t i)
{
    while (next[i] != i) {
        next[i] = next[next[i]];
        i = next[i];
    }
    return i;
}

/* Returns for each vnode the first one of its group. */
static uint32_t *join(const struct platform *platform)
{
    uint32_t *next = g_new(uint32_t, platform->vnodes->len + 1);
    /* Local vnetwork -> a vnode on it, + 1. */
    g_autoptr(GHashTable) on = g_hash_table_new(NULL, NULL);
    for (uint32_t i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        next[i] = i;
        for (unsigned j = 0; j < vnode->vifaces->len; j++) {
            struct vnetwork *vnetwork = vnode_viface(vnode, j)->vnetwork;
            if (vnetwork->transport != TRANSPORT_LOCAL) {
                continue;
            }
            uint32_t other = GPOINTER_TO_UINT(g_hash_table_lookup(on, vnetwork));
            if (other) {
                uint32_t a = root_of(next, i), b = root_of(next, other - 1);
                next[MAX(a, b)] = MIN(a, b);
            } else {
                g_hash_table_insert(on, vnetwork, GUINT_TO_POINTER(i + 1));
            }
        }
    }
    for (uint32_t i = 0; i < platform->vnodes->len; i++) {
        next[i] = root_of(next, i);
    }
    return next;
}

/* Sets the vnodes of all groups. */
static void collect(struct groups *groups, const struct platform *platform)
{
    uint32_t n = platform->vnodes->len;
    g_autofree uint32_t *first = join(platform);
    g_autofree uint32_t *number = g_new(uint32_t, n + 1); /* Of the group that begins with a vnode. */
    groups->list = g_new0(struct group, n + 1);
    groups->vnodes = g_new(struct vnode *, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        if (first[i] == i) {
            number[i] = groups->count++;
            groups->list[number[i]].order = i;
        }
        groups->list[number[first[i]]].count++;
    }
    struct vnode **place = groups->vnodes;
    for (unsigned i = 0; i < groups->count; i++) {
        groups->list[i].vnodes = place;
        place += groups->list[i].count;
        groups->list[i].count = 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct group *group = &groups->list[number[first[i]]];
        group->vnodes[group->count++] = platform_vnode(platform, i);
    }
}

static void check_asked(const struct group *group, struct diagnostics *problems)
{
    const struct vnode *asked = NULL;
    for (unsigned i = 0; i < group->count; i++) {
        const struct vnode *vnode = group->vnodes[i];
        if (asked && vnode->pnode && strcmp(vnode->pnode, asked->pnode) != 0) {
            diagnostics_add(
                problems, NULL, 0, NULL,
                "vnodes %s and %s are asked to be on pnodes %s and %s, but vnetworks of transport local join them: ask for "
                "one pnode, or for another transport",
                asked->name, vnode->name, asked->pnode, vnode->pnode);
            return;
        }
        asked = vnode->pnode ? vnode : asked;
    }
}

static gint compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Returns the labels that the group's vnodes want together, NULL for none; the caller frees it. */
static char *group_where(const struct group *group)
{
    if (group->count == 1) {
        return g_strdup(group->vnodes[0]->where);
    }
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) labels = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < group->count; i++) {
        const char *where = group->vnodes[i]->where;
        if (!where || !g_hash_table_add(seen, (void *)where)) {
            continue;
        }
        g_auto(GStrv) parts = g_strsplit(where, ",", 0);
        for (unsigned k = 0; parts[k]; k++) {
            if (!g_ptr_array_find_with_equal_func(labels, parts[k], g_str_equal, NULL)) {
                g_ptr_array_add(labels, g_strdup(parts[k]));
            }
        }
    }
    if (!labels->len) {
        return NULL;
    }
    g_ptr_array_sort(labels, compare_texts);
    g_ptr_array_add(labels, NULL);
    return g_strjoinv(",", (char **)labels->pdata);
}

static void demand_free(void *data)
{
    struct demand *demand = data;
    g_free(demand->where);
    g_free(demand->match);
    g_free(demand);
}

/* Returns the demand for 'where', which is consumed. 'known' has those there are by text; "" stands for no label. */
static struct demand *find_demand(struct groups *groups, GHashTable *known, const struct machines *machines, char *where,
                                  const struct vnode *example)
{
    struct demand *demand = g_hash_table_lookup(known, where ? where : "");
    if (demand) {
        g_free(where);
        return demand;
    }
    demand = g_new0(struct demand, 1);
    demand->where = where;
    demand->example = example;
    demand->number = groups->demands->len;
    demand->match = g_new0(bool, machines->count + 1);
    for (unsigned i = 0; i < machines->count; i++) {
        demand->match[i] = machine_has_labels(&machines->list[i], where);
        demand->open += demand->match[i] && machine_is_open(&machines->list[i]);
    }
    g_ptr_array_add(groups->demands, demand);
    g_hash_table_insert(known, where ? where : "", demand);
    return demand;
}

struct groups groups_new(const struct platform *platform, const struct machines *machines, struct diagnostics *problems)
{
    struct groups groups = {.demands = g_ptr_array_new_with_free_func(demand_free)};
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) positions = g_hash_table_new(NULL, NULL);
    for (unsigned i = 0; i < platform->vnetworks->len; i++) {
        g_hash_table_insert(positions, platform_vnetwork(platform, i), GUINT_TO_POINTER(i));
    }
    collect(&groups, platform);
    for (unsigned i = 0; i < groups.count; i++) {
        struct group *group = &groups.list[i];
        const struct vnode *first = group->vnodes[0];
        check_asked(group, problems);
        for (unsigned k = 0; k < group->count; k++) {
            struct load load = vnode_load(group->vnodes[k]);
            load_add(&group->load, &load);
        }
        void *vnetwork = first->vifaces->len ? vnode_viface(first, 0)->vnetwork : NULL;
        group->vnetwork = GPOINTER_TO_UINT(g_hash_table_lookup(positions, vnetwork));
        if (machines) {
            group->weight = machines_weight(machines, &group->load);
            group->demand = find_demand(&groups, known, machines, group_where(group), first);
            load_add(&group->demand->wanted, &group->load);
        }
    }
    return groups;
}

void groups_clear(struct groups *groups)
{
    g_clear_pointer(&groups->list, g_free);
    g_clear_pointer(&groups->vnodes, g_free);
    g_clear_pointer(&groups->demands, g_ptr_array_unref);
}
