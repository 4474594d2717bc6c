/* SPDX-License-Identifier: Apache-2.0 */
/* Who forwards, and by which ways, on platforms made by hand. */
#include <config.h>

#include <glib.h>

#include "distem/units.h"
#include "make-platform.h"

static void assert_routes(const struct platform *platform, const char *vnode, const char *expected)
{
    g_autofree char *routes = dump_routes(platform, vnode);
    g_assert_cmpstr(routes, ==, expected);
}

static void assert_path(const struct platform *platform, const char *from, const char *to, const char *expected)
{
    g_autofree char *path = dump_path(platform, from, to);
    g_assert_cmpstr(path, ==, expected);
}

/* net0 ... net(n-1), 10.0.i.0/24, each with a host hi; with 'closed' the last is joined to the first. Gateways gi from neti on. */
static struct platform *make_chain(unsigned n, bool closed)
{
    struct platform *platform = platform_new("chain");
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("net%u", i), *prefix = g_strdup_printf("10.0.%u.0/24", i);
        g_autofree char *host = g_strdup_printf("h%u", i);
        make_vnetwork(platform, name, prefix);
        make_vnode(platform, host, name);
    }
    for (unsigned i = 0; i < n - !closed; i++) {
        g_autofree char *name = g_strdup_printf("g%u", i), *vnetworks = g_strdup_printf("net%u net%u", i, (i + 1) % n);
        make_vnode(platform, name, vnetworks)->gateway = TRISTATE_YES;
    }
    return platform;
}

static void test_chain(void)
{
    AUTO_PLATFORM platform = plan_alone(make_chain(5, false));
    assert_path(platform, "h0", "h4", "h0 g0 g1 g2 g3 h4");
    assert_path(platform, "h4", "h0", "h4 g3 g2 g1 g0 h0");
    assert_routes(platform, "h0", "default via 10.0.0.2 dev if0");
    /* In the middle: the other way than the default one is written out. */
    assert_routes(platform, "h2",
                  "default via 10.0.2.2 dev if0; 10.0.3.0/24 via 10.0.2.3 dev if0; 10.0.4.0/24 via 10.0.2.3 dev if0");
    assert_routes(platform, "g0", "default via 10.0.1.3 dev if1");
    assert_routes(platform, "g3", "default via 10.0.3.2 dev if0");
    /* g1 and g2 would send to each other what nobody has. */
    assert_routes(platform, "g1",
                  "10.0.0.0/24 via 10.0.1.2 dev if0; 10.0.3.0/24 via 10.0.2.3 dev if1; 10.0.4.0/24 via 10.0.2.3 dev if1");
    assert_routes(platform, "g2", "default via 10.0.2.2 dev if0; 10.0.4.0/24 via 10.0.3.3 dev if1");
}

static void test_ring(void)
{
    /* Of two equal ways, the one through the older gateways, in both directions. */
    AUTO_PLATFORM even = plan_alone(make_chain(4, true));
    assert_path(even, "h0", "h2", "h0 g0 g1 h2");
    assert_path(even, "h2", "h0", "h2 g1 g0 h0");
    /* Here they are equally old, and a hash decides. */
    assert_path(even, "h1", "h3", "h1 g1 g2 h3");
    assert_path(even, "h3", "h1", "h3 g2 g1 h1");
    AUTO_PLATFORM odd = plan_alone(make_chain(5, true));
    assert_path(odd, "h0", "h3", "h0 g4 g3 h3");
    assert_path(odd, "h3", "h0", "h3 g3 g4 h0");
}

/* Plans 'asked' with gateways g0 and second on pnodes p0 and p1, the hosts on p2, and pnode 'lost' (3: none) lost. */
static struct platform *plan_lost(const struct platform *asked, const struct platform *current, unsigned lost,
                                  GPtrArray *unreachable)
{
    AUTO_DIAGNOSTICS problems = {0};
    g_autoptr(GPtrArray) pnodes = g_ptr_array_new_with_free_func((GDestroyNotify)pnode_free);
    for (unsigned i = 0; i < 3; i++) {
        g_autofree char *name = g_strdup_printf("p%u", i), *address = g_strdup_printf("192.0.2.%u", i + 1);
        struct pnode *pnode = pnode_new(name);
        pnode->ipv4 = make_address(address);
        pnode->lost = i == lost;
        g_ptr_array_add(pnodes, pnode);
    }
    struct platform *planned = plan(asked, current, pnodes, &problems, unreachable);
    g_assert_nonnull(planned);
    return planned;
}

static struct platform *make_lost(enum tristate gateway)
{
    struct platform *asked = make_chain(2, false);
    make_vnode(asked, "second", "net0 net1");
    for (unsigned i = 0; i < asked->vnodes->len; i++) {
        struct vnode *vnode = platform_vnode(asked, i);
        bool first = !g_strcmp0(vnode->name, "g0"), second = !g_strcmp0(vnode->name, "second");
        vnode->pnode = g_strdup(first ? "p0" : second ? "p1" : "p2");
        vnode->gateway = first || second ? gateway : TRISTATE_AUTO;
    }
    return asked;
}

/* Two gateways side by side, and the machine of the one that is used is lost. */
static void test_lost(void)
{
    static const enum tristate gateways[] = {TRISTATE_YES, TRISTATE_AUTO};
    for (unsigned i = 0; i < G_N_ELEMENTS(gateways); i++) {
        AUTO_PLATFORM asked = make_lost(gateways[i]);
        AUTO_PLATFORM before = plan_lost(asked, NULL, 3, NULL);
        assert_path(before, "h0", "h1", "h0 g0 h1");
        AUTO_PLATFORM during = plan_lost(asked, before, 0, NULL);
        assert_path(during, "h0", "h1", "h0 second h1");
        assert_path(during, "h1", "h0", "h1 second h0");
        AUTO_PLATFORM after = plan_lost(asked, during, 3, NULL);
        g_autoptr(GPtrArray) changes = plan_diff(before, after);
        g_assert_cmpuint(changes->len, ==, 0);
    }
}

/* One that need not forward as long as another does takes over. */
static void test_lost_stand_in(void)
{
    AUTO_PLATFORM asked = make_lost(TRISTATE_YES);
    platform_find_vnode(asked, "second")->gateway = TRISTATE_AUTO;
    AUTO_PLATFORM before = plan_lost(asked, NULL, 3, NULL);
    g_assert_false(platform_find_vnode(before, "second")->forwards);
    AUTO_PLATFORM during = plan_lost(asked, before, 0, NULL);
    assert_path(during, "h0", "h1", "h0 second h1");
}

/* Where the lost gateway is the only one there is no way; a vroute through it stays. */
static void test_lost_alone(void)
{
    AUTO_PLATFORM asked = make_lost(TRISTATE_YES);
    platform_find_vnode(asked, "second")->gateway = TRISTATE_NO;
    g_autoptr(GPtrArray) unreachable = g_ptr_array_new_with_free_func(g_free);
    AUTO_PLATFORM planned = plan_lost(asked, NULL, 3, NULL);
    AUTO_PLATFORM during = plan_lost(asked, planned, 0, unreachable);
    assert_routes(during, "h0", "");
    g_assert_cmpuint(unreachable->len, ==, 2);
    g_assert_cmpstr(unreachable->pdata[0], ==, "net0 -> net1");
    make_vroute(asked, "net0", "net1", "g0");
    AUTO_PLATFORM fixed = plan_lost(asked, planned, 0, NULL);
    assert_routes(fixed, "h0", "default via 10.0.0.2 dev if0");
}

static void test_parallel(void)
{
    struct platform *asked = make_chain(2, false);
    make_vnode(asked, "second", "net0 net1")->gateway = TRISTATE_YES;
    AUTO_PLATFORM platform = plan_alone(asked);
    assert_path(platform, "h0", "h1", "h0 g0 h1");
    assert_path(platform, "h1", "h0", "h1 g0 h0");
}

static void test_latency(void)
{
    struct platform *asked = make_chain(4, true);
    asked->routing = ROUTING_LATENCY;
    for (unsigned i = 0; i < 4; i++) {
        g_autofree char *name = g_strdup_printf("g%u", i);
        for (unsigned j = 0; j < 2; j++) {
            make_latency(platform_find_vnode(asked, name), j, (i == 3 ? 100 : 1) * NS_PER_MS, 0);
        }
    }
    AUTO_PLATFORM platform = plan_alone(asked);
    /* The long way round is faster than g3 ... */
    assert_path(platform, "h0", "h3", "h0 g0 g1 g2 h3");
    assert_path(platform, "h3", "h0", "h3 g2 g1 g0 h0");
    /* ... but what g3 is attached to, it reaches directly. */
    assert_path(platform, "g3", "h0", "g3 h0");
}

/* A 4 x 4 grid of vnetworks with gateways between neighbours: the number of gateways is the distance of the corners. */
static void test_grid(void)
{
    struct platform *asked = platform_new("grid");
    for (unsigned i = 0; i < 16; i++) {
        g_autofree char *name = g_strdup_printf("net%u", i), *prefix = g_strdup_printf("10.0.%u.0/24", i);
        g_autofree char *host = g_strdup_printf("h%u", i);
        make_vnetwork(asked, name, prefix);
        make_vnode(asked, host, name);
    }
    for (unsigned i = 0; i < 16; i++) {
        for (unsigned step = 1; step <= 4; step += 3) {
            if (step == 1 ? i % 4 < 3 : i < 12) {
                g_autofree char *name = g_strdup_printf("g%u-%u", i, i + step);
                g_autofree char *vnetworks = g_strdup_printf("net%u net%u", i, i + step);
                make_vnode(asked, name, vnetworks)->gateway = TRISTATE_YES;
            }
        }
    }
    AUTO_PLATFORM platform = plan_alone(asked);
    struct path_finder *finder = path_finder_new(platform);
    for (unsigned i = 0; i < 16 * 16; i++) {
        g_autofree char *from = g_strdup_printf("h%u", i / 16), *to = g_strdup_printf("h%u", i % 16);
        struct expectation e;
        g_assert_true(expect_pair(finder, platform_find_vnode(platform, from), platform_find_vnode(platform, to), &e, NULL));
        unsigned distance = (unsigned)(ABS((int)(i / 16 / 4) - (int)(i % 16 / 4)) + ABS((int)(i / 16 % 4) - (int)(i % 4)));
        g_assert_cmpuint(e.there.hops->len, ==, i / 16 == i % 16 ? 0 : 2 * (distance + 1));
        expectation_clear(&e);
    }
    path_finder_free(finder);
}

static struct platform *make_three_apart(void)
{
    struct platform *platform = make_chain(2, false);
    make_vnetwork(platform, "lonely", "10.9.0.0/24");
    make_vnode(platform, "h9", "lonely");
    return platform;
}

static void test_disconnected(void)
{
    AUTO_DIAGNOSTICS problems = {0};
    AUTO_PLATFORM asked = make_three_apart();
    g_autoptr(GPtrArray) unreachable = g_ptr_array_new_with_free_func(g_free);
    AUTO_PLATFORM platform = plan(asked, NULL, NULL, &problems, unreachable);
    const char *const expected[] = {"net0 -> lonely", "net1 -> lonely", "lonely -> net0", "lonely -> net1"};
    g_assert_cmpuint(unreachable->len, ==, G_N_ELEMENTS(expected));
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_assert_cmpstr(unreachable->pdata[i], ==, expected[i]);
    }
    assert_routes(platform, "h9", "");
    assert_path(platform, "h9", "h0", "vnode h9 has no route to 10.0.0.1");
    /* The default route leads to a gateway that says so. */
    assert_path(platform, "h0", "h9", "vnode g0 has no route to 10.9.0.1");
}

static void test_unreachable_many(void)
{
    AUTO_DIAGNOSTICS problems = {0};
    AUTO_PLATFORM asked = platform_new("many");
    for (unsigned i = 0; i < 40; i++) {
        g_autofree char *name = g_strdup_printf("net%u", i), *prefix = g_strdup_printf("10.0.%u.0/24", i);
        make_vnetwork(asked, name, prefix);
        make_vnode(asked, name, name);
    }
    g_autoptr(GPtrArray) unreachable = g_ptr_array_new_with_free_func(g_free);
    AUTO_PLATFORM platform = plan(asked, NULL, NULL, &problems, unreachable);
    g_assert_nonnull(platform);
    g_assert_cmpuint(unreachable->len, ==, PLAN_UNREACHABLE_MAX + 1);
    g_assert_cmpstr(unreachable->pdata[PLAN_UNREACHABLE_MAX], ==, "... and 560 more");
}

/* A vnode forwards without being told to when it is the only way; the oldest of several; never when it shall not. */
static void test_auto(void)
{
    struct platform *asked = make_three_apart();
    make_vnode(asked, "never", "lonely net0")->gateway = TRISTATE_NO;
    make_vnode(asked, "needed", "lonely net1");
    make_vnode(asked, "spare", "lonely net1");
    make_vnode(asked, "told", "lonely net1")->gateway = TRISTATE_YES;
    make_vnetwork(asked, "net5", "10.5.0.0/24");
    make_vnode(asked, "older", "net5 net0");
    make_vnode(asked, "younger", "net5 net1");
    AUTO_PLATFORM platform = plan_alone(asked);
    g_assert_false(platform_find_vnode(platform, "never")->forwards);
    g_assert_false(platform_find_vnode(platform, "needed")->forwards);
    g_assert_true(platform_find_vnode(platform, "told")->forwards);
    g_assert_true(platform_find_vnode(platform, "older")->forwards);
    g_assert_false(platform_find_vnode(platform, "younger")->forwards);
    assert_path(platform, "h9", "h0", "h9 told g0 h0");
    /* Who is on two vnetworks takes the nearer one. */
    assert_path(platform, "never", "h1", "never g0 h1");
}

static void test_gateway_no(void)
{
    AUTO_DIAGNOSTICS problems = {0};
    AUTO_PLATFORM asked = make_figure3();
    platform_find_vnode(asked, "n3")->gateway = TRISTATE_NO;
    g_autoptr(GPtrArray) unreachable = g_ptr_array_new_with_free_func(g_free);
    AUTO_PLATFORM platform = plan(asked, NULL, NULL, &problems, unreachable);
    g_assert_cmpuint(unreachable->len, ==, 2);
    assert_path(platform, "n1", "n4", "vnode n1 has no route to 10.144.3.2");
    assert_path(platform, "n1", "n3", "n1 n3");
}

static void test_dual_stack(void)
{
    AUTO_DIAGNOSTICS problems = {0};
    AUTO_PLATFORM asked = platform_new("dual");
    make_vnetwork(asked, "net0", "10.0.0.0/24 fd00::/64");
    make_vnetwork(asked, "middle", "fd01::/64");
    make_vnetwork(asked, "net2", "10.2.0.0/24 fd02::/64");
    make_vnode(asked, "h0", "net0");
    make_vnode(asked, "h1", "middle");
    make_vnode(asked, "h2", "net2");
    make_vnode(asked, "g0", "net0 middle");
    make_vnode(asked, "g1", "middle net2");
    g_autoptr(GPtrArray) unreachable = g_ptr_array_new_with_free_func(g_free);
    AUTO_PLATFORM platform = plan(asked, NULL, NULL, &problems, unreachable);
    assert_path(platform, "h0", "h2", "h0 g0 g1 h2");
    assert_routes(platform, "h0", "default6 via fd00::2 dev if0");
    assert_path(platform, "h1", "h2", "h1 g1 h2");
    g_assert_cmpuint(unreachable->len, ==, 2);
    g_assert_cmpstr(unreachable->pdata[0], ==, "net0 -> net2 (IPv4)");
    g_assert_cmpstr(unreachable->pdata[1], ==, "net2 -> net0 (IPv4)");
}

/* A square in which a vroute sends h0's packets the other way round; nobody else's. */
static void test_vroute(void)
{
    struct platform *asked = make_chain(4, true);
    make_vroute(asked, "net0", "net1", "g3");
    AUTO_PLATFORM platform = plan_alone(asked);
    assert_path(platform, "h0", "h1", "h0 g3 g2 g1 h1");
    assert_path(platform, "h1", "h0", "h1 g0 h0");
    assert_path(platform, "h3", "h1", "h3 g2 g1 h1");
}

static void test_vroute_prefix(void)
{
    struct platform *asked = make_chain(4, true);
    make_vroute(asked, "net0", "0.0.0.0/0", "g3");
    make_vroute(asked, "net0", "192.0.2.0/24", "g0");
    make_vroute(asked, "net0", "10.0.1.1/32", "g0");
    AUTO_PLATFORM platform = plan_alone(asked);
    assert_routes(platform, "h0",
                  "default via 10.0.0.3 dev if0; 10.0.1.1/32 via 10.0.0.2 dev if0; 192.0.2.0/24 via 10.0.0.2 dev if0");
    assert_path(platform, "h0", "h1", "h0 g0 h1");
    assert_path(platform, "h0", "g1", "h0 g3 g2 g1");
}

/* With routing "none" there is what vroutes say, and nothing else. */
static void test_vroute_only(void)
{
    struct platform *asked = make_chain(3, false);
    asked->routing = ROUTING_NONE;
    platform_find_vnode(asked, "g0")->gateway = TRISTATE_AUTO;
    make_vroute(asked, "net0", "net2", "g0");
    make_vroute(asked, "net1", "net2", "g1");
    make_vroute(asked, "net2", "net1", "g1");
    AUTO_PLATFORM platform = plan_alone(asked);
    g_assert_true(platform_find_vnode(platform, "g0")->forwards);
    assert_routes(platform, "h0", "10.0.2.0/24 via 10.0.0.2 dev if0");
    assert_routes(platform, "h1", "10.0.2.0/24 via 10.0.1.3 dev if0");
    assert_routes(platform, "h2", "10.0.1.0/24 via 10.0.2.2 dev if0");
    assert_path(platform, "h1", "h2", "h1 g1 h2");
    assert_path(platform, "h0", "h2", "vnode h2 has no route to 10.0.0.1");
}

static void test_vroute_problems(void)
{
    struct platform *asked = make_chain(3, false);
    make_vroute(asked, "net0", "net2", "g1");
    assert_problem(asked, "vroute on vnetwork net0 to net2 through vnode g1: that vnode has no viface on vnetwork net0");
    asked = make_chain(3, false);
    platform_find_vnode(asked, "g0")->gateway = TRISTATE_NO;
    make_vroute(asked, "net0", "net2", "g0");
    assert_problem(asked, "that vnode is said to be no gateway");
    asked = make_chain(3, false);
    make_vroute(asked, "net0", "fd00::/64", "g0");
    assert_problem(asked, "no IP version in common");
    asked = make_chain(3, false);
    make_vroute(asked, "net0", "net0", "g0");
    assert_problem(asked, "leads to where it starts");
    asked = make_chain(2, true);
    make_vroute(asked, "net0", "10.9.0.0/16", "g0");
    make_vroute(asked, "net0", "10.9.0.0/16", "g1");
    assert_problem(asked, "two vroutes on vnetwork net0 to 10.9.0.0/16: one through vnode g0, one through vnode g1");
    asked = make_chain(2, true);
    make_vroute(asked, "net0", "10.9.0.0/16", "g0");
    make_vroute(asked, "net1", "10.9.0.0/16", "g1");
    assert_problem(asked, "the vroutes send what is for 10.9.0.0/16 in a circle: g0 -> g1 -> g0");
}

/* Two vnetworks with the same prefix at the two ends of a chain: each reaches the nearer one. */
static void test_overlap(void)
{
    AUTO_DIAGNOSTICS problems = {0};
    AUTO_PLATFORM asked = make_chain(4, false);
    make_vnetwork(asked, "left", "192.168.0.0/24");
    make_vnetwork(asked, "right", "192.168.0.0/24");
    make_vnode(asked, "hl", "left");
    make_vnode(asked, "hr", "right");
    make_vnode(asked, "gl", "left net0");
    make_vnode(asked, "gr", "right net3");
    g_autoptr(GPtrArray) unreachable = g_ptr_array_new_with_free_func(g_free);
    AUTO_PLATFORM platform = plan(asked, NULL, NULL, &problems, unreachable);
    assert_path(platform, "h1", "hl", "h1 g0 gl hl");
    assert_path(platform, "h2", "hr", "h2 g2 gr hr");
    const char *const expected[] = {"net0 -> right", "net1 -> right", "net2 -> left",
                                    "net3 -> left",  "left -> right", "right -> left"};
    g_assert_cmpuint(unreachable->len, ==, G_N_ELEMENTS(expected));
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_assert_cmpstr(unreachable->pdata[i], ==, expected[i]);
    }
}

/* Where a small vnetwork is nearer than the large one that it overlaps, there is no route to the large one. */
static void test_overlap_nested(void)
{
    AUTO_DIAGNOSTICS problems = {0};
    AUTO_PLATFORM asked = make_chain(5, false);
    make_vnetwork(asked, "small", "10.9.1.0/24");
    make_vnetwork(asked, "large", "10.9.0.0/16");
    make_vnode(asked, "hs", "small");
    make_vnode(asked, "hl", "large");
    make_vnode(asked, "gs", "small net0");
    make_vnode(asked, "gl", "large net4");
    g_autoptr(GPtrArray) unreachable = g_ptr_array_new_with_free_func(g_free);
    AUTO_PLATFORM platform = plan(asked, NULL, NULL, &problems, unreachable);
    assert_routes(platform, "h1",
                  "default via 10.0.1.3 dev if0; 10.0.0.0/24 via 10.0.1.2 dev if0; 10.9.1.0/24 via 10.0.1.2 dev if0");
    assert_routes(platform, "g1",
                  "10.0.0.0/24 via 10.0.1.2 dev if0; 10.0.3.0/24 via 10.0.2.3 dev if1; 10.0.4.0/24 via 10.0.2.3 dev if1; "
                  "10.9.1.0/24 via 10.0.1.2 dev if0");
    assert_routes(platform, "h4", "default via 10.0.4.2 dev if0; 10.9.0.0/16 via 10.0.4.3 dev if0");
    g_assert_true(g_ptr_array_find_with_equal_func(unreachable, "net1 -> large", g_str_equal, NULL));
    g_assert_true(g_ptr_array_find_with_equal_func(unreachable, "net4 -> small", g_str_equal, NULL));
    g_assert_false(g_ptr_array_find_with_equal_func(unreachable, "net4 -> large", g_str_equal, NULL));
}

/* The gateway stays the same when a vnode that could do its work comes, wherever that stands in the file. */
static void test_oldest(void)
{
    AUTO_DIAGNOSTICS problems = {0};
    AUTO_PLATFORM first = plan_alone(make_figure3());
    AUTO_PLATFORM asked = make_figure3();
    make_vnode(asked, "n0", "net1 net2");
    void *moved = g_ptr_array_steal_index(asked->vnodes, 5);
    g_ptr_array_insert(asked->vnodes, 0, moved);
    AUTO_PLATFORM second = plan(asked, first, NULL, &problems, NULL);
    g_assert_true(platform_find_vnode(second, "n3")->forwards);
    g_assert_false(platform_find_vnode(second, "n0")->forwards);
}

static void test_overlap_problem(void)
{
    struct platform *asked = platform_new("overlap");
    make_vnetwork(asked, "a", "10.0.0.0/16");
    make_vnetwork(asked, "b", "10.0.1.0/24");
    make_vnode(asked, "g", "a b")->gateway = TRISTATE_YES;
    assert_problem(asked, "vnode g cannot forward: its vnetworks a and b have addresses in common");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/routes/chain", test_chain);
    g_test_add_func("/plan/routes/ring", test_ring);
    g_test_add_func("/plan/routes/parallel", test_parallel);
    g_test_add_func("/plan/routes/latency", test_latency);
    g_test_add_func("/plan/routes/grid", test_grid);
    g_test_add_func("/plan/routes/disconnected", test_disconnected);
    g_test_add_func("/plan/routes/unreachable-many", test_unreachable_many);
    g_test_add_func("/plan/routes/auto", test_auto);
    g_test_add_func("/plan/routes/gateway-no", test_gateway_no);
    g_test_add_func("/plan/routes/dual-stack", test_dual_stack);
    g_test_add_func("/plan/routes/vroute", test_vroute);
    g_test_add_func("/plan/routes/vroute-prefix", test_vroute_prefix);
    g_test_add_func("/plan/routes/vroute-only", test_vroute_only);
    g_test_add_func("/plan/routes/vroute-problems", test_vroute_problems);
    g_test_add_func("/plan/routes/overlap", test_overlap);
    g_test_add_func("/plan/routes/overlap-nested", test_overlap_nested);
    g_test_add_func("/plan/routes/oldest", test_oldest);
    g_test_add_func("/plan/routes/overlap-problem", test_overlap_problem);
    g_test_add_func("/plan/routes/lost", test_lost);
    g_test_add_func("/plan/routes/lost-stand-in", test_lost_stand_in);
    g_test_add_func("/plan/routes/lost-alone", test_lost_alone);
    return g_test_run();
}
