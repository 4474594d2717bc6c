/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "shortest.h"

#include <string.h>

struct search *search_new(const struct graph *graph, const struct targets *targets, bool computed)
{
    struct search *search = g_new0(struct search, 1);
    uint32_t places = graph->n_vnetworks + graph->n_gateways + 1;
    search->graph = graph;
    search->targets = targets;
    search->computed = computed;
    search->origin = g_new(uint32_t, places);
    search->distance = g_new(struct distance, places);
    search->out = g_new(uint32_t, graph->n_gateways + 1);
    search->next = g_new(uint32_t, graph->n_vnetworks + 1);
    search->detour_length = g_new(int16_t, graph->n_vnetworks + 1);
    search->source_stamp = g_new0(uint32_t, places);
    search->heap = g_new(uint32_t, places);
    search->slot = g_new0(uint32_t, places);
    return search;
}

void search_free(struct search *search)
{
    if (search) {
        g_free(search->origin);
        g_free(search->distance);
        g_free(search->out);
        g_free(search->next);
        g_free(search->detour_length);
        g_free(search->source_stamp);
        g_free(search->heap);
        g_free(search->slot);
        g_free(search);
    }
}

/* Orders places; never 0 for two different ones. */
static bool is_nearer(const struct search *search, uint32_t a, uint32_t b)
{
    int order = distance_compare(&search->distance[a], &search->distance[b]);
    if (!order) {
        order = search->origin[a] != search->origin[b] ? (search->origin[a] < search->origin[b] ? -1 : 1) : (a < b ? -1 : 1);
    }
    return order < 0;
}

static void heap_put(struct search *search, uint32_t i, uint32_t place)
{
    search->heap[i] = place;
    search->slot[place] = i + 1;
}

/* Puts 'place' where it belongs, at 'i' or above it. */
static void heap_rise(struct search *search, uint32_t i, uint32_t place)
{
    while (i > 0 && is_nearer(search, place, search->heap[(i - 1) / 2])) {
        heap_put(search, i, search->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    heap_put(search, i, place);
}

static uint32_t heap_take(struct search *search)
{
    uint32_t first = search->heap[0];
    uint32_t last = search->heap[--search->heap_size];
    search->slot[first] = 0;
    if (search->heap_size) {
        uint32_t i = 0;
        for (;;) {
            uint32_t child = 2 * i + 1;
            if (child + 1 < search->heap_size && is_nearer(search, search->heap[child + 1], search->heap[child])) {
                child++;
            }
            if (child >= search->heap_size || is_nearer(search, last, search->heap[child])) {
                break;
            }
            heap_put(search, i, search->heap[child]);
            i = child;
        }
        heap_put(search, i, last);
    }
    return first;
}

/* Offers 'place' a way to 'origin' of length 'distance'; returns whether it is the best so far. */
static bool offer(struct search *search, uint32_t place, const struct distance *distance, uint32_t origin)
{
    if (search->origin[place] != NONE) {
        int order = distance_compare(distance, &search->distance[place]);
        if (order > 0 || (order == 0 && origin >= search->origin[place])) {
            return false;
        }
    }
    search->distance[place] = *distance;
    search->origin[place] = origin;
    if (!search->slot[place]) {
        heap_put(search, search->heap_size, place);
        search->heap_size++;
    }
    heap_rise(search, search->slot[place] - 1, place);
    return true;
}

/* Starts from the vnetworks whose prefix is that of 'target'. */
static void add_sources(struct search *search, const struct target *target)
{
    const struct graph *graph = search->graph;
    for (uint32_t i = 0; i < target->n_vnetworks; i++) {
        uint32_t vnetwork = search->targets->vnetworks[target->first_vnetwork + i];
        search->source_stamp[vnetwork] = search->stamp;
        offer(search, vnetwork, &(struct distance){0}, vnetwork);
        for (uint32_t j = graph->of_vnetwork[vnetwork]; j < graph->of_vnetwork[vnetwork + 1]; j++) {
            search->source_stamp[graph->n_vnetworks + graph->halves[graph->by_vnetwork[j]].gateway] = search->stamp;
        }
    }
}

/* Fixes the next gateway where a vroute to target 't', or to something that contains it and nothing closer, says so; but who is on
 * a vnetwork that contains the target reaches it directly, unless the vroute is about a part of that vnetwork. */
static void fix_detours(struct search *search, uint32_t t)
{
    const struct targets *targets = search->targets;
    const struct target *target = &targets->list[t];
    for (;;) {
        for (uint32_t i = 0; i < target->n_detours; i++) {
            const struct detour *detour = &targets->detours[target->first_detour + i];
            uint32_t own = targets->of_vnetwork[detour->from];
            bool direct = search_contains(search, detour->from) && target->prefix.length <= targets->list[own].prefix.length;
            if (search->detour_length[detour->from] < 0 && !direct) {
                search->next[detour->from] = detour->via;
                search->detour_length[detour->from] = target->prefix.length;
            }
        }
        if (target->parent == NONE) {
            break;
        }
        target = &targets->list[target->parent];
    }
}

/* From vnetwork 'v', whose way is known, to the gateways on it. */
static void relax_vnetwork(struct search *search, uint32_t v)
{
    const struct graph *graph = search->graph;
    bool is_source = search_is_source(search, v);
    for (uint32_t i = graph->of_vnetwork[v]; i < graph->of_vnetwork[v + 1]; i++) {
        uint32_t h = graph->by_vnetwork[i];
        uint32_t place = graph->n_vnetworks + graph->halves[h].gateway;
        if (!is_source && search->source_stamp[place] == search->stamp) {
            continue; /* It is attached to the target: the kernel delivers directly, however slow that is. */
        }
        struct distance distance = distance_add(&search->distance[v], &graph->halves[h].weight);
        if (offer(search, place, &distance, search->origin[v])) {
            search->out[graph->halves[h].gateway] = h;
        }
    }
}

/* From gateway 'g', whose way is known, to the vnetworks that it is on. */
static void relax_gateway(struct search *search, uint32_t g)
{
    const struct graph *graph = search->graph;
    uint32_t place = graph->n_vnetworks + g;
    for (uint32_t h = graph->of_gateway[g]; h < graph->of_gateway[g + 1]; h++) {
        uint32_t v = graph->halves[h].vnetwork;
        bool fixed = search->detour_length[v] >= 0;
        if (h == search->out[g] || search_is_source(search, v) ||
            (fixed ? search->next[v] != h : !search->computed || graph->lost[g])) {
            continue;
        }
        struct distance distance = distance_add(&search->distance[place], &graph->halves[h].weight);
        if (offer(search, v, &distance, search->origin[place])) {
            search->next[v] = h;
        }
    }
}

void search_run(struct search *search, uint32_t t)
{
    const struct graph *graph = search->graph;
    const struct targets *targets = search->targets;
    uint32_t places = graph->n_vnetworks + graph->n_gateways;
    memset(search->origin, 0xff, places * sizeof *search->origin);
    memset(search->out, 0xff, graph->n_gateways * sizeof *search->out);
    memset(search->next, 0xff, graph->n_vnetworks * sizeof *search->next);
    memset(search->detour_length, 0xff, graph->n_vnetworks * sizeof *search->detour_length);
    search->stamp++;
    search->target = t;
    for (uint32_t i = t; i < targets->list[t].end; i++) {
        add_sources(search, &targets->list[i]);
    }
    for (uint32_t i = targets->list[t].parent; i != NONE; i = targets->list[i].parent) {
        add_sources(search, &targets->list[i]);
    }
    fix_detours(search, t);
    while (search->heap_size) {
        uint32_t place = heap_take(search);
        if (place < graph->n_vnetworks) {
            relax_vnetwork(search, place);
        } else {
            relax_gateway(search, place - graph->n_vnetworks);
        }
    }
}
