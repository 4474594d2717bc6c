/* SPDX-License-Identifier: Apache-2.0 */
/* Short ways to make platforms in tests, and to look at planned ones. */
#ifndef DISTEM_TEST_MAKE_PLATFORM_H
#define DISTEM_TEST_MAKE_PLATFORM_H 1

#include "distem/expect.h"
#include "distem/plan.h"

/* Adds a vnetwork with the prefixes "10.0.1.0/24", "fd00:1::/64" or both separated by a space. */
struct vnetwork *make_vnetwork(struct platform *, const char *name, const char *prefixes);
/* Adds a vnode with vifaces if0, if1 ... on the vnetworks that are named, separated by spaces. */
struct vnode *make_vnode(struct platform *, const char *name, const char *vnetworks);
/* Sets both latencies of viface 'i'. */
void make_latency(struct vnode *, unsigned i, int64_t input, int64_t output);
/* Adds a vroute; 'to' is a vnetwork's name or a prefix. */
struct vroute *make_vroute(struct platform *, const char *from, const char *to, const char *via);
struct ip_addr make_address(const char *text);

/* The platform with two vnetworks and five vnodes that the demo has. */
struct platform *make_figure3(void);

/* Plans without pnodes and frees 'asked'; problems fail the test. */
struct platform *plan_alone(struct platform *asked);
/* Asserts that 'asked', which is freed, cannot be planned and that some problem contains 'text'. */
void assert_problem(struct platform *asked, const char *text);

/* Returns all that a plan fixes as text; the caller frees it. */
char *dump_platform(const struct platform *);
/* Returns the routes of vnode 'name' as "default via 10.0.0.1 dev if0; ...", to be freed. */
char *dump_routes(const struct platform *, const char *name);
/* Returns the vnodes on the way between two vnodes as "n1 n3 n4", or the error's message; to be freed. */
char *dump_path(const struct platform *, const char *from, const char *to);

#endif
