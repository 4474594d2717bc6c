/* SPDX-License-Identifier: Apache-2.0 */
/* The prober's conversation: lines in, lines out. */
#ifndef DISTEM_PROBE_SERVE_H
#define DISTEM_PROBE_SERVE_H 1

#include <stdbool.h>
#include <stdio.h>

#include <glib.h>

/* Does what the lines from 'input' ask for, in the namespaces in folder 'netns', until its end. Fails with DISTEM_ERROR_INVALID or
 * DISTEM_ERROR_TOO_LARGE for a line that cannot be used, else because 'output' cannot be written or the machine lacks something.
 */
bool probe_serve(const char *netns, int input, FILE *output, GError **error) G_GNUC_WARN_UNUSED_RESULT;

#endif
