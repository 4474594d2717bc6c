/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "calibrate.h"

#include "distem/plan.h"

struct end {
    const struct vnode *vnode;
    const struct viface *viface;
};

/* Says whether what 'direction' does to a frame is always the same, and most frames arrive. */
static bool is_steady(const struct impairment *direction)
{
    return !direction->jitter && !direction->reordering && !direction->latency_trace && !direction->bandwidth_trace &&
           !direction->loss_trace && impairment_loss(direction) < 0.5;
}

/* Says whether the only hop of both ways of 'e' is from 'a' to 'b' and back. */
static bool are_neighbours(const struct expectation *e, const struct end *a, const struct end *b)
{
    const struct path *ways[] = {&e->there, &e->back};
    const struct end *ends[] = {a, b};
    for (unsigned w = 0; w < 2; w++) {
        const GArray *hops = ways[w]->hops;
        if (hops->len != 2 || g_array_index(hops, struct hop, 0).viface != ends[w]->viface ||
            g_array_index(hops, struct hop, 1).viface != ends[!w]->viface) {
            return false;
        }
    }
    return true;
}

/* Adds what is expected from 'a' to 'b' to 'expectations'. Returns whether they are neighbours. */
static bool add_pair(const struct path_finder *finder, const struct end *a, const struct end *b, GPtrArray *expectations)
{
    struct expectation e;
    const struct ip_addr *address = b->viface->ipv4.family ? &b->viface->ipv4 : &b->viface->ipv6;
    if (a->vnode == b->vnode || !expect_address(finder, a->vnode, b->vnode, address, &e, NULL)) {
        return false;
    }
    if (!are_neighbours(&e, a, b)) {
        expectation_clear(&e);
        return false;
    }
    g_ptr_array_add(expectations, g_memdup2(&e, sizeof e));
    return true;
}

/* Adds pairs of those that stand side by side in 'ends', and are on one pnode if 'local', else on two. */
static void add_pairs(const struct path_finder *finder, const GArray *ends, bool local, GPtrArray *expectations)
{
    unsigned count = 0;
    for (unsigned i = 0; i + 1 < ends->len && count < CALIBRATE_PAIRS; i++) {
        const struct end *a = &g_array_index(ends, struct end, i), *b = a + 1;
        if (!g_strcmp0(a->vnode->pnode, b->vnode->pnode) == local && add_pair(finder, a, b, expectations)) {
            count++;
            i++; /* Neither is used again. */
        }
    }
}

static gint compare_pnodes(gconstpointer a, gconstpointer b)
{
    const struct end *left = a, *right = b;
    int order = g_strcmp0(left->vnode->pnode, right->vnode->pnode);
    return order ? order : (left->viface->id > right->viface->id) - (left->viface->id < right->viface->id);
}

/* Returns the 'sorted' ends with those of a pnode as far from each other as they go: the first of every pnode, then the second. */
static GArray *spread(const GArray *sorted)
{
    GArray *ends = g_array_new(FALSE, FALSE, sizeof(struct end));
    g_autoptr(GArray) starts = g_array_new(FALSE, FALSE, sizeof(unsigned));
    for (unsigned i = 0; i < sorted->len; i++) {
        const struct end *end = &g_array_index(sorted, struct end, i);
        if (!i || g_strcmp0(end->vnode->pnode, end[-1].vnode->pnode) != 0) {
            g_array_append_val(starts, i);
        }
    }
    /* More of them than there are pairs would not be looked at. */
    for (unsigned turn = 0, before = 0; turn == 0 || (ends->len > before && turn < 2 * CALIBRATE_PAIRS); turn++) {
        before = ends->len;
        for (unsigned k = 0; k < starts->len; k++) {
            unsigned i = g_array_index(starts, unsigned, k) + turn;
            unsigned limit = k + 1 < starts->len ? g_array_index(starts, unsigned, k + 1) : sorted->len;
            if (i < limit) {
                g_array_append_val(ends, g_array_index(sorted, struct end, i));
            }
        }
    }
    return ends;
}

void calibrate_plan(const struct platform *planned, struct verify_plan *ret)
{
    g_autoptr(GHashTable) by_vnetwork = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_array_unref);
    for (unsigned i = 0; i < planned->vnetworks->len; i++) {
        g_hash_table_insert(by_vnetwork, platform_vnetwork(planned, i), g_array_new(FALSE, FALSE, sizeof(struct end)));
    }
    for (unsigned i = 0; i < planned->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(planned, i);
        for (unsigned k = 0; k < vnode->vifaces->len; k++) {
            const struct end end = {vnode, vnode_viface(vnode, k)};
            if (is_steady(&end.viface->input) && is_steady(&end.viface->output)) {
                GArray *ends = g_hash_table_lookup(by_vnetwork, end.viface->vnetwork);
                g_array_append_val(ends, end);
            }
        }
    }
    struct path_finder *finder = path_finder_new(planned);
    GPtrArray *expectations = g_ptr_array_new();
    for (unsigned i = 0; i < planned->vnetworks->len; i++) {
        GArray *ends = g_hash_table_lookup(by_vnetwork, platform_vnetwork(planned, i));
        g_array_sort(ends, compare_pnodes);
        add_pairs(finder, ends, true, expectations);
        g_autoptr(GArray) far = spread(ends);
        add_pairs(finder, far, false, expectations);
    }
    path_finder_free(finder);
    verify_plan_rtts(expectations, ret);
}

/* Returns what is left out on 'path' from 'from' to 'to', which are neighbours. */
static int64_t left_out_on(const struct platform *platform, const struct path *path, const struct vnode *from,
                           const struct vnode *to)
{
    const struct matrix_cell *between = matrix_between(platform->matrix, from->group, to->group);
    return plan_left_out(g_array_index(path->hops, struct hop, 0).viface, g_array_index(path->hops, struct hop, 1).viface,
                         !g_strcmp0(from->pnode, to->pnode), between ? between->latency : 0);
}

/* What one pair has shown. */
struct base {
    uint32_t vnetwork;
    bool local;
    int64_t time;
};

static gint compare_bases(gconstpointer a, gconstpointer b)
{
    const struct base *left = a, *right = b;
    int order = (left->vnetwork > right->vnetwork) - (left->vnetwork < right->vnetwork);
    order = order ? order : (int)left->local - (int)right->local;
    return order ? order : (left->time > right->time) - (left->time < right->time);
}

/* Returns what all pairs have shown, sorted. */
static GArray *bases_of(const struct verify_plan *plan, const struct platform *platform)
{
    GArray *bases = g_array_new(FALSE, FALSE, sizeof(struct base));
    for (unsigned i = 0; i < plan->measurements->len; i++) {
        const struct measurement *m = &g_array_index(plan->measurements, struct measurement, i);
        const struct expectation *e = m->expected;
        const json_t *measured = json_object_get(json_object_get(m->result, "rtt"), "measured_ns");
        if (measured && !json_object_get(json_object_get(m->result, "rtt"), "problem")) {
            int64_t rest = json_integer_value(measured) - e->rtt + left_out_on(platform, &e->there, e->from, e->to) +
                           left_out_on(platform, &e->back, e->to, e->from);
            struct base base = {.vnetwork = g_array_index(e->there.hops, struct hop, 0).viface->vnetwork->id,
                                .local = !g_strcmp0(e->from->pnode, e->to->pnode),
                                .time = MAX(rest / 2, 0)};
            g_array_append_val(bases, base);
        }
    }
    g_array_sort(bases, compare_bases);
    return bases;
}

void calibrate_enter(const struct verify_plan *plan, struct platform *platform)
{
    g_autoptr(GHashTable) by_id = g_hash_table_new(NULL, NULL);
    for (unsigned i = 0; i < platform->vnetworks->len; i++) {
        struct vnetwork *vnetwork = platform_vnetwork(platform, i);
        vnetwork->base_local = vnetwork->base_remote = 0;
        g_hash_table_insert(by_id, GUINT_TO_POINTER(vnetwork->id), vnetwork);
    }
    g_autoptr(GArray) bases = bases_of(plan, platform);
    for (unsigned first = 0, end = 0; first < bases->len; first = end) {
        const struct base *one = &g_array_index(bases, struct base, first);
        while (end < bases->len && one->vnetwork == g_array_index(bases, struct base, end).vnetwork &&
               one->local == g_array_index(bases, struct base, end).local) {
            end++;
        }
        struct vnetwork *vnetwork = g_hash_table_lookup(by_id, GUINT_TO_POINTER(one->vnetwork));
        int64_t median = g_array_index(bases, struct base, first + (end - first - 1) / 2).time;
        *(one->local ? &vnetwork->base_local : &vnetwork->base_remote) = median;
    }
}

static json_t *json_base(int64_t base)
{
    return base ? json_integer(base) : json_null();
}

json_t *calibrate_json(const struct platform *platform)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < platform->vnetworks->len; i++) {
        const struct vnetwork *vnetwork = platform_vnetwork(platform, i);
        json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "vnetwork", vnetwork->name, "base_local_ns",
                                              json_base(vnetwork->base_local), "base_remote_ns", json_base(vnetwork->base_remote)));
    }
    return list;
}
