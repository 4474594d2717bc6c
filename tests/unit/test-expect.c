/* SPDX-License-Identifier: Apache-2.0 */
/* Paths, expected RTT, goodput and loss, and rounds. */
#include <config.h>

#include <math.h>
#include <string.h>

#include <glib.h>

#include "distem/delay-table.h"
#include "distem/error.h"
#include "distem/topology.h"
#include "distem/units.h"
#include "make-platform.h"

static void assert_rtt(const struct platform *platform, const char *from, const char *to, int64_t ns)
{
    struct path_finder *finder = path_finder_new(platform);
    struct expectation e;
    g_assert_true(expect_pair(finder, platform_find_vnode(platform, from), platform_find_vnode(platform, to), &e, NULL));
    g_assert_cmpint(e.rtt, ==, ns);
    expectation_clear(&e);
    path_finder_free(finder);
}

/* Each viface that is passed adds its latencies of both directions once, and what an echo of 82 bytes on the wire takes there. */
static void test_figure3_rtt(void)
{
    enum { N1 = 2 * 656000, N2 = 0, N3_IF0 = 2 * 65600, N3_IF1 = 2 * 32800, N4 = 2186666 + 4373333, N5 = 1093333 + 2562500 };
    AUTO_PLATFORM platform = plan_alone(make_figure3());
    static const struct {
        const char *from, *to;
        int64_t ms, ns;
    } expected[] = {
        {"n1", "n2", 60, N1 + N2},
        {"n1", "n3", 60 + 20, N1 + N3_IF0},
        {"n1", "n4", 60 + 20 + 25 + 55, N1 + N3_IF0 + N3_IF1 + N4},
        {"n1", "n5", 60 + 20 + 25 + 70, N1 + N3_IF0 + N3_IF1 + N5},
        {"n2", "n3", 20, N2 + N3_IF0},
        {"n2", "n4", 20 + 25 + 55, N2 + N3_IF0 + N3_IF1 + N4},
        {"n2", "n5", 20 + 25 + 70, N2 + N3_IF0 + N3_IF1 + N5},
        {"n3", "n4", 25 + 55, N3_IF1 + N4},
        {"n3", "n5", 25 + 70, N3_IF1 + N5},
        {"n4", "n5", 55 + 70, N4 + N5},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++) {
        int64_t ns = expected[i].ms * NS_PER_MS + expected[i].ns;
        assert_rtt(platform, expected[i].from, expected[i].to, ns);
        if (!g_str_equal(expected[i].from, "n3")) {
            assert_rtt(platform, expected[i].to, expected[i].from, ns);
        }
    }
}

/* Only a frame that meets more than a bandwidth, and may not be overtaken, takes its own time. */
static void test_own_time(void)
{
    struct impairment impairment = {.bandwidth = 4096};
    g_assert_cmpint(expect_own_time(&impairment, 104), ==, 0);
    impairment.latency = NS_PER_MS;
    g_assert_cmpint(expect_own_time(&impairment, 104), ==, 250 * NS_PER_MS);
    impairment.jitter = NS_PER_US;
    g_assert_cmpint(expect_own_time(&impairment, 104), ==, 0);
    impairment.keep_order = true;
    impairment.framing = FRAMING_L2;
    g_assert_cmpint(expect_own_time(&impairment, 128), ==, 250 * NS_PER_MS);
    impairment.bandwidth_trace = 1;
    g_assert_cmpint(expect_own_time(&impairment, 128), ==, 250 * NS_PER_MS);
    impairment.seed = 7; /* netem cannot follow the bandwidth without beginning that anew. */
    g_assert_cmpint(expect_own_time(&impairment, 128), ==, 0);
    impairment.bandwidth = 0;
    g_assert_cmpint(expect_own_time(&impairment, 128), ==, 0);
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

static void test_figure3_bandwidth(void)
{
    AUTO_PLATFORM platform = plan_alone(make_figure3());
    static const struct {
        const char *from, *to;
        uint64_t bandwidth;
    } expected[] = {
        {"n1", "n2", 1000000}, {"n2", "n1", 1000000}, {"n2", "n3", 10000000}, {"n3", "n2", 5000000},
        {"n1", "n4", 300000},  {"n4", "n1", 150000},  {"n3", "n5", 600000},   {"n5", "n3", 256000},
    };
    struct path_finder *finder = path_finder_new(platform);
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++) {
        struct expectation e;
        g_assert_true(expect_pair(finder, platform_find_vnode(platform, expected[i].from),
                                  platform_find_vnode(platform, expected[i].to), &e, NULL));
        g_assert_cmpuint(e.bandwidth, ==, expected[i].bandwidth);
        g_assert_cmpfloat_with_epsilon(e.goodput, (double)expected[i].bandwidth * 1448 / 1538, 1e-6);
        expectation_clear(&e);
    }
    path_finder_free(finder);
}

static void test_goodput(void)
{
    struct impairment ethernet = {.bandwidth = 1538}, l2 = {.bandwidth = 1514, .framing = FRAMING_L2}, none = {0};
    struct impairment atm = {.bandwidth = UINT64_C(32) * 53, .framing = FRAMING_IP, .cell_payload = 48, .cell_size = 53};
    g_assert_cmpfloat_with_epsilon(expect_goodput(&ethernet, 1500, 4), 1448, 1e-9);
    g_assert_cmpfloat_with_epsilon(expect_goodput(&ethernet, 1500, 6), 1428, 1e-9);
    g_assert_cmpfloat_with_epsilon(expect_goodput(&l2, 1500, 4), 1448, 1e-9);
    g_assert_cmpfloat_with_epsilon(expect_goodput(&atm, 1500, 4), 1448, 1e-9);
    g_assert_cmpfloat(expect_goodput(&none, 1500, 4), ==, 0);
    g_assert_cmpfloat(expect_goodput(&ethernet, 52, 4), ==, 0);
}

static void test_loss_and_jitter(void)
{
    struct platform *asked = make_figure3();
    platform_vnetwork(asked, 1)->mtu = 1000;
    struct viface *n1 = vnode_viface(platform_find_vnode(asked, "n1"), 0), *n4 = vnode_viface(platform_find_vnode(asked, "n4"), 0);
    n1->output.loss = PPB_ONE / 10;
    n4->input.loss = PPB_ONE / 5;
    n1->input.loss = PPB_ONE;
    n1->output.jitter = 3 * NS_PER_MS;
    n4->output.jitter = 4 * NS_PER_MS;
    AUTO_PLATFORM platform = plan_alone(asked);
    struct path_finder *finder = path_finder_new(platform);
    struct expectation e;
    g_assert_true(expect_pair(finder, platform_find_vnode(platform, "n1"), platform_find_vnode(platform, "n4"), &e, NULL));
    g_assert_cmpuint(e.loss, ==, 280000000);
    g_assert_cmpuint(e.loss_back, ==, PPB_ONE);
    g_assert_cmpint(e.rtt_jitter, ==, 5 * NS_PER_MS);
    g_assert_cmpfloat_with_epsilon(e.goodput, 300000.0 * 948 / 1038, 1e-6);
    int64_t rtt = e.rtt;
    expectation_clear(&e);
    /* A table with mean 1/2 and deviation 2. */
    vnode_viface(platform_find_vnode(platform, "n1"), 0)->output.distribution = delay_table_read("t", "-12288 20480", NULL)->id;
    g_assert_true(expect_pair(finder, platform_find_vnode(platform, "n1"), platform_find_vnode(platform, "n4"), &e, NULL));
    g_assert_cmpint(e.rtt, ==, rtt + 3 * NS_PER_MS / 2);
    g_assert_cmpint(e.rtt_jitter, ==, llround(sqrt(6 * 6 + 4 * 4) * NS_PER_MS));
    expectation_clear(&e);
    /* A matrix: there 20 ms, half of what arrives is lost, and 82 bytes take 6.56 ms at 100 kbit/s; back 1 ms. */
    platform->matrix = matrix_new(2);
    platform->matrix->group[0].selector = g_strdup("n1");
    platform->matrix->group[1].selector = g_strdup("n4");
    platform->matrix->cells[1] = (struct matrix_cell){.latency = 20 * NS_PER_MS, .loss = PPB_ONE / 2, .bandwidth = 100000};
    platform->matrix->cells[2] = (struct matrix_cell){.latency = NS_PER_MS};
    platform_find_vnode(platform, "n1")->group = 1;
    platform_find_vnode(platform, "n4")->group = 2;
    g_assert_true(expect_pair(finder, platform_find_vnode(platform, "n1"), platform_find_vnode(platform, "n4"), &e, NULL));
    g_assert_cmpint(e.rtt, ==, rtt + 3 * NS_PER_MS / 2 + 27560000);
    g_assert_cmpuint(e.loss, ==, 640000000);
    g_assert_cmpuint(e.bandwidth, ==, 100000);
    g_assert_cmpfloat_with_epsilon(e.goodput, 100000.0 * 948 / 1038, 1e-6);
    expectation_clear(&e);
    path_finder_free(finder);
}

/* The longest prefix counts, and what is attached before a route of the same length. */
static void test_longest_prefix(void)
{
    struct platform *asked = platform_new("prefixes");
    static const char *const prefixes[] = {"10.0.0.0/24", "10.1.0.0/16", "10.2.0.0/16"};
    for (unsigned i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        g_autofree char *name = g_strdup_printf("net%u", i), *vnetworks = g_strdup_printf("net0 net%u", i);
        g_autofree char *host = g_strdup_printf("h%u", i), *gateway = g_strdup_printf("g%u", i);
        make_vnetwork(asked, name, prefixes[i]);
        make_vnode(asked, host, name);
        make_vnode(asked, gateway, i ? vnetworks : name);
    }
    make_vroute(asked, "net0", "10.1.2.0/24", "g2");
    make_vroute(asked, "net0", "10.1.2.3/32", "g1");
    make_vroute(asked, "net0", "172.16.0.0/12", "g1");
    make_vroute(asked, "net0", "172.16.0.0/24", "g2");
    AUTO_PLATFORM platform = plan_alone(asked);
    struct path_finder *finder = path_finder_new(platform);
    static const struct {
        const char *to, *error;
    } expected[] = {
        {"10.1.2.2", "no vnode has the address 10.1.2.2 on vnetwork net1"},
        {"10.1.2.3", "no vnode has the address 10.1.2.3 on vnetwork net1"},
        {"10.1.3.1", "no vnode has the address 10.1.3.1 on vnetwork net1"},
        {"10.2.255.1", "no vnode has the address 10.2.255.1 on vnetwork net2"},
        {"10.0.0.99", "no vnode has the address 10.0.0.99 on vnetwork net0"},
        {"172.16.1.5", "vnode g1 has no route to 172.16.1.5"},
        {"172.31.1.5", "vnode g1 has no route to 172.31.1.5"},
        {"172.32.1.5", "vnode g1 has no route to 172.32.1.5"},
        {"fd00::1", "vnode h0 has no route to fd00::1"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++) {
        struct ip_addr to = make_address(expected[i].to);
        struct path path;
        g_autoptr(GError) error = NULL;
        g_assert_false(path_find(finder, platform_find_vnode(platform, "h0"), &to, &path, &error));
        g_assert_cmpstr(error->message, ==, expected[i].error);
    }
    path_finder_free(finder);
}

/* Routes that no plan makes: a circle, and a way through a vnode that does not forward. */
static void test_broken_routes(void)
{
    AUTO_PLATFORM platform = plan_alone(make_figure3());
    struct vnode *n1 = platform_find_vnode(platform, "n1"), *n3 = platform_find_vnode(platform, "n3");
    struct ip_addr to = make_address("192.0.2.1");
    struct route back = {.to.addr.family = 4, .via = vnode_viface(n1, 0)->ipv4, .viface = 0};
    g_array_append_val(n3->routes, back);
    struct path_finder *finder = path_finder_new(platform);
    struct path path;
    g_autoptr(GError) error = NULL, circle = NULL;
    g_assert_false(path_find(finder, n1, &to, &path, &error));
    g_assert_cmpstr(error->message, ==, "the way to 192.0.2.1 goes through vnode n1, which does not forward");
    n1->forwards = true;
    path_finder_free(finder);
    finder = path_finder_new(platform);
    g_assert_false(path_find(finder, n1, &to, &path, &circle));
    g_assert_error(circle, DISTEM_ERROR, DISTEM_ERROR_INVALID);
    path_finder_free(finder);
}

/* Expectations of all ordered pairs of 'platform', to be freed with the array. */
static GPtrArray *all_pairs(const struct platform *platform, const struct path_finder *finder)
{
    GPtrArray *pairs = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < platform->vnodes->len * platform->vnodes->len; i++) {
        const struct vnode *from = platform_vnode(platform, i / platform->vnodes->len);
        const struct vnode *to = platform_vnode(platform, i % platform->vnodes->len);
        struct expectation e;
        if (from != to && expect_pair(finder, from, to, &e, NULL)) {
            g_ptr_array_add(pairs, g_memdup2(&e, sizeof e));
        }
    }
    return pairs;
}

/* Asserts that no viface direction is used twice in 'round', and that all of it is. */
static void assert_disjoint(const GPtrArray *round)
{
    g_autoptr(GHashTable) used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (unsigned i = 0; i < round->len; i++) {
        const struct expectation *e = round->pdata[i];
        g_autoptr(GHashTable) own = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        for (unsigned j = 0; j < e->there.hops->len + e->back.hops->len; j++) {
            const GArray *hops = j < e->there.hops->len ? e->there.hops : e->back.hops;
            const struct hop *hop = &g_array_index(hops, struct hop, j < e->there.hops->len ? j : j - e->there.hops->len);
            g_hash_table_add(own, g_strdup_printf("%p %d", (void *)hop->viface, hop->output));
        }
        GHashTableIter iter;
        void *key;
        g_hash_table_iter_init(&iter, own);
        while (g_hash_table_iter_next(&iter, &key, NULL)) {
            g_assert_true(g_hash_table_add(used, g_strdup(key)));
        }
    }
}

/* Two vnetworks with the same addresses, and a third that reaches both: an address means the nearest. */
static void test_overlapping_prefixes(void)
{
    static const char text[] = "{\"distem\": 2, \"name\": \"twice\","
                               " \"vnetworks\": {\"red\": {\"ipv4\": \"10.1.0.0/24\"}, \"blue\": {\"ipv4\": \"10.1.0.0/24\"},"
                               "  \"mid\": {\"ipv4\": \"10.2.0.0/24\"}},"
                               " \"vnodes\": {"
                               "  \"red[1-2]\": {\"vifaces\": {\"if0\": {\"vnetwork\": \"red\"}}},"
                               "  \"blue[1-2]\": {\"vifaces\": {\"if0\": {\"vnetwork\": \"blue\"}}},"
                               "  \"gate\": {\"gateway\": true, \"vifaces\": {\"if0\": {\"vnetwork\": \"red\"},"
                               "   \"if1\": {\"vnetwork\": \"mid\"}}}}}";
    AUTO_DIAGNOSTICS problems = {0};
    struct platform *asked = topology_parse(text, strlen(text), NULL, &problems);
    g_assert_nonnull(asked);
    AUTO_PLATFORM platform = plan_alone(asked);
    struct path_finder *finder = path_finder_new(platform);
    const struct vnode *red1 = platform_find_vnode(platform, "red1"), *red2 = platform_find_vnode(platform, "red2");
    const struct vnode *blue2 = platform_find_vnode(platform, "blue2");
    struct expectation e;
    g_autoptr(GError) error = NULL;
    g_assert_true(expect_pair(finder, red1, red2, &e, NULL));
    expectation_clear(&e);
    g_assert_false(expect_pair(finder, red1, blue2, &e, &error));
    g_assert_error(error, DISTEM_ERROR, DISTEM_ERROR_NOT_FOUND);
    g_assert_cmpstr(error->message, ==, "for vnode red1 the address 10.1.0.2 is that of vnode red2, not of vnode blue2");
    path_finder_free(finder);
}

static void test_rounds(void)
{
    struct platform *asked = platform_new("rounds");
    make_vnetwork(asked, "net", "10.0.0.0/24");
    for (unsigned i = 0; i < 12; i++) {
        g_autofree char *name = g_strdup_printf("n%u", i);
        make_vnode(asked, name, "net");
    }
    AUTO_PLATFORM platform = plan_alone(asked);
    struct path_finder *finder = path_finder_new(platform);
    g_autoptr(GPtrArray) pairs = all_pairs(platform, finder);
    g_assert_cmpuint(pairs->len, ==, 132);
    g_autoptr(GPtrArray) rounds = expect_rounds(pairs), again = expect_rounds(pairs);
    unsigned sum = 0;
    for (unsigned i = 0; i < rounds->len; i++) {
        const GPtrArray *round = rounds->pdata[i], *same = again->pdata[i];
        assert_disjoint(round);
        g_assert_cmpuint(round->len, >, 0);
        g_assert_cmpmem(round->pdata, (size_t)round->len * sizeof(void *), same->pdata, (size_t)same->len * sizeof(void *));
        sum += round->len;
    }
    g_assert_cmpuint(sum, ==, pairs->len);
    /* 22 is the least possible: each vnode takes part in 22 measurements. */
    g_assert_cmpuint(rounds->len, <=, 33);
    for (unsigned i = 0; i < pairs->len; i++) {
        expectation_clear(pairs->pdata[i]);
    }
    path_finder_free(finder);
}

/* A direction as netem goes through it, frame by frame. */
struct simulated {
    const struct impairment *impairment;
    unsigned state; /* The kernel's: 1 to 4; of Gilbert's and of a correlation 1 and 2. */
};

static bool happens(GRand *random, double chance)
{
    return g_rand_double(random) < chance;
}

static bool pass_two_states(struct simulated *s, double enter, double leave, double bad_loss, double good_loss, GRand *random)
{
    if (happens(random, s->state == 1 ? enter : leave)) {
        s->state = 3 - s->state;
    }
    return !happens(random, s->state == 1 ? good_loss : bad_loss);
}

static bool pass_four_states(struct simulated *s, const struct impairment *i, GRand *random)
{
    double number = g_rand_double(random) * PPB_ONE;
    switch (s->state) {
    case 1:
        s->state = number < i->markov_p14 ? 4 : number < (double)i->markov_p14 + i->markov_p13 ? 3 : 1;
        break;
    case 2:
        s->state = number < i->markov_p23 ? 3 : 2;
        break;
    case 3:
        s->state = number < i->markov_p32 ? 2 : number < (double)i->markov_p32 + i->markov_p31 ? 1 : 3;
        break;
    default:
        s->state = 1;
    }
    return s->state < 3;
}

static bool passes(struct simulated *s, GRand *random)
{
    const struct impairment *i = s->impairment;
    double loss = (double)i->loss / PPB_ONE, independence = 1 - (double)i->loss_correlation / PPB_ONE;
    if (i->markov_p13 || i->markov_p14) {
        return pass_four_states(s, i, random);
    }
    if (i->gilbert_enter) {
        return pass_two_states(s, (double)i->gilbert_enter / PPB_ONE, (double)i->gilbert_leave / PPB_ONE,
                               i->gilbert_bad_loss ? (double)i->gilbert_bad_loss / PPB_ONE : 1,
                               (double)i->gilbert_good_loss / PPB_ONE, random);
    }
    return pass_two_states(s, independence * loss, independence * (1 - loss), 1, 0, random);
}

#define PERCENT(n) ((uint32_t)((n) * (PPB_ONE / 100.0)))
#define LOSSY_HOPS 3

/* Ways that lose frames, each of these on its own and together, and how many frames are sent. */
static const struct lossy_way {
    struct impairment hops[LOSSY_HOPS];
    unsigned sent;
} lossy_ways[] = {
    {{{.loss = PERCENT(2)}}, 1000},
    {{{.loss = PERCENT(0.01)}}, 1000},
    {{{.loss = PERCENT(97)}}, 200},
    {{{.loss = PERCENT(2), .loss_correlation = PERCENT(75)}}, 1000},
    {{{.loss = PERCENT(50), .loss_correlation = PERCENT(90)}}, 200},
    {{{.loss = PERCENT(1), .loss_correlation = PERCENT(99)}}, 1000},
    {{{.gilbert_enter = PERCENT(1), .gilbert_leave = PERCENT(10)}}, 1000},
    {{{.gilbert_enter = PERCENT(2),
       .gilbert_leave = PERCENT(20),
       .gilbert_bad_loss = PERCENT(40),
       .gilbert_good_loss = PERCENT(1)}},
     1000},
    {{{.gilbert_enter = PERCENT(80), .gilbert_leave = PERCENT(90)}}, 200},
    {{{.markov_p13 = PERCENT(1),
       .markov_p31 = PERCENT(20),
       .markov_p32 = PERCENT(30),
       .markov_p23 = PERCENT(40),
       .markov_p14 = PERCENT(1)}},
     1000},
    {{{.markov_p14 = PERCENT(30)}}, 400},
    {{{.loss = PERCENT(2), .loss_correlation = PERCENT(80)},
      {.gilbert_enter = PERCENT(1), .gilbert_leave = PERCENT(25)},
      {.loss = PERCENT(3)}},
     1000},
};

/* The range has what comes by chance, and not much more: hardly a run of some thousand is outside; and it is not wider than
 * bursts, some of which are much longer than most, need. */
static void check_lossy_way(const struct lossy_way *way, GRand *random)
{
    enum { RUNS = 3000, WARM = 300 };
    struct viface vifaces[LOSSY_HOPS] = {0};
    struct expectation e = {.there = {.hops = g_array_new(FALSE, FALSE, sizeof(struct hop))}};
    double arrives = 1, sum = 0, squares = 0;
    unsigned least, most, outside = 0;
    for (unsigned h = 0; h < LOSSY_HOPS; h++) {
        struct hop hop = {.viface = &vifaces[h], .output = true};
        vifaces[h].output = way->hops[h];
        g_array_append_val(e.there.hops, hop);
        arrives *= 1 - impairment_loss(&way->hops[h]);
    }
    e.loss = (uint32_t)lround((1 - arrives) * PPB_ONE);
    expect_losses(&e, way->sent, &least, &most);
    for (unsigned run = 0; run < RUNS; run++) {
        struct simulated hops[LOSSY_HOPS];
        unsigned lost = 0;
        for (unsigned h = 0; h < LOSSY_HOPS; h++) {
            hops[h] = (struct simulated){.impairment = &way->hops[h], .state = 1};
        }
        for (unsigned n = 0; n < WARM + way->sent; n++) {
            bool passed = true;
            for (unsigned h = 0; h < LOSSY_HOPS; h++) {
                passed &= passes(&hops[h], random);
            }
            lost += n >= WARM && !passed;
        }
        outside += lost < least || lost > most;
        sum += lost;
        squares += (double)lost * lost;
    }
    double deviation = sqrt(squares / RUNS - sum / RUNS * (sum / RUNS));
    g_test_message("%u to %u, mean %.2f, deviation %.2f, %u outside", least, most, sum / RUNS, deviation, outside);
    g_assert_cmpuint(outside, <=, 2);
    g_assert_cmpfloat(most - least, <, 15 * deviation);
    g_array_unref(e.there.hops);
}

static void test_losses(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    for (unsigned i = 0; i < G_N_ELEMENTS(lossy_ways); i++) {
        check_lossy_way(&lossy_ways[i], random);
    }
    /* The exact tails: one of 5000 at a millionth has a chance of 0.5 %, two 0.001 %. The matrix' losses have no directions. */
    struct expectation rare = {.loss = PPB_ONE / 1000000};
    unsigned least, most;
    expect_losses(&rare, 5000, &least, &most);
    g_assert_cmpuint(least, ==, 0);
    g_assert_cmpuint(most, ==, 1);
    struct expectation certain = {.loss = PPB_ONE};
    expect_losses(&certain, 100, &least, &most);
    g_assert_cmpuint(least, ==, 100);
    g_assert_cmpuint(most, ==, 100);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/expect/figure3/rtt", test_figure3_rtt);
    g_test_add_func("/expect/own-time", test_own_time);
    g_test_add_func("/expect/figure3/path", test_figure3_path);
    g_test_add_func("/expect/figure3/bandwidth", test_figure3_bandwidth);
    g_test_add_func("/expect/goodput", test_goodput);
    g_test_add_func("/expect/loss-and-jitter", test_loss_and_jitter);
    g_test_add_func("/expect/losses", test_losses);
    g_test_add_func("/expect/longest-prefix", test_longest_prefix);
    g_test_add_func("/expect/broken-routes", test_broken_routes);
    g_test_add_func("/expect/overlapping-prefixes", test_overlapping_prefixes);
    g_test_add_func("/expect/rounds", test_rounds);
    return g_test_run();
}
