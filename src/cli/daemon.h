/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that the daemon's own program carries out on this machine. */
#ifndef DISTEM_CLI_DAEMON_H
#define DISTEM_CLI_DAEMON_H 1

#include "cli.h"

/* Becomes `distemd` with the words 'argv' behind its name (ends with NULL). Returns only when that failed: the exit code, after
 * printing why. */
int daemon_exec(const char *const *argv);

#endif
