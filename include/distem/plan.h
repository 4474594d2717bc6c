/* SPDX-License-Identifier: Apache-2.0 */
/* The plan: a pure function from (what was asked, what is allotted already, which pnodes there are) to a platform in which nothing
 * is open any more. Same input, same output; what is allotted already stays as it is. No I/O, nothing per pair of vnodes. */
#ifndef DISTEM_PLAN_H
#define DISTEM_PLAN_H 1

#include "distem/error.h"
#include "distem/platform.h"

/* Plans 'asked'. 'current' is the platform as it stands (NULL: none): vnetworks, vnodes and vifaces with the same names (a viface
 * also with the same vnetwork) keep ids, addresses, MACs, VNIs and pnode unless 'asked' says otherwise. 'pnodes' holds struct
 * pnode. What cannot be planned (no address left, no VNI left, no pnode has room ...) is added to 'problems', all of it, and the
 * result is NULL. Else a new platform, which the caller frees; generation is current's + 1 (1 without). 'unreachable' (may be NULL)
 * receives one entry of "A -> B" (char *, freed with the array) per ordered pair of vnetworks that have vnodes and no route between
 * them; that is no error. */
struct platform *plan(const struct platform *asked, const struct platform *current, const GPtrArray *pnodes,
                      struct diagnostics *problems, GPtrArray *unreachable);

/* The parts of plan(), in the order in which it runs them on its copy; each has its own file. They add what fails to 'problems' and
 * return whether nothing did. */
bool plan_ids(struct platform *, const struct platform *current, struct diagnostics *problems);
bool plan_addresses(struct platform *, const struct platform *current, struct diagnostics *problems);
bool plan_placement(struct platform *, const struct platform *current, const GPtrArray *pnodes, struct diagnostics *problems);
bool plan_routes(struct platform *, GPtrArray *unreachable, struct diagnostics *problems);

/* One step of a change, for `distem diff` and for progress. */
enum change_kind { CHANGE_ADD, CHANGE_REMOVE, CHANGE_MODIFY };
struct change {
    enum change_kind kind;
    const char *object; /* "platform", "vnetwork", "vnode", "viface", "vroute": static. */
    char *name;         /* "n1", or "n1:if0" for a viface. */
    char *detail;       /* For CHANGE_MODIFY: "input.latency 10ms -> 20ms, mac ..."; else NULL. */
};

/* Returns what turns 'from' (NULL: nothing) into 'to' (NULL: nothing), an array of struct change that the caller unrefs; empty when
 * the two are the same. Observed state and generation do not count. */
GPtrArray *plan_diff(const struct platform *from, const struct platform *to);

#endif
