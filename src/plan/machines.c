/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "machines.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "distem/units.h"

static uint64_t add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

void load_add(struct load *sum, const struct load *load)
{
    for (unsigned r = 0; r < RESOURCES; r++) {
        sum->of[r] = add(sum->of[r], load->of[r]);
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct machine *)a)->pnode->name, ((const struct machine *)b)->pnode->name);
}

/* Sets all shares: the mean of a machine's parts of all cores and of all memory, where both are known of all. */
static void set_shares(struct machines *machines)
{
    double total[2] = {0, 0};
    bool known[2] = {true, true};
    for (unsigned i = 0; i < machines->count; i++) {
        for (enum resource r = RESOURCE_CORES; r <= RESOURCE_MEMORY; r++) {
            uint64_t capacity = machine_capacity(&machines->list[i], r);
            total[r] += (double)capacity;
            known[r] &= capacity > 0;
        }
    }
    for (unsigned i = 0; i < machines->count; i++) {
        double sum = 0;
        for (enum resource r = RESOURCE_CORES; r <= RESOURCE_MEMORY; r++) {
            sum += known[r] ? (double)machine_capacity(&machines->list[i], r) / total[r] : 1.0 / machines->count;
        }
        machines->list[i].share = sum / 2;
    }
}

struct machines machines_new(const GPtrArray *pnodes, const struct platform *platform)
{
    struct machines machines = {
        .list = g_new0(struct machine, pnodes->len + 1),
        .count = pnodes->len,
        .by_name = g_hash_table_new(g_str_hash, g_str_equal),
    };
    for (unsigned i = 0; i < pnodes->len; i++) {
        machines.list[i].pnode = pnodes->pdata[i];
    }
    qsort(machines.list, machines.count, sizeof *machines.list, compare_names);
    for (unsigned i = 0; i < machines.count; i++) {
        g_hash_table_insert(machines.by_name, machines.list[i].pnode->name, &machines.list[i]);
    }
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        struct load load = vnode_load(platform_vnode(platform, i));
        load_add(&machines.wanted, &load);
    }
    set_shares(&machines);
    return machines;
}

void machines_clear(struct machines *machines)
{
    g_clear_pointer(&machines->list, g_free);
    g_clear_pointer(&machines->by_name, g_hash_table_unref);
}

struct machine *machines_find(const struct machines *machines, const char *name)
{
    return name ? g_hash_table_lookup(machines->by_name, name) : NULL;
}

struct load vnode_load(const struct vnode *vnode)
{
    return (struct load){{vnode->cores, vnode->memory, 1, vnode->vifaces->len}};
}

double machines_weight(const struct machines *machines, const struct load *load)
{
    double weight = 0;
    for (enum resource r = 0; r < RESOURCES; r++) {
        weight += machines->wanted.of[r] ? (double)load->of[r] / (double)machines->wanted.of[r] : 0;
    }
    return weight;
}

uint64_t machine_capacity(const struct machine *machine, enum resource resource)
{
    const struct pnode *pnode = machine->pnode;
    return (const uint64_t[]){pnode->cores, pnode->memory, pnode->max_vnodes, pnode->max_vifaces}[resource];
}

bool machine_fits(const struct machine *machine, const struct load *load)
{
    for (unsigned r = 0; r < RESOURCES; r++) {
        uint64_t capacity = machine_capacity(machine, r);
        if (load->of[r] && capacity && add(machine->used.of[r], load->of[r]) > capacity) {
            return false;
        }
    }
    return true;
}

void machine_take(struct machine *machine, const struct machines *machines, const struct load *load)
{
    load_add(&machine->used, load);
    machine->filled += machines_weight(machines, load);
}

bool machine_has_labels(const struct machine *machine, const char *where)
{
    g_auto(GStrv) labels = g_strsplit(where ? where : "", ",", 0);
    for (unsigned i = 0; labels[i]; i++) {
        char *value = strchr(labels[i], '=');
        if (value) {
            *value++ = '\0';
            if (g_strcmp0(g_hash_table_lookup(machine->pnode->labels, labels[i]), value) != 0) {
                return false;
            }
        }
    }
    return true;
}

const char *resource_name(enum resource resource)
{
    return (const char *const[]){"cores", "memory", "vnodes", "vifaces"}[resource];
}

char *resource_format(enum resource resource, uint64_t amount)
{
    return resource == RESOURCE_MEMORY ? size_format(amount) : g_strdup_printf("%" PRIu64, amount);
}

/* Orders machines by how full they are for their share. */
static int compare_levels(const void *a, const void *b)
{
    const struct machine *left = *(const struct machine *const *)a, *right = *(const struct machine *const *)b;
    double level = left->filled / left->share, other = right->filled / right->share;
    return level != other ? (level > other) - (level < other) : compare_names(left, right);
}

/* As water in vessels: the emptiest are filled up to the next one's level until the rest is used up. */
void machines_set_targets(struct machines *machines, const bool *match, double rest)
{
    g_autofree struct machine **sorted = g_new(struct machine *, machines->count + 1);
    unsigned count = 0;
    for (unsigned i = 0; i < machines->count; i++) {
        if (match[i] && machine_is_open(&machines->list[i])) {
            sorted[count++] = &machines->list[i];
        }
    }
    qsort(sorted, count, sizeof(struct machine *), compare_levels);
    double sum = rest, share = 0, level = 0;
    for (unsigned i = 0; i < count; i++) {
        if (i > 0 && sorted[i]->filled / sorted[i]->share >= level) {
            break;
        }
        sum += sorted[i]->filled;
        share += sorted[i]->share;
        level = sum / share;
    }
    for (unsigned i = 0; i < count; i++) {
        sorted[i]->target = MAX(sorted[i]->filled, level * sorted[i]->share);
    }
}
