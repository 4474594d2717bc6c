/* SPDX-License-Identifier: Apache-2.0 */
/* Refuses texts whose parsing would take memory out of all proportion, and those that jansson takes though they are no text, before
 * anything is parsed. */
#ifndef TOPOLOGY_LIMITS_H
#define TOPOLOGY_LIMITS_H 1

#include <stddef.h>

/* Returns NULL when the text may be parsed; else why not, to be freed by the caller, and the line where the limit is passed (0 for
 * the whole text). */
char *limits_check(const char *text, size_t size, unsigned *ret_line);

#endif
