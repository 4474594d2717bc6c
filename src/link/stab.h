/* SPDX-License-Identifier: Apache-2.0 */
/* Size tables (tc-stab(8)): how many bytes a qdisc counts for a frame. The kernel knows other ways to say that, but all of them are
 * of one kind of qdisc, and none takes a negative overhead or any cell. */
#ifndef LINK_STAB_H
#define LINK_STAB_H 1

#include <stdbool.h>
#include <stddef.h>

#include <netlink/attr.h>

#include "distem/platform.h"

/* Room that stab_put() needs at most. */
#define STAB_SIZE 40960

/* Appends the table of 'impairment'; nothing when frames count what they have, which takes away a table that was there. */
void stab_put(struct nl_msg *, const struct impairment *);
/* Says whether 'found', as dumped (NULL: none), is that table. */
bool stab_is(const struct nlattr *found, const struct impairment *);

#endif
