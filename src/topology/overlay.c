/* SPDX-License-Identifier: Apache-2.0 */
/* Merging: what a nearer object says goes over what a farther one says. */
#include <config.h>

#include <string.h>

#include "spec.h"

/* Vifaces up to which names are compared one by one. */
#define SEARCH_LIMIT 16

static void viface_overlay(struct viface_spec *base, const struct viface_spec *over)
{
    base->name = over->name;
    if (over->vnetwork) {
        base->vnetwork = over->vnetwork;
    }
    if (over->ipv4.family) {
        base->ipv4 = over->ipv4;
    }
    if (over->ipv6.family) {
        base->ipv6 = over->ipv6;
    }
    if (!mac_is_zero(&over->mac)) {
        base->mac = over->mac;
    }
    direction_overlay(&base->input, &over->input);
    direction_overlay(&base->output, &over->output);
}

/* Returns the place of the viface with that name among the first 'count', or 'count'. 'index' (name -> place + 1) is NULL while
 * there are few. */
static unsigned find_viface(const GArray *vifaces, unsigned count, GHashTable *index, const char *name)
{
    if (index) {
        unsigned place = GPOINTER_TO_UINT(g_hash_table_lookup(index, name));
        return place ? place - 1 : count;
    }
    unsigned i = 0;
    while (i < count && strcmp(g_array_index(vifaces, struct viface_spec, i).name, name) != 0) {
        i++;
    }
    return i;
}

static void vifaces_overlay(GArray *base, const GArray *over, const struct viface_spec *defaults)
{
    g_autoptr(GHashTable) index = NULL;
    unsigned old_count = base->len; /* Names in 'over' differ from each other: only the old ones can be meant. */
    if (old_count > SEARCH_LIMIT) {
        index = g_hash_table_new(g_str_hash, g_str_equal);
        for (unsigned i = 0; i < old_count; i++) {
            g_hash_table_insert(index, (void *)g_array_index(base, struct viface_spec, i).name, GUINT_TO_POINTER(i + 1));
        }
    }
    for (unsigned i = 0; i < over->len; i++) {
        const struct viface_spec *viface = &g_array_index(over, struct viface_spec, i);
        unsigned place = find_viface(base, old_count, index, viface->name);
        if (place == old_count) {
            place = base->len;
            g_array_append_vals(base, defaults, 1);
        }
        viface_overlay(&g_array_index(base, struct viface_spec, place), viface);
    }
}

bool vnode_spec_overlay(struct vnode_spec *base, const struct vnode_spec *over, const struct viface_spec *viface_defaults)
{
    if (over->image) {
        base->image = over->image;
    }
    if (over->pnode) {
        base->pnode = over->pnode;
    }
    if (over->where) {
        base->where = over->where;
    }
    if (over->labels) {
        base->labels = over->labels;
    }
    if (over->gateway != TRISTATE_AUTO) {
        base->gateway = over->gateway;
    }
    if (over->cores_given) {
        base->cores = over->cores;
    }
    if (over->speed_given) {
        base->frequency = over->frequency;
        base->cpu_ratio = over->cpu_ratio;
    }
    if (over->memory_given) {
        base->memory = over->memory;
    }
    if (over->vifaces) {
        if (!base->vifaces) {
            base->vifaces = g_array_sized_new(FALSE, FALSE, sizeof(struct viface_spec), over->vifaces->len);
        }
        vifaces_overlay(base->vifaces, over->vifaces, viface_defaults);
    }
    return !base->vifaces || base->vifaces->len <= VIFACES_PER_VNODE;
}
