/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ways.h"

#include <string.h>

#include "shortest.h"

/* Says whether the nearest vnetwork 'origin' is what the target means, and not one that hides it. */
static bool is_meant(const struct search *search, uint32_t origin)
{
    const struct targets *targets = search->targets;
    return targets->list[search->target].n_vnetworks ? targets->of_vnetwork[origin] == search->target
                                                     : search_contains(search, origin);
}

/* Returns the viface by which a vroute makes 'class' (gateway number 'gateway', or NONE) leave; the longest prefix wins, then the
 * first viface. OUT_NONE: no vroute does, or it is attached to something at least as long. */
static uint16_t detour_out(const struct search *search, const struct class *class, uint32_t gateway)
{
    int attached = -1, longest = -1;
    uint16_t out = OUT_NONE;
    for (unsigned i = 0; i < class->example->vifaces->len; i++) {
        uint32_t v = class->places[i].vnetwork;
        if (search_contains(search, v)) {
            attached = MAX(attached, (int)search->targets->list[search->targets->of_vnetwork[v]].prefix.length);
        }
        if (search->detour_length[v] > longest && search->graph->halves[search->next[v]].gateway != gateway) {
            longest = search->detour_length[v];
            out = (uint16_t)i;
        }
    }
    return longest > attached ? out : OUT_NONE;
}

/* Returns the viface by which gateway number 'g' leaves. Where vroutes leave it a choice it goes the shortest way. */
static uint16_t gateway_out(const struct search *search, const struct class *class, uint32_t g)
{
    uint32_t h = search->out[g];
    if (h == NONE || !is_meant(search, search->origin[search->graph->n_vnetworks + g])) {
        return search->targets->n_detours ? detour_out(search, class, g) : OUT_NONE;
    }
    uint32_t next = search->next[search->graph->halves[h].vnetwork];
    return next == NONE || search->graph->halves[next].gateway == g ? OUT_NONE : (uint16_t)search->graph->halves[h].viface;
}

/* Returns the viface by which vnodes of 'class', which do not forward, leave: as a vroute says, or by the shortest way. */
static uint16_t end_out(const struct search *search, const struct class *class)
{
    uint16_t out = search->targets->n_detours ? detour_out(search, class, NONE) : OUT_NONE;
    if (out != OUT_NONE) {
        return out;
    }
    struct distance best = {0};
    for (unsigned i = 0; i < class->example->vifaces->len; i++) {
        const struct place *place = &class->places[i];
        if (search_contains(search, place->vnetwork)) {
            return OUT_NONE;
        }
        if (search->origin[place->vnetwork] == NONE) {
            continue;
        }
        struct distance distance = search->distance[place->vnetwork];
        distance.cost += place->cost;
        if (out == OUT_NONE || distance_compare(&distance, &best) < 0) {
            best = distance;
            out = (uint16_t)i;
        }
    }
    if (out == OUT_NONE) {
        return OUT_NONE;
    }
    uint32_t v = class->places[out].vnetwork;
    return is_meant(search, search->origin[v]) && search->next[v] != NONE ? out : OUT_NONE;
}

struct ways *ways_new(const struct graph *graph, const struct targets *targets, const struct classes *classes, bool computed,
                      uint8_t *reach, uint8_t bit)
{
    struct ways *ways = g_new0(struct ways, 1);
    size_t n_vnetworks = graph->n_vnetworks, n_classes = classes->list->len;
    *ways = (struct ways){graph, targets, classes, g_new(uint32_t, targets->count * n_vnetworks + 1),
                          g_new(uint16_t, targets->count * n_classes + 1)};
    g_autofree uint32_t *gateways = g_new(uint32_t, n_classes + 1);
    for (uint32_t c = 0; c < n_classes; c++) {
        gateways[c] = graph_gateway(graph, classes_get(classes, c)->example);
    }
    struct search *search = search_new(graph, targets, computed);
    for (uint32_t t = 0; t < targets->count; t++) {
        search_run(search, t);
        for (uint32_t c = 0; c < n_classes; c++) {
            const struct class *class = classes_get(classes, c);
            ways->out[t * n_classes + c] = gateways[c] == NONE ? end_out(search, class) : gateway_out(search, class, gateways[c]);
        }
        memcpy(&ways->next[t * n_vnetworks], search->next, n_vnetworks * sizeof *search->next);
        for (size_t v = 0; v < n_vnetworks; v++) {
            if (search->origin[v] != NONE && targets->of_vnetwork[search->origin[v]] == t) {
                reach[v * n_vnetworks + search->origin[v]] |= bit;
            }
        }
    }
    search_free(search);
    return ways;
}

void ways_free(struct ways *ways)
{
    if (ways) {
        g_free(ways->next);
        g_free(ways->out);
        g_free(ways);
    }
}
