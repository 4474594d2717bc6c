/* SPDX-License-Identifier: Apache-2.0 */
/* What is left out of latencies because the way takes it anyway. */
#include <config.h>

#include <glib.h>

#include "make-platform.h"

#define US INT64_C(1000)

/* Vnodes n1 and n2 on pnode a, n3 on b; the way takes 40 us on one pnode and 100 us between two. */
static struct platform *make_asked(void)
{
    struct platform *platform = platform_new("compensation");
    struct vnetwork *net = make_vnetwork(platform, "net", "10.0.0.0/24");
    net->base_local = 40 * US;
    net->base_remote = 100 * US;
    make_vnode(platform, "n1", "net")->pnode = g_strdup("a");
    make_vnode(platform, "n2", "net")->pnode = g_strdup("a");
    make_vnode(platform, "n3", "net")->pnode = g_strdup("b");
    return platform;
}

static struct impairment *input(const struct platform *platform, const char *vnode)
{
    return &vnode_viface(platform_find_vnode(platform, vnode), 0)->input;
}

static struct impairment *output(const struct platform *platform, const char *vnode)
{
    return &vnode_viface(platform_find_vnode(platform, vnode), 0)->output;
}

static void test_base(void)
{
    AUTO_PLATFORM platform = make_asked();
    output(platform, "n1")->latency = 1000 * US;
    output(platform, "n3")->latency = 1000 * US;
    plan_compensation(platform, NULL);
    /* n2 is nearer to n1 than n3 is; n3 has nobody near. */
    g_assert_cmpint(output(platform, "n1")->compensation, ==, 40 * US);
    g_assert_cmpint(output(platform, "n3")->compensation, ==, 100 * US);
    g_assert_cmpint(output(platform, "n2")->compensation, ==, 0);
    g_assert_cmpint(input(platform, "n1")->compensation, ==, 0);
    /* Not measured is not known. */
    platform_vnetwork(platform, 0)->base_local = 0;
    plan_compensation(platform, NULL);
    g_assert_cmpint(output(platform, "n1")->compensation, ==, 0);
    g_assert_cmpint(output(platform, "n3")->compensation, ==, 100 * US);
    platform_vnetwork(platform, 0)->base_remote = 0;
    plan_compensation(platform, NULL);
    g_assert_cmpint(output(platform, "n3")->compensation, ==, 0);
}

/* A pnode that can hold frames back on their way to a neighbour does so for what the directions leave out too much. */
static void test_held_back(void)
{
    AUTO_PLATFORM platform = make_asked();
    struct pnode able = {.name = "a"}, unable = {.name = "a", .no_matrix = "fq"};
    g_autoptr(GPtrArray) pnodes = g_ptr_array_new();
    g_ptr_array_add(pnodes, &able);
    output(platform, "n1")->latency = 1000 * US;
    plan_compensation(platform, pnodes);
    g_assert_cmpint(output(platform, "n1")->compensation, ==, 100 * US);
    pnodes->pdata[0] = &unable;
    plan_compensation(platform, pnodes);
    g_assert_cmpint(output(platform, "n1")->compensation, ==, 40 * US);
    /* How long to hold them back is not known. */
    pnodes->pdata[0] = &able;
    platform_vnetwork(platform, 0)->base_local = 0;
    plan_compensation(platform, pnodes);
    g_assert_cmpint(output(platform, "n1")->compensation, ==, 0);
}

/* What is measured lacks what the directions leave out, but for what is held back, and what a matrix leaves out of the rest. */
static void test_left_out(void)
{
    AUTO_PLATFORM platform = make_asked();
    const struct viface *n1 = vnode_viface(platform_find_vnode(platform, "n1"), 0);
    const struct viface *n3 = vnode_viface(platform_find_vnode(platform, "n3"), 0);
    g_assert_cmpint(plan_left_out(n1, n3, false, 0), ==, 0);
    g_assert_cmpint(plan_left_out(n1, n3, false, 30 * US), ==, 30 * US);
    g_assert_cmpint(plan_left_out(n1, n3, false, 1000 * US), ==, 100 * US);
    g_assert_cmpint(plan_left_out(n1, n3, true, 1000 * US), ==, 40 * US);
    output(platform, "n1")->compensation = 50 * US;
    g_assert_cmpint(plan_left_out(n1, n3, false, 0), ==, 50 * US);
    g_assert_cmpint(plan_left_out(n1, n3, false, 1000 * US), ==, 100 * US);
    g_assert_cmpint(plan_left_out(n1, n3, true, 1000 * US), ==, 40 * US);
    input(platform, "n3")->compensation = 50 * US;
    g_assert_cmpint(plan_left_out(n1, n3, false, 1000 * US), ==, 100 * US);
}

static void test_halves(void)
{
    AUTO_PLATFORM platform = make_asked();
    output(platform, "n1")->latency = 1000 * US;
    output(platform, "n3")->latency = 1000 * US;
    /* Its own input is in no way that its output is in. */
    input(platform, "n3")->latency = 1000 * US;
    plan_compensation(platform, NULL);
    g_assert_cmpint(output(platform, "n1")->compensation, ==, 20 * US);
    g_assert_cmpint(input(platform, "n3")->compensation, ==, 50 * US);
    g_assert_cmpint(output(platform, "n3")->compensation, ==, 100 * US);
}

static void test_limits(void)
{
    AUTO_PLATFORM platform = make_asked();
    output(platform, "n1")->latency = 30 * US;
    output(platform, "n2")->latency = 60 * US;
    output(platform, "n2")->jitter = 50 * US;
    output(platform, "n3")->latency = 60 * US;
    output(platform, "n3")->jitter = 70 * US;
    plan_compensation(platform, NULL);
    g_assert_cmpint(output(platform, "n1")->compensation, ==, 30 * US);
    g_assert_cmpint(output(platform, "n2")->compensation, ==, 10 * US);
    g_assert_cmpint(output(platform, "n3")->compensation, ==, 0);
}

/* It belongs to the plan: it follows what is asked, and is shown as a change. */
static void test_plan(void)
{
    AUTO_PLATFORM asked = make_asked();
    output(asked, "n3")->latency = 1000 * US;
    AUTO_DIAGNOSTICS problems = {0};
    AUTO_PLATFORM first = plan(asked, NULL, NULL, &problems, NULL);
    g_assert_cmpint(output(first, "n3")->compensation, ==, 100 * US);
    AUTO_PLATFORM copy = platform_copy(first);
    input(copy, "n1")->latency = 1000 * US;
    AUTO_PLATFORM second = plan(copy, first, NULL, &problems, NULL);
    g_assert_cmpint(output(second, "n3")->compensation, ==, 50 * US);
    g_assert_cmpint(input(second, "n1")->compensation, ==, 20 * US);
    platform_vnetwork(copy, 0)->base_local = platform_vnetwork(copy, 0)->base_remote = 0;
    AUTO_PLATFORM third = plan(copy, second, NULL, &problems, NULL);
    g_assert_cmpint(output(third, "n3")->compensation, ==, 0);
    g_autoptr(GPtrArray) changes = plan_diff(second, third);
    g_assert_cmpuint(changes->len, ==, 3);
    const struct change *net = changes->pdata[0], *n1 = changes->pdata[1], *n3 = changes->pdata[2];
    g_assert_cmpstr(net->detail, ==, "base_local 40us -> none, base_remote 100us -> none");
    g_assert_cmpstr(n1->detail, ==, "input.compensation 20us -> none");
    g_assert_cmpstr(n3->detail, ==, "output.compensation 50us -> none");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/compensation/base", test_base);
    g_test_add_func("/plan/compensation/held-back", test_held_back);
    g_test_add_func("/plan/compensation/left-out", test_left_out);
    g_test_add_func("/plan/compensation/halves", test_halves);
    g_test_add_func("/plan/compensation/limits", test_limits);
    g_test_add_func("/plan/compensation/plan", test_plan);
    return g_test_run();
}
