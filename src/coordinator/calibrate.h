/* SPDX-License-Identifier: Apache-2.0 */
/* Calibration: the base latency of each vnetwork, so that it can be compensated. It is a verification that measures neighbours
 * only. Pure. */
#ifndef COORDINATOR_CALIBRATE_H
#define COORDINATOR_CALIBRATE_H 1

#include "verify.h"

/* So many pairs of neighbours on one pnode, and as many on two, are measured on a vnetwork. */
#define CALIBRATE_PAIRS 8

/* Works out what to measure in 'planned', which must outlive the result: pairs of vifaces whose frames do nothing at random and
 * take no other way, no viface in two pairs of a kind. There may be none. */
void calibrate_plan(const struct platform *planned, struct verify_plan *ret);

/* Enters the bases that follow from the results of 'plan' into the vnetworks of 'platform', a copy of what was measured: the median
 * of each kind of pairs, 0 where there is none with a result. */
void calibrate_enter(const struct verify_plan *plan, struct platform *platform);

/* Returns the bases of 'platform' as a new array: {"vnetwork": "net", "base_local_ns": 40000, "base_remote_ns": null}. */
json_t *calibrate_json(const struct platform *platform);

#endif
