/* SPDX-License-Identifier: Apache-2.0 */
/* What this kernel has of what shaping needs; for users see link_missing_features(). */
#ifndef LINK_FEATURES_H
#define LINK_FEATURES_H 1

#include <stdbool.h>

#include <glib.h>

/* What the kernel's netem can do. */
struct netem_features {
    bool there, seed;
};

/* Finds that out by trying in a throw-away namespace. */
bool features_find_netem(struct netem_features *ret, GError **error);

#endif
