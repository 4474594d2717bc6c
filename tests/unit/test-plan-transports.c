/* SPDX-License-Identifier: Apache-2.0 */
/* How the parts of a vnetwork are joined, and what fits through. */
#include <config.h>

#include <glib.h>
#include <string.h>

#include "make-platform.h"

static void free_pnode(void *pnode)
{
    pnode_free(pnode);
}

static struct pnode *add_pnode(GPtrArray *pnodes, const char *name, const char *ipv4, const char *ipv6, uint16_t mtu)
{
    struct pnode *pnode = pnode_new(name);
    pnode->ipv4 = ipv4 ? make_address(ipv4) : (struct ip_addr){0};
    pnode->ipv6 = ipv6 ? make_address(ipv6) : (struct ip_addr){0};
    pnode->mtu = mtu;
    g_ptr_array_add(pnodes, pnode);
    return pnode;
}

/* Pnodes a and b with both IP versions, of 1500 and 9000 bytes. */
static GPtrArray *make_pair(void)
{
    GPtrArray *pnodes = g_ptr_array_new_with_free_func(free_pnode);
    add_pnode(pnodes, "a", "192.0.2.1", "fd00::1", 1500);
    add_pnode(pnodes, "b", "192.0.2.2", "fd00::2", 9000);
    return pnodes;
}

/* A vnetwork with a vnode on a and, with 'both', one on b. */
static struct platform *make_asked(const char *prefixes, bool both)
{
    struct platform *platform = platform_new("transports");
    make_vnetwork(platform, "net1", prefixes);
    make_vnode(platform, "n1", "net1")->pnode = g_strdup("a");
    make_vnode(platform, "n2", "net1")->pnode = g_strdup(both ? "b" : "a");
    return platform;
}

/* Plans and frees 'asked'; problems fail the test. */
static struct platform *plan_on(struct platform *asked, const GPtrArray *pnodes)
{
    AUTO_DIAGNOSTICS problems = {0};
    struct platform *planned = plan(asked, NULL, pnodes, &problems, NULL);
    if (!planned) {
        g_error("%s", diagnostics_get(&problems, 0)->message);
    }
    platform_free(asked);
    return planned;
}

/* Asserts that the only problem is 'text', and frees 'asked'. */
static void assert_refused(struct platform *asked, const GPtrArray *pnodes, const char *text)
{
    AUTO_DIAGNOSTICS problems = {0};
    g_assert_null(plan(asked, NULL, pnodes, &problems, NULL));
    g_assert_cmpstr(diagnostics_get(&problems, 0)->message, ==, text);
    g_assert_cmpuint(diagnostics_count(&problems), ==, 1);
    platform_free(asked);
}

static void test_defaults(void)
{
    g_autoptr(GPtrArray) pnodes = make_pair();
    AUTO_PLATFORM platform = plan_on(make_asked("10.0.0.0/24", true), pnodes);
    const struct vnetwork *net = platform_vnetwork(platform, 0);
    g_assert_cmpint(net->transport, ==, TRANSPORT_VXLAN);
    g_assert_cmpuint(net->port, ==, VXLAN_PORT_DEFAULT);
    g_assert_cmpuint(net->vni, >, 0);
    g_assert_cmpuint(net->underlay, ==, 4);
    g_assert_cmpuint(net->mtu, ==, 1450);
    g_assert_true(net->underlay_chosen && net->mtu_chosen);
    AUTO_PLATFORM alone = plan_on(make_asked("10.0.0.0/24", false), pnodes);
    g_assert_cmpuint(platform_vnetwork(alone, 0)->mtu, ==, 1500);
    /* Without machines, what depends on them stays open. */
    AUTO_PLATFORM open = plan_on(make_asked("10.0.0.0/24", true), NULL);
    net = platform_vnetwork(open, 0);
    g_assert_cmpint(net->transport, ==, TRANSPORT_VXLAN);
    g_assert_true(!net->mtu && !net->underlay && !net->mtu_chosen && !net->underlay_chosen);
}

static void test_underlay(void)
{
    g_autoptr(GPtrArray) pnodes = make_pair();
    struct platform *asked = make_asked("10.0.0.0/24", true);
    platform_vnetwork(asked, 0)->underlay = 6;
    AUTO_PLATFORM ipv6 = plan_on(asked, pnodes);
    g_assert_cmpuint(platform_vnetwork(ipv6, 0)->mtu, ==, 1430);
    g_assert_false(platform_vnetwork(ipv6, 0)->underlay_chosen);
    struct pnode *b = pnodes->pdata[1];
    b->ipv4.family = 0;
    AUTO_PLATFORM fallback = plan_on(make_asked("10.0.0.0/24", true), pnodes);
    g_assert_cmpuint(platform_vnetwork(fallback, 0)->underlay, ==, 6);
    asked = make_asked("10.0.0.0/24", true);
    platform_vnetwork(asked, 0)->underlay = 4;
    assert_refused(
        asked, pnodes,
        "vnetwork net1: pnode b has no IPv4 address for its tunnels: give it one by the option --underlay of its distemd, or "
        "ask for another underlay");
    ((struct pnode *)pnodes->pdata[0])->ipv6.family = 0;
    assert_refused(make_asked("10.0.0.0/24", true), pnodes,
                   "vnetwork net1: no IP version is good for its tunnels: pnode b has no IPv4 address for them and pnode a no IPv6 "
                   "address: give them one by the option --underlay of their distemd");
    /* Where there is no tunnel, no address is missed. */
    AUTO_PLATFORM alone = plan_on(make_asked("10.0.0.0/24", false), pnodes);
    g_assert_cmpuint(platform_vnetwork(alone, 0)->underlay, ==, 4);
}

static void test_mtu(void)
{
    g_autoptr(GPtrArray) pnodes = make_pair();
    struct platform *asked = make_asked("10.0.0.0/24", true);
    platform_vnetwork(asked, 0)->mtu = 1450;
    AUTO_PLATFORM fits = plan_on(asked, pnodes);
    g_assert_cmpuint(platform_vnetwork(fits, 0)->mtu, ==, 1450);
    g_assert_false(platform_vnetwork(fits, 0)->mtu_chosen);
    asked = make_asked("10.0.0.0/24", true);
    platform_vnetwork(asked, 0)->mtu = 1500;
    assert_refused(
        asked, pnodes,
        "vnetwork net1: an MTU of 1500 does not fit: the tunnel from pnode a over IPv4 leaves 1450 of its interface's 1500 "
        "bytes: ask for at most 1450, or raise the MTU of that interface");
    asked = make_asked("10.0.0.0/24", false);
    platform_vnetwork(asked, 0)->mtu = 9000;
    AUTO_PLATFORM alone = plan_on(asked, pnodes);
    g_assert_cmpuint(platform_vnetwork(alone, 0)->mtu, ==, 9000);
    ((struct pnode *)pnodes->pdata[0])->mtu = 1300;
    AUTO_PLATFORM small = plan_on(make_asked("10.0.0.0/24", true), pnodes);
    g_assert_cmpuint(platform_vnetwork(small, 0)->mtu, ==, 1250);
    assert_refused(make_asked("10.0.0.0/24 fd01::/64", true), pnodes,
                   "vnetwork net1: it needs an MTU of at least 1280, and the tunnel from pnode a over IPv4 leaves 1250 of its "
                   "interface's 1300 bytes: raise the MTU of that interface");
    /* Larger than usual is only what was asked for. */
    ((struct pnode *)pnodes->pdata[0])->mtu = 9000;
    AUTO_PLATFORM large = plan_on(make_asked("10.0.0.0/24", true), pnodes);
    g_assert_cmpuint(platform_vnetwork(large, 0)->mtu, ==, 1500);
}

static struct platform *make_vlan(bool both)
{
    struct platform *asked = make_asked("10.0.0.0/24", both);
    platform_vnetwork(asked, 0)->vlan = 7;
    platform_vnetwork(asked, 0)->interface = g_strdup("eth1");
    return asked;
}

static void test_vlan(void)
{
    g_autoptr(GPtrArray) pnodes = make_pair();
    struct pnode *a = pnodes->pdata[0], *b = pnodes->pdata[1];
    g_hash_table_insert(a->interfaces, g_strdup("eth1"), GUINT_TO_POINTER(9000));
    assert_refused(make_vlan(true), pnodes,
                   "vnetwork net1: pnode b has no interface eth1 for its VLAN: ask for another interface, or another transport");
    AUTO_PLATFORM alone = plan_on(make_vlan(false), pnodes);
    g_assert_cmpuint(platform_vnetwork(alone, 0)->mtu, ==, 1500);
    g_hash_table_insert(b->interfaces, g_strdup("eth1"), GUINT_TO_POINTER(1400));
    AUTO_PLATFORM platform = plan_on(make_vlan(true), pnodes);
    const struct vnetwork *net = platform_vnetwork(platform, 0);
    g_assert_cmpint(net->transport, ==, TRANSPORT_VLAN);
    g_assert_cmpuint(net->mtu, ==, 1400);
    g_assert_true(!net->vni && !net->port && !net->underlay);
    struct platform *asked = make_vlan(true);
    platform_vnetwork(asked, 0)->mtu = 9000;
    assert_refused(
        asked, pnodes,
        "vnetwork net1: an MTU of 9000 does not fit: interface eth1 of pnode b has one of 1400: ask for at most 1400, or "
        "raise the MTU of that interface");
    /* A VLAN belongs to one vnetwork on each interface. */
    asked = make_vlan(false);
    struct vnetwork *other = make_vnetwork(asked, "net2", "10.0.1.0/24");
    other->vlan = 7;
    other->interface = g_strdup("eth2");
    AUTO_PLATFORM both = plan_on(asked, pnodes);
    g_assert_cmpuint(both->vnetworks->len, ==, 2);
    asked = make_vlan(false);
    other = make_vnetwork(asked, "net2", "10.0.1.0/24");
    other->vlan = 7;
    other->interface = g_strdup("eth1");
    assert_refused(asked, pnodes, "vnetwork net2: VLAN 7 of interface eth1 is taken by vnetwork net1");
}

/* What the plan chose about machines follows them; what was asked for does not. */
static void test_reopen(void)
{
    g_autoptr(GPtrArray) pnodes = make_pair();
    AUTO_PLATFORM first = plan_on(make_asked("10.0.0.0/24", true), pnodes);
    ((struct pnode *)pnodes->pdata[0])->mtu = 1400;
    ((struct pnode *)pnodes->pdata[1])->ipv4.family = 0;
    AUTO_PLATFORM asked = platform_copy(first);
    platform_reopen(asked);
    AUTO_DIAGNOSTICS problems = {0};
    AUTO_PLATFORM second = plan(asked, first, pnodes, &problems, NULL);
    g_assert_nonnull(second);
    g_assert_cmpuint(platform_vnetwork(second, 0)->mtu, ==, 1330);
    g_assert_cmpuint(platform_vnetwork(second, 0)->vni, ==, platform_vnetwork(first, 0)->vni);
    g_autoptr(GPtrArray) changes = plan_diff(first, second);
    g_assert_cmpuint(changes->len, ==, 1);
    g_assert_cmpstr(((struct change *)changes->pdata[0])->detail, ==, "underlay ipv4 -> ipv6, mtu 1450 -> 1330");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/transports/defaults", test_defaults);
    g_test_add_func("/plan/transports/underlay", test_underlay);
    g_test_add_func("/plan/transports/mtu", test_mtu);
    g_test_add_func("/plan/transports/vlan", test_vlan);
    g_test_add_func("/plan/transports/reopen", test_reopen);
    return g_test_run();
}
