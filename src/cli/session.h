/* SPDX-License-Identifier: Apache-2.0 */
/* A command in a vnode, joined to our own standard input, outputs and signals. */
#ifndef DISTEM_CLI_SESSION_H
#define DISTEM_CLI_SESSION_H 1

#include "cli.h"

/* Runs 'argv' in 'vnode' until it ends; with 'tty' on a terminal of its own, ours being raw meanwhile. Returns the command's exit
 * code, or CLI_EXEC_FAILED after printing why it could not run. */
int session_run(struct cli *, const char *vnode, const char *const *argv, bool tty);

#endif
