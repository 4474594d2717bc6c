/* SPDX-License-Identifier: Apache-2.0 */
/* The jitter tables of a topology file, and the directions that have one: "distribution": {"table": "measured.dist"}. */
#ifndef TOPOLOGY_DELAY_TABLES_H
#define TOPOLOGY_DELAY_TABLES_H 1

#include <glib.h>

#include "reader.h"

/* Reads the section "tables", names with arrays of lines, into 'ret': name -> const struct delay_table, to which 'references' gets
 * the references. A table that has a problem is entered as NULL, so that nobody else complains. */
void delay_tables_read(struct reader *, const json_t *, GHashTable *ret, GPtrArray *references);

/* Reads {"table": NAME}: a table of the reader's. What is wrong becomes a problem, and then the result is false. */
bool delay_tables_read_property(struct reader *, const json_t *value, uint64_t *ret_id);

#endif
