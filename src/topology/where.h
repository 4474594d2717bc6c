/* SPDX-License-Identifier: Apache-2.0 */
/* The labels that a vnode's machine must have: {"site": "nancy", "rack": "a"} in a file, "rack=a,site=nancy" in struct vnode. */
#ifndef TOPOLOGY_WHERE_H
#define TOPOLOGY_WHERE_H 1

#include "reader.h"

#define WHERE_LABELS_MAX 32
#define LABEL_MAX_LENGTH 63

/* Checks 'value', adding what is wrong as problems; returns whether nothing was. */
bool where_read(struct reader *, const json_t *value);

/* Returns a checked value as text, NULL when there is no label in it; the caller frees it. */
char *where_text(const json_t *value);

/* Returns the object of which 'text' is the text: a new reference. */
json_t *where_json(const char *text);

#endif
