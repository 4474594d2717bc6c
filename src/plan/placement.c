/* SPDX-License-Identifier: Apache-2.0 */
/* Which vnode runs where: as asked for first, then what stays where it is, then the rest, vnetwork after vnetwork. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "distem/plan.h"
#include "machines.h"
#include "twins.h"

#define REPORTED_MAX 10 /* Vnodes that are named when they find no room. */

/* A vnode that is yet to be placed. */
struct homeless {
    struct vnode *vnode;
    struct load load;
    double weight;
    unsigned order;          /* In the platform. */
    unsigned vnetwork;       /* Of its first viface, in the platform's order. */
    struct machine *machine; /* Where it comes to. */
};

static void report_sums(const struct machines *machines, struct diagnostics *problems)
{
    for (enum resource r = 0; r < RESOURCES; r++) {
        uint64_t sum = 0;
        bool known = true;
        for (unsigned i = 0; i < machines->count; i++) {
            uint64_t capacity = machine_capacity(&machines->list[i], r);
            known &= capacity > 0;
            sum += MIN(capacity, UINT64_MAX - sum);
        }
        if (known && machines->wanted.of[r] > sum) {
            g_autofree char *wanted = resource_format(r, machines->wanted.of[r]), *there = resource_format(r, sum);
            diagnostics_add(problems, NULL, 0, NULL,
                            "%s: the vnodes want %s together, and %u pnode%s %s: ask for less, or for fewer vnodes",
                            resource_name(r), wanted, machines->count, machines->count == 1 ? " has" : "s have", there);
        }
    }
}

/* Places the vnodes whose pnode the user names. */
static void place_asked(struct machines *machines, const struct platform *platform, struct diagnostics *problems)
{
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        struct machine *machine = machines_find(machines, vnode->pnode);
        if (machine) {
            machine_take(machine, machines, vnode);
        } else if (vnode->pnode) {
            diagnostics_add(problems, NULL, 0, NULL, "vnode %s: there is no pnode %s; there %s %s%s", vnode->name, vnode->pnode,
                            machines->count == 1 ? "is" : "are", machines->list[0].pnode->name,
                            machines->count > 1 ? " and others" : "");
        }
    }
    for (unsigned i = 0; i < machines->count; i++) {
        for (enum resource r = 0; r < RESOURCES; r++) {
            uint64_t capacity = machine_capacity(&machines->list[i], r), used = machines->list[i].used.of[r];
            if (capacity && used > capacity) {
                g_autofree char *wanted = resource_format(r, used), *there = resource_format(r, capacity);
                diagnostics_add(problems, NULL, 0, NULL, "pnode %s: %s: %s wanted by the vnodes that are to run there, it has %s",
                                machines->list[i].pnode->name, resource_name(r), wanted, there);
            }
        }
    }
}

/* Leaves vnodes where they run as long as they fit there, the first ones first, and returns the others (struct homeless). */
static GArray *place_kept(struct machines *machines, const struct platform *platform, const struct platform *current)
{
    AUTO_TWINS twins = twins_new(current);
    GArray *rest = g_array_new(FALSE, TRUE, sizeof(struct homeless));
    g_autoptr(GHashTable) positions = g_hash_table_new(NULL, NULL);
    for (unsigned i = 0; i < platform->vnetworks->len; i++) {
        g_hash_table_insert(positions, platform_vnetwork(platform, i), GUINT_TO_POINTER(i));
    }
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        struct vnode *vnode = platform_vnode(platform, i);
        if (vnode->pnode) {
            continue;
        }
        const struct vnode *old = twin_vnode(&twins, vnode);
        struct machine *machine = old ? machines_find(machines, old->pnode) : NULL;
        struct load load = vnode_load(vnode);
        if (machine && machine_fits(machine, &load)) {
            machine_take(machine, machines, vnode);
            vnode->pnode = g_strdup(machine->pnode->name);
            continue;
        }
        struct vnetwork *vnetwork = vnode->vifaces->len ? vnode_viface(vnode, 0)->vnetwork : NULL;
        struct homeless homeless = {
            vnode, load, machines_weight(machines, vnode), i, GPOINTER_TO_UINT(g_hash_table_lookup(positions, vnetwork)), NULL};
        g_array_append_val(rest, homeless);
    }
    return rest;
}

static int compare_vnetworks(const void *a, const void *b)
{
    const struct homeless *left = a, *right = b;
    return left->vnetwork != right->vnetwork ? (left->vnetwork > right->vnetwork) - (left->vnetwork < right->vnetwork)
                                             : (left->order > right->order) - (left->order < right->order);
}

static int compare_weights(const void *a, const void *b)
{
    const struct homeless *left = a, *right = b;
    return left->weight != right->weight ? (left->weight < right->weight) - (left->weight > right->weight)
                                         : (left->order > right->order) - (left->order < right->order);
}

/* Returns the machine with the most room below its target among those that 'homeless' fits on, or NULL. */
static struct machine *roomiest(const struct machines *machines, const struct homeless *homeless)
{
    struct machine *best = NULL;
    for (unsigned i = 0; i < machines->count; i++) {
        struct machine *machine = &machines->list[i];
        if ((!best || machine->target - machine->filled > best->target - best->filled) && machine_fits(machine, &homeless->load)) {
            best = machine;
        }
    }
    return best;
}

/* Returns the fullest machine that 'homeless' fits on, or NULL. */
static struct machine *tightest(const struct machines *machines, const struct homeless *homeless)
{
    struct machine *best = NULL;
    for (unsigned i = 0; i < machines->count; i++) {
        struct machine *machine = &machines->list[i];
        if ((!best || machine->filled / machine->share > best->filled / best->share) && machine_fits(machine, &homeless->load)) {
            best = machine;
        }
    }
    return best;
}

/* The vnodes of a vnetwork fill one machine up to its target (give or take half a vnode), then the one with the most room. Returns
 * whether all found a place. */
static bool place_together(struct machines *machines, const struct platform *platform, GArray *rest)
{
    /* Vnetwork -> the machine that its last vnode came to. */
    g_autoptr(GHashTable) homes = g_hash_table_new(NULL, NULL);
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        if (vnode->pnode && vnode->vifaces->len) {
            g_hash_table_insert(homes, vnode_viface(vnode, 0)->vnetwork, machines_find(machines, vnode->pnode));
        }
    }
    g_array_sort(rest, compare_vnetworks);
    for (unsigned i = 0; i < rest->len; i++) {
        struct homeless *homeless = &g_array_index(rest, struct homeless, i);
        void *vnetwork = homeless->vnode->vifaces->len ? vnode_viface(homeless->vnode, 0)->vnetwork : NULL;
        struct machine *home = g_hash_table_lookup(homes, vnetwork);
        if (!home || home->filled + homeless->weight / 2 > home->target || !machine_fits(home, &homeless->load)) {
            home = roomiest(machines, homeless);
        }
        if (!home) {
            return false;
        }
        homeless->machine = home;
        machine_take(home, machines, homeless->vnode);
        g_hash_table_insert(homes, vnetwork, home);
    }
    return true;
}

/* Where little room is left: the largest first, each where it leaves the least unused. Returns how many found no place. */
static unsigned place_tightly(struct machines *machines, GArray *rest)
{
    unsigned failed = 0;
    g_array_sort(rest, compare_weights);
    for (unsigned i = 0; i < rest->len; i++) {
        struct homeless *homeless = &g_array_index(rest, struct homeless, i);
        homeless->machine = tightest(machines, homeless);
        if (homeless->machine) {
            machine_take(homeless->machine, machines, homeless->vnode);
        } else {
            failed++;
        }
    }
    return failed;
}

/* Says what keeps 'homeless' from fitting: a resource of which no machine has enough left, or none but all of them together. */
static void report_homeless(const struct machines *machines, const struct homeless *homeless, struct diagnostics *problems)
{
    for (enum resource r = 0; r < RESOURCES; r++) {
        uint64_t most = 0;
        for (unsigned i = 0; i < machines->count; i++) {
            uint64_t capacity = machine_capacity(&machines->list[i], r);
            most = MAX(most, capacity ? capacity - machines->list[i].used.of[r] : UINT64_MAX);
        }
        if (homeless->load.of[r] > most) {
            g_autofree char *wanted = resource_format(r, homeless->load.of[r]), *left = resource_format(r, most);
            diagnostics_add(problems, NULL, 0, NULL, "vnode %s: %s: %s wanted, no pnode has more than %s left",
                            homeless->vnode->name, resource_name(r), wanted, left);
            return;
        }
    }
    diagnostics_add(problems, NULL, 0, NULL, "vnode %s: no pnode has all that it needs left at once", homeless->vnode->name);
}

static void report_failed(const struct machines *machines, const GArray *rest, unsigned failed, struct diagnostics *problems)
{
    unsigned reported = 0;
    for (unsigned i = 0; i < rest->len && reported < REPORTED_MAX; i++) {
        const struct homeless *homeless = &g_array_index(rest, struct homeless, i);
        if (!homeless->machine) {
            report_homeless(machines, homeless, problems);
            reported++;
        }
    }
    if (failed > reported) {
        diagnostics_add(problems, NULL, 0, NULL, "%u more vnodes find no room on the pnodes", failed - reported);
    }
}

/* Places 'rest' on what 'machines' have left. */
static void place_rest(struct machines *machines, const struct platform *platform, GArray *rest, struct diagnostics *problems)
{
    g_autofree struct machine *before = g_memdup2(machines->list, machines->count * sizeof *before);
    double weight = 0;
    for (unsigned i = 0; i < rest->len; i++) {
        weight += g_array_index(rest, struct homeless, i).weight;
    }
    machines_set_targets(machines, weight);
    if (!place_together(machines, platform, rest)) {
        memcpy(machines->list, before, machines->count * sizeof *before);
        unsigned failed = place_tightly(machines, rest);
        if (failed) {
            report_failed(machines, rest, failed, problems);
            return;
        }
    }
    for (unsigned i = 0; i < rest->len; i++) {
        const struct homeless *homeless = &g_array_index(rest, struct homeless, i);
        homeless->vnode->pnode = g_strdup(homeless->machine->pnode->name);
    }
}

bool plan_placement(struct platform *platform, const struct platform *current, const GPtrArray *pnodes,
                    struct diagnostics *problems)
{
    if (!pnodes) {
        return true;
    }
    if (!pnodes->len) {
        diagnostics_add(problems, NULL, 0, NULL, "there is no pnode to run vnodes on");
        return false;
    }
    unsigned before = diagnostics_count(problems);
    struct machines machines = machines_new(pnodes, platform);
    report_sums(&machines, problems);
    place_asked(&machines, platform, problems);
    if (diagnostics_count(problems) == before) {
        g_autoptr(GArray) rest = place_kept(&machines, platform, current);
        place_rest(&machines, platform, rest, problems);
    }
    machines_clear(&machines);
    return diagnostics_count(problems) == before;
}
