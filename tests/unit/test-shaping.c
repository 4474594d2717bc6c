/* SPDX-License-Identifier: Apache-2.0 */
/* Computed figures, jitter tables, fingerprints, and that each kind of qdisc is complete. */
#include <config.h>

#include <math.h>
#include <string.h>

#include <glib.h>

#include "distem/link.h"
#include "distem/units.h"
#include "src/link/distribution.h"
#include "src/link/qdisc.h"

#define MTU 1500
#define FRAME UINT64_C(1518)

static void test_queue(void)
{
    struct impairment i = {.bandwidth = 8000};
    g_assert_cmpuint(shaping_queue(&i, MTU), ==, 10 * FRAME);
    i.bandwidth = 100000000;
    g_assert_cmpuint(shaping_queue(&i, MTU), ==, 2500000);
    i.bandwidth = UINT64_C(1) << 61;
    g_assert_cmpuint(shaping_queue(&i, MTU), ==, 64 << 20);
    i.queue = 20000;
    g_assert_cmpuint(shaping_queue(&i, MTU), ==, 20000);
    i.queue = 1;
    g_assert_cmpuint(shaping_queue(&i, MTU), ==, FRAME);
    i.queue = UINT64_C(1) << 60;
    g_assert_cmpuint(shaping_queue(&i, MTU), ==, UINT32_MAX);
}

static void test_burst(void)
{
    struct impairment i = {.bandwidth = 1};
    g_assert_cmpuint(shaping_burst(&i, MTU), ==, 2 * FRAME);
    i.bandwidth = 10 * UINT64_C(1000000000);
    g_assert_cmpuint(shaping_burst(&i, MTU), ==, 1250000);
    i.bandwidth = UINT64_C(1) << 61;
    g_assert_cmpuint(shaping_burst(&i, MTU), ==, UINT32_MAX);
    i.burst = 10;
    g_assert_cmpuint(shaping_burst(&i, MTU), ==, FRAME);
    i.burst = 9000;
    g_assert_cmpuint(shaping_burst(&i, MTU), ==, 9000);
}

static void test_limit(void)
{
    struct impairment i = {.loss = 1};
    g_assert_cmpuint(shaping_limit(&i, MTU), ==, 1000);
    i.latency = 100 * NS_PER_MS;
    g_assert_cmpuint(shaping_limit(&i, MTU), ==, 201000);
    i.jitter = 10 * NS_PER_MS;
    g_assert_cmpuint(shaping_limit(&i, MTU), ==, 281000);
    i.bandwidth = 100000000;
    g_assert_cmpuint(shaping_limit(&i, MTU), ==, 281000 + 2500000 / 42);
    i.latency = i.jitter = (INT64_C(1) << 62) - 1;
    g_assert_cmpuint(shaping_limit(&i, MTU), ==, 10000000);
}

/* Mean and deviation of a table in jitters. */
static void moments(enum distribution distribution, double *ret_mean, double *ret_deviation)
{
    const int16_t *table = distribution_table(distribution);
    double sum = 0, squares = 0;
    for (unsigned i = 0; i < DISTRIBUTION_SIZE; i++) {
        double x = (double)table[i] / DISTRIBUTION_SCALE;
        sum += x;
        squares += x * x;
        g_assert_true(!i || table[i] >= table[i - 1]);
    }
    *ret_mean = sum / DISTRIBUTION_SIZE;
    *ret_deviation = sqrt(squares / DISTRIBUTION_SIZE - *ret_mean * *ret_mean);
}

static void test_distributions(void)
{
    static const double deviations[] = {
        [DISTRIBUTION_UNIFORM] = 0.57735, [DISTRIBUTION_NORMAL] = 1, [DISTRIBUTION_PARETO] = 1, [DISTRIBUTION_PARETONORMAL] = 1};
    for (unsigned d = 0; d < G_N_ELEMENTS(deviations); d++) {
        double mean, deviation;
        moments(d, &mean, &deviation);
        g_assert_cmpfloat(fabs(mean), <, 0.001);
        g_assert_cmpfloat(fabs(deviation / deviations[d] - 1), <, 0.001);
    }
    /* The normal one's quartile and its 97.5 %; pareto leans to the right. */
    g_assert_cmpfloat(fabs((double)distribution_table(DISTRIBUTION_NORMAL)[3072] / DISTRIBUTION_SCALE - 0.6745), <, 0.001);
    g_assert_cmpfloat(fabs((double)distribution_table(DISTRIBUTION_NORMAL)[3994] / DISTRIBUTION_SCALE - 1.96), <, 0.01);
    g_assert_cmpint(distribution_table(DISTRIBUTION_PARETO)[0], >, -DISTRIBUTION_SCALE);
    g_assert_cmpint(distribution_table(DISTRIBUTION_PARETO)[DISTRIBUTION_SIZE - 1], ==, INT16_MAX);
}

static void test_kinds(void)
{
    static const struct qdisc_ops *const kinds[] = {&qdisc_netem, &qdisc_tbf};
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_assert_nonnull(kinds[i]->kind);
        g_assert_nonnull(kinds[i]->module);
        g_assert_cmpuint(kinds[i]->handle, !=, 0);
        g_assert_cmpuint(kinds[i]->handle & 0xffff, ==, 0);
        g_assert_nonnull(kinds[i]->put_options);
        g_assert_nonnull(kinds[i]->has_options);
    }
}

/* What is written is within the room that a kind asks for, and, read back, is taken for what was wanted, and for nothing else. */
static void test_options(void)
{
    static const struct qdisc_ops *const kinds[] = {&qdisc_netem, &qdisc_tbf};
    const struct impairment all = {.latency = 20000001,
                                   .loss = 5000000,
                                   .loss_correlation = 1,
                                   .duplication = 3,
                                   .corruption = 4,
                                   .reordering = 5,
                                   .bandwidth = UINT64_C(80000000000),
                                   .queue = 100000};
    struct impairment other = all;
    other.latency++;
    other.bandwidth += 8;
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        struct nl_msg *message = rtnl_message(0, 0, "", 0, NLA_HDRLEN + kinds[i]->options_size);
        struct nlattr *nest = rtnl_nest(message, 1);
        kinds[i]->put_options(message, &all, MTU);
        nla_nest_end(message, nest);
        if (kinds[i] == &qdisc_netem) {
            g_assert_true(kinds[i]->has_options(nest, &all, MTU));
        }
        g_assert_false(kinds[i]->has_options(nest, &other, MTU));
        nlmsg_free(message);
    }
    struct impairment jittery = all;
    jittery.jitter = 1000;
    struct nl_msg *message = rtnl_message(0, 0, "", 0, NLA_HDRLEN + qdisc_netem.options_size);
    struct nlattr *nest = rtnl_nest(message, 1);
    qdisc_netem.put_options(message, &jittery, MTU);
    nla_nest_end(message, nest);
    g_assert_false(qdisc_netem.has_options(nest, &jittery, MTU)); /* Its table cannot be read back. */
    nlmsg_free(message);
}

/* Every field that matters changes the fingerprint. */
static void test_fingerprint(void)
{
    AUTO_PLATFORM platform = platform_new("p");
    struct vnetwork *net = platform_add_vnetwork(platform, "net");
    g_assert_true(prefix_parse("10.0.0.0/24", &net->ipv4, NULL));
    struct vnode *vnode = platform_add_vnode(platform, "n");
    struct viface *viface = vnode_add_viface(vnode, "if0", net);
    struct route route = {.via = prefix_host(&net->ipv4, 1)};
    vnode->routes = g_array_new(FALSE, TRUE, sizeof route);
    g_array_append_val(vnode->routes, route);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_add(seen, link_fingerprint(vnode, 1500, false));
    g_assert_false(g_hash_table_add(seen, link_fingerprint(vnode, 1500, false)));
    g_assert_true(g_hash_table_add(seen, link_fingerprint(vnode, 1400, false)));
    g_assert_true(g_hash_table_add(seen, link_fingerprint(vnode, 1500, true)));
    vnode->memory = 1; /* Not the network's business. */
    g_assert_false(g_hash_table_add(seen, link_fingerprint(vnode, 1500, false)));
    struct impairment *i = &viface->output;
    int64_t *const times[] = {&i->latency, &i->jitter};
    uint32_t *const parts[] = {&i->latency_correlation,
                               &i->loss,
                               &i->loss_correlation,
                               &i->duplication,
                               &i->duplication_correlation,
                               &i->corruption,
                               &i->corruption_correlation,
                               &i->reordering,
                               &i->reordering_correlation,
                               &i->reordering_gap,
                               &viface->id,
                               &viface->input.loss};
    uint64_t *const sizes[] = {&i->bandwidth, &i->queue, &i->burst};
    uint8_t *const bytes[] = {&viface->mac.bytes[5], &viface->ipv4.family, &viface->ipv6.family, &net->ipv4.length,
                              &g_array_index(vnode->routes, struct route, 0).via.bytes[3]};
    for (unsigned n = 0; n < G_N_ELEMENTS(times); n++) {
        g_assert_true((++*times[n], g_hash_table_add(seen, link_fingerprint(vnode, 1500, false))));
    }
    for (unsigned n = 0; n < G_N_ELEMENTS(parts); n++) {
        g_assert_true((++*parts[n], g_hash_table_add(seen, link_fingerprint(vnode, 1500, false))));
    }
    for (unsigned n = 0; n < G_N_ELEMENTS(sizes); n++) {
        g_assert_true((++*sizes[n], g_hash_table_add(seen, link_fingerprint(vnode, 1500, false))));
    }
    for (unsigned n = 0; n < G_N_ELEMENTS(bytes); n++) {
        *bytes[n] = *bytes[n] ? (uint8_t)(*bytes[n] + 1) : 4;
        g_assert_true(g_hash_table_add(seen, link_fingerprint(vnode, 1500, false)));
    }
    vnode->forwards = true;
    i->distribution = DISTRIBUTION_PARETO;
    g_assert_true(g_hash_table_add(seen, link_fingerprint(vnode, 1500, false)));
}

static void test_names(void)
{
    char name[16];
    link_veth_name(UINT32_MAX, name);
    g_assert_cmpstr(name, ==, "dv4294967295");
    link_ifb_name(1, name);
    g_assert_cmpstr(name, ==, "di1");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/shaping/queue", test_queue);
    g_test_add_func("/shaping/burst", test_burst);
    g_test_add_func("/shaping/limit", test_limit);
    g_test_add_func("/shaping/distributions", test_distributions);
    g_test_add_func("/qdisc/kinds", test_kinds);
    g_test_add_func("/qdisc/options", test_options);
    g_test_add_func("/link/fingerprint", test_fingerprint);
    g_test_add_func("/link/names", test_names);
    return g_test_run();
}
