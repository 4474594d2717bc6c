/* SPDX-License-Identifier: Apache-2.0 */
/* Circles in a graph in which each point leads to one other at most. */
#ifndef DISTEM_PLAN_CIRCLES_H
#define DISTEM_PLAN_CIRCLES_H 1

#include <stdint.h>

#include <glib.h>

/* Returns for each circle one of its points (uint32_t); the caller unrefs it. Point i of 'n' leads to next[i]; UINT32_MAX: nowhere.
 */
GArray *circles_find(const uint32_t *next, uint32_t n);

#endif
