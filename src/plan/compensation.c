/* SPDX-License-Identifier: Apache-2.0 */
/* What directions leave out of their latency, because the way takes it anyway. */
#include <config.h>

#include "distem/plan.h"

/* What there is on a vnetwork that has a base, or on a part of it. */
struct census {
    unsigned vifaces, inputs, outputs; /* Inputs and outputs are those with a latency. */
    GHashTable *pnodes;                /* Interned name of a pnode -> how many of the vifaces are there (as a guint). */
};

static void census_free(void *data)
{
    struct census *census = data;
    g_hash_table_unref(census->pnodes);
    g_free(census);
}

static unsigned count_on(const struct census *census, const struct vnode *vnode)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(census->pnodes, g_intern_string(vnode->pnode)));
}

static void census_count(struct census *census, const struct vnode *vnode, const struct viface *viface)
{
    census->vifaces++;
    census->inputs += viface->input.latency != 0;
    census->outputs += viface->output.latency != 0;
    g_hash_table_insert(census->pnodes, (void *)g_intern_string(vnode->pnode), GUINT_TO_POINTER(count_on(census, vnode) + 1));
}

/* Returns a table vnetwork -> struct census of those that have a base. */
static GHashTable *take_censuses(const struct platform *platform)
{
    GHashTable *censuses = g_hash_table_new_full(NULL, NULL, NULL, census_free);
    for (unsigned i = 0; i < platform->vnetworks->len; i++) {
        struct vnetwork *vnetwork = platform_vnetwork(platform, i);
        if (vnetwork->base_local || vnetwork->base_remote) {
            struct census *census = g_new0(struct census, 1);
            census->pnodes = g_hash_table_new(NULL, NULL);
            g_hash_table_insert(censuses, vnetwork, census);
        }
    }
    for (unsigned i = 0; g_hash_table_size(censuses) && i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        for (unsigned k = 0; k < vnode->vifaces->len; k++) {
            const struct viface *viface = vnode_viface(vnode, k);
            struct census *census = g_hash_table_lookup(censuses, viface->vnetwork);
            if (census) {
                census_count(census, vnode, viface);
            }
        }
    }
    return censuses;
}

/* Says whether a pnode can hold back what comes early from one of its vnodes to another. */
static bool can_hold_back(const GPtrArray *pnodes, const char *name)
{
    for (unsigned i = 0; pnodes && i < pnodes->len; i++) {
        const struct pnode *pnode = pnodes->pdata[i];
        if (!g_strcmp0(pnode->name, name)) {
            return !pnode->no_matrix;
        }
    }
    return false;
}

/* Returns the base that the directions of 'viface' may leave out. */
static int64_t base_of(const struct census *census, const struct vnode *vnode, const struct viface *viface, const GPtrArray *pnodes)
{
    unsigned here = count_on(census, vnode);
    int64_t local = viface->vnetwork->base_local, remote = viface->vnetwork->base_remote;
    if (here == census->vifaces) {
        return here > 1 ? local : 0;
    }
    if (here == 1 || (local && can_hold_back(pnodes, vnode->pnode))) {
        return remote;
    }
    return MIN(local, remote);
}

/* Returns what a direction leaves out; 'shared': a peer may leave out as much in the opposite direction. */
static int64_t compensation_of(const struct impairment *direction, int64_t base, bool shared)
{
    return MAX(MIN(shared ? base / 2 : base, direction->latency - direction->jitter), 0);
}

void plan_compensation(struct platform *platform, const GPtrArray *pnodes)
{
    g_autoptr(GHashTable) censuses = take_censuses(platform);
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        for (unsigned k = 0; k < vnode->vifaces->len; k++) {
            struct viface *viface = vnode_viface(vnode, k);
            const struct census *census = g_hash_table_lookup(censuses, viface->vnetwork);
            int64_t base = census ? base_of(census, vnode, viface, pnodes) : 0;
            bool inputs = census && census->inputs > (viface->input.latency != 0);
            bool outputs = census && census->outputs > (viface->output.latency != 0);
            viface->input.compensation = compensation_of(&viface->input, base, outputs);
            viface->output.compensation = compensation_of(&viface->output, base, inputs);
        }
    }
}

int64_t plan_left_out(const struct viface *from, const struct viface *to, bool local, int64_t between)
{
    int64_t base = local ? to->vnetwork->base_local : to->vnetwork->base_remote;
    int64_t directions = from->output.compensation + to->input.compensation;
    return MIN(directions, base) + MIN(MAX(base - directions, 0), between);
}
