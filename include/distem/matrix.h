/* SPDX-License-Identifier: Apache-2.0 */
/* The latency matrix of a platform: what a frame meets between the vnode that sent it and the one that it is for, whatever lies
 * between, in addition to what the vifaces do. It is given between groups of vnodes; a vnode belongs to one group or to none.
 *
 * Matrices do not change once they are filled, so that platforms can share them. */
#ifndef DISTEM_MATRIX_H
#define DISTEM_MATRIX_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#define MATRIX_GROUPS_MOST 2000

/* From one group to another. All 0: nothing. */
struct matrix_cell {
    int64_t latency;    /* ns, one way. */
    uint64_t bandwidth; /* bit/s of what a wire carries (FRAMING_ETHERNET), for each pair of vnodes; 0: not limited. */
    uint32_t loss;      /* Billionths. */
};

struct matrix_group {
    char *selector; /* As the topology has it: a vnode's name, a pattern, or labels; see select.h. */
    /* "10.0.0.1,fd00::1 10.0.0.2/3/28635": of its vnodes, as the database has them; NULL elsewhere. What follows an address is the
     * id of its vnetwork, where a base latency is known, and how many ns its output leaves out for it. */
    char *addresses;
};

struct matrix {
    unsigned references;
    unsigned groups;
    uint32_t seed; /* Of all losses; 0: none. */
    struct matrix_group *group;
    struct matrix_cell *cells; /* Number from * groups + to. */
};

/* Makes one of so many groups without selectors; all cells are 0. */
struct matrix *matrix_new(unsigned groups);
/* Returns a copy of one, which may be changed as long as nobody else refers to it. */
struct matrix *matrix_copy(const struct matrix *);
/* Take and give back a reference. NULL is fine. */
struct matrix *matrix_ref(struct matrix *);
void matrix_unref(struct matrix *);

/* Returns what lies between two groups, counted from 1 as in struct vnode; NULL when a group is 0 or the matrix NULL. */
const struct matrix_cell *matrix_between(const struct matrix *, uint32_t from, uint32_t to);
/* Returns the group, from 1, that the topology names 'selector'; 0: there is none. */
uint32_t matrix_find(const struct matrix *, const char *selector);
/* Says whether both are the same, but for addresses. NULL is fine. */
bool matrix_equal(const struct matrix *, const struct matrix *);
/* Returns the cells of a row as one text, and reads it again; what is missing in it is 0. */
char *matrix_row_text(const struct matrix *, unsigned from);
void matrix_read_row(struct matrix *, unsigned from, const char *text);

#endif
