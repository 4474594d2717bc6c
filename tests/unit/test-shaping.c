/* SPDX-License-Identifier: Apache-2.0 */
/* Computed figures, jitter tables, fingerprints, and that each kind of qdisc is complete. */
#include <config.h>

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <math.h>
#include <string.h>

#include <glib.h>

#include "distem/link.h"
#include "distem/units.h"
#include "src/link/distribution.h"
#include "src/link/rate.h"
#include "src/link/stab.h"

#define MTU 1500
#define FRAME UINT64_C(1542) /* With a VLAN tag, FCS, preamble and gap. */

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
    g_assert_cmpuint(shaping_queue_packets(&i, MTU), ==, 13);
    i.queue = 1;
    g_assert_cmpuint(shaping_queue(&i, MTU), ==, FRAME);
    i.queue_unit = QUEUE_PACKETS;
    i.queue = 11;
    g_assert_cmpuint(shaping_queue_packets(&i, MTU), ==, 11);
    g_assert_cmpuint(shaping_queue(&i, MTU), ==, 11 * FRAME);
    i.queue_unit = QUEUE_TIME;
    i.bandwidth = 10000000;
    i.queue = 50 * NS_PER_MS;
    g_assert_cmpuint(shaping_queue(&i, MTU), ==, 62500);
    i.queue_unit = QUEUE_BYTES;
    i.queue = UINT64_C(1) << 60;
    g_assert_cmpuint(shaping_queue(&i, MTU), ==, UINT32_MAX);
}

static void test_burst(void)
{
    struct impairment i = {.bandwidth = 1};
    g_assert_cmpuint(shaping_burst(&i, MTU), ==, FRAME);
    i.bandwidth = 10 * UINT64_C(1000000000);
    g_assert_cmpuint(shaping_burst(&i, MTU), ==, 312500 + FRAME);
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
    const struct qdisc_ops *const kinds[] = {&qdisc_netem,
                                             &qdisc_htb,
                                             qdisc_queue(&(struct impairment){0}),
                                             qdisc_queue(&(struct impairment){.queue_unit = QUEUE_PACKETS}),
                                             qdisc_queue(&(struct impairment){.aqm = AQM_CODEL}),
                                             qdisc_queue(&(struct impairment){.aqm = AQM_FQ_CODEL}),
                                             qdisc_queue(&(struct impairment){.aqm = AQM_PIE})};
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_assert_nonnull(kinds[i]->kind);
        g_assert_nonnull(kinds[i]->module);
        g_assert_cmpuint(kinds[i]->handle, !=, 0);
        g_assert_cmpuint(kinds[i]->handle & 0xffff, ==, 0);
        g_assert_nonnull(kinds[i]->put_options);
        g_assert_nonnull(kinds[i]->has_options);
        for (unsigned n = 0; n < i; n++) { /* One may be put in another's place. */
            g_assert_cmpuint(kinds[n]->handle, !=, kinds[i]->handle);
        }
    }
}

/* Says whether 'ops' takes what it wrote for 'written' as what is wanted for 'asked'. */
static bool takes(const struct qdisc_ops *ops, const struct impairment *written, const struct impairment *asked)
{
    struct nl_msg *message = rtnl_message(0, 0, "", 0, NLA_HDRLEN + ops->options_size); /* More would end the program. */
    struct nlattr *nest = rtnl_nest(message, 1);
    ops->put_options(message, written, MTU);
    nla_nest_end(message, nest);
    bool taken = ops->has_options(nest, asked, MTU);
    nlmsg_free(message);
    return taken;
}

static bool takes_class(const struct impairment *written, const struct impairment *asked)
{
    struct nl_msg *message = rtnl_message(0, 0, "", 0, 256);
    rate_put_class(message, written, MTU);
    bool taken = rate_has_class(nlmsg_find_attr(nlmsg_hdr(message), 0, TCA_OPTIONS), asked, MTU);
    nlmsg_free(message);
    return taken;
}

static bool takes_stab(const struct impairment *written, const struct impairment *asked)
{
    struct nl_msg *message = rtnl_message(0, 0, "", 0, STAB_SIZE);
    stab_put(message, written);
    bool taken = stab_is(nlmsg_find_attr(nlmsg_hdr(message), 0, TCA_STAB), asked);
    nlmsg_free(message);
    return taken;
}

/* What is written, read back, is taken for what was wanted, and for nothing else. */
static void test_options(void)
{
    const struct impairment all = {.latency = 20000001,
                                   .loss = 5000000,
                                   .loss_correlation = 1,
                                   .duplication = 3,
                                   .corruption = 4,
                                   .reordering = 5,
                                   .bandwidth = UINT64_C(80000000000),
                                   .queue = 100000};
    static const struct impairment others[] = {{.latency = 20000002},
                                               {.loss = 1},
                                               {.gilbert_enter = 5000000, .gilbert_leave = 5},
                                               {.markov_p14 = 5000000},
                                               {.keep_order = 1}};
    for (unsigned i = 0; i < G_N_ELEMENTS(others); i++) {
        g_assert_true(takes(&qdisc_netem, &others[i], &others[i]));
        g_assert_false(takes(&qdisc_netem, &all, &others[i]));
        g_assert_false(takes(&qdisc_netem, &others[i], &all));
    }
    g_assert_true(takes(&qdisc_netem, &all, &all));
    struct impairment other = all;
    other.seed = 7;
    g_assert_false(takes(&qdisc_netem, &all, &other));
    g_assert_true(takes(&qdisc_netem, &other, &other));
    other.jitter = 1000;
    g_assert_false(takes(&qdisc_netem, &other, &other)); /* Its table cannot be read back. */
    other = all;
    other.queue++;
    g_assert_true(takes(qdisc_queue(&all), &all, &all));
    g_assert_false(takes(qdisc_queue(&all), &all, &other));
    struct impairment managed = {.bandwidth = 8000000, .aqm = AQM_PIE, .queue_unit = QUEUE_PACKETS, .queue = 100};
    g_assert_true(takes(qdisc_queue(&managed), &managed, &managed));
    other = managed;
    other.queue++;
    g_assert_false(takes(qdisc_queue(&managed), &managed, &other));
    other = all;
    g_assert_true(takes_class(&all, &all));
    other.bandwidth += 8;
    g_assert_false(takes_class(&all, &other));
    other = all;
    other.burst = 100000;
    g_assert_false(takes_class(&all, &other));
}

/* The size table makes the bytes that a framing counts. */
static void test_framing(void)
{
    static const struct {
        struct impairment impairment;
        unsigned frame;
        uint64_t counted;
    } cases[] = {
        {{0}, 1514, 1538},
        {{.framing = FRAMING_L2}, 1514, 1514},
        {{.framing = FRAMING_IP}, 1514, 1500},
        {{.framing = FRAMING_IP, .overhead = -100}, 1514, 1500}, /* Never less than the packet. */
        {{.overhead = -38}, 1514, 1500},
        {{.overhead = 10}, 64, 98},
        {{.framing = FRAMING_IP, .cell_payload = 48, .cell_size = 53}, 14 + 48, 53},
        {{.framing = FRAMING_IP, .cell_payload = 48, .cell_size = 53}, 14 + 49, 106},
        {{.framing = FRAMING_IP, .cell_payload = 48, .cell_size = 53}, 14 + 1500, UINT64_C(32) * 53},
        {{.framing = FRAMING_IP, .cell_payload = 1, .cell_size = 2000}, 14 + 1500, UINT64_C(1500) * 2000},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct impairment written = cases[i].impairment;
        written.bandwidth = 8000;
        g_assert_cmpuint(impairment_counted(&written, cases[i].frame), ==, cases[i].counted);
        for (unsigned n = 0; n < G_N_ELEMENTS(cases); n++) {
            struct impairment asked = cases[n].impairment;
            asked.bandwidth = 16000;
            bool same = impairment_overhead(&written) == impairment_overhead(&asked) && written.cell_payload == asked.cell_payload;
            g_assert_true(takes_stab(&written, &asked) == same);
        }
        written.bandwidth = 0;
        g_assert_true(takes_stab(&written, &(struct impairment){0}));
    }
}

/* What the kernel makes of a table is what is meant, for every size of frame. */
static void test_cells(void)
{
    static const struct impairment atm = {.bandwidth = 8000, .overhead = 8, .cell_payload = 48, .cell_size = 53};
    struct nl_msg *message = rtnl_message(0, 0, "", 0, STAB_SIZE);
    stab_put(message, &atm);
    struct nlattr *stab = nlmsg_find_attr(nlmsg_hdr(message), 0, TCA_STAB);
    const struct tc_sizespec *spec = nla_data(nla_find(nla_data(stab), nla_len(stab), TCA_STAB_BASE));
    const uint16_t *table = nla_data(nla_find(nla_data(stab), nla_len(stab), TCA_STAB_DATA));
    for (unsigned frame = 14; frame < 65550; frame++) {
        unsigned slot = frame + (unsigned)(spec->overhead + spec->cell_align), whole = slot / spec->tsize;
        uint64_t counted = (uint64_t)table[spec->tsize - 1] * whole + table[slot % spec->tsize];
        g_assert_cmpuint(counted, ==, impairment_counted(&atm, frame));
    }
    nlmsg_free(message);
}

/* Losses by a model are as many as a long run of it loses. */
static void test_models(void)
{
    static const struct {
        struct impairment impairment;
        double loss;
    } cases[] = {
        {{.loss = PPB_ONE / 4}, 0.25},
        {{.gilbert_enter = PPB_ONE / 100, .gilbert_leave = PPB_ONE / 10}, 1.0 / 11},
        {{.gilbert_enter = PPB_ONE / 100,
          .gilbert_leave = PPB_ONE / 100,
          .gilbert_bad_loss = PPB_ONE / 2,
          .gilbert_good_loss = PPB_ONE / 10},
         0.3},
        {{.markov_p14 = PPB_ONE / 4}, 0.2},
        {{.markov_p13 = PPB_ONE / 10, .markov_p31 = PPB_ONE / 5, .markov_p32 = PPB_ONE / 5, .markov_p23 = PPB_ONE / 5}, 0.25},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpfloat_with_epsilon(impairment_loss(&cases[i].impairment), cases[i].loss, 1e-6);
    }
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
                               &i->keep_order,
                               &i->gilbert_enter,
                               &i->gilbert_leave,
                               &i->gilbert_bad_loss,
                               &i->gilbert_good_loss,
                               &i->markov_p13,
                               &i->markov_p31,
                               &i->markov_p32,
                               &i->markov_p23,
                               &i->markov_p14,
                               &i->seed,
                               &i->cell_payload,
                               &i->cell_size,
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
    i->framing = FRAMING_IP;
    g_assert_true(g_hash_table_add(seen, link_fingerprint(vnode, 1500, false)));
    i->overhead = -1;
    g_assert_true(g_hash_table_add(seen, link_fingerprint(vnode, 1500, false)));
    i->queue_unit = QUEUE_TIME;
    g_assert_true(g_hash_table_add(seen, link_fingerprint(vnode, 1500, false)));
    i->aqm = AQM_PIE;
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
    g_test_add_func("/qdisc/framing", test_framing);
    g_test_add_func("/qdisc/cells", test_cells);
    g_test_add_func("/shaping/models", test_models);
    g_test_add_func("/link/fingerprint", test_fingerprint);
    g_test_add_func("/link/names", test_names);
    return g_test_run();
}
