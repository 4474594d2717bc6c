/* SPDX-License-Identifier: Apache-2.0 */
/* The vnetworks of one IP version and the gateways between them, as a bipartite graph of indexes. */
#ifndef DISTEM_PLAN_GRAPH_H
#define DISTEM_PLAN_GRAPH_H 1

#include "distem/platform.h"

#define NONE UINT32_MAX

/* How far something is. Distances are sums over the gateways' vifaces that a way passes, and are compared field by field in this
 * order. The weight of a viface is the same whether the way enters or leaves by it, and the last field makes any two ways differ
 * (but for a chance of 2^-44), so the shortest way from A to B is the shortest way from B to A, turned around. */
struct distance {
    uint64_t cost;   /* ns of latency, input and output, when routing goes by latency; else 0. */
    uint32_t hops;   /* Two per gateway. */
    uint64_t ids;    /* Sum of the gateways' ids: among equals, older gateways are preferred. */
    uint64_t random; /* Sum of 44 bits that each viface's id gives. */
};

/* A gateway's place on a vnetwork: an edge of the graph. Where a gateway has several vifaces on one vnetwork, its first. */
struct half {
    uint32_t gateway, vnetwork; /* Indexes. */
    uint32_t viface;            /* Index into the gateway's vifaces. */
    struct ip_addr addr;        /* The gateway's address there: what others send to. */
    struct distance weight;
};

struct graph {
    uint8_t family;
    uint32_t n_vnetworks, n_gateways, n_halves;
    struct vnode **gateways; /* In the platform's order. */
    bool *lost;              /* Per gateway: nothing passes it but what a vroute sends there. */
    struct half *halves;     /* Ordered by gateway. */
    uint32_t *of_gateway;    /* Gateway g's are halves of_gateway[g] ... of_gateway[g + 1] - 1. */
    uint32_t *of_vnetwork;   /* Vnetwork v's are halves by_vnetwork[of_vnetwork[v] ... of_vnetwork[v + 1] - 1]. */
    uint32_t *by_vnetwork;
    GHashTable *indexes; /* struct vnode -> index of the gateway + 1. */
};

/* Builds the graph of 'family' (4 or 6) from the vnodes that forward. 'positions' is forwarding_positions()'s, 'lost' a set of
 * those vnodes whose machines are. It borrows from the platform and is freed with graph_free(). */
struct graph *graph_new(const struct platform *, GHashTable *positions, GHashTable *lost, uint8_t family);
void graph_free(struct graph *);

/* Returns the index of gateway 'vnode', or NONE. */
uint32_t graph_gateway(const struct graph *, const struct vnode *vnode);
/* Returns the index of the half that gateway 'vnode' has on vnetwork number 'vnetwork', or NONE. */
uint32_t graph_half(const struct graph *, const struct vnode *vnode, uint32_t vnetwork);

/* Adds; compares (< 0, 0, > 0). */
static inline struct distance distance_add(const struct distance *a, const struct distance *b)
{
    return (struct distance){a->cost + b->cost, a->hops + b->hops, a->ids + b->ids, a->random + b->random};
}
static inline int distance_compare(const struct distance *a, const struct distance *b)
{
    return a->cost != b->cost   ? (a->cost < b->cost ? -1 : 1)
           : a->hops != b->hops ? (a->hops < b->hops ? -1 : 1)
           : a->ids != b->ids   ? (a->ids < b->ids ? -1 : 1)
                                : (a->random > b->random) - (a->random < b->random);
}

/* Returns what passing 'viface' in either direction costs in 'routing': its two latencies, or 0. */
uint64_t graph_cost(const struct viface *, enum routing routing);

#endif
