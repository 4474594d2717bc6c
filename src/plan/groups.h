/* SPDX-License-Identifier: Apache-2.0 */
/* What is placed as a whole: vnodes that local vnetworks join, and each other vnode on its own; and on which machines it may be. */
#ifndef DISTEM_PLAN_GROUPS_H
#define DISTEM_PLAN_GROUPS_H 1

#include "machines.h"

/* Groups that ask for the same labels. */
struct demand {
    char *where;        /* The labels, as in struct vnode; NULL: none. */
    bool *match;        /* Per machine: it has them. */
    unsigned open;      /* So many of those get new vnodes. */
    unsigned number;    /* Among the demands. */
    double rest;        /* Weight of what is yet to be placed. */
    struct load wanted; /* By all its groups. */
    const struct vnode *example;
};

struct group {
    struct vnode **vnodes; /* In the platform's order. */
    unsigned count;
    struct load load;
    double weight;
    unsigned order;          /* Of its first vnode in the platform. */
    unsigned vnetwork;       /* Of the first viface of its first vnode: its place in the platform; 0 without. */
    struct demand *demand;   /* NULL while there are no machines. */
    struct machine *machine; /* Where it is to be; NULL: not known yet. */
};

struct groups {
    struct group *list; /* In the platform's order. */
    unsigned count;
    struct vnode **vnodes; /* What the groups' arrays are parts of. */
    GPtrArray *demands;    /* Of struct demand, owned. */
};

/* Makes the groups of 'platform', which they borrow from. Vnodes of one group that are asked to be on different pnodes are
 * problems. 'machines' may be NULL, when only this is of interest. Free with groups_clear(). */
struct groups groups_new(const struct platform *, const struct machines *, struct diagnostics *problems);
void groups_clear(struct groups *);

#endif
