/* SPDX-License-Identifier: Apache-2.0 */
/* Which vnode runs where: as asked for first, then what stays where it is, then the rest, vnetwork after vnetwork. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "distem/plan.h"
#include "groups.h"
#include "machines.h"
#include "twins.h"

#define REPORTED_MAX 10 /* Vnodes that are named when they find no room. */

struct placement {
    struct machines machines;
    struct groups groups;
    const struct twins *twins; /* In the platform as it stands. */
    struct diagnostics *problems;
};

/* Adds a problem for each resource of which 'who' want more than those machines have that do not drain and whose flag in 'match'
 * (NULL: all) is set. */
static void report_sums(const struct machines *machines, const bool *match, const struct load *wanted, const char *who,
                        struct diagnostics *problems)
{
    for (enum resource r = 0; r < RESOURCES; r++) {
        uint64_t sum = 0;
        bool known = true;
        unsigned count = 0;
        for (unsigned i = 0; i < machines->count; i++) {
            if (machines->list[i].pnode->draining || (match && !match[i])) {
                continue;
            }
            uint64_t capacity = machine_capacity(&machines->list[i], r);
            known &= capacity > 0;
            sum += MIN(capacity, UINT64_MAX - sum);
            count++;
        }
        if (count && known && wanted->of[r] > sum) {
            g_autofree char *wanted_text = resource_format(r, wanted->of[r]), *there = resource_format(r, sum);
            diagnostics_add(problems, NULL, 0, NULL,
                            "%s: %s want %s together, and %u pnode%s %s: ask for less, or for fewer vnodes", resource_name(r), who,
                            wanted_text, count, count == 1 ? " has" : "s have", there);
        }
    }
}

static void report_all_sums(struct placement *p)
{
    report_sums(&p->machines, NULL, &p->machines.wanted, "the vnodes", p->problems);
    for (unsigned i = 0; i < p->groups.demands->len; i++) {
        const struct demand *demand = p->groups.demands->pdata[i];
        if (demand->where) {
            g_autofree char *who = g_strdup_printf("the vnodes whose pnode must have %s", demand->where);
            report_sums(&p->machines, demand->match, &demand->wanted, who, p->problems);
        }
    }
}

/* Says whether 'vnode' is on 'machine' now. */
static bool is_there(const struct placement *p, const struct vnode *vnode, const struct machine *machine)
{
    const struct vnode *old = twin_vnode(p->twins, vnode);
    return old && old->pnode && !strcmp(old->pnode, machine->pnode->name);
}

/* Returns the first vnode of 'group' that is not on 'machine' now, or NULL. */
static const struct vnode *first_newcomer(const struct placement *p, const struct group *group, const struct machine *machine)
{
    for (unsigned i = 0; i < group->count; i++) {
        if (!is_there(p, group->vnodes[i], machine)) {
            return group->vnodes[i];
        }
    }
    return NULL;
}

/* Adds what keeps 'vnode' from being on 'machine', where it is asked to be. */
static void check_asked(struct placement *p, const struct vnode *vnode, const struct machine *machine)
{
    struct diagnostics *problems = p->problems;
    if (!machine) {
        diagnostics_add(problems, NULL, 0, NULL, "vnode %s: there is no pnode %s; there %s %s%s", vnode->name, vnode->pnode,
                        p->machines.count == 1 ? "is" : "are", p->machines.list[0].pnode->name,
                        p->machines.count > 1 ? " and others" : "");
    } else if (machine->pnode->draining) {
        diagnostics_add(problems, NULL, 0, NULL,
                        "vnode %s: pnode %s, where it is asked to be, is draining: ask for another, or for none", vnode->name,
                        vnode->pnode);
    } else if (!machine_has_labels(machine, vnode->where)) {
        diagnostics_add(problems, NULL, 0, NULL, "vnode %s: pnode %s, where it is asked to be, does not have the labels %s",
                        vnode->name, vnode->pnode, vnode->where);
    }
}

static void report_lost(struct placement *p, const struct vnode *vnode, const struct machine *machine)
{
    diagnostics_add(
        p->problems, NULL, 0, NULL,
        "vnode %s: pnode %s, where it would have to go, has not been heard of for long: start its daemon again, or ask for "
        "another pnode",
        vnode->name, machine->pnode->name);
}

/* Puts the whole group there. */
static void settle(struct placement *p, struct group *group, struct machine *machine)
{
    group->machine = machine;
    machine_take(machine, &p->machines, &group->load);
}

/* Places the groups with a vnode whose pnode the user names. */
static void place_asked(struct placement *p)
{
    for (unsigned i = 0; i < p->groups.count; i++) {
        struct group *group = &p->groups.list[i];
        struct machine *asked = NULL;
        for (unsigned k = 0; k < group->count; k++) {
            const struct vnode *vnode = group->vnodes[k];
            if (vnode->pnode) {
                struct machine *machine = machines_find(&p->machines, vnode->pnode);
                check_asked(p, vnode, machine);
                asked = asked ? asked : machine;
            }
        }
        if (!asked) {
            continue;
        }
        const struct vnode *newcomer = asked->pnode->lost ? first_newcomer(p, group, asked) : NULL;
        if (newcomer) {
            report_lost(p, newcomer, asked);
        }
        settle(p, group, asked);
    }
    for (unsigned i = 0; i < p->machines.count; i++) {
        const struct machine *machine = &p->machines.list[i];
        for (enum resource r = 0; r < RESOURCES; r++) {
            uint64_t capacity = machine_capacity(machine, r), used = machine->used.of[r];
            if (capacity && used > capacity) {
                g_autofree char *wanted = resource_format(r, used), *there = resource_format(r, capacity);
                diagnostics_add(p->problems, NULL, 0, NULL,
                                "pnode %s: %s: %s wanted by the vnodes that are to run there, it has %s", machine->pnode->name,
                                resource_name(r), wanted, there);
            }
        }
    }
}

static bool matches(const struct placement *p, const struct group *group, const struct machine *machine)
{
    return group->demand->match[machine - p->machines.list];
}

/* Leaves groups where they run as long as they fit there, the first ones first, and returns the others (struct group). A group
 * whose vnodes are in several places, since they have only just been joined, comes to where its first one is. */
static GPtrArray *place_kept(struct placement *p)
{
    GPtrArray *rest = g_ptr_array_new();
    for (unsigned i = 0; i < p->groups.count; i++) {
        struct group *group = &p->groups.list[i];
        struct machine *machine = NULL;
        for (unsigned k = 0; k < group->count && !machine; k++) {
            const struct vnode *old = twin_vnode(p->twins, group->vnodes[k]);
            machine = old ? machines_find(&p->machines, old->pnode) : NULL;
        }
        if (group->machine) {
            continue;
        }
        if (!machine || machine->pnode->draining || !matches(p, group, machine) || !machine_fits(machine, &group->load)) {
            g_ptr_array_add(rest, group);
            continue;
        }
        const struct vnode *newcomer = machine->pnode->lost ? first_newcomer(p, group, machine) : NULL;
        if (newcomer) {
            report_lost(p, newcomer, machine);
        }
        settle(p, group, machine);
    }
    return rest;
}

/* Those with the fewest machines to choose from first. */
static int compare_demands(const struct group *left, const struct group *right)
{
    return left->demand->open != right->demand->open
               ? (left->demand->open > right->demand->open) - (left->demand->open < right->demand->open)
               : (left->demand->number > right->demand->number) - (left->demand->number < right->demand->number);
}

static int compare_vnetworks(const void *a, const void *b)
{
    const struct group *left = *(const struct group *const *)a, *right = *(const struct group *const *)b;
    int order = compare_demands(left, right);
    return order                               ? order
           : left->vnetwork != right->vnetwork ? (left->vnetwork > right->vnetwork) - (left->vnetwork < right->vnetwork)
                                               : (left->order > right->order) - (left->order < right->order);
}

static int compare_weights(const void *a, const void *b)
{
    const struct group *left = *(const struct group *const *)a, *right = *(const struct group *const *)b;
    int order = compare_demands(left, right);
    return order                           ? order
           : left->weight != right->weight ? (left->weight < right->weight) - (left->weight > right->weight)
                                           : (left->order > right->order) - (left->order < right->order);
}

static bool can_take(const struct placement *p, const struct machine *machine, const struct group *group)
{
    return machine_is_open(machine) && matches(p, group, machine) && machine_fits(machine, &group->load);
}

/* Returns the machine with the most room below its target among those that can take 'group', or NULL. */
static struct machine *roomiest(struct placement *p, const struct group *group)
{
    struct machine *best = NULL;
    for (unsigned i = 0; i < p->machines.count; i++) {
        struct machine *machine = &p->machines.list[i];
        if ((!best || machine->target - machine->filled > best->target - best->filled) && can_take(p, machine, group)) {
            best = machine;
        }
    }
    return best;
}

/* Returns the fullest machine that can take 'group', or NULL. */
static struct machine *tightest(struct placement *p, const struct group *group)
{
    struct machine *best = NULL;
    for (unsigned i = 0; i < p->machines.count; i++) {
        struct machine *machine = &p->machines.list[i];
        if ((!best || machine->filled / machine->share > best->filled / best->share) && can_take(p, machine, group)) {
            best = machine;
        }
    }
    return best;
}

static void *first_vnetwork(const struct group *group)
{
    return group->vnodes[0]->vifaces->len ? vnode_viface(group->vnodes[0], 0)->vnetwork : NULL;
}

/* The vnodes of a vnetwork fill one machine up to its target (give or take half a vnode), then the one with the most room. Returns
 * whether all found a place. */
static bool place_together(struct placement *p, GPtrArray *rest)
{
    /* Vnetwork -> the machine that its last vnode came to. */
    g_autoptr(GHashTable) homes = g_hash_table_new(NULL, NULL);
    for (unsigned i = 0; i < p->groups.count; i++) {
        const struct group *group = &p->groups.list[i];
        if (group->machine && first_vnetwork(group)) {
            g_hash_table_insert(homes, first_vnetwork(group), group->machine);
        }
    }
    g_ptr_array_sort(rest, compare_vnetworks);
    const struct group *last = NULL;
    for (unsigned i = 0; i < rest->len; i++) {
        struct group *group = rest->pdata[i];
        if (!last || group->demand != last->demand) {
            machines_set_targets(&p->machines, group->demand->match, group->demand->rest);
        }
        last = group;
        struct machine *home = g_hash_table_lookup(homes, first_vnetwork(group));
        if (!home || !can_take(p, home, group) || home->filled + group->weight / 2 > home->target) {
            home = roomiest(p, group);
        }
        if (!home) {
            return false;
        }
        settle(p, group, home);
        g_hash_table_insert(homes, first_vnetwork(group), home);
    }
    return true;
}

/* Where little room is left: the largest first, each where it leaves the least unused. Returns how many found no place. */
static unsigned place_tightly(struct placement *p, GPtrArray *rest)
{
    unsigned failed = 0;
    g_ptr_array_sort(rest, compare_weights);
    for (unsigned i = 0; i < rest->len; i++) {
        struct group *group = rest->pdata[i];
        struct machine *machine = tightest(p, group);
        group->machine = NULL;
        if (machine) {
            settle(p, group, machine);
        } else {
            failed += group->count;
        }
    }
    return failed;
}

/* Returns the group as messages name it; the caller frees it. */
static char *group_name(const struct group *group)
{
    return group->count == 1
               ? g_strdup_printf("vnode %s", group->vnodes[0]->name)
               : g_strdup_printf("vnode %s and %u more that local vnetworks join to it", group->vnodes[0]->name, group->count - 1);
}

/* Says what keeps 'group' from fitting: a resource of which no machine has enough left, or none but all of them together. */
static void report_homeless(struct placement *p, const struct group *group)
{
    g_autofree char *name = group_name(group);
    g_autofree char *such =
        group->demand->where ? g_strdup_printf("no pnode with the labels %s", group->demand->where) : g_strdup("no pnode");
    for (enum resource r = 0; r < RESOURCES; r++) {
        uint64_t most = 0;
        for (unsigned i = 0; i < p->machines.count; i++) {
            const struct machine *machine = &p->machines.list[i];
            if (machine_is_open(machine) && matches(p, group, machine)) {
                uint64_t capacity = machine_capacity(machine, r);
                uint64_t left = capacity > machine->used.of[r] ? capacity - machine->used.of[r] : 0;
                most = MAX(most, capacity ? left : UINT64_MAX);
            }
        }
        if (group->load.of[r] > most) {
            g_autofree char *wanted = resource_format(r, group->load.of[r]), *left = resource_format(r, most);
            diagnostics_add(p->problems, NULL, 0, NULL, "%s: %s: %s wanted, %s has more than %s left", name, resource_name(r),
                            wanted, such, left);
            return;
        }
    }
    diagnostics_add(p->problems, NULL, 0, NULL, "%s: %s has all that it needs left at once", name, such);
}

static void report_failed(struct placement *p, const GPtrArray *rest, unsigned failed)
{
    unsigned reported = 0;
    for (unsigned i = 0; i < rest->len && reported < REPORTED_MAX; i++) {
        const struct group *group = rest->pdata[i];
        if (!group->machine) {
            report_homeless(p, group);
            reported++;
            failed -= group->count;
        }
    }
    if (failed) {
        diagnostics_add(p->problems, NULL, 0, NULL, "%u more vnodes find no room on the pnodes", failed);
    }
}

/* Adds a problem for each demand of 'rest' that no machine can answer, whatever room it has. */
static void report_closed(struct placement *p, const GPtrArray *rest)
{
    g_autofree bool *reported = g_new0(bool, p->groups.demands->len + 1);
    for (unsigned i = 0; i < rest->len; i++) {
        const struct group *group = rest->pdata[i];
        const struct demand *demand = group->demand;
        if (demand->open || reported[demand->number]) {
            continue;
        }
        reported[demand->number] = true;
        bool any = false;
        for (unsigned k = 0; k < p->machines.count; k++) {
            any |= demand->match[k];
        }
        g_autofree char *name = group_name(group);
        g_autofree char *with = demand->where ? g_strdup_printf(" with the labels %s", demand->where) : g_strdup("");
        diagnostics_add(p->problems, NULL, 0, NULL,
                        any ? "%s: every pnode%s is draining or has not been heard of for long" : "%s: there is no pnode%s", name,
                        with);
    }
}

/* Places 'rest' on what the machines have left. */
static void place_rest(struct placement *p, GPtrArray *rest)
{
    struct machines *machines = &p->machines;
    g_autofree struct machine *before = g_memdup2(machines->list, machines->count * sizeof *before);
    for (unsigned i = 0; i < rest->len; i++) {
        struct group *group = rest->pdata[i];
        group->demand->rest += group->weight;
    }
    if (!place_together(p, rest)) {
        memcpy(machines->list, before, machines->count * sizeof *before);
        unsigned failed = place_tightly(p, rest);
        if (failed) {
            report_failed(p, rest, failed);
        }
    }
}

/* Tells the vnodes where they are. */
static void name_pnodes(const struct placement *p)
{
    for (unsigned i = 0; i < p->groups.count; i++) {
        const struct group *group = &p->groups.list[i];
        for (unsigned k = 0; k < group->count; k++) {
            struct vnode *vnode = group->vnodes[k];
            if (!vnode->pnode) {
                vnode->pnode = g_strdup(group->machine->pnode->name);
                vnode->pnode_chosen = true;
            }
        }
    }
}

/* Finds a place for all; problems are added. */
static void place_all(struct placement *p)
{
    unsigned before = diagnostics_count(p->problems);
    report_all_sums(p);
    place_asked(p);
    if (diagnostics_count(p->problems) != before) {
        return;
    }
    g_autoptr(GPtrArray) rest = place_kept(p);
    report_closed(p, rest);
    if (diagnostics_count(p->problems) == before) {
        place_rest(p, rest);
    }
    if (diagnostics_count(p->problems) == before) {
        name_pnodes(p);
    }
}

bool plan_placement(struct platform *platform, const struct platform *current, const GPtrArray *pnodes,
                    struct diagnostics *problems)
{
    unsigned before = diagnostics_count(problems);
    if (!pnodes) {
        struct groups groups = groups_new(platform, NULL, problems);
        groups_clear(&groups);
        return diagnostics_count(problems) == before;
    }
    if (!pnodes->len) {
        diagnostics_add(problems, NULL, 0, NULL, "there is no pnode to run vnodes on");
        return false;
    }
    AUTO_TWINS twins = twins_new(current);
    struct placement placement = {.machines = machines_new(pnodes, platform), .twins = &twins, .problems = problems};
    placement.groups = groups_new(platform, &placement.machines, problems);
    if (diagnostics_count(problems) == before) {
        place_all(&placement);
    }
    groups_clear(&placement.groups);
    machines_clear(&placement.machines);
    return diagnostics_count(problems) == before;
}
