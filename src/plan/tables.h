/* SPDX-License-Identifier: Apache-2.0 */
/* From ways to routes: few, and never in a circle.
 *
 * What a wider route says already is left out. A vnode sends what it has no closer route for through the gateway that it needs
 * most: its default route. For addresses that nobody has, default routes of gateways could form a circle; so in each circle the
 * gateway that saves least by it does without. For addresses of vnetworks no circle is possible: see shortest.h. */
#ifndef DISTEM_PLAN_TABLES_H
#define DISTEM_PLAN_TABLES_H 1

#include "distem/error.h"
#include "ways.h"

/* Appends the routes of the ways' family to each class. With 'defaults', default routes are computed; where there are vroutes, only
 * for vnodes that do not forward. Vroutes that send something in a circle are added to 'problems'. */
void tables_append(const struct ways *, bool defaults, struct diagnostics *problems);

#endif
