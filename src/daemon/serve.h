/* SPDX-License-Identifier: Apache-2.0 */
/* distemd at work: the parts that its roles need, and the loop around them. */
#ifndef DAEMON_SERVE_H
#define DAEMON_SERVE_H 1

#include "options.h"

/* Builds the parts, in the order in which they need each other, and runs them until a signal comes. */
bool serve(const struct options *, GError **error);

#endif
