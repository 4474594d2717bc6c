/* SPDX-License-Identifier: Apache-2.0 */
/* Size tables (tc-stab(8)): how many bytes the qdiscs of a device count for a frame. The kernel heeds that of the root alone. It
 * knows other ways to say that, but each is of one kind of qdisc, and those of rates take no negative overhead and one kind of
 * cell. */
#ifndef LINK_STAB_H
#define LINK_STAB_H 1

#include <stdbool.h>
#include <stddef.h>

#include <netlink/attr.h>

#include "distem/platform.h"

/* Room that stab_put() needs at most. */
#define STAB_SIZE 40960

/* Appends the table of 'impairment'; nothing when frames count what they have or there is no bandwidth to count for, which takes
 * away a table that was there. */
void stab_put(struct nl_msg *, const struct impairment *);
/* Says whether 'found', as dumped (NULL: none), is that table. */
bool stab_is(const struct nlattr *found, const struct impairment *);

#endif
