/* SPDX-License-Identifier: Apache-2.0 */
/* Paths, expected RTT, goodput and loss, and rounds. */
#include <config.h>

#include <glib.h>

#include "distem/units.h"
#include "make-platform.h"

static void assert_rtt(const struct platform *platform, const char *from, const char *to, int64_t ms)
{
    struct path_finder *finder = path_finder_new(platform);
    struct expectation e;
    g_assert_true(expect_pair(finder, platform_find_vnode(platform, from), platform_find_vnode(platform, to), &e, NULL));
    g_assert_cmpint(e.rtt, ==, ms * NS_PER_MS);
    expectation_clear(&e);
    path_finder_free(finder);
}

/* Each viface that is passed adds its latencies of both directions once. */
static void test_figure3_rtt(void)
{
    AUTO_PLATFORM platform = plan_alone(make_figure3());
    static const struct {
        const char *from, *to;
        int64_t ms;
    } expected[] = {
        {"n1", "n2", 60},      {"n1", "n3", 60 + 20},      {"n1", "n4", 60 + 20 + 25 + 55}, {"n1", "n5", 60 + 20 + 25 + 70},
        {"n2", "n3", 20},      {"n2", "n4", 20 + 25 + 55}, {"n2", "n5", 20 + 25 + 70},      {"n3", "n4", 25 + 55},
        {"n3", "n5", 25 + 70}, {"n4", "n5", 55 + 70},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++) {
        assert_rtt(platform, expected[i].from, expected[i].to, expected[i].ms);
        if (!g_str_equal(expected[i].from, "n3")) {
            assert_rtt(platform, expected[i].to, expected[i].from, expected[i].ms);
        }
    }
}

static void test_figure3_path(void)
{
    AUTO_PLATFORM platform = plan_alone(make_figure3());
    g_autofree char *path = dump_path(platform, "n1", "n4"), *back = dump_path(platform, "n4", "n1");
    g_autofree char *near = dump_path(platform, "n1", "n2"), *self = dump_path(platform, "n1", "n1");
    g_assert_cmpstr(path, ==, "n1 n3 n4");
    g_assert_cmpstr(back, ==, "n4 n3 n1");
    g_assert_cmpstr(near, ==, "n1 n2");
    g_assert_cmpstr(self, ==, "n1");
    g_autofree char *n1 = dump_routes(platform, "n1"), *n3 = dump_routes(platform, "n3"), *n5 = dump_routes(platform, "n5");
    g_assert_cmpstr(n1, ==, "default via 10.144.2.3 dev if0");
    g_assert_cmpstr(n3, ==, "");
    g_assert_cmpstr(n5, ==, "default via 10.144.3.1 dev if0");
    /* One table for all on a vnetwork. */
    g_assert_true(platform_find_vnode(platform, "n1")->routes == platform_find_vnode(platform, "n2")->routes);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/expect/figure3/rtt", test_figure3_rtt);
    g_test_add_func("/expect/figure3/path", test_figure3_path);
    return g_test_run();
}
