/* SPDX-License-Identifier: Apache-2.0 */
/* Values that one string column holds: written canonically, so that equal values are equal strings. Pure. */
#ifndef OVS_DB_TEXT_H
#define OVS_DB_TEXT_H 1

#include <glib.h>

#include "distem/platform.h"

/* "latency=20000000 loss=5000000 bandwidth=10000000": integers in the model's own units (ns, billionths, bit/s, bytes), what is
 * zero left out, in the order of the struct; "" for nothing. The caller frees the text. */
char *impairment_to_text(const struct impairment *);
/* Reads that. What it does not know is passed over: a newer daemon may have written it. */
struct impairment impairment_from_text(const char *text);

/* "10.0.0.0/24 via 10.0.1.1 viface 0, 0.0.0.0/0 via 10.0.1.2 viface 1", in the given order; "" for none (or NULL). The caller frees
 * the text. */
char *routes_to_text(const GArray *routes);
/* Reads that: an array of struct route that the caller unrefs, NULL for none. */
GArray *routes_from_text(const char *text);

#endif
