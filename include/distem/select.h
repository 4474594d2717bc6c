/* SPDX-License-Identifier: Apache-2.0 */
/* Vifaces by pattern and vnodes by label, as users name many at once. Pure: no I/O. */
#ifndef DISTEM_SELECT_H
#define DISTEM_SELECT_H 1

#include "distem/error.h"
#include "distem/platform.h"

#define SELECT_PATTERN_MAX 200 /* Characters of a pattern for one name. */

/* Says whether 'name' (of at most NAME_MAX_LENGTH characters) is one that 'pattern' means: "*" stands for any characters, "?" for
 * one, and "[1-100]" for a number as in the keys of topology files ("[001-100]": with leading zeros). A pattern that
 * select_check() refuses means no name. */
bool select_matches(const char *pattern, const char *name);

/* Checks a pattern for one name: its length, and that what is in brackets is a range. DISTEM_ERROR_INVALID. */
bool select_check(const char *pattern, GError **error);

/* A viface and the vnode that has it; both belong to the platform. */
struct selected {
    struct vnode *vnode;
    struct viface *viface;
};

/* Appends what 'pattern', "VNODE" (all its vifaces) or "VNODE:VIFACE", means in 'platform' to 'ret', an array of struct selected,
 * in the platform's order. In place of VNODE's pattern, "site=paris,role=client*" means the vnodes that have all these labels, with
 * a pattern for each value (in which "?" has to stand for a colon). Fails with DISTEM_ERROR_INVALID for a malformed pattern and
 * with DISTEM_ERROR_NOT_FOUND when it means nothing, naming the nearest vnode. */
bool select_vifaces(const struct platform *, const char *pattern, GArray *ret, GError **error);
/* The same, but does not append vifaces (struct viface *) that are in the set 'taken', and adds those that it appends. */
bool select_more(const struct platform *, const char *pattern, GHashTable *taken, GArray *ret, GError **error);

#endif
