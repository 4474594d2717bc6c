/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `distem status` share. */
#ifndef DISTEM_CLI_STATUS_H
#define DISTEM_CLI_STATUS_H 1

#include "cli.h"
#include "table.h"

/* Returns the colour for a state's name. */
enum color state_color(const char *state);
/* Adds the cell for the integer 'key' of 'object', nothing when it is null. */
void table_add_integer(struct table *, const json_t *object, const char *key);
/* Adds the cell for the memory of 'pnode', rounded. */
void table_add_memory(struct table *, const json_t *pnode);
/* Prints the error of each of 'objects' that has one, whole. */
void status_print_errors(const json_t *objects, const char *kind);
/* Prints one vnode in detail. */
void status_print_vnode(const json_t *vnode);

/* A table of what vifaces do to frames, to be freed; and two rows for 'viface' under 'name'. */
struct table *status_properties_table(void);
void status_add_properties(struct table *, const char *name, const json_t *viface);

#endif
