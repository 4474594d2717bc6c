/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <math.h>
#include <string.h>

#include "distem/units.h"
#include "verify.h"

/* Standard deviations that a random figure may be off: one in 10,000 right ones is further out (two-sided normal). */
#define DEVIATIONS 3.9

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* Judges the RTT: the median where nothing is random, else the mean, which may be off by what chance does to a mean. */
static json_t *judge_rtt(const struct verify_options *o, const struct measurement *m, const json_t *answer, bool *ret_pass)
{
    const struct expectation *e = m->expected;
    const json_t *rtt = json_object_get(answer, "rtt_ns");
    double received = number(answer, "received");
    double measured = number(rtt, e->rtt_jitter ? "mean" : "median");
    double expected = (double)e->rtt;
    double allowed = fmax(o->rtt_relative * expected, (double)o->rtt_absolute);
    if (e->rtt_jitter && received > 0) {
        allowed += DEVIATIONS * (double)e->rtt_jitter / sqrt(received);
    }
    *ret_pass = received > 0 && fabs(measured - expected) <= allowed;
    json_t *part = json_pack("{s:I, s:I, s:b}", "expected_ns", (json_int_t)e->rtt, "measured_ns", (json_int_t)llround(measured),
                             "pass", *ret_pass);
    if (e->rtt) {
        json_object_set_new(part, "error", json_real((measured - expected) / expected));
    }
    if (received <= 0) {
        json_object_set_new(part, "problem", json_string("no echo came back"));
    }
    return part;
}

static json_t *judge_goodput(const struct verify_options *o, const struct measurement *m, const json_t *answer, bool *ret_pass)
{
    double expected = m->expected->goodput, measured = number(answer, "goodput");
    double error = (measured - expected) / expected;
    *ret_pass = fabs(error) <= o->goodput_relative;
    return json_pack("{s:f, s:f, s:f, s:b}", "expected", expected, "measured", measured, "error", error, "pass", *ret_pass);
}

/* Judges a loss rate by the interval around the expected one in which the measured lies by chance. */
static json_t *judge_loss(const struct measurement *m, const json_t *answer, bool *ret_pass)
{
    double n = number(answer, "sent"), lost = n - number(answer, "received");
    unsigned least = 0, most = 0;
    bool counted = n >= 1 && n <= VERIFY_LOSS_COUNT_MAX;
    if (counted) {
        expect_losses(m->expected, (unsigned)n, &least, &most);
    }
    *ret_pass = counted && lost >= least && lost <= most;
    return json_pack("{s:f, s:f, s:f, s:f, s:b}", "expected", (double)m->expected->loss / PPB_ONE, "measured",
                     counted ? lost / n : 1.0, "low", counted ? least / n : 0.0, "high", counted ? most / n : 1.0, "pass",
                     *ret_pass);
}

bool verify_judge(const struct verify_options *o, const struct measurement *m, const json_t *answer)
{
    static const char *const names[] = {[MEASURE_RTT] = "rtt", [MEASURE_GOODPUT] = "goodput", [MEASURE_LOSS] = "loss"};
    bool pass = false;
    json_t *part, *problem = json_object_get(answer, "error");
    if (problem) {
        part = json_pack("{s:b, s:O}", "pass", 0, "problem", problem);
    } else if (m->kind == MEASURE_RTT) {
        part = judge_rtt(o, m, answer, &pass);
    } else if (m->kind == MEASURE_GOODPUT) {
        part = judge_goodput(o, m, answer, &pass);
    } else {
        part = judge_loss(m, answer, &pass);
    }
    json_object_set_new(m->result, names[m->kind], part);
    return pass;
}
