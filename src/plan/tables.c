/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "tables.h"

#include <string.h>

#include "circles.h"

#define ATTACHED (NONE - 1) /* In the place of a half: delivered directly. */

struct tables {
    const struct ways *ways;
    uint32_t *defaults;  /* Per class: the half that its default route leads to, or NONE. */
    uint32_t *saved;     /* Per class: how many routes that saves. */
    uint32_t *count;     /* Per half: scratch, all zero between uses. */
    uint32_t *class_of;  /* Gateway -> its class. */
    uint32_t *effective; /* Per target: where the class at hand sends it: a half, ATTACHED or NONE. */
    uint32_t *attached;  /* Per target: class (+ 1) that was last found attached to it. */
};

/* Finds the half that 'class' uses most, and how often. A default route of its own from a vroute leaves nothing to be found. */
static void prefer(struct tables *tables, uint32_t class)
{
    const struct ways *ways = tables->ways;
    uint32_t best = NONE;
    bool has_default = false;
    for (uint32_t t = 0; t < ways->targets->count; t++) {
        uint32_t half = ways_next(ways, class, t);
        if (half == NONE) {
            continue;
        }
        has_default |= ways->targets->list[t].prefix.length == 0;
        tables->count[half]++;
        if (best == NONE || tables->count[half] > tables->count[best] ||
            (half < best && tables->count[half] == tables->count[best])) {
            best = half;
        }
    }
    if (best != NONE && !has_default) {
        tables->defaults[class] = best;
        tables->saved[class] = tables->count[best];
    }
    for (uint32_t t = 0; t < ways->targets->count; t++) {
        uint32_t half = ways_next(ways, class, t);
        if (half != NONE) {
            tables->count[half] = 0;
        }
    }
}

/* Takes away a default route from each circle of gateways. */
static void break_circles(struct tables *tables)
{
    const struct graph *graph = tables->ways->graph;
    g_autofree uint32_t *next = g_new0(uint32_t, graph->n_gateways + 1);
    for (uint32_t g = 0; g < graph->n_gateways; g++) {
        uint32_t half = tables->defaults[tables->class_of[g]];
        next[g] = half == NONE ? NONE : graph->halves[half].gateway;
    }
    g_autoptr(GArray) circles = circles_find(next, graph->n_gateways);
    for (unsigned i = 0; i < circles->len; i++) {
        uint32_t start = g_array_index(circles, uint32_t, i), least = start;
        for (uint32_t g = next[start]; g != start; g = next[g]) {
            uint32_t saved = tables->saved[tables->class_of[g]], saved_least = tables->saved[tables->class_of[least]];
            if (saved < saved_least || (saved == saved_least && g < least)) {
                least = g;
            }
        }
        tables->defaults[tables->class_of[least]] = NONE;
    }
}

static void append_route(struct tables *tables, struct class *class, const struct ip_prefix *to, uint32_t half)
{
    const struct half *via = &tables->ways->graph->halves[half];
    uint32_t viface = 0;
    while (class->places[viface].vnetwork != via->vnetwork) {
        viface++;
    }
    struct route route = {*to, via->addr, viface};
    g_array_append_val(class->routes, route);
}

/* Writes the routes of class number 'c' and leaves in 'effective' what they mean. */
static void emit(struct tables *tables, uint32_t c)
{
    const struct ways *ways = tables->ways;
    const struct targets *targets = ways->targets;
    struct class *class = classes_get(ways->classes, c);
    for (unsigned i = 0; i < class->example->vifaces->len; i++) {
        uint32_t t = targets->of_vnetwork[class->places[i].vnetwork];
        if (t != NONE) {
            tables->attached[t] = c + 1;
        }
    }
    if (tables->defaults[c] != NONE) {
        append_route(tables, class, &(struct ip_prefix){.addr.family = ways->graph->family}, tables->defaults[c]);
    }
    for (uint32_t t = 0; t < targets->count; t++) {
        const struct target *target = &targets->list[t];
        uint32_t wider = target->parent == NONE ? tables->defaults[c] : tables->effective[target->parent];
        uint32_t half = ways_next(ways, c, t);
        if (half != NONE && half != wider) {
            append_route(tables, class, &target->prefix, half);
        }
        tables->effective[t] = half != NONE ? half : tables->attached[t] == c + 1 ? ATTACHED : wider;
    }
}

static void report_circle(const struct tables *tables, const struct ip_prefix *prefix, const uint32_t *next, uint32_t start,
                          struct diagnostics *problems)
{
    char text[PREFIX_TEXT_SIZE];
    g_autoptr(GString) names = g_string_new(tables->ways->graph->gateways[start]->name);
    uint32_t g = start;
    do {
        g = next[g];
        g_string_append_printf(names, " -> %s", tables->ways->graph->gateways[g]->name);
    } while (g != start);
    diagnostics_add(problems, NULL, 0, NULL, "the vroutes send what is for %s in a circle: %s", prefix_format(prefix, text),
                    names->str);
}

/* Says whether a vroute sends target 't', which nobody in the platform has, to gateway 'g', which has no closer route for it: then
 * it is taken to be at home there (a further address of that vnode, a tunnel ...). */
static bool ends_at(const struct tables *tables, uint32_t t, uint32_t g)
{
    const struct targets *targets = tables->ways->targets;
    for (uint32_t i = t; i != NONE; i = targets->list[i].parent) {
        if (targets->list[i].n_vnetworks) {
            return false;
        }
    }
    if (ways_next(tables->ways, tables->class_of[g], t) != NONE) {
        return false;
    }
    const struct target *target = &targets->list[t];
    for (uint32_t i = target->first_detour; i < target->first_detour + target->n_detours; i++) {
        if (tables->ways->graph->halves[targets->detours[i].via].gateway == g) {
            return true;
        }
    }
    return false;
}

/* Vroutes for prefixes that lie in one another can make a circle that no single search sees. 'effective' is all gateways' (that of
 * gateway g begins at g * number of targets). */
static void check_circles(const struct tables *tables, const uint32_t *effective, struct diagnostics *problems)
{
    const struct graph *graph = tables->ways->graph;
    const struct targets *targets = tables->ways->targets;
    g_autofree uint32_t *next = g_new0(uint32_t, graph->n_gateways + 1);
    g_autofree bool *reported = g_new0(bool, targets->count + 1);
    for (uint32_t t = 0; t < targets->count; t++) {
        for (uint32_t g = 0; g < graph->n_gateways; g++) {
            uint32_t half = effective[(size_t)g * targets->count + t];
            next[g] = half == NONE || half == ATTACHED || ends_at(tables, t, g) ? NONE : graph->halves[half].gateway;
        }
        g_autoptr(GArray) circles = circles_find(next, graph->n_gateways);
        uint32_t parent = targets->list[t].parent;
        reported[t] = circles->len || (parent != NONE && reported[parent]);
        if (circles->len && !(parent != NONE && reported[parent])) {
            report_circle(tables, &targets->list[t].prefix, next, g_array_index(circles, uint32_t, 0), problems);
        }
    }
}

void tables_append(const struct ways *ways, bool defaults, struct diagnostics *problems)
{
    uint32_t n_classes = ways->classes->list->len, n_gateways = ways->graph->n_gateways, n_targets = ways->targets->count;
    bool has_detours = ways->targets->n_detours > 0;
    struct tables tables = {
        .ways = ways,
        .defaults = g_new0(uint32_t, n_classes + 1),
        .saved = g_new0(uint32_t, n_classes + 1),
        .count = g_new0(uint32_t, ways->graph->n_halves + 1),
        .class_of = g_new0(uint32_t, n_gateways + 1),
        .effective = g_new0(uint32_t, n_targets + 1),
        .attached = g_new0(uint32_t, n_targets + 1),
    };
    for (uint32_t c = 0; c < n_classes; c++) {
        uint32_t gateway = graph_gateway(ways->graph, classes_get(ways->classes, c)->example);
        tables.defaults[c] = NONE;
        if (gateway != NONE) {
            tables.class_of[gateway] = c;
        }
        if (defaults && (gateway == NONE || !has_detours)) {
            prefer(&tables, c);
        }
    }
    break_circles(&tables);
    g_autofree uint32_t *all = has_detours ? g_new0(uint32_t, (size_t)n_gateways * n_targets + 1) : NULL;
    for (uint32_t c = 0; c < n_classes; c++) {
        emit(&tables, c);
        uint32_t gateway = all ? graph_gateway(ways->graph, classes_get(ways->classes, c)->example) : NONE;
        if (gateway != NONE) {
            memcpy(&all[(size_t)gateway * n_targets], tables.effective, n_targets * sizeof *all);
        }
    }
    if (all) {
        check_circles(&tables, all, problems);
    }
    g_free(tables.defaults);
    g_free(tables.saved);
    g_free(tables.count);
    g_free(tables.class_of);
    g_free(tables.effective);
    g_free(tables.attached);
}
