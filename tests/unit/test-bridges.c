/* SPDX-License-Identifier: Apache-2.0 */
/* What a pnode tells its switch about its own share and about what is elsewhere. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "distem/db.h"
#include "distem/vswitch.h"
#include "make-platform.h"
#include "src/pnode/bridges.h"
#include "src/pnode/tunnels.h"

/* Three vnetworks: "x4" by VXLAN over IPv4, "x6" over IPv6, "lan" by VLAN; vnode "a" on all, "b" on x4. */
struct world {
    struct platform *platform;
    GPtrArray *pnodes;
    GArray *remotes;
};

static void add_pnode(struct world *w, const char *name, const char *ipv4, const char *ipv6)
{
    struct pnode *pnode = pnode_new(name);
    pnode->ipv4 = ipv4 ? make_address(ipv4) : (struct ip_addr){0};
    pnode->ipv6 = ipv6 ? make_address(ipv6) : (struct ip_addr){0};
    g_ptr_array_add(w->pnodes, pnode);
}

static void add_remote(struct world *w, uint32_t vnetwork_id, uint32_t id, const char *pnode)
{
    struct remote_viface remote = {.id = id,
                                   .vnetwork_id = vnetwork_id,
                                   .mac.bytes = {2, 0, 0, 0, 0, (uint8_t)id},
                                   .ipv4 = make_address("10.0.0.9"),
                                   .pnode = g_intern_string(pnode)};
    g_array_append_val(w->remotes, remote);
}

static void world_init(struct world *w)
{
    w->platform = platform_new("test");
    w->pnodes = g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))pnode_free);
    w->remotes = g_array_new(FALSE, TRUE, sizeof(struct remote_viface));
    static const char *const names[] = {"x4", "x6", "lan"};
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        make_vnetwork(w->platform, names[i], "10.0.0.0/24")->id = i + 1;
    }
    struct vnetwork *x4 = platform_vnetwork(w->platform, 0);
    x4->transport = TRANSPORT_VXLAN;
    x4->vni = 77;
    x4->port = 14789;
    x4->underlay = 4;
    struct vnetwork *x6 = platform_vnetwork(w->platform, 1), *lan = platform_vnetwork(w->platform, 2);
    x6->transport = TRANSPORT_VXLAN;
    x6->vni = 78;
    x6->port = 5000;
    x6->underlay = 6;
    lan->transport = TRANSPORT_VLAN;
    lan->vlan = 100;
    lan->interface = g_strdup("eth7");
    struct vnode *a = make_vnode(w->platform, "a", "lan x6 x4"), *b = make_vnode(w->platform, "b", "x4");
    for (unsigned i = 0; i < 3; i++) {
        vnode_viface(a, i)->id = 13 - i;
    }
    vnode_viface(b, 0)->id = 10;
    add_pnode(w, "other4", "192.0.2.2", NULL);
    add_pnode(w, "other6", NULL, "fd00::2");
    add_pnode(w, "self", "192.0.2.1", "fd00::1");
}

static void world_clear(struct world *w)
{
    platform_free(w->platform);
    g_ptr_array_unref(w->pnodes);
    g_array_unref(w->remotes);
}

static const struct vswitch_bridge *bridge(const GArray *bridges, unsigned i)
{
    return &g_array_index(bridges, struct vswitch_bridge, i);
}

static void assert_tunnel(const struct vswitch_bridge *b, unsigned i, uint8_t mac, const char *tunnel)
{
    const struct vswitch_remote *remote = &g_array_index(b->remotes, struct vswitch_remote, i);
    char text[IP_TEXT_SIZE];
    g_assert_cmpuint(remote->mac.bytes[5], ==, mac);
    g_assert_cmpstr(ip_format(&remote->tunnel, text), ==, tunnel);
    g_assert_cmpstr(ip_format(&remote->ipv4, text), ==, "10.0.0.9");
}

static void test_ports(void)
{
    struct world w;
    world_init(&w);
    g_autoptr(GArray) bridges = bridges_make("self", w.platform->vnodes, w.remotes, w.pnodes);
    g_assert_cmpuint(bridges->len, ==, 3);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpuint(bridge(bridges, i)->vnetwork_id, ==, i + 1);
        g_assert_cmpuint(bridge(bridges, i)->remotes->len, ==, 0);
    }
    g_assert_cmpstr(bridge(bridges, 0)->name, ==, "db1");
    g_assert_cmpuint(bridge(bridges, 0)->ports->len, ==, 2);
    g_assert_cmpuint(bridge(bridges, 1)->ports->len, ==, 1);
    const struct vswitch_port *ports = &g_array_index(bridge(bridges, 0)->ports, struct vswitch_port, 0);
    g_assert_cmpstr(ports[0].netdev, ==, "dv10");
    g_assert_cmpstr(ports[1].netdev, ==, "dv11");
    /* Only the vnodes that are named have ports. */
    g_ptr_array_remove_index(w.platform->vnodes, 0);
    g_autoptr(GArray) less = bridges_make("self", w.platform->vnodes, w.remotes, w.pnodes);
    g_assert_cmpuint(less->len, ==, 1);
    g_assert_cmpuint(bridge(less, 0)->ports->len, ==, 1);
    world_clear(&w);
}

static void test_remotes(void)
{
    struct world w;
    world_init(&w);
    add_remote(&w, 1, 21, "other4");
    add_remote(&w, 1, 22, "other6"); /* Has no IPv4. */
    add_remote(&w, 1, 23, "nobody");
    add_remote(&w, 1, 24, "other4");
    add_remote(&w, 2, 25, "other4"); /* Has no IPv6. */
    add_remote(&w, 2, 26, "other6");
    add_remote(&w, 3, 27, "nobody"); /* A VLAN reaches whoever is there. */
    add_remote(&w, 4, 28, "other4"); /* Of a vnetwork that has no port here. */
    g_autoptr(GArray) bridges = bridges_make("self", w.platform->vnodes, w.remotes, w.pnodes);
    char text[IP_TEXT_SIZE];
    const struct vswitch_bridge *b = bridge(bridges, 0);
    g_assert_cmpint(b->transport, ==, TRANSPORT_VXLAN);
    g_assert_cmpuint(b->vni, ==, 77);
    g_assert_cmpuint(b->udp_port, ==, 14789);
    g_assert_cmpstr(ip_format(&b->local, text), ==, "192.0.2.1");
    g_assert_cmpuint(b->remotes->len, ==, 2);
    assert_tunnel(b, 0, 21, "192.0.2.2");
    assert_tunnel(b, 1, 24, "192.0.2.2");
    b = bridge(bridges, 1);
    g_assert_cmpuint(b->udp_port, ==, 5000);
    g_assert_cmpstr(ip_format(&b->local, text), ==, "fd00::1");
    g_assert_cmpuint(b->remotes->len, ==, 1);
    assert_tunnel(b, 0, 26, "fd00::2");
    b = bridge(bridges, 2);
    g_assert_cmpint(b->transport, ==, TRANSPORT_VLAN);
    g_assert_cmpuint(b->vlan, ==, 100);
    g_assert_cmpstr(b->interface, ==, "eth7");
    g_assert_cmpuint(b->remotes->len, ==, 1);
    assert_tunnel(b, 0, 27, "");
    world_clear(&w);
}

static void test_unreachable(void)
{
    struct world w;
    world_init(&w);
    add_remote(&w, 1, 21, "other4");
    add_remote(&w, 2, 22, "other6");
    /* Without an end of its own a pnode has no tunnels. */
    g_autoptr(GArray) bridges = bridges_make("stranger", w.platform->vnodes, w.remotes, w.pnodes);
    g_assert_cmpuint(bridge(bridges, 0)->remotes->len, ==, 0);
    g_assert_cmpuint(bridge(bridges, 1)->remotes->len, ==, 0);
    /* What is local stays local, whatever the database says. */
    platform_vnetwork(w.platform, 0)->transport = TRANSPORT_LOCAL;
    g_autoptr(GArray) local = bridges_make("self", w.platform->vnodes, w.remotes, w.pnodes);
    g_assert_cmpuint(bridge(local, 0)->remotes->len, ==, 0);
    g_assert_cmpuint(bridge(local, 1)->remotes->len, ==, 1);
    world_clear(&w);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void assert_devices(const GArray *bridges, const char *expected)
{
    g_auto(GStrv) names = tunnels_devices(bridges, "eth0");
    qsort(names, g_strv_length(names), sizeof *names, compare_texts);
    g_autofree char *text = g_strjoinv(" ", names);
    g_assert_cmpstr(text, ==, expected);
}

static void test_devices(void)
{
    struct world w;
    world_init(&w);
    g_autoptr(GArray) alone = bridges_make("self", w.platform->vnodes, w.remotes, w.pnodes);
    assert_devices(alone, "");
    add_remote(&w, 1, 21, "other4");
    g_autoptr(GArray) one = bridges_make("self", w.platform->vnodes, w.remotes, w.pnodes);
    assert_devices(one, "eth0 vxlan_sys_14789");
    add_remote(&w, 2, 22, "other6");
    add_remote(&w, 3, 23, "other4");
    g_autoptr(GArray) all = bridges_make("self", w.platform->vnodes, w.remotes, w.pnodes);
    assert_devices(all, "eth0 eth7 vxlan_sys_14789 vxlan_sys_5000");
    world_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bridges/ports", test_ports);
    g_test_add_func("/bridges/remotes", test_remotes);
    g_test_add_func("/bridges/unreachable", test_unreachable);
    g_test_add_func("/bridges/devices", test_devices);
    return g_test_run();
}
