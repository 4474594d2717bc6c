/* SPDX-License-Identifier: Apache-2.0 */
/* How long planning takes, as seconds, as a multiple of the time that copying the same platform takes, and in memory.
 *
 *      bench-plan [VNETWORKS [VNODES]] */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "distem/expect.h"
#include "distem/plan.h"
#include "distem/units.h"

#define PNODES 1000

/* Adds vnetwork number 'i' with an IPv4 prefix, and with an IPv6 prefix when 'dual'. */
static void add_vnetwork(struct platform *platform, unsigned i, bool dual)
{
    char name[32], text[PREFIX_TEXT_SIZE];
    snprintf(name, sizeof name, "net%u", i);
    struct vnetwork *vnetwork = platform_add_vnetwork(platform, name);
    snprintf(text, sizeof text, "%u.%u.%u.0/20", 10 + i / 4096, i / 16 % 256, i % 16 * 16);
    if (!prefix_parse(text, &vnetwork->ipv4, NULL)) {
        abort();
    }
    snprintf(text, sizeof text, "fd00:%x::/64", i);
    if (dual && !prefix_parse(text, &vnetwork->ipv6, NULL)) {
        abort();
    }
}

static void add_vnode(struct platform *platform, const char *prefix, unsigned number, const unsigned *vnetworks, unsigned n)
{
    char name[32];
    snprintf(name, sizeof name, "%s%u", prefix, number);
    struct vnode *vnode = platform_add_vnode(platform, name);
    for (unsigned i = 0; i < n; i++) {
        snprintf(name, sizeof name, "if%u", i);
        struct viface *viface = vnode_add_viface(vnode, name, platform_vnetwork(platform, vnetworks[i]));
        viface->input.latency = viface->output.latency = (1 + (number * 7 + i) % 10) * NS_PER_MS;
    }
}

/* How the gateways lie. */
static unsigned add_star(struct platform *platform, unsigned n)
{
    g_autofree unsigned *all = g_new(unsigned, n);
    for (unsigned i = 0; i < n; i++) {
        all[i] = i;
    }
    add_vnode(platform, "g", 0, all, n);
    return 1;
}

static unsigned add_chain(struct platform *platform, unsigned n)
{
    for (unsigned i = 0; i + 1 < n; i++) {
        add_vnode(platform, "g", i, (const unsigned[]){i, i + 1}, 2);
    }
    return n - 1;
}

static unsigned add_grid(struct platform *platform, unsigned n)
{
    unsigned width = 1, gateways = 0;
    while ((width + 1) * (width + 1) <= n) {
        width++;
    }
    for (unsigned i = 0; i < n; i++) {
        if ((i + 1) % width && i + 1 < n) {
            add_vnode(platform, "g", gateways++, (const unsigned[]){i, i + 1}, 2);
        }
        if (i + width < n) {
            add_vnode(platform, "g", gateways++, (const unsigned[]){i, i + width}, 2);
        }
    }
    return gateways;
}

static unsigned add_backbone(struct platform *platform, unsigned n)
{
    for (unsigned i = 1; i < n; i++) {
        add_vnode(platform, "g", i - 1, (const unsigned[]){i, 0}, 2);
    }
    return n - 1;
}

static const struct shape {
    const char *name;
    unsigned (*add_gateways)(struct platform *, unsigned vnetworks);
    enum routing routing;
    bool dual;
} shapes[] = {
    {"star", add_star, ROUTING_HOPS, false},
    {"chain", add_chain, ROUTING_HOPS, false},
    {"grid", add_grid, ROUTING_HOPS, false},
    {"grid, by latency", add_grid, ROUTING_LATENCY, false},
    {"grid, IPv4 and IPv6", add_grid, ROUTING_HOPS, true},
    {"backbone", add_backbone, ROUTING_HOPS, false},
};

static double seconds_since(gint64 start)
{
    return (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
}

/* Returns how many routes there are, those that are shared counted once. */
static unsigned count_routes(const struct platform *platform)
{
    g_autoptr(GHashTable) tables = g_hash_table_new(NULL, NULL);
    unsigned routes = 0;
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        GArray *table = platform_vnode(platform, i)->routes;
        routes += g_hash_table_add(tables, table) ? table->len : 0;
    }
    return routes;
}

static void measure(const struct shape *shape, unsigned vnetworks, unsigned vnodes)
{
    struct platform *asked = platform_new("bench");
    asked->routing = shape->routing;
    for (unsigned i = 0; i < vnetworks; i++) {
        add_vnetwork(asked, i, shape->dual);
    }
    unsigned gateways = shape->add_gateways(asked, vnetworks);
    for (unsigned i = gateways; i < vnodes; i++) {
        add_vnode(asked, "n", i, (const unsigned[]){i % vnetworks}, 1);
    }
    gint64 start = g_get_monotonic_time();
    struct platform *copy = platform_copy(asked);
    double copying = seconds_since(start);
    platform_free(copy);
    g_autoptr(GPtrArray) pnodes = g_ptr_array_new_with_free_func((GDestroyNotify)pnode_free);
    for (unsigned i = 0; i < PNODES; i++) {
        char name[32];
        snprintf(name, sizeof name, "p%u", i);
        struct pnode *pnode = pnode_new(name);
        pnode->ipv4 = (struct ip_addr){4, {192, 0, (uint8_t)(i / 250), (uint8_t)(i % 250 + 1)}};
        g_ptr_array_add(pnodes, pnode);
    }
    AUTO_DIAGNOSTICS problems = {0};
    start = g_get_monotonic_time();
    struct platform *first = plan(asked, NULL, pnodes, &problems, NULL);
    double planning = seconds_since(start);
    start = g_get_monotonic_time();
    struct platform *again = first ? plan(asked, first, pnodes, &problems, NULL) : NULL;
    double replanning = seconds_since(start);
    start = g_get_monotonic_time();
    g_autoptr(GPtrArray) changes = again ? plan_diff(first, again) : NULL;
    double diffing = seconds_since(start);
    if (!again || changes->len) {
        fprintf(stderr, "%s: %u problems, %u changes\n", shape->name, diagnostics_count(&problems), changes ? changes->len : 0);
        exit(EXIT_FAILURE);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%-20s %7.3f s (%4.1f copies) %7.3f s %7.3f s %8u %5ld MB\n", shape->name, planning, planning / copying, replanning,
           diffing, count_routes(first), usage.ru_maxrss / 1024);
    platform_free(again);
    platform_free(first);
    platform_free(asked);
}

int main(int argc, char **argv)
{
    unsigned vnetworks = argc > 1 ? (unsigned)atoi(argv[1]) : 1000, vnodes = argc > 2 ? (unsigned)atoi(argv[2]) : 100000;
    if (!vnetworks) {
        fprintf(stderr, "usage: bench-plan [VNETWORKS [VNODES]], both from 1\n");
        return EXIT_FAILURE;
    }
    printf("%u vnetworks, %u vnodes\n%-20s %9s %25s %9s %8s %8s\n", vnetworks, vnodes, "gateways", "plan", "again", "diff",
           "routes", "peak");
    int failed = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(shapes); i++) {
        fflush(stdout);
        /* A process of its own, so that the peak is its own, too. */
        pid_t pid = fork();
        if (pid == 0) {
            measure(&shapes[i], vnetworks, vnodes);
            exit(EXIT_SUCCESS);
        }
        int status;
        failed |= pid < 0 || waitpid(pid, &status, 0) < 0 || status;
    }
    return failed;
}
