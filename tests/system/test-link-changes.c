/* SPDX-License-Identifier: Apache-2.0 */
/* Setting one property never loses another: a direction is changed at random, property by property, as a user would, and after each
 * change all that the kernel tells of its qdiscs is what the properties say. What is compared is read here anew, not by the code
 * that writes it. */
#include <config.h>

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <math.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>
#include <jansson.h>

#include "distem/topology.h"
#include "distem/units.h"

#include "link-world.h"
#include "src/link/shape.h"

#define CHANGES 10000
#define NATIVE_CHANGES 300 /* Where no clock is exact, and so none is fast. */

/* A property and values that it may get; NULL takes it away. */
static const struct {
    const char *key, *values[5];
} choices[] = {
    {"latency", {NULL, "10us", "20ms", "1.000001ms", "60s"}},
    {"jitter", {NULL, "1us", "10us", "5ms", NULL}},
    {"distribution", {NULL, "normal", "pareto", "paretonormal", "uniform"}},
    {"latency_correlation", {NULL, "25%", NULL, "99%", NULL}},
    {"keep_order", {NULL, "true", "false", NULL, "true"}},
    {"loss", {NULL, "0.0000001%", "1%", "100%", NULL}},
    {"loss_correlation", {NULL, "10%", NULL, "90%", NULL}},
    {"gilbert_enter", {NULL, "1%", NULL, NULL, NULL}},
    {"gilbert_leave", {NULL, "20%", "30%", NULL, NULL}},
    {"gilbert_bad_loss", {NULL, "70%", NULL, NULL, NULL}},
    {"gilbert_good_loss", {NULL, "1%", NULL, NULL, NULL}},
    {"markov_p14", {NULL, "2%", NULL, NULL, NULL}},
    {"duplication", {NULL, "1%", "3%", NULL, NULL}},
    {"duplication_correlation", {NULL, "10%", NULL, NULL, NULL}},
    {"corruption", {NULL, "1%", "0.5%", NULL, NULL}},
    {"corruption_correlation", {NULL, "10%", NULL, NULL, NULL}},
    {"reordering", {NULL, "25%", NULL, "1%", NULL}},
    {"reordering_correlation", {NULL, "50%", NULL, NULL, NULL}},
    {"bandwidth", {NULL, "1kbit/s", "56kbit/s", "100Mbit/s", "10Gbit/s"}},
    {"framing", {NULL, "l2", "ip", "ethernet", NULL}},
    {"overhead", {NULL, "4B", "-14B", "100B", NULL}},
    {"cell", {NULL, "atm", "48/60", "ptm", NULL}},
    {"queue", {NULL, "10packets", "64kB", "2s", "1000packets"}},
    {"aqm", {NULL, "codel", "fq_codel", "pie", "droptail"}},
    {"burst", {NULL, "20kB", "1MiB", NULL, NULL}},
};

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * MAX(fabs(a), fabs(b)) + 2;
}

static double parts(uint32_t ppb)
{
    return (double)ppb / PPB_ONE * UINT32_MAX;
}

static struct nlattr *attribute(const struct nlattr *nest, int skip, int type)
{
    return nla_find((struct nlattr *)((char *)nla_data(nest) + skip), nla_len(nest) - skip, type);
}

/* Copies an attribute's content; zeros where it is not there. */
static void content(const struct nlattr *nest, int skip, int type, void *ret, size_t size)
{
    const struct nlattr *found = nest ? attribute(nest, skip, type) : NULL;
    memset(ret, 0, size);
    if (found && (size_t)nla_len(found) >= size) {
        memcpy(ret, nla_data(found), size);
    }
}

static void check_loss_model(const struct nlattr *netem, int base, const struct impairment *i)
{
    struct nlattr *model = attribute(netem, base, TCA_NETEM_LOSS);
    struct tc_netem_gemodel two;
    struct tc_netem_gimodel four;
    content(model, 0, NETEM_LOSS_GE, &two, sizeof two);
    content(model, 0, NETEM_LOSS_GI, &four, sizeof four);
    g_assert_true(near(four.p14, parts(i->markov_p14)));
    g_assert_cmpuint(four.p13, ==, 0);
    if (i->gilbert_enter) {
        g_assert_true(near(two.p, parts(i->gilbert_enter)) && near(two.r, parts(i->gilbert_leave)));
        g_assert_true(near(two.h, i->gilbert_bad_loss ? UINT32_MAX - parts(i->gilbert_bad_loss) : 0));
        g_assert_true(near(two.k1, parts(i->gilbert_good_loss)));
    } else if (i->loss && i->loss < PPB_ONE && i->loss_correlation) {
        double loss = (double)two.p / ((double)two.p + two.r);
        g_assert_cmpfloat(fabs(loss - (double)i->loss / PPB_ONE), <, 0.01);
        g_assert_true(fabs(1 - ((double)two.p + two.r) / UINT32_MAX - (double)i->loss_correlation / PPB_ONE) < 0.001);
    } else {
        g_assert_cmpuint(two.r, ==, 0);
    }
}

static void check_netem(const struct qdisc *root, const struct impairment *i)
{
    struct tc_netem_qopt options;
    int base = NLA_ALIGN((int)sizeof options);
    int64_t latency, jitter;
    struct tc_netem_corr correlation;
    struct tc_netem_reorder reorder;
    struct tc_netem_corrupt corrupt;
    struct tc_netem_rate rate;
    g_assert_cmpstr(root->kind, ==, "netem");
    memcpy(&options, nla_data(root->options), sizeof options);
    content(root->options, base, TCA_NETEM_LATENCY64, &latency, sizeof latency);
    content(root->options, base, TCA_NETEM_JITTER64, &jitter, sizeof jitter);
    content(root->options, base, TCA_NETEM_CORR, &correlation, sizeof correlation);
    content(root->options, base, TCA_NETEM_REORDER, &reorder, sizeof reorder);
    content(root->options, base, TCA_NETEM_CORRUPT, &corrupt, sizeof corrupt);
    content(root->options, base, TCA_NETEM_RATE, &rate, sizeof rate);
    g_assert_cmpint(latency, ==, i->latency);
    g_assert_cmpint(jitter, ==, i->jitter);
    g_assert_true(near(correlation.delay_corr, parts(i->latency_correlation)));
    g_assert_true(near(correlation.dup_corr, parts(i->duplication_correlation)));
    g_assert_true(near(options.loss, parts(i->loss)));
    g_assert_true(near(options.duplicate, parts(i->duplication)));
    g_assert_true(near(corrupt.probability, parts(i->corruption)));
    g_assert_true(near(corrupt.correlation, parts(i->corruption_correlation)));
    g_assert_true(near(reorder.probability, parts(i->reordering)));
    g_assert_true(near(reorder.correlation, parts(i->reordering_correlation)));
    g_assert_cmpuint(options.gap, ==, i->reordering ? 1 : 0);
    g_assert_cmpuint(options.limit, ==, shaping_limit(i, WORLD_MTU));
    uint64_t staged = MAX(i->bandwidth / 8, 1) + MAX(i->bandwidth / 8, 1) / 4096;
    g_assert_cmpuint(rate.rate, ==,
                     i->jitter && !i->keep_order ? 0
                     : impairment_is_staged(i)   ? MIN(staged, UINT32_MAX)
                                                 : UINT32_MAX);
    check_loss_model(root->options, base, i);
}

static void check_queue(const struct qdisc *queue, const struct impairment *i)
{
    static const char *const managed[] = {NULL, "codel", "fq_codel", "pie"};
    if (i->aqm) {
        g_assert_cmpstr(queue->kind, ==, managed[i->aqm]);
        g_assert_cmpuint(nla_get_u32(attribute(queue->options, 0, 2)), ==,
                         i->queue ? i->queue : (shaping_queue(i, WORLD_MTU) - 1) / shaping_frame(i, WORLD_MTU) + 1);
        return;
    }
    struct tc_fifo_qopt options;
    memcpy(&options, nla_data(queue->options), sizeof options);
    bool packets = i->queue && i->queue_unit == QUEUE_PACKETS;
    g_assert_cmpstr(queue->kind, ==, packets ? "pfifo" : "bfifo");
    g_assert_cmpuint(options.limit, ==, packets ? i->queue : shaping_queue(i, WORLD_MTU));
}

static void check_rate(const struct qdisc *root, const struct rate *rate, const struct impairment *i)
{
    struct tc_sizespec counts;
    struct tc_htb_opt class;
    if (!i->bandwidth) {
        g_assert_cmpuint(rate->htb.handle, ==, 0);
        g_assert_null(root->stab);
        return;
    }
    g_assert_cmpstr(rate->htb.kind, ==, "htb");
    content(root->stab, 0, TCA_STAB_BASE, &counts, sizeof counts);
    content(rate->class, 0, TCA_HTB_PARMS, &class, sizeof class);
    g_assert_cmpint(counts.overhead, ==, impairment_overhead(i));
    g_assert_cmpuint(counts.tsize != 0, ==, i->cell_payload != 0);
    g_assert_cmpuint(class.rate.rate, ==, i->bandwidth / 8);
    g_assert_cmpuint(class.ceil.rate, ==, i->bandwidth / 8);
    double ahead = (double)(shaping_burst(i, WORLD_MTU) - shaping_frame(i, WORLD_MTU));
    g_assert_cmpfloat(fabs(class.buffer - ahead * 8 / (double)i->bandwidth * 1e9 / 64), <=, 2);
    check_queue(&rate->queue, i);
}

/* Returns the index of device 'name', 0: there is none. For the name of a device that is not there, if_nametoindex() has the kernel
 * start modprobe. */
static int find_device(const char *name)
{
    g_autofree char *path = g_strdup_printf("/proc/sys/net/ipv4/conf/%s", name);
    return access(path, F_OK) ? 0 : (int)if_nametoindex(name);
}

/* Compares what there is on device 'name', and on 'stage' where frames wait first, with 'impairment'. */
static void check_devices(struct rtnl *rtnl, const char *name, const char *stage, const struct impairment *impairment)
{
    int ifindex = find_device(name), first = find_device(stage);
    struct shape shape = {0};
    struct shape queue = {0};
    g_assert_true(ifindex != 0 || impairment_is_zero(impairment));
    g_assert_true(first ? impairment->bandwidth != 0 : !impairment_is_staged(impairment));
    if (!ifindex) {
        return;
    }
    shape_read(rtnl, ifindex, &shape);
    if (first) {
        shape_read(rtnl, first, &queue);
    }
    g_assert_true(rtnl_flush(rtnl, NULL));
    if (impairment_is_zero(impairment)) {
        g_assert_cmpuint(shape.root.handle, ==, 0);
    } else {
        check_netem(&shape.root, impairment);
        check_rate(first ? &queue.root : &shape.root, first ? &queue.alone : &shape.below, impairment);
        g_assert_true(!first || !shape.below.htb.handle);
    }
    shape_clear(&shape);
    shape_clear(&queue);
}

/* Changes up to three properties of '*impairment'; what would be refused is left. */
static void change(GRand *random, struct impairment *impairment)
{
    struct diagnostics problems = {0};
    struct impairment changed;
    json_t *json = impairment_to_json(impairment);
    for (int n = g_rand_int_range(random, 1, 4); n; n--) {
        int i = g_rand_int_range(random, 0, G_N_ELEMENTS(choices));
        const char *value = choices[i].values[g_rand_int_range(random, 0, G_N_ELEMENTS(choices[i].values))];
        if (value && !strcmp(choices[i].key, "keep_order")) {
            json_object_set_new(json, choices[i].key, json_boolean(!strcmp(value, "true")));
        } else if (value) {
            json_object_set_new(json, choices[i].key, json_string(value));
        } else {
            json_object_del(json, choices[i].key);
        }
    }
    if (!g_rand_int_range(random, 0, 50)) {
        json_object_clear(json);
    }
    if (impairment_from_json(json, "", "", &changed, &problems)) {
        *impairment = changed;
    }
    diagnostics_clear(&problems);
    json_decref(json);
}

static void test_changes(void)
{
    unsigned count = getenv("LAB_EXACT") ? CHANGES : NATIVE_CHANGES, done = 0;
    struct world *world = world_new();
    world_apply(world);
    struct viface *viface = vnode_viface(world->n1, 0);
    AUTO_RTNL rtnl = rtnl_open(NULL);
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)g_test_rand_int());
    char veth[16], ifb[16], input[16], output[16], end[16];
    link_veth_name(viface->id, veth);
    link_ifb_name(viface->id, ifb);
    link_input_queue_name(viface->id, input);
    link_output_queue_names(viface->id, output, end);
    while (done < count) {
        struct impairment *which = g_rand_boolean(random) ? &viface->input : &viface->output, before = *which;
        change(random, which);
        if (impairment_equal(which, &before)) {
            continue;
        }
        done++;
        world_apply_vnode(world, world->n1);
        check_devices(rtnl, veth, input, &viface->input);
        check_devices(rtnl, ifb, output, &viface->output);
    }
    g_test_message("%u changes", done);
    world_free(world);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (geteuid() != 0 || !world_isolate() || !world_has_netem()) {
        g_print("1..0 # SKIP needs root and netem\n");
        return 0;
    }
    g_test_add_func("/link/changes", test_changes);
    return g_test_run();
}
