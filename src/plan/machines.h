/* SPDX-License-Identifier: Apache-2.0 */
/* What vnodes ask of pnodes, and what is left there. */
#ifndef DISTEM_PLAN_MACHINES_H
#define DISTEM_PLAN_MACHINES_H 1

#include "distem/error.h"
#include "distem/platform.h"

/* What is counted. */
enum resource { RESOURCE_CORES, RESOURCE_MEMORY, RESOURCE_VNODES, RESOURCE_VIFACES, RESOURCES };

struct load {
    uint64_t of[RESOURCES]; /* Sums stop at UINT64_MAX. */
};

struct machine {
    const struct pnode *pnode;
    struct load used;
    double filled; /* Weights of what it has, see machines_weight(). */
    double share;  /* Its part of all machines' strength; all parts together are 1. */
    double target; /* How far it should be filled. */
};

struct machines {
    struct machine *list; /* Ordered by name, so that the order in which pnodes came does not matter. */
    unsigned count;
    GHashTable *by_name;
    struct load wanted; /* By all vnodes. */
};

/* Makes the list of machines, all empty. It borrows from 'pnodes' and is cleared with machines_clear(). */
struct machines machines_new(const GPtrArray *pnodes, const struct platform *);
void machines_clear(struct machines *);

/* Returns the machine called 'name' (may be NULL), or NULL. */
struct machine *machines_find(const struct machines *, const char *name);

/* Returns what 'vnode' asks for. */
struct load vnode_load(const struct vnode *);
/* Adds up; sums stop at UINT64_MAX. */
void load_add(struct load *sum, const struct load *load);
/* Returns one number for how much 'load' is of all that is asked for: the sum of its parts of the cores, the memory, the vnodes,
 * and the vifaces. */
double machines_weight(const struct machines *, const struct load *load);

/* Says whether 'machine' has room for 'load'. */
bool machine_fits(const struct machine *, const struct load *load);
/* Puts 'load' there. */
void machine_take(struct machine *, const struct machines *, const struct load *load);
/* Says whether it may get vnodes that it does not have yet. */
static inline bool machine_is_open(const struct machine *machine)
{
    return !machine->pnode->draining && !machine->pnode->lost;
}
/* Says whether it has all labels of 'where' ("rack=a,site=nancy"; NULL: none). */
bool machine_has_labels(const struct machine *, const char *where);
/* Returns how much of 'resource' the machine has; 0: no limit. */
uint64_t machine_capacity(const struct machine *, enum resource resource);

/* Returns "memory" and so on; static. */
const char *resource_name(enum resource);
/* Returns an amount as people write it ("32GiB", "5"); the caller frees it. */
char *resource_format(enum resource, uint64_t amount);

/* Sets the targets of those machines for which 'match' (one flag per machine of the list) is set, and which are open, so that
 * placing what has weight 'rest' on them brings them as near to their shares as can be. */
void machines_set_targets(struct machines *, const bool *match, double rest);

#endif
