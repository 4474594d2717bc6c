/* SPDX-License-Identifier: Apache-2.0 */
/* Vnodes that see the vnetworks from the same place have the same routes; each such class has one table, which its vnodes share.
 * Vnodes that do not forward are alike when their vifaces are on the same vnetworks in the same order (and, with routing by
 * latency, cost the same). Each gateway is a class of its own. */
#ifndef DISTEM_PLAN_CLASSES_H
#define DISTEM_PLAN_CLASSES_H 1

#include "distem/error.h"
#include "distem/platform.h"

#define CLASS_VIFACES_MAX (UINT16_MAX - 1u) /* So that two bytes say which viface. */

/* Where one viface of a class's vnodes is. */
struct place {
    uint32_t vnetwork;
    uint64_t cost; /* See graph_cost(). */
};

struct class {
    const struct vnode *example; /* One of its vnodes. */
    struct place *places;        /* One per viface. */
    GArray *routes;              /* Of struct route. */
};

struct classes {
    GArray *list;       /* Of struct class. */
    uint32_t *of_vnode; /* Index of a vnode -> index of its class. */
};

/* Groups the vnodes of a platform, from which it borrows. 'positions' is forwarding_positions()'s. Vnodes with too many vifaces are
 * added to 'problems'; then the result is NULL. */
struct classes *classes_new(const struct platform *, GHashTable *positions, struct diagnostics *problems);
void classes_free(struct classes *);

static inline struct class *classes_get(const struct classes *classes, uint32_t i)
{
    return &g_array_index(classes->list, struct class, i);
}

#endif
