/* SPDX-License-Identifier: Apache-2.0 */
/* Which vnodes forward. */
#ifndef DISTEM_PLAN_FORWARDING_H
#define DISTEM_PLAN_FORWARDING_H 1

#include "distem/error.h"
#include "distem/platform.h"

/* Returns a table struct vnetwork -> its index in 'platform', by GUINT_TO_POINTER; the caller unrefs it. */
GHashTable *forwarding_positions(const struct platform *);

/* Sets 'forwards' of all vnodes: those whose user said so, those that a vroute goes through, and, unless routing is "none", those
 * that may and without which two vnetworks would not reach each other, oldest (smallest id) first, so that a new vnode takes over
 * from no old one. 'lost' is a set of those vnodes whose machines are: others take over from them. Adds what contradicts itself to
 * 'problems' and returns whether nothing did. */
bool forwarding_decide(struct platform *, GHashTable *positions, GHashTable *lost, struct diagnostics *problems);

#endif
