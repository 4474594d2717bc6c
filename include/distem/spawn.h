/* SPDX-License-Identifier: Apache-2.0 */
/* Helper programs. */
#ifndef DISTEM_SPAWN_H
#define DISTEM_SPAWN_H 1

#include <sys/types.h>

#include <glib.h>

/* Starts the program 'path' in a session of its own, with the default signal dispositions, and with descriptor i = fds[i] for i <
 * 'count'; those in 'fds' are not in the target range but in order, or are their own target. Returns its pid, which the caller
 * reaps, or -1 with an error. */
pid_t spawn_process(const char *path, const char *const *argv, const int *fds, unsigned count, GError **error);

#endif
