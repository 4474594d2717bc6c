/* SPDX-License-Identifier: Apache-2.0 */
/* The prober's input, statistics and timers. */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "distem/error.h"
#include "distem/units.h"
#include "src/probe/input.h"
#include "src/probe/loop.h"
#include "src/probe/stats.h"

#define VNODES "\"from_vnode\":1,\"to_vnode\":2,"
#define NAMES VNODES "\"from\":\"a\",\"to\":\"b\""
#define ENDS NAMES ",\"from_address\":\"10.0.0.1\",\"to_address\":\"10.0.0.2\""
#define ENDS6 VNODES "\"from\":\"b\",\"to\":\"a\",\"from_address\":\"fd00::2\",\"to_address\":\"fd00::1\""
#define ROUND(tests) "{\"round\":[" tests "]}"
#define RTT "\"id\":1,\"kind\":\"rtt\",\"count\":10,\"interval_ns\":100,\"timeout_ns\":2000000000"
#define LOSS "\"id\":2,\"kind\":\"loss\",\"count\":1000,\"interval_ns\":1000000,\"timeout_ns\":1000000,\"size\":64"
#define GOODPUT "\"id\":3,\"kind\":\"goodput\",\"bandwidth\":1000000"

static void test_round(void)
{
    static const char text[] = ROUND("{" RTT "," ENDS "},{" LOSS "," ENDS6 ",\"end\":\"to\"},{" GOODPUT
                                     ",\"duration_ns\":5,\"mss\":536,\"end\":\"from\"," ENDS "}");
    g_autoptr(GError) error = NULL;
    struct probe_line line;
    g_assert_true(probe_line_parse(text, strlen(text), &line, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(line.round->len, ==, 3);
    const struct probe_test *rtt = line.round->pdata[0];
    g_assert_cmpint(rtt->kind, ==, PROBE_RTT);
    g_assert_cmpint(rtt->id, ==, 1);
    g_assert_cmpint(rtt->count, ==, 10);
    g_assert_cmpint(rtt->interval, ==, 100);
    g_assert_cmpint(rtt->timeout, ==, 2000000000);
    g_assert_true(rtt->here[PROBE_FROM] && rtt->here[PROBE_TO]);
    g_assert_cmpstr(rtt->name[PROBE_FROM], ==, "a");
    g_assert_cmpint(rtt->vnode[PROBE_FROM], ==, 1);
    g_assert_cmpint(rtt->address[PROBE_FROM].bytes[3], ==, 1);
    const struct probe_test *loss = line.round->pdata[1];
    g_assert_cmpint(loss->kind, ==, PROBE_LOSS);
    g_assert_cmpint(loss->size, ==, 64);
    g_assert_true(!loss->here[PROBE_FROM] && loss->here[PROBE_TO]);
    g_assert_cmpint(loss->vnode[PROBE_TO], ==, 2);
    g_assert_cmpint(loss->address[PROBE_TO].family, ==, 6);
    const struct probe_test *goodput = line.round->pdata[2];
    g_assert_cmpint(goodput->kind, ==, PROBE_GOODPUT);
    g_assert_cmpint(goodput->bandwidth, ==, 1000000);
    g_assert_cmpint(goodput->duration, ==, 5);
    g_assert_cmpint(goodput->mss, ==, 536);
    g_assert_cmpint(goodput->timeout, ==, 0);
    g_assert_true(goodput->here[PROBE_FROM] && !goodput->here[PROBE_TO]);
    probe_line_clear(&line);
}

static void test_message(void)
{
    static const char text[] = "{\"id\":7,\"peer\":{\"port\":4711}}";
    struct probe_line line;
    g_assert_true(probe_line_parse(text, strlen(text), &line, NULL));
    g_assert_null(line.round);
    g_assert_cmpint(line.id, ==, 7);
    g_assert_cmpint(json_integer_value(json_object_get(line.message, "port")), ==, 4711);
    probe_line_clear(&line);
}

static void test_line_errors(void)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "no JSON: column 0"},
        {"{", "no JSON: column 1"},
        {"{}{", "no JSON: column 3"},
        {"{\"round\":[],\"round\":[]}", "no JSON: column"},
        {"[]", "expected an object with the key round"},
        {"{}", "expected an object with the key round"},
        {"{\"round\":[],\"more\":1}", "expected an object with the key round"},
        {"{\"round\":{}}", "expected an object with the key round"},
        {"{\"id\":1,\"peer\":[]}", "expected an object with the key round"},
        {"{\"id\":\"1\",\"peer\":{}}", "expected an object with the key round"},
        {"{\"id\":1,\"peer\":{},\"more\":1}", "expected an object with the key round"},
        {ROUND("7"), "/round/0: expected an object"},
        {ROUND("{}"), "/round/0/kind: expected a string"},
        {ROUND("{\"kind\":\"ping\"}"), "/round/0/kind: \"ping\" is none of rtt, loss, goodput"},
        {ROUND("{" RTT "," ENDS "},{" RTT ",\"size\":64," ENDS "}"), "/round/1/size: a test of kind rtt has no such key"},
        {ROUND("{" RTT ",\"colour\":64," ENDS "}"), "/round/0/colour: a test of kind rtt has no such key"},
        {ROUND("{" RTT ",\"end\":7," ENDS "}"), "/round/0/end: expected a string"},
        {ROUND("{" LOSS ",\"end\":\"x\"," ENDS "}"), "/round/0/end: \"x\" is no end of a test of kind loss"},
        {ROUND("{" RTT ",\"end\":\"to\"," ENDS "}"), "/round/0/end: \"to\" is no end of a test of kind rtt"},
        {ROUND("{" RTT ",\"from\":\"a\",\"to\":7}"), "/round/0/to: expected a string"},
        {ROUND("{" RTT ",\"from\":\"a\",\"to\":\"b\",\"from_address\":\"10.0.0.1\",\"to_address\":\"10.0.0.2\"}"),
         "/round/0/from_vnode: expected an integer from 1"},
        {ROUND("{" RTT "," NAMES ",\"from_address\":\"x\"}"), "/round/0/from_address: \"x\" is no IP address"},
        {ROUND("{" RTT "," NAMES ",\"from_address\":\"::1\"}"), "/round/0/to_address: expected a string"},
        {ROUND("{" RTT "," NAMES ",\"from_address\":\"::1\",\"to_address\":\"10.0.0.1\"}"),
         "/round/0: from_address and to_address must both"},
        {ROUND("{\"id\":1,\"kind\":\"rtt\"," ENDS "}"), "/round/0/count: expected an integer from 1 to 1000000"},
        {ROUND("{\"id\":1,\"kind\":\"rtt\",\"count\":0," ENDS "}"), "/round/0/count: expected an integer"},
        {ROUND("{\"id\":1,\"kind\":\"rtt\",\"count\":1000001," ENDS "}"), "/round/0/count: expected an integer"},
        {ROUND("{\"id\":1,\"kind\":\"rtt\",\"count\":1.0," ENDS "}"), "/round/0/count: expected an integer"},
        {ROUND("{\"id\":\"1\",\"kind\":\"rtt\"," ENDS "}"), "/round/0/id: expected an integer"},
        {ROUND("{\"id\":1,\"kind\":\"loss\",\"count\":1,\"interval_ns\":-1," ENDS "}"), "/round/0/interval_ns: expected"},
        {ROUND("{\"id\":1,\"kind\":\"loss\",\"count\":1,\"interval_ns\":0,\"timeout_ns\":1000000,\"size\":15," ENDS "}"),
         "/round/0/size: expected an integer from 16"},
        {ROUND("{" GOODPUT ",\"mss\":40000," ENDS "}"), "/round/0/mss: expected an integer"},
        {ROUND("{\"id\":1,\"kind\":\"goodput\",\"bandwidth\":true," ENDS "}"), "/round/0/bandwidth: expected an integer"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        struct probe_line line;
        g_assert_false(probe_line_parse(cases[i].text, strlen(cases[i].text), &line, &error));
        g_assert_error(error, DISTEM_ERROR, DISTEM_ERROR_INVALID);
        if (!g_str_has_prefix(error->message, cases[i].message)) {
            g_error("%s: \"%s\" does not begin with \"%s\"", cases[i].text, error->message, cases[i].message);
        }
    }
}

static void check_stats(int64_t *values, size_t n, struct stats expected)
{
    struct stats stats;
    stats_of(values, n, &stats);
    g_assert_cmpint(stats.min, ==, expected.min);
    g_assert_cmpint(stats.mean, ==, expected.mean);
    g_assert_cmpint(stats.max, ==, expected.max);
    g_assert_cmpint(stats.deviation, ==, expected.deviation);
    g_assert_cmpint(stats.median, ==, expected.median);
}

static void test_stats(void)
{
    int64_t one[] = {40};
    check_stats(one, 1, (struct stats){.min = 40, .mean = 40, .max = 40, .median = 40});
    int64_t even[] = {9, 2, 4, 4, 5, 4, 7, 5};
    check_stats(even, 8, (struct stats){.min = 2, .mean = 5, .max = 9, .deviation = 2, .median = 5});
    int64_t odd[] = {30, 10, 20};
    check_stats(odd, 3, (struct stats){.min = 10, .mean = 20, .max = 30, .deviation = 8, .median = 20});
    /* Days in ns, a few ns apart. */
    int64_t large[] = {INT64_C(864000000000003), INT64_C(864000000000001), INT64_C(864000000000005), INT64_C(864000000000007)};
    check_stats(large, 4,
                (struct stats){.min = INT64_C(864000000000001),
                               .mean = INT64_C(864000000000004),
                               .max = INT64_C(864000000000007),
                               .deviation = 2,
                               .median = INT64_C(864000000000004)});
}

struct alarm {
    struct timer timer;
    unsigned number;
};
static GArray *fired;

static void note(struct timer *timer)
{
    g_array_append_val(fired, ((struct alarm *)timer)->number);
}

#define ALARMS 200

static void test_timers(void)
{
    struct loop *loop = loop_new(NULL);
    g_assert_nonnull(loop);
    fired = g_array_new(FALSE, FALSE, sizeof(unsigned));
    struct alarm alarms[ALARMS];
    int64_t start = loop_now();
    /* In a shuffled order; every third is taken back, every fifth moved to where it belongs only later. */
    for (unsigned i = 0; i < ALARMS; i++) {
        unsigned number = i * 77 % ALARMS;
        alarms[number] = (struct alarm){.timer.fire = note, .number = number};
        loop_timer_set(loop, &alarms[number].timer, start + (number % 5 ? number : ALARMS - number) * INT64_C(10));
    }
    for (unsigned i = 0; i < ALARMS; i++) {
        if (i % 3 == 0) {
            loop_timer_clear(loop, &alarms[i].timer);
            loop_timer_clear(loop, &alarms[i].timer);
        } else if (i % 5 == 0) {
            loop_timer_set(loop, &alarms[i].timer, start + i * INT64_C(10));
        }
    }
    unsigned expected = ALARMS - (ALARMS + 2) / 3;
    while (fired->len < expected) {
        g_assert_true(loop_turn(loop, NULL));
    }
    for (unsigned i = 0, number = 0; i < expected; i++, number++) {
        number += number % 3 == 0;
        g_assert_cmpuint(g_array_index(fired, unsigned, i), ==, number);
    }
    /* Not before its time. */
    loop_timer_set(loop, &alarms[0].timer, loop_now() + 3 * NS_PER_MS);
    while (fired->len == expected) {
        g_assert_true(loop_turn(loop, NULL));
    }
    g_assert_cmpint(loop_now(), >=, alarms[0].timer.at);
    g_array_unref(fired);
    loop_free(loop);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/probe/input/round", test_round);
    g_test_add_func("/probe/input/message", test_message);
    g_test_add_func("/probe/input/errors", test_line_errors);
    g_test_add_func("/probe/stats", test_stats);
    g_test_add_func("/probe/timers", test_timers);
    return g_test_run();
}
