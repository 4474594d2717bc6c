/* SPDX-License-Identifier: Apache-2.0 */
/* What this kernel has of what shaping needs; for users see link_missing_features(). */
#ifndef LINK_FEATURES_H
#define LINK_FEATURES_H 1

#include <stdbool.h>

#include <glib.h>

/* Finds out, by trying in a throw-away namespace, whether the kernel has netem. */
bool features_have_netem(bool *ret, GError **error);

#endif
