/* SPDX-License-Identifier: Apache-2.0 */
/* A verification: which pairs are measured, what with, and whether the figures are what the platform promises. The parts without
 * I/O. */
#ifndef COORDINATOR_VERIFY_H
#define COORDINATOR_VERIFY_H 1

#include <jansson.h>

#include "distem/expect.h"

/* Without being told pairs or a sample, so many pairs at most are measured; beyond that, a sample of this size. */
#define VERIFY_PAIRS_DEFAULT 200

struct verify_options {
    bool rtt, goodput, loss;
    double rtt_relative;  /* Of the expected value. */
    int64_t rtt_absolute; /* ns; the larger of the two counts. */
    double goodput_relative;
    uint32_t sample; /* 0: all pairs, or VERIFY_PAIRS_DEFAULT of them. */
    uint32_t seed;
    json_t *pairs; /* Of [from, to]; borrowed; NULL: chosen. */
};

/* Reads the request body 'body' (see doc/rest.md), complaining about keys and values that it does not know. 'ret->pairs' borrows
 * from it. */
bool verify_options_parse(const json_t *body, struct verify_options *ret, GError **error);

/* One measurement. */
enum measure { MEASURE_RTT, MEASURE_GOODPUT, MEASURE_LOSS };
struct measurement {
    enum measure kind;
    struct expectation *expected; /* Borrowed from the plan's list. */
    json_t *result;               /* The pair's result object; borrowed. */
    unsigned count;               /* Packets sent. */
};

/* What is to be measured. */
struct verify_plan {
    GPtrArray *expectations; /* Of struct expectation, owned. */
    GArray *measurements;    /* Of struct measurement; a test's id is its index. */
    json_t *input;           /* For distem-probe; see include/distem/probe.h. */
    unsigned unreachable;    /* Pairs without a way between them. */
    json_t *results;         /* Array of the pairs' result objects, to be filled by verify_judge(). */
};

/* Works out what to measure in 'planned', which must outlive the result. 'netns' gives the path of a vnode's namespace (the
 * caller's string is freed). Pairs without a way between them are results with a problem. */
bool verify_plan_make(const struct platform *planned, const struct verify_options *,
                      char *(*netns)(const struct vnode *, void *aux), void *aux, struct verify_plan *ret, GError **error);
void verify_plan_clear(struct verify_plan *);

/* Enters the prober's 'answer' to measurement 'm' into its result, with pass or fail. Returns whether it passed. */
bool verify_judge(const struct verify_options *, const struct measurement *m, const json_t *answer);

#endif
