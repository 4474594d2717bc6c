/* SPDX-License-Identifier: Apache-2.0 */
/* What the terminal can do. */
#ifndef DISTEM_CLI_TERMINAL_H
#define DISTEM_CLI_TERMINAL_H 1

#include <stdbool.h>
#include <stdio.h>

enum color { COLOR_NONE, COLOR_RED, COLOR_GREEN, COLOR_YELLOW, COLOR_BOLD, COLOR_DIM };

/* Returns the columns of the terminal behind 'file', 80 when it does not say, or 0 when it is none. */
unsigned terminal_width(FILE *file);
/* Says whether 'file' shows colours: a terminal, and the environment has no NO_COLOR and no TERM=dumb. */
bool terminal_has_color(FILE *file);
/* Says whether the locale can show more than ASCII. */
bool terminal_has_unicode(void);
/* Return what switches 'color' on and off on 'file': "" where there is no colour. Static. */
const char *terminal_color(FILE *file, enum color color);
const char *terminal_plain(FILE *file);

/* Switches the terminal 'fd' to raw input until terminal_restore(), which is called at exit, too. Returns false where it is none.
 */
bool terminal_make_raw(int fd);
void terminal_restore(void);
/* Says the size of the terminal 'fd'. Returns false where it is none. */
bool terminal_size(int fd, unsigned *ret_rows, unsigned *ret_columns);

#endif
