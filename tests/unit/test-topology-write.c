/* SPDX-License-Identifier: Apache-2.0 */
/* What is written reads back as the same, for examples and for platforms of every kind; and topology_equal() sees every difference.
 */
#include <config.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "distem/delay-table.h"
#include "distem/topology.h"
#include "generate-platform.h"

/* Parses 'text', which must be right. */
static struct platform *parse(const char *text, const char *file)
{
    AUTO_DIAGNOSTICS problems = {0};
    struct platform *platform = topology_parse(text, strlen(text), file, &problems);
    for (unsigned i = 0; i < diagnostics_count(&problems); i++) {
        g_autofree char *problem = diagnostic_format(diagnostics_get(&problems, i));
        g_test_message("%s", problem);
    }
    g_assert_nonnull(platform);
    return platform;
}

static void assert_equal(const struct platform *a, const struct platform *b)
{
    g_autofree char *difference = NULL;
    bool equal = topology_equal(a, b, &difference);
    g_assert_cmpstr(difference, ==, NULL);
    g_assert_true(equal);
}

static void assert_round_trip(const struct platform *platform)
{
    g_autofree char *text = topology_write(platform);
    AUTO_PLATFORM again = parse(text, "written");
    assert_equal(platform, again);
    g_autofree char *text_again = topology_write(again);
    g_assert_cmpstr(text, ==, text_again);
}

static void test_examples(void)
{
    static const char *const examples[] = {"dual-stack", "figure3", "lossy-wireless", "thousand"};
    for (unsigned i = 0; i < G_N_ELEMENTS(examples); i++) {
        g_autofree char *name = g_strconcat(examples[i], ".json", NULL);
        g_autofree char *path = g_build_filename(getenv("top_srcdir"), "examples", name, NULL);
        g_autofree char *text = NULL;
        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        AUTO_PLATFORM platform = parse(text, path);
        g_assert_cmpstr(platform->name, ==, examples[i]);
        assert_round_trip(platform);
    }
}

static struct platform *generate(uint32_t seed)
{
    const struct generate_options options = {
        .seed = seed,
        .vnetworks = 1 + seed % 7,
        .vnodes = seed % 23,
        .extra_gateways = seed % 7 ? seed % 3 : 0,
        .vroutes = seed % 5,
        .families = seed % 4,
        .addresses = seed % 3,
        .impairments = seed % 5,
        .details = seed % 2,
    };
    return generate_platform(&options);
}

static void test_property(void)
{
    for (uint32_t seed = 0; seed < 1500; seed++) {
        AUTO_PLATFORM platform = generate(seed);
        g_test_message("seed %u", seed);
        assert_round_trip(platform);
    }
}

static void test_copy(void)
{
    for (uint32_t seed = 0; seed < 100; seed++) {
        AUTO_PLATFORM platform = generate(seed);
        AUTO_PLATFORM copy = platform_copy(platform);
        assert_equal(platform, copy);
    }
}

static void test_order(void)
{
    AUTO_PLATFORM a = generate(1503);
    AUTO_PLATFORM b = platform_copy(a);
    g_assert_cmpuint(a->vnodes->len, >, 5);
    for (unsigned i = 0; i < b->vnodes->len / 2; i++) {
        void *swapped = b->vnodes->pdata[i];
        b->vnodes->pdata[i] = b->vnodes->pdata[b->vnodes->len - 1 - i];
        b->vnodes->pdata[b->vnodes->len - 1 - i] = swapped;
    }
    assert_equal(a, b);
    assert_equal(b, a);
}

static const char full[] =
    "{\"distem\": 2, \"name\": \"full\", \"vnetworks\": {\"a\": {\"ipv4\": \"10.0.0.0/24\", \"ipv6\": \"fd00::/64\"}, \"b\": "
    "{\"ipv4\": \"10.0.1.0/24\"}}, \"vnodes\": {\"n\": {\"vifaces\": {\"x\": {\"vnetwork\": \"a\"}, \"y\": {\"vnetwork\": "
    "\"b\"}}}, "
    "\"m\": {}, \"o\": {\"vifaces\": {\"x\": {\"vnetwork\": \"a\"}}}}, \"vroutes\": [{\"from\": \"a\", \"to\": \"b\", \"via\": "
    "\"n\"}]}";

/* Makes change number 'i'; false when there are no more. */
static bool change(struct platform *p, unsigned i)
{
    struct vnetwork *a = platform_vnetwork(p, 0), *b = platform_vnetwork(p, 1);
    struct vnode *n = platform_vnode(p, 0), *o = platform_vnode(p, 2);
    struct viface *x = vnode_viface(n, 0);
    struct vroute *vroute = platform_vroute(p, 0);
    switch (i) {
    case 0:
        return g_free(p->name), p->name = g_strdup("other"), true;
    case 1:
        return p->routing = ROUTING_LATENCY, true;
    case 2:
        return platform_add_vnetwork(p, "c"), true;
    case 3:
        return platform_add_vnode(p, "p"), true;
    case 4:
        return platform_add_vroute(p, b, n)->to = a, true;
    case 5:
        return a->name[0] = 'z', true;
    case 6:
        return a->ipv4.length = 25, true;
    case 7:
        return a->ipv6.addr.bytes[15] = 1, true;
    case 8:
        return a->vni = 1, true;
    case 9:
        return a->vlan = 1, true;
    case 10:
        return a->mtu = 1400, true;
    case 11:
        return n->name[0] = 'z', true;
    case 12:
        return n->pnode = g_strdup("p"), true;
    case 13:
        return g_free(n->image), n->image = g_strdup("/i"), true;
    case 14:
        return n->cores = 1, true;
    case 15:
        return n->frequency = 1, true;
    case 16:
        return n->cpu_ratio = 1, true;
    case 17:
        return n->memory = 1, true;
    case 18:
        return n->gateway = TRISTATE_YES, true;
    case 19:
        return vnode_add_viface(n, "z", a), true;
    case 20:
        return x->name[0] = 'z', true;
    case 21:
        return x->vnetwork = b, true;
    case 22:
        return x->ipv4.family = 4, true;
    case 23:
        return x->ipv6.family = 6, true;
    case 24:
        return x->mac.bytes[5] = 1, true;
    case 25:
        return x->input.loss = 1, true;
    case 26:
        return x->output.burst = 1, true;
    case 27:
        return vroute->from = b, true;
    case 28:
        return vroute->to = NULL, vroute->prefix = a->ipv4, true;
    case 29:
        return vroute->via = o, true;
    case 30:
        return a->transport = TRANSPORT_LOCAL, true;
    case 31:
        return a->port = 1, true;
    case 32:
        return a->underlay = 4, true;
    case 33:
        return a->interface = g_strdup("eth0"), true;
    case 34:
        return n->where = g_strdup("a=b"), true;
    case 35:
        return n->labels = g_strdup("a=b"), true;
    default:
        return false;
    }
}

static void test_tables(void)
{
    static const char text[] =
        "{\"distem\": 2, \"name\": \"x\", \"vnetworks\": {\"a\": {\"ipv4\": \"10.0.0.0/24\"}},"
        " \"tables\": {\"lab/few.dist\": [\"# by hand\", \"-8192\\t8192 \", \"0 # and more\"], \"unused\": [\"1\"]},"
        " \"vnodes\": {\"n[1-2]\": {\"vifaces\": {\"x\": {\"vnetwork\": \"a\", \"input\": {\"latency\": \"1ms\","
        "   \"jitter\": \"1ms\", \"distribution\": {\"table\": \"lab/few.dist\"}}}}}}}";
    AUTO_PLATFORM platform = parse(text, "tables");
    const struct delay_table *table = delay_table_find(vnode_viface(platform_vnode(platform, 1), 0)->input.distribution);
    g_assert_nonnull(table);
    g_assert_cmpstr(table->name, ==, "lab/few.dist");
    g_assert_cmpuint(table->entries->len, ==, 3);
    g_assert_cmpfloat_with_epsilon(table->mean, 0, 1e-9);
    g_assert_cmpfloat_with_epsilon(table->deviation, sqrt(2.0 / 3), 1e-9);
    /* By name and numbers, not by how they are written. */
    struct delay_table *same = delay_table_read("lab/few.dist", "-8192 8192 0", NULL);
    struct delay_table *other = delay_table_read("few.dist", "-8192 8192 0", NULL);
    g_assert_true(table == same);
    g_assert_true(table != other);
    delay_table_unref(same);
    delay_table_unref(other);
    g_assert_cmphex(table->id, ==, UINT64_C(0xba016ff7f275ea01)); /* SHA-256, computed by another program. */
    assert_round_trip(platform);
    g_autofree char *written = topology_write(platform);
    g_assert_null(strstr(written, "unused"));
}

/* A table goes with the last platform that has it. */
static void test_tables_end(void)
{
    static const char text[] = "{\"distem\": 2, \"name\": \"x\", \"vnetworks\": {\"a\": {\"ipv4\": \"10.0.0.0/24\"}},"
                               " \"tables\": {\"t\": [\"5 6\"]}, \"vnodes\": {\"n\": {\"vifaces\": {\"x\": {\"vnetwork\": \"a\","
                               " \"input\": {\"latency\": \"1ms\", \"jitter\": \"1ms\", \"distribution\": {\"table\": \"t\"}}}}}}}";
    struct platform *platform = parse(text, "tables"), *copy = platform_copy(platform);
    uint64_t id = vnode_viface(platform_vnode(platform, 0), 0)->input.distribution;
    platform_free(platform);
    g_assert_nonnull(delay_table_find(id));
    platform_free(copy);
    g_assert_null(delay_table_find(id));
    /* What is refused leaves none, either. */
    struct delay_table *table = delay_table_read("t", "5 6", NULL);
    g_assert_cmphex(table->id, ==, id);
    delay_table_unref(table);
    AUTO_DIAGNOSTICS problems = {0};
    g_autofree char *wrong = g_strdup(text);
    *strstr(wrong, "1ms") = 'x';
    g_assert_null(topology_parse(wrong, strlen(wrong), "tables", &problems));
    g_assert_null(delay_table_find(id));
}

/* Changes a matrix; says whether that is fine, and the problem is there if not. */
static struct matrix *revise(const struct matrix *matrix, const char *changes, const char *problem)
{
    AUTO_DIAGNOSTICS problems = {0};
    json_t *json = json_loads(changes, 0, NULL);
    struct matrix *revised = matrix_revised(matrix, json, "/changes", &problems);
    json_decref(json);
    g_assert_true((revised == NULL) == (problem != NULL));
    if (problem) {
        g_autofree char *text = diagnostic_format(diagnostics_get(&problems, 0));
        g_assert_nonnull(strstr(text, problem));
    }
    return revised;
}

static void test_matrix_changes(void)
{
    struct matrix *matrix = matrix_new(2);
    matrix->group[0].selector = g_strdup("a");
    matrix->group[1].selector = g_strdup("site=b");
    matrix->cells[1] = (struct matrix_cell){.latency = 5, .loss = 6, .bandwidth = 7000};
    matrix->seed = 8;
    struct matrix *next = revise(matrix,
                                 "[{\"from\": \"a\", \"to\": \"site=b\", \"latency\": \"1us\", \"loss\": null},"
                                 " {\"from\": \"site=b\", \"to\": \"a\", \"bandwidth\": \"1Mbit/s\"}]",
                                 NULL);
    g_assert_cmpint(next->cells[1].latency, ==, 1000);
    g_assert_cmpuint(next->cells[1].loss, ==, 0);
    g_assert_cmpuint(next->cells[1].bandwidth, ==, 7000);
    g_assert_cmpuint(next->cells[2].bandwidth, ==, 1000000);
    g_assert_cmpint(matrix->cells[1].latency, ==, 5);
    g_assert_cmpuint(next->seed, ==, 8);
    g_assert_null(
        revise(matrix, "[{\"from\": \"a\", \"to\": \"b\", \"latency\": \"1us\"}]", "/changes/0/to: the matrix has no group \"b\""));
    g_assert_null(revise(matrix, "[{\"from\": \"a\", \"latency\": \"1us\"}]", "/changes/0: expected \"from\" and \"to\""));
    g_assert_null(revise(matrix, "[{\"from\": \"a\", \"to\": \"a\", \"loss\": \"101%\"}]", "/changes/0/loss: "));
    g_assert_null(revise(matrix, "[7]", "/changes/0: "));
    matrix_unref(next);
    matrix_unref(matrix);
}

static void test_matrix(void)
{
    static const char text[] =
        "{\"distem\": 2, \"name\": \"x\", \"vnetworks\": {\"a\": {\"ipv4\": \"10.0.0.0/24\"}},"
        " \"matrices\": {\"m.csv\": [\"from, n1 ,site=far\", \"n1,,10ms\", \" site=far , 20.5ms, 0 \", \"\"]},"
        " \"matrix\": {\"seed\": 4294967295, \"latency\": \"m.csv\", \"loss\": [\"to, n1\", \"n3, 1%\"]},"
        " \"vnodes\": {\"n[1-3]\": {\"vifaces\": {\"x\": {\"vnetwork\": \"a\"}}},"
        "   \"f[1-2]\": {\"labels\": {\"site\": \"far\"}, \"vifaces\": {\"x\": {\"vnetwork\": \"a\"}}}}}";
    AUTO_PLATFORM platform = parse(text, "matrix");
    static const uint32_t groups[] = {1, 0, 3, 2, 2};
    for (unsigned i = 0; i < G_N_ELEMENTS(groups); i++) {
        g_assert_cmpuint(platform_vnode(platform, i)->group, ==, groups[i]);
    }
    g_assert_cmpint(matrix_between(platform->matrix, 1, 2)->latency, ==, 10000000);
    g_assert_cmpint(matrix_between(platform->matrix, 2, 1)->latency, ==, 20500000);
    g_assert_cmpint(matrix_between(platform->matrix, 3, 1)->latency, ==, 0);
    g_assert_cmpuint(matrix_between(platform->matrix, 3, 1)->loss, ==, 10000000);
    g_assert_cmpuint(platform->matrix->seed, ==, UINT32_MAX);
    g_assert_null(matrix_between(platform->matrix, 0, 1));
    g_assert_null(matrix_between(platform->matrix, 1, 4));
    g_assert_null(matrix_between(NULL, 1, 1));
    assert_round_trip(platform);
    AUTO_PLATFORM copy = platform_copy(platform);
    assert_equal(platform, copy);
    struct matrix *other = matrix_new(3);
    for (unsigned i = 0; i < 3; i++) {
        g_autofree char *row = matrix_row_text(platform->matrix, i);
        other->group[i].selector = g_strdup(platform->matrix->group[i].selector);
        matrix_read_row(other, i, row);
    }
    g_assert_false(matrix_equal(platform->matrix, other));
    other->seed = platform->matrix->seed;
    g_assert_true(matrix_equal(platform->matrix, other));
    other->cells[8].bandwidth = 1;
    g_assert_false(matrix_equal(platform->matrix, other));
    matrix_unref(other);
}

static void test_differences(void)
{
    unsigned i = 0;
    for (;; i++) {
        AUTO_PLATFORM a = parse(full, "full");
        AUTO_PLATFORM b = parse(full, "full");
        g_autofree char *difference = NULL;
        assert_equal(a, b);
        if (!change(b, i)) {
            break;
        }
        g_assert_false(topology_equal(a, b, &difference));
        g_test_message("%u: %s", i, difference);
        g_assert_nonnull(difference);
        g_assert_false(topology_equal(b, a, NULL));
    }
    g_assert_cmpuint(i, ==, 36);
}

/* What follows a trace keeps doing so when it is written, copied or inherited, and a value ends it. */
static void test_traces(void)
{
    AUTO_PLATFORM platform = parse(
        "{\"distem\": 2, \"name\": \"p\", \"traces\": {\"a\": [\"0 9ms\", \"1s 0\", \"2s 7ms\", \"\"], \"b\": [\"20\", \"40\"]},"
        "\"defaults\": {\"viface\": {\"output\": {\"bandwidth\": {\"trace\": \"b\", \"loop\": true}, \"queue\": \"9kB\"}}},"
        "\"vnetworks\": {\"n\": {\"ipv4\": \"10.0.0.0/24\"}, \"m\": {\"ipv4\": \"10.0.1.0/24\"}}, \"vnodes\": {\"v\": "
        "{\"vifaces\": {"
        "\"x\": {\"vnetwork\": \"n\", \"output\": {\"latency\": {\"trace\": \"a\"}}},"
        "\"y\": {\"vnetwork\": \"m\", \"output\": {\"bandwidth\": \"1Mbit/s\"}}}}}}",
        "traces");
    const struct vnode *vnode = platform_vnode(platform, 0);
    const struct impairment *x = &vnode_viface(vnode, 0)->output, *y = &vnode_viface(vnode, 1)->output;
    g_assert_cmpuint(x->latency_trace, ==, 1);
    g_assert_cmpint(x->latency, ==, 0);
    g_assert_cmpuint(x->bandwidth_trace, ==, 2 | PLAYBACK_LOOP);
    g_assert_cmpuint(x->bandwidth, ==, 600000);
    g_assert_cmpuint(x->queue, ==, 9000);
    g_assert_cmpuint(y->bandwidth_trace, ==, 0);
    g_assert_cmpuint(y->bandwidth, ==, 1000000);
    assert_round_trip(platform);
    AUTO_PLATFORM copy = platform_copy(platform);
    assert_equal(platform, copy);
    vnode_viface(platform_vnode(copy, 0), 0)->output.bandwidth_trace = 2;
    g_assert_false(topology_equal(platform, copy, NULL));
    AUTO_PLATFORM other = platform_copy(platform);
    platform_playback(other, 1)->text[0] = '5';
    g_assert_false(topology_equal(platform, other, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/topology/write/examples", test_examples);
    g_test_add_func("/topology/write/property", test_property);
    g_test_add_func("/topology/write/copy", test_copy);
    g_test_add_func("/topology/write/matrix", test_matrix);
    g_test_add_func("/topology/write/matrix-changes", test_matrix_changes);
    g_test_add_func("/topology/write/tables", test_tables);
    g_test_add_func("/topology/write/tables-end", test_tables_end);
    g_test_add_func("/topology/write/traces", test_traces);
    g_test_add_func("/topology/equal/order", test_order);
    g_test_add_func("/topology/equal/differences", test_differences);
    return g_test_run();
}
