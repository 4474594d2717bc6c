/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "classes.h"

#include "graph.h"

static void class_clear(void *data)
{
    struct class *class = data;
    g_free(class->places);
    g_array_unref(class->routes);
}

/* Returns the places of all vifaces. */
static struct place *find_places(const struct platform *platform, const struct vnode *vnode, GHashTable *positions)
{
    struct place *places = g_new0(struct place, MAX(vnode->vifaces->len, 1));
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        const struct viface *viface = vnode_viface(vnode, i);
        places[i].vnetwork = GPOINTER_TO_UINT(g_hash_table_lookup(positions, viface->vnetwork));
        places[i].cost = graph_cost(viface, platform->routing);
    }
    return places;
}

/* Makes a class of 'vnode' and returns its index. */
static uint32_t add_class(struct classes *classes, const struct vnode *vnode, struct place *places)
{
    struct class class = {vnode, places, g_array_new(FALSE, FALSE, sizeof(struct route))};
    g_array_append_val(classes->list, class);
    return classes->list->len - 1;
}

/* Returns the class of 'vnode', which does not forward. 'known' has the places of the classes so far (GBytes) -> index. */
static uint32_t find_class(struct classes *classes, GHashTable *known, const struct platform *platform, const struct vnode *vnode,
                           GHashTable *positions)
{
    g_autofree struct place *places = find_places(platform, vnode, positions);
    if (vnode->vifaces->len == 1) {
        places[0].cost = 0; /* There is nothing to choose. */
    }
    g_autoptr(GBytes) key = g_bytes_new(places, vnode->vifaces->len * sizeof *places);
    void *found;
    if (!g_hash_table_lookup_extended(known, key, NULL, &found)) {
        found = GUINT_TO_POINTER(add_class(classes, vnode, g_steal_pointer(&places)));
        g_hash_table_insert(known, g_steal_pointer(&key), found);
    }
    return GPOINTER_TO_UINT(found);
}

struct classes *classes_new(const struct platform *platform, GHashTable *positions, struct diagnostics *problems)
{
    unsigned before = diagnostics_count(problems);
    struct classes *classes = g_new0(struct classes, 1);
    classes->list = g_array_new(FALSE, FALSE, sizeof(struct class));
    g_array_set_clear_func(classes->list, class_clear);
    classes->of_vnode = g_new(uint32_t, platform->vnodes->len + 1);
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        if (vnode->vifaces->len > CLASS_VIFACES_MAX) {
            diagnostics_add(problems, NULL, 0, NULL, "vnode %s has %u vifaces: at most %u", vnode->name, vnode->vifaces->len,
                            CLASS_VIFACES_MAX);
        }
        classes->of_vnode[i] = vnode->forwards ? add_class(classes, vnode, find_places(platform, vnode, positions))
                                               : find_class(classes, known, platform, vnode, positions);
    }
    if (diagnostics_count(problems) != before) {
        classes_free(classes);
        return NULL;
    }
    return classes;
}

void classes_free(struct classes *classes)
{
    if (classes) {
        g_array_unref(classes->list);
        g_free(classes->of_vnode);
        g_free(classes);
    }
}
