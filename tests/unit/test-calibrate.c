/* SPDX-License-Identifier: Apache-2.0 */
/* Which pairs tell a vnetwork's base latencies, and what follows from their RTTs. */
#include <config.h>

#include <string.h>

#include "distem/plan.h"
#include "distem/topology.h"
#include "src/coordinator/calibrate.h"

#define US INT64_C(1000)

/* On "net" a0 ... a4 are on pnode a, b0 ... b2 on b; a4's jitter is no measure. On "own" is one vnode, on "far" two on two. */
static const char topology[] =
    "{\"distem\": 2, \"name\": \"base\","
    " \"vnetworks\": {\"net\": {\"ipv4\": \"10.0.1.0/24\"}, \"own\": {\"ipv4\": \"10.0.2.0/24\"}, \"far\": {\"ipv6\": "
    "\"fd00::/64\"}},"
    " \"vnodes\": {"
    "  \"a[0-3]\": {\"vifaces\": {\"if0\": {\"vnetwork\": \"net\", \"both\": {\"latency\": \"1ms\"}}}},"
    "  \"a4\": {\"vifaces\": {\"if0\": {\"vnetwork\": \"net\", \"both\": {\"latency\": \"1ms\", \"jitter\": \"1ms\"}}}},"
    "  \"b[0-2]\": {\"vifaces\": {\"if0\": {\"vnetwork\": \"net\", \"both\": {\"latency\": \"1ms\"}}}},"
    "  \"a5\": {\"vifaces\": {\"if0\": {\"vnetwork\": \"own\"}}},"
    "  \"a6\": {\"vifaces\": {\"if0\": {\"vnetwork\": \"far\", \"output\": {\"latency\": \"1ms\"}}}},"
    "  \"b3\": {\"vifaces\": {\"if0\": {\"vnetwork\": \"far\"}}}}}";

static struct platform *make_platform(int64_t base_remote)
{
    AUTO_DIAGNOSTICS problems = {0};
    AUTO_PLATFORM asked = topology_parse(topology, strlen(topology), NULL, &problems);
    g_assert_nonnull(asked);
    for (unsigned i = 0; i < asked->vnodes->len; i++) {
        struct vnode *vnode = platform_vnode(asked, i);
        vnode->pnode = g_strndup(vnode->name, 1);
    }
    platform_find_vnetwork(asked, "far")->base_remote = base_remote;
    struct platform *planned = plan(asked, NULL, NULL, &problems, NULL);
    g_assert_nonnull(planned);
    return planned;
}

/* Returns "a0-a1 ..." in the order of the measurements; the caller frees it. */
static char *dump_pairs(const struct verify_plan *p)
{
    GString *text = g_string_new(NULL);
    for (unsigned i = 0; i < p->measurements->len; i++) {
        const struct measurement *m = &g_array_index(p->measurements, struct measurement, i);
        g_assert_cmpint(m->kind, ==, MEASURE_RTT);
        g_string_append_printf(text, "%s%s-%s", i ? " " : "", m->expected->from->name, m->expected->to->name);
    }
    return g_string_free(text, FALSE);
}

/* Answers the measurement between two vnodes; 'rtt' negative: nothing came back. */
static void answer(const struct verify_plan *p, const char *pair, int64_t rtt)
{
    const struct verify_options options = {.rtt_absolute = INT64_MAX};
    for (unsigned i = 0; i < p->measurements->len; i++) {
        const struct measurement *m = &g_array_index(p->measurements, struct measurement, i);
        g_autofree char *name = g_strdup_printf("%s-%s", m->expected->from->name, m->expected->to->name);
        if (!strcmp(name, pair)) {
            json_t *line = json_pack("{s:i, s:{s:I, s:I}}", "received", rtt < 0 ? 0 : 10, "rtt_ns", "median", (json_int_t)rtt,
                                     "mean", (json_int_t)0);
            g_assert_true(verify_judge(&options, m, line) == (rtt >= 0));
            json_decref(line);
            return;
        }
    }
    g_assert_not_reached();
}

static void test_pairs(void)
{
    AUTO_PLATFORM platform = make_platform(0);
    struct verify_plan p;
    calibrate_plan(platform, &p);
    g_autofree char *pairs = dump_pairs(&p);
    /* Round by round: no viface is in two pairs of one. */
    g_assert_cmpstr(pairs, ==, "a0-a1 a2-a3 b0-b1 a6-b3 a0-b0 a1-b1 a2-b2");
    g_assert_cmpuint(g_array_index(p.measurements, struct measurement, 3).round, ==, 0);
    g_assert_cmpuint(g_array_index(p.measurements, struct measurement, 4).round, ==, 1);
    verify_plan_clear(&p);
}

static void test_bases(void)
{
    AUTO_PLATFORM platform = make_platform(0);
    struct verify_plan p;
    calibrate_plan(platform, &p);
    answer(&p, "a0-a1", 4000 * US + 90 * US);
    answer(&p, "a2-a3", 4000 * US + 30 * US);
    answer(&p, "b0-b1", 4000 * US + 40 * US);
    answer(&p, "a0-b0", 4000 * US + 100 * US);
    answer(&p, "a1-b1", -1);
    answer(&p, "a2-b2", 4000 * US + 102 * US);
    answer(&p, "a6-b3", 1000 * US - 1 * US);
    AUTO_PLATFORM next = platform_copy(platform);
    platform_find_vnetwork(next, "own")->base_local = 7;
    calibrate_enter(&p, next);
    const struct vnetwork *net = platform_find_vnetwork(next, "net"), *own = platform_find_vnetwork(next, "own");
    const struct vnetwork *far = platform_find_vnetwork(next, "far");
    g_assert_cmpint(net->base_local, ==, 20 * US);
    g_assert_cmpint(net->base_remote, ==, 50 * US);
    /* Nobody to measure with; faster than can be. */
    g_assert_true(own->base_local == 0 && own->base_remote == 0);
    g_assert_true(far->base_local == 0 && far->base_remote == 0);
    json_t *bases = calibrate_json(next),
           *first = json_pack("{s:s, s:I, s:I}", "vnetwork", "net", "base_local_ns", 20 * US, "base_remote_ns", 50 * US);
    g_assert_cmpuint(json_array_size(bases), ==, 3);
    g_assert_true(json_equal(json_array_get(bases, 0), first));
    g_assert_true(json_is_null(json_object_get(json_array_get(bases, 1), "base_local_ns")));
    json_decref(first);
    json_decref(bases);
    verify_plan_clear(&p);
}

/* What is compensated already belongs to the base. */
static void test_again(void)
{
    AUTO_PLATFORM platform = make_platform(30 * US);
    struct verify_plan p;
    calibrate_plan(platform, &p);
    answer(&p, "a6-b3", 1000 * US + 34 * US);
    AUTO_PLATFORM next = platform_copy(platform);
    calibrate_enter(&p, next);
    g_assert_cmpint(platform_find_vnetwork(next, "far")->base_remote, ==, 32 * US);
    verify_plan_clear(&p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/calibrate/pairs", test_pairs);
    g_test_add_func("/calibrate/bases", test_bases);
    g_test_add_func("/calibrate/again", test_again);
    return g_test_run();
}
