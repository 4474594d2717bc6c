/* SPDX-License-Identifier: Apache-2.0 */
/* What a topology file means: the demo's figures, merging, ranges, and large platforms. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "distem/topology.h"
#include "distem/units.h"

/* Parses 'text', in which ' stands for ". */
static struct platform *parse(const char *text)
{
    AUTO_DIAGNOSTICS problems = {0};
    g_autofree char *json = g_strdelimit(g_strdup(text), "'", '"');
    struct platform *platform = topology_parse(json, strlen(json), "-", &problems);
    for (unsigned i = 0; i < diagnostics_count(&problems); i++) {
        g_test_message("%s", diagnostics_get(&problems, i)->message);
    }
    g_assert_nonnull(platform);
    return platform;
}

static struct platform *parse_example(const char *name)
{
    g_autofree char *path = g_build_filename(getenv("top_srcdir"), "examples", name, NULL);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return parse(text);
}

static const struct viface *viface(const struct platform *platform, const char *vnode, const char *name)
{
    const struct vnode *found = platform_find_vnode(platform, vnode);
    g_assert_nonnull(found);
    const struct viface *result = vnode_find_viface(found, name);
    g_assert_nonnull(result);
    return result;
}

/* The demo: out + in per interface, in ms, and bandwidths in bit/s. */
static void test_figure3(void)
{
    static const struct {
        const char *vnode, *viface, *vnetwork;
        int64_t latency;
        uint64_t output, input;
    } rows[] = {
        {"n1", "if0", "net1", 60, 1000000, 1000000},   {"n2", "if0", "net1", 0, 10000000, 5000000},
        {"n3", "if0", "net1", 20, 10000000, 10000000}, {"n3", "if1", "net2", 25, 20000000, 20000000},
        {"n4", "if0", "net2", 55, 150000, 300000},     {"n5", "if0", "net2", 70, 256000, 600000},
    };
    AUTO_PLATFORM platform = parse_example("figure3.json");
    g_assert_cmpuint(platform->vnodes->len, ==, 5);
    g_assert_cmpuint(platform->vnetworks->len, ==, 2);
    g_assert_cmpint(platform_find_vnode(platform, "n3")->gateway, ==, TRISTATE_YES);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        const struct viface *v = viface(platform, rows[i].vnode, rows[i].viface);
        g_assert_cmpstr(v->vnetwork->name, ==, rows[i].vnetwork);
        g_assert_cmpint(v->input.latency, ==, v->output.latency);
        g_assert_cmpint(v->input.latency + v->output.latency, ==, rows[i].latency * NS_PER_MS);
        g_assert_cmpuint(v->output.bandwidth, ==, rows[i].output);
        g_assert_cmpuint(v->input.bandwidth, ==, rows[i].input);
    }
}

/* The other ways to write a direction. */
static void test_directions(void)
{
    static const struct {
        const char *text;
        struct impairment expected;
    } cases[] = {
        {"{'bandwidth': '8kbit/s', 'queue': '10packets', 'aqm': 'codel', 'overhead': '-38B'}",
         {.bandwidth = 8000, .queue = 10, .queue_unit = QUEUE_PACKETS, .aqm = AQM_CODEL, .overhead = -38}},
        {"{'bandwidth': '8Mbit/s', 'queue': '50ms', 'aqm': 'droptail', 'framing': 'l2', 'cell': '10/12'}",
         {.bandwidth = 8000000,
          .queue = 50 * NS_PER_MS,
          .queue_unit = QUEUE_TIME,
          .framing = FRAMING_L2,
          .cell_payload = 10,
          .cell_size = 12}},
        {"{'bandwidth': '8Mbit/s', 'queue': '1 packet', 'cell': 'none', 'overhead': '4B'}",
         {.bandwidth = 8000000, .queue = 1, .queue_unit = QUEUE_PACKETS, .overhead = 4}},
        {"{'bandwidth': '8Mbit/s', 'queue': '0packets', 'cell': 'ptm'}",
         {.bandwidth = 8000000, .cell_payload = 64, .cell_size = 65}},
        {"{'latency': '1ms', 'jitter': '1ms', 'keep_order': true}", {.latency = 1000000, .jitter = 1000000, .keep_order = 1}},
        {"{'gilbert_enter': '1%', 'gilbert_leave': '2%', 'gilbert_bad_loss': '3%', 'gilbert_good_loss': '4%'}",
         {.gilbert_enter = 10000000, .gilbert_leave = 20000000, .gilbert_bad_loss = 30000000, .gilbert_good_loss = 40000000}},
        {"{'markov_p13': '1%', 'markov_p31': '2%', 'markov_p32': '3%', 'markov_p23': '4%', 'markov_p14': '5%'}",
         {.markov_p13 = 10000000, .markov_p31 = 20000000, .markov_p32 = 30000000, .markov_p23 = 40000000, .markov_p14 = 50000000}},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *quoted = g_strdelimit(g_strdup(cases[i].text), "'", '"');
        json_t *json = json_loads(quoted, 0, NULL), *written = NULL;
        struct diagnostics problems = {0};
        struct impairment found = {0}, again = {0};
        g_test_message("%s", cases[i].text);
        g_assert_true(impairment_from_json(json, "f", "", &found, &problems));
        g_assert_true(impairment_equal(&found, &cases[i].expected));
        written = impairment_to_json(&found);
        g_assert_true(impairment_from_json(written, "f", "", &again, &problems));
        g_assert_true(impairment_equal(&found, &again));
        json_decref(written);
        json_decref(json);
        diagnostics_clear(&problems);
    }
}

static void test_everything(void)
{
    AUTO_PLATFORM platform = parse(
        "{'vroutes': [{'from': 'a', 'to': 'b', 'via': 'n'}, {'from': 'b', 'to': 'fd09::/16', 'via': 'n'}],"
        " 'vnodes': {'n': {'image': '/srv/x', 'pnode': 'host1', 'where': {'site': 'nancy', 'rack': 'a'}, 'labels': {'site': 'p', "
        "'role': ''}, 'gateway': true, 'cpu': "
        "{'cores': 2, 'frequency': '1.5GHz'},"
        "   'memory': '1GiB', 'vifaces': {'y': {'vnetwork': 'b'}, 'x': {'vnetwork': 'a', 'ipv4': '10.0.0.7', 'ipv6': 'fd00::7', "
        "'mac':"
        "   '02:00:00:00:00:07', 'input': {'latency': '20ms', 'jitter': '2ms', 'distribution': 'paretonormal',"
        "   'latency_correlation': '25%', 'seed': 9, 'loss': '1%', 'loss_correlation': '2%', 'duplication': '3%', "
        "'duplication_correlation': "
        "'4%',"
        "   'corruption': '5%', 'corruption_correlation': '6%', 'reordering': '7%', 'reordering_correlation': '8%', "
        "'reordering_gap': 5,"
        "   'bandwidth': '10Mbit/s', 'framing': 'ip', 'overhead': '-0B', 'cell': 'atm', 'queue': '64kB', 'burst': '2kB'}}}}},"
        " 'vnetworks': {'a': {'ipv4': '10.0.0.0/24', 'ipv6': 'fd00::/64', 'vlan': 12, 'interface': 'eth1', 'mtu': 1400}, 'b': "
        "{'ipv6': "
        "'fd01::/64'}}, 'routing': 'latency', 'name': 'x', 'distem': 2}");
    const struct vnetwork *a = platform_vnetwork(platform, 0);
    const struct vnode *n = platform_vnode(platform, 0);
    const struct viface *x = vnode_viface(n, 1);
    const struct impairment expected = {
        .latency = 20 * NS_PER_MS,
        .jitter = 2 * NS_PER_MS,
        .distribution = DISTRIBUTION_PARETONORMAL,
        .latency_correlation = 250000000,
        .loss = 10000000,
        .loss_correlation = 20000000,
        .duplication = 30000000,
        .duplication_correlation = 40000000,
        .corruption = 50000000,
        .corruption_correlation = 60000000,
        .reordering = 70000000,
        .reordering_correlation = 80000000,
        .reordering_gap = 5,
        .seed = 9,
        .bandwidth = 10000000,
        .framing = FRAMING_IP,
        .cell_payload = 48,
        .cell_size = 53,
        .queue = 64000,
        .burst = 2000,
    };
    char text[IP_TEXT_SIZE], prefix[PREFIX_TEXT_SIZE];
    g_assert_cmpint(platform->routing, ==, ROUTING_LATENCY);
    g_assert_cmpint(a->transport, ==, TRANSPORT_VLAN);
    g_assert_cmpuint(a->vlan, ==, 12);
    g_assert_cmpstr(a->interface, ==, "eth1");
    g_assert_cmpuint(a->mtu, ==, 1400);
    g_assert_cmpstr(prefix_format(&a->ipv6, prefix), ==, "fd00::/64");
    g_assert_cmpstr(n->image, ==, "/srv/x");
    g_assert_cmpstr(n->pnode, ==, "host1");
    g_assert_cmpstr(n->where, ==, "rack=a,site=nancy");
    g_assert_cmpstr(n->labels, ==, "role=,site=p");
    g_assert_cmpuint(n->cores, ==, 2);
    g_assert_cmpuint(n->frequency, ==, 1500000000);
    g_assert_cmpuint(n->memory, ==, 1 << 30);
    g_assert_cmpstr(x->name, ==, "x");
    g_assert_cmpstr(ip_format(&x->ipv4, text), ==, "10.0.0.7");
    g_assert_cmpstr(ip_format(&x->ipv6, text), ==, "fd00::7");
    g_assert_cmpstr(mac_format(&x->mac, text), ==, "02:00:00:00:00:07");
    g_assert_true(impairment_equal(&x->input, &expected));
    g_assert_true(impairment_is_zero(&x->output));
    g_assert_true(platform_vroute(platform, 0)->to == platform_vnetwork(platform, 1));
    g_assert_cmpstr(prefix_format(&platform_vroute(platform, 1)->prefix, prefix), ==, "fd09::/16");
}

/* 'n' is on two vnetworks by its template, 'm' gets another one, 'plain' has only what is default. */
static const char merged[] =
    "{'distem': 2, 'name': 'x', 'vnetworks': {'a': {'ipv4': '10.0.0.0/24'}, 'b': {'ipv4': '10.0.1.0/24'}, 'c': {'ipv4': "
    "'10.0.2.0/24'}},"
    " 'defaults': {'vnode': {'memory': '64MiB', 'image': '/default', 'cpu': {'cores': 2, 'ratio': '50%'}},"
    "   'viface': {'vnetwork': 'a', 'both': {'loss': '1%', 'latency': '9ms'}}},"
    " 'templates': {'child': {'extends': 'parent', 'memory': '32MiB', 'vifaces': {'if0': {'input': {'latency': '2ms'}}}},"
    "   'parent': {'memory': '16MiB', 'image': '/parent', 'cpu': {'frequency': '1GHz'},"
    "     'vifaces': {'if0': {'both': {'latency': '1ms', 'bandwidth': '1Mbit/s'}}, 'if1': {'vnetwork': 'b'}}}},"
    " 'vnodes': {'plain': {'vifaces': {'x': {}}}, 'n': {'template': 'child', 'image': 'host',"
    "   'vifaces': {'if2': {'vnetwork': 'c', 'input': {'loss': '2%'}}, 'if0': {'output': {'bandwidth': '0bit/s'}}}},"
    "  'm': {'template': 'child', 'cpu': {'cores': 0}, 'memory': '0', 'vifaces': {'if0': {'both': {'latency': '3ms'}}}}}}";

static void assert_direction(const struct impairment *i, int64_t latency, uint32_t loss, uint64_t bandwidth)
{
    g_assert_cmpint(i->latency, ==, latency * NS_PER_MS);
    g_assert_cmpuint(i->loss, ==, (uint64_t)loss * 10000000);
    g_assert_cmpuint(i->bandwidth, ==, bandwidth * 1000000);
}

static void test_merge(void)
{
    AUTO_PLATFORM platform = parse(merged);
    const struct vnode *plain = platform_vnode(platform, 0), *n = platform_vnode(platform, 1), *m = platform_vnode(platform, 2);
    g_assert_cmpstr(plain->image, ==, "/default");
    g_assert_cmpuint(plain->cpu_ratio, ==, PPB_ONE / 2);
    assert_direction(&viface(platform, "plain", "x")->output, 9, 1, 0);
    g_assert_cmpstr(n->image, ==, "host");
    g_assert_cmpuint(n->memory, ==, 32 << 20);
    g_assert_cmpuint(n->cores, ==, 2);
    g_assert_cmpuint(n->frequency, ==, 1000000000); /* Instead of the default's ratio. */
    g_assert_cmpuint(n->cpu_ratio, ==, 0);
    g_assert_cmpuint(n->vifaces->len, ==, 3);
    g_assert_cmpstr(vnode_viface(n, 0)->name, ==, "if0");
    g_assert_cmpstr(vnode_viface(n, 2)->name, ==, "if2");
    assert_direction(&vnode_viface(n, 0)->input, 2, 1, 1);
    assert_direction(&vnode_viface(n, 0)->output, 1, 1, 0);
    assert_direction(&vnode_viface(n, 1)->input, 9, 1, 0);
    assert_direction(&vnode_viface(n, 2)->input, 9, 2, 0);
    assert_direction(&vnode_viface(n, 2)->output, 9, 1, 0);
    g_assert_cmpstr(m->image, ==, "/parent");
    g_assert_cmpuint(m->cores, ==, 0);
    g_assert_cmpuint(m->memory, ==, 0);
    /* A nearer "both" wins over a farther "input". */
    assert_direction(&vnode_viface(m, 0)->input, 3, 1, 1);
    assert_direction(&vnode_viface(m, 0)->output, 3, 1, 1);
}

/* Setting a property to zero takes along what depends on it. */
static void test_zero(void)
{
    AUTO_PLATFORM platform = parse("{'distem': 2, 'name': 'x', 'vnetworks': {'a': {'ipv4': '10.0.0.0/24'}}, 'defaults': {'viface': "
                                   "{'vnetwork': 'a', 'output': "
                                   "{'latency': '9ms', 'jitter': '1ms', 'distribution': 'normal', 'reordering': '1%', "
                                   "'reordering_gap': 2, 'bandwidth': '1Mbit/s', "
                                   "'queue': '64kB', 'loss': '1%', 'loss_correlation': '2%'}}}, 'vnodes': {'n': {'vifaces': {'x': "
                                   "{'output': {'latency': '0ms', "
                                   "'loss': '0%', 'bandwidth': '0'}}}}, 'm': {'vifaces': {'x': {'output': {'jitter': '0s'}}}}}}");
    g_assert_true(impairment_is_zero(&viface(platform, "n", "x")->output));
    const struct impairment *m = &viface(platform, "m", "x")->output;
    g_assert_cmpint(m->distribution, ==, DISTRIBUTION_UNIFORM);
    g_assert_cmpint(m->latency, ==, 9 * NS_PER_MS);
    g_assert_cmpuint(m->reordering_gap, ==, 2);
}

static void assert_names(const char *key, const char *body, const char *expected)
{
    g_autofree char *text = g_strdup_printf("{'distem': 2, 'name': 'x', 'vnodes': {'%s': {%s}}}", key, body);
    AUTO_PLATFORM platform = parse(text);
    g_autoptr(GString) names = g_string_new(NULL);
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        g_string_append_printf(names, "%s%s", i ? " " : "", platform_vnode(platform, i)->name);
    }
    g_assert_cmpstr(names->str, ==, expected);
}

/* What is 0 is not emulated, or the default, as a number and as a text, in a vnode as in a template that it goes over. */
static void test_zero_numbers(void)
{
    static const char *const keys[] = {"latency", "loss",     "bandwidth",   "queue",
                                       "burst",   "overhead", "duplication", "gilbert_enter"};
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        for (unsigned quoted = 0; quoted < 2; quoted++) {
            g_autofree char *text =
                g_strdup_printf("{'distem': 2, 'name': 'x', 'vnetworks': {'a': {'ipv4': '10.0.0.0/24'}}, 'vnodes': {'n': "
                                "{'memory': %s0%s, 'vifaces': "
                                "{'if0': {'vnetwork': 'a', 'output': {'%s': %s0%s}}}}}}",
                                quoted ? "'" : "", quoted ? "'" : "", keys[i], quoted ? "'" : "", quoted ? "'" : "");
            AUTO_PLATFORM platform = parse(text);
            g_assert_true(impairment_is_zero(&viface(platform, "n", "if0")->output));
        }
    }
}

/* A quantity that follows a trace is there, even where the trace is 0 at times. */
static void test_trace_is_given(void)
{
    AUTO_PLATFORM platform = parse(
        "{'distem': 2, 'name': 'x', 'traces': {'t': ['0 5ms', '1s 0', '2s 3ms']}, 'vnetworks': {'a': {'ipv4': '10.0.0.0/24'}},"
        " 'templates': {'base': {'vifaces': {'if0': {'vnetwork': 'a', 'output': {'latency': '9ms', 'reordering': '2%'}}}}},"
        " 'vnodes': {"
        "  'n': {'vifaces': {'if0': {'vnetwork': 'a', 'output': {'latency': {'trace': 't'}, 'reordering': '1%'}}}},"
        "  'm': {'template': 'base', 'vifaces': {'if0': {'output': {'latency': {'trace': 't'}}}}}}}");
    g_assert_cmpuint(viface(platform, "n", "if0")->output.reordering, ==, PPB_ONE / 100);
    g_assert_cmpint(viface(platform, "m", "if0")->output.latency, ==, 0);
    g_assert_cmpuint(viface(platform, "m", "if0")->output.latency_trace, !=, 0);
    g_assert_cmpuint(viface(platform, "m", "if0")->output.reordering, ==, PPB_ONE / 50);
}

static void test_names(void)
{
    assert_names("n", "", "n");
    assert_names("n[1-3]", "", "n1 n2 n3");
    assert_names("n[9-11]x", "", "n9x n10x n11x");
    assert_names("n[08-10]", "", "n08 n09 n10");
    assert_names("n[0-1]", "", "n0 n1");
    assert_names("n[7-7]", "", "n7");
    assert_names("r[1-2]c[1-3]", "", "r1c1 r1c2 r1c3 r2c1 r2c2 r2c3");
    assert_names("[1-2].a_b-c", "", "1.a_b-c 2.a_b-c");
    assert_names("worker", "'count': 3", "worker1 worker2 worker3");
    assert_names("worker", "'count': 1", "worker1");
}

static void test_large(void)
{
    AUTO_PLATFORM platform = parse("{'distem': 2, 'name': 'x', 'vnetworks': {'a': {'ipv4': '10.0.0.0/8'}, 'b': {'ipv6': "
                                   "'fd00::/64'}}, 'templates': {'t': {'memory': "
                                   "'64MiB', 'vifaces': {'if0': {'vnetwork': 'a', 'both': {'latency': '5ms', 'bandwidth': "
                                   "'10Mbit/s'}}}}}, 'vnodes': {'client[1-100000]': "
                                   "{'template': 't', 'vifaces': {'if1': {'vnetwork': 'b', 'output': {'loss': '1%'}}}}}}");
    g_assert_cmpuint(platform->vnodes->len, ==, 100000);
    g_assert_cmpstr(platform_vnode(platform, 99999)->name, ==, "client100000");
    g_autofree char *text = topology_write(platform);
    AUTO_DIAGNOSTICS problems = {0};
    AUTO_PLATFORM again = topology_parse(text, strlen(text), "-", &problems);
    g_assert_nonnull(again);
    g_assert_true(topology_equal(platform, again, NULL));
}

/* A vnode with many vifaces, over a template with many. */
static void test_many_vifaces(void)
{
    GString *nets = g_string_new("{'distem': 2, 'name': 'x', 'vnetworks': {"), *vifaces = g_string_new("");
    for (unsigned i = 0; i < 1000; i++) {
        g_string_append_printf(nets, "%s'net%u': {'ipv4': '10.%u.%u.0/24'}", i ? ", " : "", i, i / 256, i % 256);
        g_string_append_printf(vifaces, "%s'if%u': {'vnetwork': 'net%u'}", i ? ", " : "", i, i);
    }
    g_string_append_printf(nets,
                           "}, 'templates': {'t': {'vifaces': {%s}}}, 'vnodes': {'n[1-10]': {'template': 't', 'vifaces': {%s}}}}",
                           vifaces->str, vifaces->str);
    AUTO_PLATFORM platform = parse(nets->str);
    g_assert_cmpuint(platform_vnode(platform, 9)->vifaces->len, ==, 1000);
    g_assert_cmpstr(vnode_viface(platform_vnode(platform, 9), 999)->name, ==, "if999");
    g_string_free(nets, TRUE);
    g_string_free(vifaces, TRUE);
}

/* Impairments on their own, as REST bodies have them. */
static void test_impairment_json(void)
{
    struct impairment impairment = {.loss = 7}, untouched = impairment;
    AUTO_DIAGNOSTICS problems = {0};
    json_t *json = json_pack("{s:s, s:s, s:i}", "latency", "5ms", "reordering", "1%", "reordering_gap", 3);
    g_assert_true(impairment_from_json(json, NULL, "/input", &impairment, &problems));
    g_assert_cmpint(impairment.latency, ==, 5 * NS_PER_MS);
    g_assert_cmpuint(impairment.reordering_gap, ==, 3);
    g_assert_cmpuint(impairment.loss, ==, 0);
    json_t *back = impairment_to_json(&impairment);
    g_assert_true(json_equal(json, back));
    json_decref(back);
    json_decref(json);

    impairment = untouched;
    json = json_pack("{s:s, s:s}", "latency", "5", "los", "1%");
    g_assert_false(impairment_from_json(json, NULL, "/input", &impairment, &problems));
    g_assert_cmpuint(diagnostics_count(&problems), ==, 2);
    g_assert_cmpstr(diagnostics_get(&problems, 1)->pointer, ==, "/input/los");
    g_assert_true(impairment_equal(&impairment, &untouched));
    json_decref(json);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/topology/parse/figure3", test_figure3);
    g_test_add_func("/topology/parse/everything", test_everything);
    g_test_add_func("/topology/parse/directions", test_directions);
    g_test_add_func("/topology/parse/merge", test_merge);
    g_test_add_func("/topology/parse/zero", test_zero);
    g_test_add_func("/topology/parse/zero-numbers", test_zero_numbers);
    g_test_add_func("/topology/parse/trace-is-given", test_trace_is_given);
    g_test_add_func("/topology/parse/names", test_names);
    g_test_add_func("/topology/parse/large", test_large);
    g_test_add_func("/topology/parse/many-vifaces", test_many_vifaces);
    g_test_add_func("/topology/parse/impairment-json", test_impairment_json);
    return g_test_run();
}
