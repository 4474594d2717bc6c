/* SPDX-License-Identifier: Apache-2.0 */
/* The shortest ways from everywhere to one target (Dijkstra), with the vroutes obeyed.
 *
 * All vnetworks that share addresses with the target are started from at once: where several could be meant by an address, each
 * place goes to its nearest one. Since each step of a way to the nearest has the same nearest, whoever comes later on the way
 * thinks so, too. The result is a forest whose roots are those vnetworks, so following it never leads in a circle. */
#ifndef DISTEM_PLAN_SHORTEST_H
#define DISTEM_PLAN_SHORTEST_H 1

#include "graph.h"
#include "targets.h"

/* The state of one search. Places are the vnetworks (0 ... n_vnetworks - 1) and then the gateways. */
struct search {
    const struct graph *graph;
    const struct targets *targets;
    bool computed; /* Else only vroutes count. */

    uint32_t *origin;          /* Per place: the vnetwork that its way leads to; NONE: there is no way. */
    struct distance *distance; /* Per place. */
    uint32_t *out;             /* Per gateway: its half by which its way leaves; NONE. */
    uint32_t *next; /* Per vnetwork: the half of the gateway that one goes to next; NONE: there is none, or it is the target. */
    int16_t *detour_length; /* Per vnetwork: the prefix length of the vroute that 'next' is fixed by; -1: none. */
    uint32_t *source_stamp; /* Per place: == stamp when it shares addresses with the target, or is a gateway attached to one. */
    uint32_t stamp;
    uint32_t target; /* Of the last run. */

    uint32_t *heap, heap_size; /* Places by distance. */
    uint32_t *slot;            /* Per place: where it is in the heap, + 1; 0: it is not. */
};

struct search *search_new(const struct graph *, const struct targets *, bool computed);
void search_free(struct search *);

/* Finds the ways to target 't'. */
void search_run(struct search *, uint32_t t);

/* Says whether vnetwork 'v' shares addresses with the target of the last run. */
static inline bool search_is_source(const struct search *search, uint32_t v)
{
    return search->source_stamp[v] == search->stamp;
}
/* ... and says whether it contains all of that target. */
static inline bool search_contains(const struct search *search, uint32_t v)
{
    const struct target *list = search->targets->list;
    return search_is_source(search, v) && list[search->targets->of_vnetwork[v]].prefix.length <= list[search->target].prefix.length;
}

#endif
