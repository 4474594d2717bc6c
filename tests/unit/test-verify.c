/* SPDX-License-Identifier: Apache-2.0 */
/* Which measurements a verification makes, and how it judges their answers. */
#include <config.h>

#include <string.h>

#include "distem/error.h"
#include "distem/plan.h"
#include "distem/topology.h"
#include "distem/units.h"
#include "src/coordinator/verify.h"

/* Three vnodes in a row; b forwards. a loses packets, b - c has jitter. */
static const char topology[] =
    "{\"distem\": 2, \"name\": \"row\","
    " \"vnetworks\": {\"x\": {\"ipv4\": \"10.0.1.0/24\"}, \"y\": {\"ipv4\": \"10.0.2.0/24\"}},"
    " \"vnodes\": {"
    "  \"a\": {\"vifaces\": {\"if0\": {\"vnetwork\": \"x\", \"output\": {\"latency\": \"10ms\", \"bandwidth\": "
    "\"1Mbit/s\"}, \"input\": {\"loss\": \"1%\"}}}},"
    "  \"b\": {\"gateway\": true, \"vifaces\": {\"if0\": {\"vnetwork\": \"x\"}, \"if1\": {\"vnetwork\": \"y\"}}},"
    "  \"c\": {\"vifaces\": {\"if0\": {\"vnetwork\": \"y\", \"output\": {\"bandwidth\": \"2Mbit/s\"}}}}}}";

static struct platform *make_platform(void)
{
    AUTO_DIAGNOSTICS problems = {0};
    AUTO_PLATFORM asked = topology_parse(topology, strlen(topology), NULL, &problems);
    g_assert_nonnull(asked);
    g_autoptr(GPtrArray) pnodes = g_ptr_array_new_with_free_func((GDestroyNotify)pnode_free);
    struct pnode *pnode = pnode_new("here");
    pnode->cores = 1;
    pnode->memory = 1 << 30;
    g_ptr_array_add(pnodes, pnode);
    struct platform *planned = plan(asked, NULL, pnodes, &problems, NULL);
    g_assert_nonnull(planned);
    return planned;
}

static char *netns(const struct vnode *vnode, void *aux G_GNUC_UNUSED)
{
    return g_strdup_printf("/ns/%s", vnode->name);
}

static struct verify_options parse_options(const char *text)
{
    json_t *body = json_loads(text, 0, NULL);
    struct verify_options options;
    g_autoptr(GError) error = NULL;
    g_assert_true(verify_options_parse(body, &options, &error));
    json_decref(body);
    options.pairs = NULL;
    return options;
}

static void test_measurements(void)
{
    AUTO_PLATFORM platform = make_platform();
    struct verify_options options = parse_options("{}");
    struct verify_plan p = {0};
    g_assert_true(verify_plan_make(platform, &options, netns, NULL, &p, NULL));
    unsigned kinds[3] = {0};
    for (unsigned i = 0; i < p.measurements->len; i++) {
        kinds[g_array_index(p.measurements, struct measurement, i).kind]++;
    }
    g_assert_cmpuint(kinds[MEASURE_RTT], ==, 3);
    /* a's input loses what comes from b and from c. */
    g_assert_cmpuint(kinds[MEASURE_LOSS], ==, 2);
    /* Only c -> b has a bandwidth and no loss on either way. */
    g_assert_cmpuint(kinds[MEASURE_GOODPUT], ==, 1);
    g_assert_cmpstr(json_string_value(json_object_get(json_object_get(p.input, "netns"), "a")), ==, "/ns/a");
    g_assert_cmpuint(p.unreachable, ==, 0);
    verify_plan_clear(&p);
}

static void test_unreachable(void)
{
    AUTO_PLATFORM platform = make_platform();
    struct vnode *gateway = platform_find_vnode(platform, "b");
    gateway->forwards = false;
    struct verify_options options = parse_options("{\"kinds\": [\"rtt\"]}");
    struct verify_plan p = {0};
    g_assert_true(verify_plan_make(platform, &options, netns, NULL, &p, NULL));
    g_assert_cmpuint(p.unreachable, ==, 1);
    g_assert_cmpuint(p.measurements->len, ==, 2);
    g_assert_cmpuint(json_array_size(p.results), ==, 3);
    verify_plan_clear(&p);
}

static void test_refusals(void)
{
    static const char *const bodies[] = {
        "{\"kinds\": []}",
        "{\"kinds\": [\"speed\"]}",
        "{\"sample\": 0}",
        "{\"tolerance\": {\"x\": 1}}",
        "{\"tolerance\": {\"rtt\": 2}}",
        "{\"pairs\": 7}",
        "{\"colour\": true}",
        "{\"seed\": -1}",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(bodies); i++) {
        json_t *body = json_loads(bodies[i], 0, NULL);
        struct verify_options options;
        g_autoptr(GError) error = NULL;
        g_assert_false(verify_options_parse(body, &options, &error));
        g_assert_error(error, DISTEM_ERROR, DISTEM_ERROR_INVALID);
        json_decref(body);
    }
}

/* Judges 'answer' to an RTT, goodput or loss measurement of what 'expected' says. */
static bool judge(enum measure kind, struct expectation expected, const char *answer_text)
{
    struct verify_options options = parse_options("{}");
    json_t *result = json_object(), *answer = json_loads(answer_text, 0, NULL);
    struct measurement m = {.kind = kind, .expected = &expected, .result = result};
    bool pass = verify_judge(&options, &m, answer);
    static const char *const names[] = {[MEASURE_RTT] = "rtt", [MEASURE_GOODPUT] = "goodput", [MEASURE_LOSS] = "loss"};
    g_assert_true(json_is_true(json_object_get(json_object_get(result, names[kind]), "pass")) == pass);
    json_decref(result);
    json_decref(answer);
    return pass;
}

static void test_judge(void)
{
    struct expectation rtt = {.rtt = 100 * NS_PER_MS};
    g_assert_true(judge(MEASURE_RTT, rtt, "{\"received\": 10, \"rtt_ns\": {\"median\": 100900000}}"));
    g_assert_false(judge(MEASURE_RTT, rtt, "{\"received\": 10, \"rtt_ns\": {\"median\": 101100000}}"));
    g_assert_false(judge(MEASURE_RTT, rtt, "{\"received\": 0, \"rtt_ns\": {}}"));
    g_assert_false(judge(MEASURE_RTT, rtt, "{\"error\": \"no route\"}"));
    struct expectation near = {.rtt = 0};
    g_assert_true(judge(MEASURE_RTT, near, "{\"received\": 10, \"rtt_ns\": {\"median\": 290000}}"));
    g_assert_false(judge(MEASURE_RTT, near, "{\"received\": 10, \"rtt_ns\": {\"median\": 310000}}"));
    struct expectation goodput = {.goodput = 1e6};
    g_assert_true(judge(MEASURE_GOODPUT, goodput, "{\"goodput\": 971000}"));
    g_assert_false(judge(MEASURE_GOODPUT, goodput, "{\"goodput\": 1031000}"));
    struct expectation loss = {.loss = PPB_ONE / 10};
    g_assert_true(judge(MEASURE_LOSS, loss, "{\"sent\": 1000, \"received\": 900}"));
    g_assert_true(judge(MEASURE_LOSS, loss, "{\"sent\": 1000, \"received\": 930}"));
    g_assert_false(judge(MEASURE_LOSS, loss, "{\"sent\": 1000, \"received\": 1000}"));
    g_assert_false(judge(MEASURE_LOSS, loss, "{\"sent\": 1000, \"received\": 850}"));
}

static void test_sample(void)
{
    AUTO_PLATFORM platform = platform_new("many");
    struct vnetwork *vnetwork = platform_add_vnetwork(platform, "net");
    g_assert_true(prefix_parse("10.0.0.0/16", &vnetwork->ipv4, NULL));
    vnetwork->id = 1;
    for (unsigned i = 0; i < 100; i++) {
        g_autofree char *name = g_strdup_printf("n%u", i);
        struct vnode *vnode = platform_add_vnode(platform, name);
        vnode->id = 2 + i;
        struct viface *viface = vnode_add_viface(vnode, "if0", vnetwork);
        viface->id = 1000 + i;
        viface->ipv4 = prefix_host(&vnetwork->ipv4, i);
    }
    struct verify_options options = parse_options("{\"kinds\": [\"rtt\"]}");
    struct verify_plan one = {0}, two = {0};
    g_assert_true(verify_plan_make(platform, &options, netns, NULL, &one, NULL));
    g_assert_cmpuint(one.measurements->len, ==, VERIFY_PAIRS_DEFAULT);
    g_assert_true(verify_plan_make(platform, &options, netns, NULL, &two, NULL));
    g_assert_true(json_equal(one.input, two.input));
    verify_plan_clear(&one);
    verify_plan_clear(&two);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/verify/measurements", test_measurements);
    g_test_add_func("/verify/unreachable", test_unreachable);
    g_test_add_func("/verify/refusals", test_refusals);
    g_test_add_func("/verify/judge", test_judge);
    g_test_add_func("/verify/sample", test_sample);
    return g_test_run();
}
