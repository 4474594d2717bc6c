/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "make-platform.h"

#include <inttypes.h>
#include <string.h>

#include "distem/units.h"

struct vnetwork *make_vnetwork(struct platform *platform, const char *name, const char *prefixes)
{
    struct vnetwork *vnetwork = platform_add_vnetwork(platform, name);
    g_auto(GStrv) words = g_strsplit(prefixes, " ", 0);
    for (unsigned i = 0; words[i]; i++) {
        struct ip_prefix prefix;
        g_assert_true(prefix_parse(words[i], &prefix, NULL));
        *(prefix.addr.family == 4 ? &vnetwork->ipv4 : &vnetwork->ipv6) = prefix;
    }
    return vnetwork;
}

struct vnode *make_vnode(struct platform *platform, const char *name, const char *vnetworks)
{
    struct vnode *vnode = platform_add_vnode(platform, name);
    g_auto(GStrv) words = g_strsplit(vnetworks, " ", 0);
    for (unsigned i = 0; words[i]; i++) {
        g_autofree char *viface = g_strdup_printf("if%u", i);
        struct vnetwork *vnetwork = platform_find_vnetwork(platform, words[i]);
        g_assert_nonnull(vnetwork);
        vnode_add_viface(vnode, viface, vnetwork);
    }
    return vnode;
}

void make_latency(struct vnode *vnode, unsigned i, int64_t input, int64_t output)
{
    vnode_viface(vnode, i)->input.latency = input;
    vnode_viface(vnode, i)->output.latency = output;
}

struct vroute *make_vroute(struct platform *platform, const char *from, const char *to, const char *via)
{
    struct vroute *vroute =
        platform_add_vroute(platform, platform_find_vnetwork(platform, from), platform_find_vnode(platform, via));
    if (strchr(to, '/')) {
        g_assert_true(prefix_parse(to, &vroute->prefix, NULL));
    } else {
        vroute->to = platform_find_vnetwork(platform, to);
    }
    return vroute;
}

struct ip_addr make_address(const char *text)
{
    struct ip_addr addr;
    g_assert_true(ip_addr_parse(text, &addr, NULL));
    return addr;
}

/* Sets one viface's latency in both directions together, and its bandwidths. */
static void set_viface(struct vnode *vnode, unsigned i, int64_t both_ms, uint64_t output, uint64_t input)
{
    make_latency(vnode, i, both_ms * NS_PER_MS / 2, both_ms * NS_PER_MS / 2);
    vnode_viface(vnode, i)->output.bandwidth = output;
    vnode_viface(vnode, i)->input.bandwidth = input;
}

struct platform *make_figure3(void)
{
    struct platform *platform = platform_new("figure3");
    make_vnetwork(platform, "net1", "10.144.2.0/24");
    make_vnetwork(platform, "net2", "10.144.3.0/24");
    set_viface(make_vnode(platform, "n1", "net1"), 0, 60, 1000000, 1000000);
    set_viface(make_vnode(platform, "n2", "net1"), 0, 0, 10000000, 5000000);
    struct vnode *n3 = make_vnode(platform, "n3", "net1 net2");
    set_viface(n3, 0, 20, 10000000, 10000000);
    set_viface(n3, 1, 25, 20000000, 20000000);
    set_viface(make_vnode(platform, "n4", "net2"), 0, 55, 150000, 300000);
    set_viface(make_vnode(platform, "n5", "net2"), 0, 70, 256000, 600000);
    return platform;
}

struct platform *plan_alone(struct platform *asked)
{
    AUTO_DIAGNOSTICS problems = {0};
    struct platform *planned = plan(asked, NULL, NULL, &problems, NULL);
    if (!planned) {
        g_autofree char *text = diagnostic_format(diagnostics_get(&problems, 0));
        g_error("cannot be planned: %s", text);
    }
    platform_free(asked);
    return planned;
}

void assert_problem(struct platform *asked, const char *text)
{
    AUTO_DIAGNOSTICS problems = {0};
    g_assert_null(plan(asked, NULL, NULL, &problems, NULL));
    g_autoptr(GString) all = g_string_new(NULL);
    for (unsigned i = 0; i < diagnostics_count(&problems); i++) {
        g_string_append_printf(all, "%s\n", diagnostics_get(&problems, i)->message);
    }
    if (!strstr(all->str, text)) {
        g_error("\"%s\" is not among these problems:\n%s", text, all->str);
    }
    platform_free(asked);
}

static void append_routes(GString *text, const struct vnode *vnode)
{
    for (unsigned i = 0; vnode->routes && i < vnode->routes->len; i++) {
        const struct route *route = &g_array_index(vnode->routes, struct route, i);
        char to[PREFIX_TEXT_SIZE], via[IP_TEXT_SIZE];
        const char *name = route->to.length ? prefix_format(&route->to, to) : route->to.addr.family == 4 ? "default" : "default6";
        g_string_append_printf(text, "%s%s via %s dev %s", i ? "; " : "", name, ip_format(&route->via, via),
                               vnode_viface(vnode, route->viface)->name);
    }
}

char *dump_platform(const struct platform *platform)
{
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "%s next_id %" PRIu32 "\n", platform->name, platform->next_id);
    for (unsigned i = 0; i < platform->vnetworks->len; i++) {
        const struct vnetwork *vnetwork = platform_vnetwork(platform, i);
        g_string_append_printf(text, "vnetwork %s id %" PRIu32 " vni %" PRIu32 "\n", vnetwork->name, vnetwork->id, vnetwork->vni);
    }
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        g_string_append_printf(text, "vnode %s id %" PRIu32 " pnode %s%s\n", vnode->name, vnode->id,
                               vnode->pnode ? vnode->pnode : "none", vnode->forwards ? " forwards" : "");
        for (unsigned j = 0; j < vnode->vifaces->len; j++) {
            const struct viface *viface = vnode_viface(vnode, j);
            char ipv4[IP_TEXT_SIZE], ipv6[IP_TEXT_SIZE], mac[MAC_TEXT_SIZE];
            g_string_append_printf(text, "  %s id %" PRIu32 " on %s %s %s %s\n", viface->name, viface->id, viface->vnetwork->name,
                                   ip_format(&viface->ipv4, ipv4), ip_format(&viface->ipv6, ipv6), mac_format(&viface->mac, mac));
        }
        append_routes(text, vnode);
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}

char *dump_routes(const struct platform *platform, const char *name)
{
    GString *text = g_string_new(NULL);
    append_routes(text, platform_find_vnode(platform, name));
    return g_string_free(text, FALSE);
}

char *dump_path(const struct platform *platform, const char *from, const char *to)
{
    struct path_finder *finder = path_finder_new(platform);
    struct expectation expectation;
    g_autoptr(GError) error = NULL;
    GString *text = g_string_new(NULL);
    if (expect_pair(finder, platform_find_vnode(platform, from), platform_find_vnode(platform, to), &expectation, &error)) {
        g_string_append(text, from);
        for (unsigned i = 0; i < expectation.there.hops->len; i++) {
            const struct hop *hop = &g_array_index(expectation.there.hops, struct hop, i);
            if (!hop->output) {
                g_string_append_printf(text, " %s", hop->vnode->name);
            }
        }
        expectation_clear(&expectation);
    } else {
        g_string_append(text, error->message);
    }
    path_finder_free(finder);
    return g_string_free(text, FALSE);
}
