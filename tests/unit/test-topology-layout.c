/* SPDX-License-Identifier: Apache-2.0 */
/* Layouts: what they say, over what the topology says, and where their mistakes are. */
#include <config.h>

#include <string.h>

#include "distem/topology.h"

/* Parses two texts in which ' stands for "; the layout may be NULL. */
static struct platform *parse(const char *topology, const char *layout, struct diagnostics *problems)
{
    g_autofree char *text = g_strdelimit(g_strdup(topology), "'", '"');
    g_autofree char *layout_text = g_strdelimit(g_strdup(layout ? layout : ""), "'", '"');
    const struct topology_text files[] = {{text, strlen(text), "t.json"}, {layout_text, strlen(layout_text), "l.json"}};
    return topology_parse_with_layout(&files[0], layout ? &files[1] : NULL, problems);
}

/* Returns a vnetwork's wire as text; the caller frees it. */
static char *wire(const struct platform *platform, const char *name)
{
    const struct vnetwork *v = platform_find_vnetwork(platform, name);
    g_assert_nonnull(v);
    return g_strdup_printf("%s vni %u port %u underlay %u vlan %u on %s mtu %u", transport_name(v->transport), v->vni, v->port,
                           v->underlay, v->vlan, v->interface ? v->interface : "none", v->mtu);
}

#define TOPOLOGY(a, rest)                                                                                                          \
    "{'distem': 2, 'name': 'x', 'vnetworks': {'a': {'ipv4': '10.0.0.0/24'" a "}, 'b': {'ipv4': '10.0.1.0/24'}}" rest "}"
#define LAYOUT(text) "{'distem-layout': 1, " text "}"

static void test_meaning(void)
{
    static const struct {
        const char *topology, *layout, *a, *b;
    } rows[] = {
        {TOPOLOGY("", ""), NULL, " vni 0 port 0 underlay 0 vlan 0 on none mtu 0", " vni 0 port 0 underlay 0 vlan 0 on none mtu 0"},
        /* The topology's own defaults; those for another transport do not count. */
        {TOPOLOGY(", 'vlan': 7", ", 'defaults': {'vnetwork': {'port': 9, 'underlay': 'ipv6', 'interface': 'e', 'mtu': 1300}}"),
         NULL, "vlan vni 0 port 0 underlay 0 vlan 7 on e mtu 1300", " vni 0 port 9 underlay 6 vlan 0 on none mtu 1300"},
        {TOPOLOGY(", 'vni': 5", ", 'defaults': {'vnetwork': {'transport': 'local'}}"), NULL,
         "vxlan vni 5 port 0 underlay 0 vlan 0 on none mtu 0", "local vni 0 port 0 underlay 0 vlan 0 on none mtu 0"},
        /* Another transport ends all that the topology says about its own, but not the MTU. */
        {TOPOLOGY(", 'vni': 5, 'port': 9, 'mtu': 1400", ""), LAYOUT("'vnetworks': {'a': {'vlan': 100, 'interface': 'eth1'}}"),
         "vlan vni 0 port 0 underlay 0 vlan 100 on eth1 mtu 1400", " vni 0 port 0 underlay 0 vlan 0 on none mtu 0"},
        /* The same one is replaced key by key. */
        {TOPOLOGY(", 'vni': 5, 'port': 9, 'mtu': 1400", ""), LAYOUT("'vnetworks': {'a': {'port': 10, 'mtu': 1300}}"),
         "vxlan vni 5 port 10 underlay 0 vlan 0 on none mtu 1300", " vni 0 port 0 underlay 0 vlan 0 on none mtu 0"},
        /* A layout's defaults are for what nobody says, and before the topology's. */
        {TOPOLOGY(", 'transport': 'local'", ", 'defaults': {'vnetwork': {'port': 1, 'mtu': 1200}}"),
         LAYOUT("'defaults': {'transport': 'vxlan', 'port': 2}"), "local vni 0 port 0 underlay 0 vlan 0 on none mtu 1200",
         "vxlan vni 0 port 2 underlay 0 vlan 0 on none mtu 1200"},
        {TOPOLOGY("", ""), LAYOUT("'defaults': {'interface': 'eth2'}, 'vnetworks': {'b': {'vlan': 3}}"),
         " vni 0 port 0 underlay 0 vlan 0 on none mtu 0", "vlan vni 0 port 0 underlay 0 vlan 3 on eth2 mtu 0"},
        /* In the topology itself; a file takes its place. */
        {TOPOLOGY("", ", 'layout': {'vnetworks': {'a': {'vni': 8}}}"), NULL, "vxlan vni 8 port 0 underlay 0 vlan 0 on none mtu 0",
         " vni 0 port 0 underlay 0 vlan 0 on none mtu 0"},
        {TOPOLOGY("", ", 'layout': {'vnetworks': {'a': {'vni': 8}}}"), LAYOUT("'vnetworks': {'b': {'vni': 9}}"),
         " vni 0 port 0 underlay 0 vlan 0 on none mtu 0", "vxlan vni 9 port 0 underlay 0 vlan 0 on none mtu 0"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        AUTO_DIAGNOSTICS problems = {0};
        AUTO_PLATFORM platform = parse(rows[i].topology, rows[i].layout, &problems);
        g_test_message("%u: %s", i, diagnostics_count(&problems) ? diagnostics_get(&problems, 0)->message : "");
        g_assert_nonnull(platform);
        g_autofree char *a = wire(platform, "a"), *b = wire(platform, "b");
        g_assert_cmpstr(a, ==, rows[i].a);
        g_assert_cmpstr(b, ==, rows[i].b);
    }
}

static void test_mistakes(void)
{
    static const struct {
        const char *topology, *layout, *place, *message;
    } rows[] = {
        {TOPOLOGY("", ""), "{'vnetworks': {}}", "l.json:1: ", "expected \"distem-layout\": 1"},
        {TOPOLOGY("", ""), "{\n'distem-layout': 2}", "l.json:2: /distem-layout: ", "expected 1"},
        {TOPOLOGY("", ""), "{\n'distem-layout': 1,\n}", "l.json:3: ", "this is no JSON"},
        {TOPOLOGY("", ""), "[]", "l.json:1: ", "expected a layout, an object"},
        {TOPOLOGY("", ""), LAYOUT("\n'vnetworks': {\n'c': {'vni': 1}}"), "l.json:3: /vnetworks/c: ", "there is no vnetwork \"c\""},
        {TOPOLOGY("", ""), LAYOUT("\n'vnetworks': {'a': {\n'vlna': 1}}"),
         "l.json:3: /vnetworks/a/vlna: ", "did you mean \"vlan\"?"},
        {TOPOLOGY("", ""), LAYOUT("\n'vnetworks': {'a': {\n'vlan': 1}}"), "l.json:2: /vnetworks/a: ", "expected \"interface\""},
        {TOPOLOGY("", ""), LAYOUT("\n'vnetworks': {'a': {\n'vlan': 1, 'port': 3}}"),
         "l.json:3: /vnetworks/a/port: ", "with transport vxlan only"},
        {TOPOLOGY("", ""), LAYOUT("\n'vnetworks': {'a': {'vni': 4},\n'b': {'vni': 4}}"),
         "l.json:3: /vnetworks/b/vni: ", "VNI 4 belongs to vnetwork \"a\""},
        {TOPOLOGY("", ""), LAYOUT("\n'defaults': {\n'vlan': 4}"), "l.json:3: /defaults/vlan: ", "unknown key"},
        {TOPOLOGY("", ""), LAYOUT("\n'defaults': {\n'port': 4,\n'port': 5}"), "l.json:4: /defaults/port: ", "already, on line 3"},
        {"{\n'distem': 3, 'name': 'x'}", LAYOUT("'defaults': {}"), "t.json:2: /distem: ", "expected 2"},
        {TOPOLOGY("", ",\n'layout': {\n'vnetworks': {'a': {'port': 0}}}"), NULL,
         "t.json:3: /layout/vnetworks/a/port: ", "from 1 to 65535"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        AUTO_DIAGNOSTICS problems = {0};
        AUTO_PLATFORM platform = parse(rows[i].topology, rows[i].layout, &problems);
        g_assert_null(platform);
        g_autofree char *text = diagnostic_format(diagnostics_get(&problems, 0));
        g_test_message("%s", text);
        g_assert_true(g_str_has_prefix(text, rows[i].place));
        g_assert_nonnull(strstr(text, rows[i].message));
        g_assert_cmpuint(diagnostics_count(&problems), ==, 1);
    }
}

/* The mistakes of both files at once. */
static void test_both(void)
{
    AUTO_DIAGNOSTICS problems = {0};
    g_assert_null(parse(TOPOLOGY(", 'mtu': 1", ""), LAYOUT("'vnetworks': {'b': {'port': 0}}"), &problems));
    g_assert_cmpuint(diagnostics_count(&problems), ==, 2);
    g_assert_cmpstr(diagnostics_get(&problems, 0)->file, ==, "t.json");
    g_assert_cmpstr(diagnostics_get(&problems, 1)->file, ==, "l.json");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/topology/layout/meaning", test_meaning);
    g_test_add_func("/topology/layout/mistakes", test_mistakes);
    g_test_add_func("/topology/layout/both", test_both);
    return g_test_run();
}
