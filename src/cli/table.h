/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for the terminal. */
#ifndef DISTEM_CLI_TABLE_H
#define DISTEM_CLI_TABLE_H 1

#include "terminal.h"

struct table;

/* Makes a table with a column per character of 'columns': 'l' left, 'r' right aligned, 'L' left aligned and the first to be cut
 * when the terminal is too narrow. 'headings' names them, separated by '|'. A column in which no row has anything is left out. */
struct table *table_new(const char *columns, const char *headings);
void table_free(struct table *);
/* Adds cell by cell, row by row; NULL: nothing. The text is copied, or, with _take, freed by the table. */
void table_add(struct table *, const char *text);
void table_add_take(struct table *, char *text);
/* Colours the cell added last. */
void table_color(struct table *, enum color);
/* Prints it to 'file', in 'width' columns where possible (0: as wide as it is). */
void table_print(const struct table *, FILE *file, unsigned width);

#endif
