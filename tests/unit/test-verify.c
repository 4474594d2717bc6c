/* SPDX-License-Identifier: Apache-2.0 */
/* Which measurements a verification makes, and how it judges their answers. */
#include <config.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "distem/error.h"
#include "distem/plan.h"
#include "distem/topology.h"
#include "distem/units.h"
#include "src/coordinator/verify.h"

/* Three vnodes in a row; b forwards. a loses packets. An echo of 82 bytes on the wire takes 0.656 ms at the output of a. */
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
    g_assert_true(verify_plan_make(platform, &options, &p, NULL));
    unsigned kinds[3] = {0};
    for (unsigned i = 0; i < p.measurements->len; i++) {
        kinds[g_array_index(p.measurements, struct measurement, i).kind]++;
    }
    g_assert_cmpuint(kinds[MEASURE_RTT], ==, 3);
    /* a's input loses what comes from b and from c. */
    g_assert_cmpuint(kinds[MEASURE_LOSS], ==, 2);
    /* Only c -> b has a bandwidth and no loss on either way. */
    g_assert_cmpuint(kinds[MEASURE_GOODPUT], ==, 1);
    const struct measurement *first = &g_array_index(p.measurements, struct measurement, 0);
    json_t *test = json_pack("{s:I, s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:I, s:I, s:I}", "id", (json_int_t)0, "kind", "rtt", "from",
                             "a", "to", "b", "from_vnode", (json_int_t)platform_find_vnode(platform, "a")->id, "to_vnode",
                             (json_int_t)platform_find_vnode(platform, "b")->id, "from_address", "10.0.1.1", "to_address",
                             "10.0.1.2", "count", (json_int_t)10, "interval_ns", 50 * NS_PER_MS, "timeout_ns",
                             json_integer_value(json_object_get(first->test, "timeout_ns")));
    g_assert_true(json_equal(first->test, test));
    json_decref(test);
    g_assert_cmpuint(p.unreachable, ==, 0);
    g_assert_cmpuint(json_array_size(p.no_way), ==, 0);
    verify_plan_clear(&p);
}

static void test_unreachable(void)
{
    AUTO_PLATFORM platform = make_platform();
    struct vnode *gateway = platform_find_vnode(platform, "b");
    gateway->forwards = false;
    struct verify_options options = parse_options("{\"kinds\": [\"rtt\"]}");
    struct verify_plan p = {0};
    g_assert_true(verify_plan_make(platform, &options, &p, NULL));
    /* It may be meant so. */
    g_assert_cmpuint(p.unreachable, ==, 0);
    json_t *no_way = json_pack("[[s, s]]", "a", "c");
    g_assert_true(json_equal(p.no_way, no_way));
    g_assert_cmpuint(p.measurements->len, ==, 2);
    g_assert_cmpuint(json_array_size(p.results), ==, 2);
    verify_plan_clear(&p);
    /* Who names them expects one. */
    options.pairs = no_way;
    g_assert_true(verify_plan_make(platform, &options, &p, NULL));
    g_assert_cmpuint(p.unreachable, ==, 1);
    g_assert_cmpuint(json_array_size(p.no_way), ==, 0);
    g_assert_cmpuint(json_array_size(p.results), ==, 1);
    struct verify_run *run = verify_run_new(&options, &p);
    g_assert_true(verify_run_done(run) && !verify_run_passes(run));
    verify_run_free(run);
    verify_plan_clear(&p);
    json_decref(no_way);
}

/* Where a trace plays, nothing can be expected. */
static void test_following(void)
{
    AUTO_PLATFORM platform = make_platform();
    struct verify_options options = parse_options("{\"kinds\": [\"rtt\"]}");
    struct verify_plan p = {0};
    vnode_viface(platform_find_vnode(platform, "a"), 0)->output.latency_trace = 1;
    g_assert_true(verify_plan_make(platform, &options, &p, NULL));
    json_t *following = json_pack("[[s, s], [s, s]]", "a", "b", "a", "c");
    g_assert_true(json_equal(p.following, following));
    json_decref(following);
    g_assert_cmpuint(p.unreachable, ==, 0);
    g_assert_cmpuint(p.measurements->len, ==, 1);
    g_assert_cmpuint(json_array_size(p.results), ==, 1);
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
    g_assert_false(judge(MEASURE_LOSS, loss, "{\"sent\": 0, \"received\": 0}"));
    g_assert_false(judge(MEASURE_LOSS, loss, "{\"sent\": 1e15, \"received\": 9e14}"));
    /* 0.5 % of all runs lose one, 0.001 % two. */
    struct expectation rare = {.loss = PPB_ONE / 1000000};
    g_assert_true(judge(MEASURE_LOSS, rare, "{\"sent\": 5000, \"received\": 5000}"));
    g_assert_true(judge(MEASURE_LOSS, rare, "{\"sent\": 5000, \"received\": 4999}"));
    g_assert_false(judge(MEASURE_LOSS, rare, "{\"sent\": 5000, \"received\": 4998}"));
    struct expectation all = {.loss = PPB_ONE};
    g_assert_true(judge(MEASURE_LOSS, all, "{\"sent\": 100, \"received\": 0}"));
    g_assert_false(judge(MEASURE_LOSS, all, "{\"sent\": 100, \"received\": 1}"));
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
    g_assert_true(verify_plan_make(platform, &options, &one, NULL));
    g_assert_cmpuint(one.measurements->len, ==, VERIFY_PAIRS_DEFAULT);
    g_assert_true(verify_plan_make(platform, &options, &two, NULL));
    for (unsigned i = 0; i < VERIFY_PAIRS_DEFAULT; i++) {
        g_assert_true(json_equal(g_array_index(one.measurements, struct measurement, i).test,
                                 g_array_index(two.measurements, struct measurement, i).test));
    }
    verify_plan_clear(&one);
    verify_plan_clear(&two);
}

/* A verification of the row, a and b on pnode p1, c on p2, with the other ends of the probers' sockets. */
struct scene {
    struct platform *platform;
    struct verify_options options;
    struct verify_plan plan;
    struct verify_run *run;
    int probers[2];
};

static void place(struct platform *platform, const char *vnode, const char *pnode)
{
    char **place = &platform_find_vnode(platform, vnode)->pnode;
    g_free(*place);
    *place = g_strdup(pnode);
}

static void scene_open(struct scene *s, const char *options)
{
    s->platform = make_platform();
    place(s->platform, "a", "p1");
    place(s->platform, "b", "p1");
    place(s->platform, "c", "p2");
    s->options = parse_options(options);
    g_assert_true(verify_plan_make(s->platform, &s->options, &s->plan, NULL));
    s->run = verify_run_new(&s->options, &s->plan);
    g_autoptr(GPtrArray) pnodes = verify_run_pnodes(s->run);
    g_assert_cmpuint(pnodes->len, ==, 2);
    for (unsigned i = 0; i < 2; i++) {
        int pair[2];
        g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
        verify_run_add(s->run, i ? "p2" : "p1", pair[0], 0);
        s->probers[i] = pair[1];
    }
}

static void scene_close(struct scene *s)
{
    for (unsigned i = 0; i < 2; i++) {
        if (s->probers[i] >= 0) {
            close(s->probers[i]);
        }
    }
    verify_run_free(s->run);
    verify_plan_clear(&s->plan);
    platform_free(s->platform);
}

static void end_prober(struct scene *s, unsigned prober)
{
    close(s->probers[prober]);
    s->probers[prober] = -1;
}

/* Returns the line that a prober gets next, or NULL when there is none. */
static json_t *hear(struct scene *s, unsigned prober)
{
    /* What the first call queues is written by the second. */
    verify_run_run(s->run);
    verify_run_run(s->run);
    g_autoptr(GString) line = g_string_new(NULL);
    char c;
    while (recv(s->probers[prober], &c, 1, MSG_DONTWAIT) == 1 && c != '\n') {
        g_string_append_c(line, c);
    }
    return line->len ? json_loads(line->str, 0, NULL) : NULL;
}

static void say(struct scene *s, unsigned prober, const char *line)
{
    g_assert_cmpint(send(s->probers[prober], line, strlen(line), 0), ==, strlen(line));
    verify_run_run(s->run);
}

/* Checks that a prober gets 'expected' next, as it is. */
static void check_line(struct scene *s, unsigned prober, const char *expected)
{
    json_t *line = hear(s, prober);
    g_autofree char *text = line ? json_dumps(line, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    g_assert_cmpstr(text, ==, expected);
    json_decref(line);
}

/* Checks that a prober gets a round next, whose tests are "FROM-TO", with the end that it has of them (NULL: nothing comes). */
static void check_round(struct scene *s, unsigned prober, const char *expected)
{
    json_t *line = hear(s, prober), *test;
    g_autoptr(GString) text = g_string_new(NULL);
    size_t i;
    json_array_foreach (json_object_get(line, "round"), i, test) {
        const char *end = json_string_value(json_object_get(test, "end"));
        g_string_append_printf(text, "%s%" JSON_INTEGER_FORMAT " %s-%s%s%s", i ? ", " : "",
                               json_integer_value(json_object_get(test, "id")), json_string_value(json_object_get(test, "from")),
                               json_string_value(json_object_get(test, "to")), end ? " " : "", end ? end : "");
    }
    g_assert_cmpstr(line ? text->str : NULL, ==, expected);
    json_decref(line);
}

/* Returns what stands under 'kind' in the result from 'from' to 'to'. */
static json_t *figure(const struct scene *s, const char *from, const char *to, const char *kind)
{
    size_t i;
    json_t *result;
    json_array_foreach (s->plan.results, i, result) {
        if (!strcmp(json_string_value(json_object_get(result, "from")), from) &&
            !strcmp(json_string_value(json_object_get(result, "to")), to)) {
            return json_object_get(result, kind);
        }
    }
    g_assert_not_reached();
}

static void check_problem(const struct scene *s, const char *from, const char *to, const char *kind, const char *words)
{
    const char *problem = json_string_value(json_object_get(figure(s, from, to, kind), "problem"));
    g_assert_nonnull(problem);
    if (!strstr(problem, words)) {
        g_error("%s from %s to %s: \"%s\" does not say \"%s\"", kind, from, to, problem, words);
    }
}

static void test_two_probers(void)
{
    struct scene s = {0};
    scene_open(&s, "{\"kinds\": [\"rtt\", \"loss\"]}");
    /* One has both ends, or only the one that an RTT needs. */
    check_round(&s, 0, "0 a-b, 1 b-c from");
    check_round(&s, 1, NULL);
    say(&s, 0, "{\"id\":0,\"received\":10,\"rtt_ns\":{\"median\":10656000}}\n{\"id\":1,\"received\":10,\"rtt_ns\":{\"med");
    check_round(&s, 0, NULL);
    say(&s, 0, "ian\":0}}\n");
    check_round(&s, 0, "2 a-c from");
    say(&s, 0, "{\"id\":2,\"received\":10,\"rtt_ns\":{\"median\":10656000}}\n");
    check_round(&s, 0, "3 b-a");
    say(&s, 0, "{\"id\":3,\"sent\":1000,\"received\":990}\n");
    /* Messages pass between the ends; nothing ends before the answer. */
    check_round(&s, 0, "4 c-a to");
    check_round(&s, 1, "4 c-a from");
    say(&s, 1, "{\"id\":4,\"peer\":{\"port\":4711}}\n");
    check_line(&s, 0, "{\"id\":4,\"peer\":{\"port\":4711}}");
    say(&s, 0, "{\"id\":4,\"peer\":{\"nonce\":1,\"port\":4712}}\n{\"id\":4,\"peer\":{\"warm\":true}}\n");
    check_line(&s, 1, "{\"id\":4,\"peer\":{\"nonce\":1,\"port\":4712}}");
    check_line(&s, 1, "{\"id\":4,\"peer\":{\"warm\":true}}");
    g_assert_cmpuint(verify_run_answered(s.run), ==, 4);
    g_assert_false(verify_run_done(s.run));
    say(&s, 1, "{\"id\":4,\"sent\":1000,\"received\":990}\n");
    g_assert_true(verify_run_done(s.run) && verify_run_passes(s.run));
    g_assert_true(json_is_true(json_object_get(figure(&s, "c", "a", "loss"), "pass")));
    scene_close(&s);
}

static void test_lost_pnode(void)
{
    struct scene s = {0};
    scene_open(&s, "{\"kinds\": [\"rtt\"]}");
    verify_run_lose(s.run, "p2", "p2 is silent");
    check_round(&s, 0, "0 a-b");
    say(&s, 0, "{\"id\":0,\"received\":10,\"rtt_ns\":{\"median\":10656000}}\n");
    g_assert_true(verify_run_done(s.run) && !verify_run_passes(s.run));
    g_assert_true(json_is_true(json_object_get(figure(&s, "a", "b", "rtt"), "pass")));
    check_problem(&s, "a", "c", "rtt", "p2 is silent");
    check_problem(&s, "b", "c", "rtt", "p2 is silent");
    scene_close(&s);
}

/* The end that is left is told, and answers itself if it is "from". */
static void test_prober_ends(void)
{
    struct scene s = {0};
    scene_open(&s, "{\"kinds\": [\"loss\"]}");
    check_round(&s, 0, "0 b-a");
    say(&s, 0, "{\"id\":0,\"error\":\"a has no namespace\"}\n");
    check_round(&s, 0, "1 c-a to");
    check_round(&s, 1, "1 c-a from");
    end_prober(&s, 1);
    verify_run_run(s.run);
    g_assert_true(verify_run_done(s.run) && !verify_run_passes(s.run));
    check_problem(&s, "b", "a", "loss", "a has no namespace");
    check_problem(&s, "c", "a", "loss", "the prober on pnode p2 has ended too early");
    scene_close(&s);

    s = (struct scene){0};
    scene_open(&s, "{\"kinds\": [\"loss\"]}");
    check_round(&s, 0, "0 b-a");
    say(&s, 0, "{\"id\":0,\"sent\":1000,\"received\":990}\n");
    check_round(&s, 0, "1 c-a to");
    check_round(&s, 1, "1 c-a from");
    end_prober(&s, 0);
    check_line(&s, 1,
               "{\"id\":1,\"peer\":{\"error\":\"the prober on pnode p1 has ended too early; distemd's log there may say why\"}}");
    g_assert_false(verify_run_done(s.run));
    say(&s, 1, "{\"id\":1,\"error\":\"loss from c to a: the prober on pnode p1 has ended\"}\n");
    g_assert_true(verify_run_done(s.run) && !verify_run_passes(s.run));
    check_problem(&s, "c", "a", "loss", "loss from c to a");
    scene_close(&s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/verify/measurements", test_measurements);
    g_test_add_func("/verify/unreachable", test_unreachable);
    g_test_add_func("/verify/following", test_following);
    g_test_add_func("/verify/refusals", test_refusals);
    g_test_add_func("/verify/judge", test_judge);
    g_test_add_func("/verify/sample", test_sample);
    g_test_add_func("/verify/two-probers", test_two_probers);
    g_test_add_func("/verify/lost-pnode", test_lost_pnode);
    g_test_add_func("/verify/prober-ends", test_prober_ends);
    return g_test_run();
}
