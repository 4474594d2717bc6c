/* SPDX-License-Identifier: Apache-2.0 */
/* What the kinds of measurements have in common, and how they are run. */
#ifndef DISTEM_PROBE_MEASURE_H
#define DISTEM_PROBE_MEASURE_H 1

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <glib.h>
#include <jansson.h>

#include "input.h"
#include "loop.h"

/* Packets that are sent before the measured ones at most, and how many in a test's timeout. */
#define WARM_PACKETS 9
#define WARM_PACKETS_PER_TIMEOUT 3

struct runner;

/* A measurement under way: the first member of its kind's own structure, which starts zeroed. */
struct measurement {
    const struct measurement_kind *kind;
    const struct probe_test *test;
    struct loop *loop;
    struct runner *runner;
    struct timer deadline; /* Set by the runner: it ends what did not end itself. */
    double phase;          /* From 0 to 1: see measurement_first(). */
    bool ended;
};

/* A kind of measurement. It lives on callbacks of the loop until it calls measurement_done() or measurement_fail(), once, after
 * which the callback returns without touching it again. */
struct measurement_kind {
    size_t size; /* Of its structure. */
    /* Says how long the test may take at most, in ns. */
    int64_t (*limit)(const struct probe_test *);
    /* Opens the sockets and starts measuring. Must not end the measurement: false with an error is for that. */
    bool (*start)(struct measurement *, GError **error);
    /* Closes sockets, takes back timers, frees: also for what did not start completely. The structure itself stays. */
    void (*stop)(struct measurement *);
};

extern const struct measurement_kind measurement_rtt, measurement_loss, measurement_goodput;

/* Returns when a measurement that sends every test->interval is to begin. The tests of a round, which start together, would else
 * send together for ever, and overflow the kernel's queues by their number alone. */
int64_t measurement_first(const struct measurement *);

/* Returns how long a test that sends test->count packets may take at most, in ns. */
int64_t measurement_packets_limit(const struct probe_test *);

/* Ends a measurement with its result, an object without an id, whose reference is taken over. */
void measurement_done(struct measurement *, json_t *result);
/* Ends a measurement with an error, which is freed. */
void measurement_fail(struct measurement *, GError *error);

/* Runs all of 'input', writing a line for each test to 'output' as it ends. Returns false when the machine lacks what any
 * measurement needs (no loop), or when 'output' cannot be written. */
bool measure(const struct probe_input *input, FILE *output, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns 64 random bits that mark the packets of one measurement. */
uint64_t measurement_nonce(void);

#endif
