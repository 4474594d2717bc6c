/* SPDX-License-Identifier: Apache-2.0 */
/* The platform as structs: finding, indexing, deep copies, words. */
#include <config.h>

#include "distem/platform.h"

/* Two vnetworks, a gateway and a vnode, all planned. */
static struct platform *small_platform(void)
{
    struct platform *platform = platform_new("small");
    struct vnetwork *a = platform_add_vnetwork(platform, "a"), *b = platform_add_vnetwork(platform, "b");
    struct vnode *gateway = platform_add_vnode(platform, "gateway"), *leaf = platform_add_vnode(platform, "leaf");
    vnode_add_viface(gateway, "if0", a)->input.latency = 5;
    vnode_add_viface(gateway, "if1", b);
    vnode_add_viface(leaf, "if0", a)->id = 7;
    platform_add_vroute(platform, a, gateway)->to = b;
    platform_add_vroute(platform, b, gateway)->prefix.length = 8;
    platform->generation = 3;
    platform->next_id = 9;
    leaf->pnode = g_strdup("host");
    leaf->error = g_strdup("cannot start");
    leaf->state = VNODE_STATE_FAILED;
    leaf->pid = 4711;
    leaf->routes = g_array_new(FALSE, TRUE, sizeof(struct route));
    g_array_append_vals(leaf->routes, &(struct route){.viface = 0}, 1);
    return platform;
}

static void test_find(void)
{
    AUTO_PLATFORM platform = small_platform();
    const struct vnode *gateway = platform_vnode(platform, 0);
    g_assert_cmpstr(gateway->image, ==, "host");
    g_assert_true(platform_find_vnetwork(platform, "b") == platform_vnetwork(platform, 1));
    g_assert_null(platform_find_vnetwork(platform, "c"));
    g_assert_true(platform_find_vnode(platform, "leaf") == platform_vnode(platform, 1));
    g_assert_null(platform_find_vnode(platform, "a"));
    g_assert_true(vnode_find_viface(gateway, "if1") == vnode_viface(gateway, 1));
    g_assert_null(vnode_find_viface(gateway, "if2"));
    g_autoptr(GHashTable) vnodes = platform_index_vnodes(platform);
    g_autoptr(GHashTable) vnetworks = platform_index_vnetworks(platform);
    g_assert_cmpuint(g_hash_table_size(vnodes), ==, 2);
    g_assert_true(g_hash_table_lookup(vnodes, "gateway") == gateway);
    g_assert_true(g_hash_table_lookup(vnetworks, "a") == platform_vnetwork(platform, 0));
}

static void test_copy(void)
{
    AUTO_PLATFORM platform = small_platform();
    AUTO_PLATFORM copy = platform_copy(platform);
    const struct vnode *leaf = platform_vnode(platform, 1), *twin = platform_vnode(copy, 1);
    g_assert_cmpuint(copy->generation, ==, 3);
    g_assert_cmpuint(copy->next_id, ==, 9);
    g_assert_true(twin != leaf && twin->name != leaf->name && twin->pnode != leaf->pnode && twin->error != leaf->error);
    g_assert_cmpstr(twin->name, ==, "leaf");
    g_assert_cmpstr(twin->pnode, ==, "host");
    g_assert_cmpstr(twin->error, ==, "cannot start");
    g_assert_cmpint(twin->state, ==, VNODE_STATE_FAILED);
    g_assert_cmpint(twin->pid, ==, 4711);
    g_assert_true(twin->routes == leaf->routes);
    g_assert_cmpuint(vnode_viface(twin, 0)->id, ==, 7);
    g_assert_true(vnode_viface(twin, 0)->vnetwork == platform_vnetwork(copy, 0));
    g_assert_cmpint(vnode_viface(platform_vnode(copy, 0), 0)->input.latency, ==, 5);
    const struct vroute *vroute = platform_vroute(copy, 0);
    g_assert_true(vroute->from == platform_vnetwork(copy, 0) && vroute->to == platform_vnetwork(copy, 1));
    g_assert_true(vroute->via == platform_vnode(copy, 0));
    g_assert_null(platform_vroute(copy, 1)->to);
    g_assert_cmpuint(platform_vroute(copy, 1)->prefix.length, ==, 8);
    /* The copy outlives what it was copied from. */
    platform_free(g_steal_pointer(&platform));
    g_assert_cmpuint(platform_vnode(copy, 1)->routes->len, ==, 1);
}

static void test_free(void)
{
    platform_free(NULL);
    pnode_free(NULL);
    struct pnode *pnode = pnode_new("host");
    pnode->error = g_strdup("no room");
    g_assert_cmpstr(pnode->name, ==, "host");
    pnode_free(pnode);
}

static void test_impairment(void)
{
    struct impairment a = {0}, b = {0};
    g_assert_true(impairment_is_zero(&a));
    g_assert_true(impairment_equal(&a, &b));
    b.burst = 1;
    g_assert_false(impairment_is_zero(&b));
    g_assert_false(impairment_equal(&a, &b));
}

static void test_words(void)
{
    enum distribution distribution = DISTRIBUTION_NORMAL;
    for (int i = DISTRIBUTION_UNIFORM; i <= DISTRIBUTION_PARETONORMAL; i++) {
        g_assert_true(distribution_parse(distribution_name(i), &distribution));
        g_assert_cmpint(distribution, ==, i);
    }
    g_assert_false(distribution_parse("Normal", &distribution));
    enum routing routing = ROUTING_HOPS;
    for (int i = ROUTING_HOPS; i <= ROUTING_NONE; i++) {
        g_assert_true(routing_parse(routing_name(i), &routing));
        g_assert_cmpint(routing, ==, i);
    }
    g_assert_false(routing_parse("", &routing));
    enum vnode_state state = VNODE_STATE_UNKNOWN;
    for (int i = VNODE_STATE_UNKNOWN; i <= VNODE_STATE_FAILED; i++) {
        g_assert_true(vnode_state_parse(vnode_state_name(i), &state));
        g_assert_cmpint(state, ==, i);
    }
    g_assert_false(vnode_state_parse("gone", &state));
    g_assert_cmpint(state, ==, VNODE_STATE_FAILED);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/platform/find", test_find);
    g_test_add_func("/platform/copy", test_copy);
    g_test_add_func("/platform/free", test_free);
    g_test_add_func("/platform/impairment", test_impairment);
    g_test_add_func("/platform/words", test_words);
    return g_test_run();
}
