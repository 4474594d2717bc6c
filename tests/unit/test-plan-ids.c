/* SPDX-License-Identifier: Apache-2.0 */
/* Ids, VNIs, MAC and IP addresses. */
#include <config.h>

#include <glib.h>
#include <string.h>

#include "make-platform.h"

static const struct viface *viface_of(const struct platform *platform, const char *vnode)
{
    return vnode_viface(platform_find_vnode(platform, vnode), 0);
}

static void assert_ipv4(const struct platform *platform, const char *vnode, const char *expected)
{
    char text[IP_TEXT_SIZE];
    g_assert_cmpstr(ip_format(&viface_of(platform, vnode)->ipv4, text), ==, expected);
}

static void assert_mac(const struct viface *viface, const char *expected)
{
    char text[MAC_TEXT_SIZE];
    g_assert_cmpstr(mac_format(&viface->mac, text), ==, expected);
}

/* Plans 'asked', which is freed, on top of 'current'. */
static struct platform *plan_on(const struct platform *current, struct platform *asked)
{
    AUTO_DIAGNOSTICS problems = {0};
    struct platform *planned = plan(asked, current, NULL, &problems, NULL);
    g_assert_nonnull(planned);
    platform_free(asked);
    return planned;
}

static void test_ids(void)
{
    AUTO_PLATFORM first = plan_alone(make_figure3());
    g_assert_cmpuint(platform_vnetwork(first, 0)->id, ==, 1);
    g_assert_cmpuint(platform_find_vnode(first, "n1")->id, ==, 3);
    g_assert_cmpuint(first->next_id, ==, 14);
    g_assert_cmpuint(first->generation, ==, 1);
    struct platform *asked = make_figure3();
    g_ptr_array_remove_index(asked->vnodes, 4);
    AUTO_PLATFORM second = plan_on(first, asked);
    g_assert_cmpuint(second->next_id, ==, 14);
    /* Neither the removed vnode's id nor its viface's comes again, not even with the name. */
    AUTO_PLATFORM third = plan_on(second, make_figure3());
    g_assert_cmpuint(platform_find_vnode(third, "n5")->id, ==, 14);
    g_assert_cmpuint(third->generation, ==, 3);
    /* A viface that moves to another vnetwork is another one. */
    asked = make_figure3();
    vnode_viface(platform_find_vnode(asked, "n4"), 0)->vnetwork = platform_vnetwork(asked, 0);
    AUTO_PLATFORM fourth = plan_on(third, asked);
    g_assert_cmpuint(platform_find_vnode(fourth, "n4")->id, ==, platform_find_vnode(third, "n4")->id);
    g_assert_cmpuint(viface_of(fourth, "n4")->id, ==, 16);
    assert_ipv4(fourth, "n4", "10.144.2.4");
}

static void test_vnis(void)
{
    AUTO_PLATFORM first = plan_alone(make_figure3());
    uint32_t vni = platform_vnetwork(first, 0)->vni;
    g_assert_cmpuint(vni, >, 0);
    g_assert_cmpuint(platform_vnetwork(first, 1)->vni, ==, vni + 1);
    struct platform *other = make_figure3();
    g_free(other->name);
    other->name = g_strdup("other");
    AUTO_PLATFORM second = plan_alone(other);
    g_assert_cmpuint(platform_vnetwork(second, 0)->vni, !=, vni);
    /* Asking for one that another vnetwork has moves that one. */
    struct platform *asked = make_figure3();
    platform_vnetwork(asked, 1)->vni = vni;
    AUTO_PLATFORM third = plan_on(first, asked);
    g_assert_cmpuint(platform_vnetwork(third, 1)->vni, ==, vni);
    g_assert_cmpuint(platform_vnetwork(third, 0)->vni, ==, vni + 1);
    asked = make_figure3();
    platform_vnetwork(asked, 0)->vni = platform_vnetwork(asked, 1)->vni = 7;
    assert_problem(asked, "vnetwork net2: VNI 7 is taken by vnetwork net1");
    asked = make_figure3();
    platform_vnetwork(asked, 0)->vni = 1 << 24;
    assert_problem(asked, "vnetwork net1: VNI 16777216 is too large: at most 16777215");
}

static void test_macs(void)
{
    struct platform *asked = make_figure3();
    g_assert_true(mac_parse("02:d1:00:00:00:04", &vnode_viface(platform_find_vnode(asked, "n2"), 0)->mac, NULL));
    AUTO_PLATFORM first = plan_alone(asked);
    /* n1's viface has id 4, but somebody asked for that MAC. */
    assert_mac(viface_of(first, "n1"), "06:d1:00:00:00:04");
    assert_mac(viface_of(first, "n3"), "02:d1:00:00:00:08");
    AUTO_PLATFORM second = plan_on(first, make_figure3());
    assert_mac(viface_of(second, "n1"), "06:d1:00:00:00:04");
    assert_mac(viface_of(second, "n2"), "02:d1:00:00:00:04");
    asked = make_figure3();
    for (unsigned i = 0; i < 2; i++) {
        g_assert_true(mac_parse("02:00:00:00:00:01", &vnode_viface(platform_vnode(asked, i), 0)->mac, NULL));
    }
    assert_problem(asked, "vnode n2, viface if0: MAC address 02:00:00:00:00:01 is already taken on vnetwork net1");
}

/* A platform with one vnetwork and vnodes a, b ... */
static struct platform *make_single(const char *prefixes, unsigned vnodes)
{
    struct platform *platform = platform_new("single");
    make_vnetwork(platform, "net", prefixes);
    for (unsigned i = 0; i < vnodes; i++) {
        char name[] = {(char)('a' + i), '\0'};
        make_vnode(platform, name, "net");
    }
    return platform;
}

static void test_addresses(void)
{
    struct platform *asked = make_single("10.0.0.0/29", 6);
    vnode_viface(platform_find_vnode(asked, "e"), 0)->ipv4 = make_address("10.0.0.2");
    AUTO_PLATFORM first = plan_alone(asked);
    assert_ipv4(first, "a", "10.0.0.1");
    assert_ipv4(first, "b", "10.0.0.3");
    assert_ipv4(first, "e", "10.0.0.2");
    assert_ipv4(first, "f", "10.0.0.6");
    /* e no longer asks and keeps; f asks for what a has; a gets what is free. */
    asked = make_single("10.0.0.0/29", 6);
    g_ptr_array_remove_index(asked->vnodes, 2);
    vnode_viface(platform_find_vnode(asked, "f"), 0)->ipv4 = make_address("10.0.0.1");
    AUTO_PLATFORM second = plan_on(first, asked);
    assert_ipv4(second, "e", "10.0.0.2");
    assert_ipv4(second, "f", "10.0.0.1");
    assert_ipv4(second, "a", "10.0.0.4");
    /* Another prefix: nobody can keep anything. */
    AUTO_PLATFORM third = plan_on(second, make_single("10.1.0.0/29", 6));
    assert_ipv4(third, "a", "10.1.0.1");
}

static void test_address_sizes(void)
{
    AUTO_PLATFORM two = plan_alone(make_single("10.0.0.0/31", 2));
    assert_ipv4(two, "a", "10.0.0.0");
    AUTO_PLATFORM one = plan_alone(make_single("10.0.0.0/32", 1));
    assert_ipv4(one, "a", "10.0.0.0");
    struct platform *asked = make_single("fd00::/8", 3);
    vnode_viface(platform_find_vnode(asked, "a"), 0)->ipv6 = make_address("fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    vnode_viface(platform_find_vnode(asked, "b"), 0)->ipv6 = make_address("fdff:ffff:ffff:ffff:ffff:ffff:ffff:fffe");
    AUTO_PLATFORM wide = plan_alone(asked);
    char text[IP_TEXT_SIZE];
    g_assert_cmpstr(ip_format(&viface_of(wide, "c")->ipv6, text), ==, "fd00::1");
    assert_problem(make_single("10.0.0.0/29", 7), "vnetwork net: 10.0.0.0/29 has addresses for 6 vifaces, 7 are wanted");
    assert_problem(make_single("fd00::/127", 3), "vnetwork net: fd00::/127 has addresses for 2 vifaces, 3 are wanted");
}

static void assert_address_problem(const char *address, const char *problem)
{
    struct platform *asked = make_single("10.0.0.0/24", 2);
    struct ip_addr addr = make_address(address);
    struct viface *viface = vnode_viface(platform_find_vnode(asked, "b"), 0);
    *(addr.family == 4 ? &viface->ipv4 : &viface->ipv6) = addr;
    vnode_viface(platform_find_vnode(asked, "a"), 0)->ipv4 = make_address("10.0.0.7");
    assert_problem(asked, problem);
}

static void test_address_problems(void)
{
    assert_address_problem("10.0.0.7", "vnode b, viface if0: address 10.0.0.7 is taken on vnetwork net by vnode a, viface if0");
    assert_address_problem("10.0.0.0", "10.0.0.0 is no host's address in 10.0.0.0/24 of vnetwork net");
    assert_address_problem("10.0.0.255", "10.0.0.255 is no host's address in 10.0.0.0/24 of vnetwork net");
    assert_address_problem("10.0.1.1", "10.0.1.1 is no host's address in 10.0.0.0/24 of vnetwork net");
    assert_address_problem("fd00::1", "vnode b, viface if0: vnetwork net has no IPv6 prefix for address fd00::1");
}

/* Two vnetworks may have the same prefix, but the latency matrix tells vnodes apart by their addresses. */
static void test_matrix_addresses(void)
{
    for (unsigned grouped = 0; grouped < 2; grouped++) {
        struct platform *asked = make_single("10.0.0.0/24", 1);
        make_vnetwork(asked, "other", "10.0.0.0/24");
        struct vnode *twin = make_vnode(asked, "twin", "other");
        asked->matrix = matrix_new(2);
        platform_find_vnode(asked, "a")->group = 1;
        twin->group = grouped ? 2 : 0;
        if (grouped) {
            assert_problem(asked, "vnodes a and twin have the same address, 10.0.0.1, on two vnetworks");
        } else {
            AUTO_PLATFORM planned = plan_alone(asked);
            assert_ipv4(planned, "twin", "10.0.0.1");
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/ids", test_ids);
    g_test_add_func("/plan/vnis", test_vnis);
    g_test_add_func("/plan/macs", test_macs);
    g_test_add_func("/plan/addresses/order", test_addresses);
    g_test_add_func("/plan/addresses/sizes", test_address_sizes);
    g_test_add_func("/plan/addresses/problems", test_address_problems);
    g_test_add_func("/plan/addresses/matrix", test_matrix_addresses);
    return g_test_run();
}
