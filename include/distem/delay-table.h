/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of jitter distributions that users bring, in the format of tc-netem(8)'s: whole numbers, of which netem draws each with
 * the same chance; 8192 stands for one jitter.
 *
 * A table is known by an id that follows from its name and its numbers, the same everywhere and always, so that a direction needs
 * to hold no more than that (struct impairment: 'distribution'). A table is there as long as somebody has a reference to it: each
 * platform has those of its directions, and whoever keeps a direction longer takes one of its own. All functions may be called
 * from any thread. */
#ifndef DISTEM_DELAY_TABLE_H
#define DISTEM_DELAY_TABLE_H 1

#include <stdint.h>

#include <glib.h>

#include "distem/platform.h"

#define DELAY_TABLE_SCALE 8192 /* NETEM_DIST_SCALE: stands for one jitter. */
#define DELAY_TABLE_MOST 16384 /* NETEM_DIST_MAX: numbers that the kernel takes. */

struct delay_table {
    uint64_t id;            /* Larger than any enum distribution. */
    char *name;             /* As the topology has it: a file. */
    GArray *entries;        /* Of int16_t. */
    double mean, deviation; /* In jitters. */
    unsigned references;    /* Of delay-table.c. */
};

/* Reads the table 'name' from its text: numbers between blanks or lines; what follows a # is a comment. Returns a reference to
 * the one that there is from now on, or NULL with '*error' (DISTEM_ERROR_INVALID), which names the table and the line. */
struct delay_table *delay_table_read(const char *name, const char *text, GError **error);
/* Take a further reference, and give one back; NULL is fine. */
struct delay_table *delay_table_ref(struct delay_table *);
void delay_table_unref(struct delay_table *);
/* Returns the table with this id, borrowed from whom the id is, or NULL. */
struct delay_table *delay_table_find(uint64_t id);
/* Returns the numbers as a text of lines that delay_table_read() reads. The caller frees it. */
char *delay_table_text(const struct delay_table *);

/* Returns the tables that 'platform' uses, of const struct delay_table, in the order of their first use. The caller unrefs it. */
GPtrArray *delay_tables_of(const struct platform *platform);

#endif
