/* SPDX-License-Identifier: Apache-2.0 */
/* The outcome of all searches, in a form small enough to keep: for each target, the next gateway from each vnetwork, and the viface
 * by which each class of vnodes leaves. */
#ifndef DISTEM_PLAN_WAYS_H
#define DISTEM_PLAN_WAYS_H 1

#include "classes.h"
#include "graph.h"
#include "targets.h"

#define OUT_NONE UINT16_MAX

struct ways {
    const struct graph *graph;
    const struct targets *targets;
    const struct classes *classes;
    uint32_t *next; /* [target * n_vnetworks + vnetwork]: half of the next gateway, or NONE. */
    uint16_t *out;  /* [target * n_classes + class]: index of a viface; OUT_NONE: it has no route of its own to the target. */
};

/* Searches the ways to all targets. Without 'computed', only vroutes count. In 'reach' (n_vnetworks * n_vnetworks), bit 'bit' of
 * [from * n_vnetworks + to] is set when there is a way. The arguments are borrowed. Free with ways_free(). */
struct ways *ways_new(const struct graph *, const struct targets *, const struct classes *, bool computed, uint8_t *reach,
                      uint8_t bit);
void ways_free(struct ways *);

/* Returns the half of the gateway to which 'class' sends what is for target 't', or NONE when it has no route to it. */
static inline uint32_t ways_next(const struct ways *ways, uint32_t class, uint32_t t)
{
    uint16_t out = ways->out[(size_t)t * ways->classes->list->len + class];
    return out == OUT_NONE
               ? NONE
               : ways->next[(size_t)t * ways->graph->n_vnetworks + classes_get(ways->classes, class)->places[out].vnetwork];
}

#endif
