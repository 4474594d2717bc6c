/* SPDX-License-Identifier: Apache-2.0 */
/* Labels, those that a vnode's machine must have and its own: {"site": "nancy", "rack": "a"} in a file, "rack=a,site=nancy" in
 * struct vnode. */
#ifndef TOPOLOGY_LABELS_H
#define TOPOLOGY_LABELS_H 1

#include "reader.h"

#define LABELS_MAX 32
#define LABEL_MAX_LENGTH 63

/* Checks 'value', adding what is wrong as problems; returns whether nothing was. */
bool labels_read(struct reader *, const json_t *value);

/* Returns a checked value as text, NULL when there is no label in it; the caller frees it. */
char *labels_text(const json_t *value);

#endif
