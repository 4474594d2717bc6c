/* SPDX-License-Identifier: Apache-2.0 */
/* Where packets of one IP version may go: the different prefixes of vnetworks and vroutes, sorted, and as a tree of those that lie
 * in one another. */
#ifndef DISTEM_PLAN_TARGETS_H
#define DISTEM_PLAN_TARGETS_H 1

#include "distem/error.h"
#include "graph.h"

/* What a vroute asks for: on vnetwork 'from', the way to the target is through the gateway's half 'via'. */
struct detour {
    uint32_t target, from, via;
    const struct vroute *vroute;
};

struct target {
    struct ip_prefix prefix;
    uint32_t parent;                      /* The longest other target that contains this one, or NONE. */
    uint32_t end;                         /* Targets from here to before 'end' lie in this one. */
    uint32_t first_vnetwork, n_vnetworks; /* Those with this very prefix, in 'vnetworks'. */
    uint32_t first_detour, n_detours;     /* In 'detours'. */
};

struct targets {
    struct target *list; /* Ordered by address, then length: what contains stands before what it contains. */
    uint32_t count;
    uint32_t *vnetworks;    /* Indexes, ordered by target. */
    uint32_t *of_vnetwork;  /* Vnetwork -> its target, or NONE. */
    struct detour *detours; /* Ordered by target, then as declared. */
    uint32_t n_detours;
};

/* Collects the targets in the graph's family. Vroutes that contradict each other are added to 'problems'. Free with
 * targets_free(). */
struct targets *targets_new(const struct platform *, GHashTable *positions, const struct graph *, struct diagnostics *problems);
void targets_free(struct targets *);

#endif
