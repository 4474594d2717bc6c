/* SPDX-License-Identifier: Apache-2.0 */
/* A verification: which pairs are measured, what with, and whether the figures are what the platform promises. The parts that
 * need no coordinator. */
#ifndef COORDINATOR_VERIFY_H
#define COORDINATOR_VERIFY_H 1

#include <jansson.h>

#include "distem/expect.h"

/* Without being told pairs or a sample, so many pairs at most are measured; beyond that, a sample of this size. */
#define VERIFY_PAIRS_DEFAULT 200
/* So many packets at most are sent to measure a loss. */
#define VERIFY_LOSS_COUNT_MAX 5000

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
    json_t *test;                 /* For distem-probe, see include/distem/probe.h; owned. */
    unsigned round;               /* From 0. */
    unsigned count;               /* Packets sent. */
    bool answered;
};

/* What is to be measured. */
struct verify_plan {
    GPtrArray *expectations; /* Of struct expectation, owned. */
    GArray *measurements;    /* Of struct measurement, round by round; a test's id is its index. */
    unsigned unreachable;    /* Pairs that were asked for by name and have no way between them. */
    json_t *no_way;          /* Array of [from, to]: other pairs without a way between them, by the plan. */
    json_t *following;       /* Array of [from, to]: pairs that are not measured, as something between them follows a trace. */
    json_t *results;         /* Array of the pairs' result objects, to be filled by verify_judge(). */
};

/* Works out what to measure in 'planned', which must outlive the result. */
bool verify_plan_make(const struct platform *planned, const struct verify_options *, struct verify_plan *ret, GError **error);
/* The same for the RTTs of 'expectations' (of struct expectation, each from g_new()), which are taken over with
 * them. */
void verify_plan_rtts(GPtrArray *expectations, struct verify_plan *ret);
void verify_plan_clear(struct verify_plan *);

/* Enters the prober's 'answer' to measurement 'm' into its result, with pass or fail. Returns whether it passed. */
bool verify_judge(const struct verify_options *, const struct measurement *m, const json_t *answer);

/* The conversation with the probers, one on each pnode that has a vnode of a measurement. */
struct verify_run;

/* Returns one that has not begun. 'options' and 'plan', whose results it fills in, are borrowed. */
struct verify_run *verify_run_new(const struct verify_options *options, struct verify_plan *plan);
/* Ends the probers; NULL is fine. */
void verify_run_free(struct verify_run *);

/* Returns the names of the pnodes that need a prober: an array of borrowed strings that the caller unrefs. */
GPtrArray *verify_run_pnodes(const struct verify_run *);
/* Gives it the prober of 'pnode': 'fd', a socket that does not block, and process 'pid'; both are taken over. */
void verify_run_add(struct verify_run *, const char *pnode, int fd, GPid pid);
/* Does without the prober of 'pnode', from now on, because of 'problem', a sentence that its measurements get as their result. */
void verify_run_lose(struct verify_run *, const char *pnode, const char *problem);

/* Does what can be done now. Every pnode has been added or lost before the first call. */
void verify_run_run(struct verify_run *);
void verify_run_wait(const struct verify_run *);
/* Returns how many measurements have their result. */
unsigned verify_run_answered(const struct verify_run *);
/* Says whether all have, and whether none of those that have failed. */
bool verify_run_done(const struct verify_run *);
bool verify_run_passes(const struct verify_run *);

#endif
