/* SPDX-License-Identifier: Apache-2.0 */
/* From places in a JSON text to JSON pointers and back, by a small scanner that takes any text, valid JSON or not. */
#ifndef TOPOLOGY_POSITION_H
#define TOPOLOGY_POSITION_H 1

#include <stddef.h>

#include <glib.h>

/* Sets the value of each key (a JSON pointer) of 'lines' to the line (from 1) at which its value begins in the text, as
 * GUINT_TO_POINTER; keys that are not there keep theirs. Of duplicate keys the last counts, as for the parser. */
void position_lines(const char *text, size_t size, GHashTable *lines);

/* Returns the pointer of the value that byte 'offset' belongs to; the caller frees it. */
char *position_pointer_at(const char *text, size_t size, size_t offset);

/* Called for a key that stands twice in an object: the value's pointer, and the lines of the two values. */
typedef void position_duplicate(void *aux, const char *pointer, unsigned first_line, unsigned second_line);
void position_duplicates(const char *text, size_t size, position_duplicate *found, void *aux);

/* Appends "/key" to a JSON pointer, with '~' and '/' in 'key' escaped. */
void position_append_key(GString *pointer, const char *key);

#endif
