/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "measure.h"

#include <math.h>

#include "distem/error.h"
#include "distem/units.h"

#define SPREAD_MAX NS_PER_S

struct runner {
    FILE *output;
    unsigned running; /* Measurements of this round. */
};

static const struct measurement_kind *const kinds[PROBE_KINDS] = {
    [PROBE_RTT] = &measurement_rtt, [PROBE_LOSS] = &measurement_loss, [PROBE_GOODPUT] = &measurement_goodput};

uint64_t measurement_nonce(void)
{
    return (uint64_t)g_random_int() << 32 | g_random_int();
}

int64_t measurement_first(const struct measurement *m)
{
    return loop_now() + llround(m->phase * (double)MIN(m->test->interval, SPREAD_MAX));
}

int64_t measurement_packets_limit(const struct probe_test *test)
{
    /* A machine that has much else to do keeps a pace of its own, and answers late. */
    int64_t pace = MAX(2 * test->interval, 10 * NS_PER_MS);
    return 2 * test->timeout * (WARM_PACKETS / WARM_PACKETS_PER_TIMEOUT + 2) + test->count * pace + 10 * NS_PER_S;
}

void measurement_done(struct measurement *m, json_t *result)
{
    g_assert(!m->ended);
    m->ended = true;
    m->kind->stop(m);
    loop_timer_clear(m->loop, &m->deadline);
    json_object_set_new(result, "id", json_integer(m->test->id));
    /* Errors of the stream stay with it until the end of the run. */
    json_dumpf(result, m->runner->output, JSON_COMPACT);
    fputc('\n', m->runner->output);
    fflush(m->runner->output);
    json_decref(result);
    m->runner->running--;
}

void measurement_fail(struct measurement *m, GError *error)
{
    const struct probe_test *test = m->test;
    char from[IP_TEXT_SIZE], to[IP_TEXT_SIZE];
    g_autofree char *message =
        g_strdup_printf("%s from %s (%s) to %s (%s): %s", probe_kind_name(test->kind), test->from,
                        ip_format(&test->from_address, from), test->to, ip_format(&test->to_address, to), error->message);
    g_error_free(error);
    measurement_done(m, json_pack("{ss}", "error", message));
}

static void deadline_passed(struct timer *timer)
{
    struct measurement *m = G_STRUCT_MEMBER_P(timer, -(glong)offsetof(struct measurement, deadline));
    GError *error = NULL;
    fail(&error, DISTEM_ERROR_SYSTEM, 0, "no result within %.0f s", (double)m->kind->limit(m->test) / NS_PER_S);
    measurement_fail(m, error);
}

static struct measurement *start_measurement(struct runner *runner, struct loop *loop, const struct probe_test *test, double phase)
{
    const struct measurement_kind *kind = kinds[test->kind];
    struct measurement *m = g_malloc0(kind->size);
    m->kind = kind;
    m->test = test;
    m->loop = loop;
    m->runner = runner;
    m->phase = phase;
    m->deadline.fire = deadline_passed;
    loop_timer_set(loop, &m->deadline, loop_now() + kind->limit(test));
    runner->running++;
    GError *error = NULL;
    if (!kind->start(m, &error)) {
        measurement_fail(m, error);
    }
    return m;
}

static bool run_round(struct runner *runner, struct loop *loop, const GPtrArray *round, GError **error)
{
    /* Freed at the end of the round: the loop may still hold events of what has ended. */
    g_autoptr(GPtrArray) measurements = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < round->len; i++) {
        g_ptr_array_add(measurements, start_measurement(runner, loop, round->pdata[i], (double)i / round->len));
    }
    while (runner->running) {
        if (!loop_turn(loop, error)) {
            return false;
        }
    }
    return true;
}

bool measure(const struct probe_input *input, FILE *output, GError **error)
{
    struct loop *loop = loop_new(error);
    if (!loop) {
        return false;
    }
    struct runner runner = {.output = output};
    bool ok = true;
    for (unsigned i = 0; ok && i < input->rounds->len; i++) {
        ok = run_round(&runner, loop, input->rounds->pdata[i], error);
    }
    loop_free(loop);
    if (ok && ferror(output)) {
        ok = fail(error, DISTEM_ERROR_SYSTEM, 0, "the results could not be written");
    }
    return ok;
}
