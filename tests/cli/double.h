/* SPDX-License-Identifier: Apache-2.0 */
/* A stand-in for the daemon, for tests of the command line: it answers as doc/rest.md says, and builds nothing. */
#ifndef TESTS_CLI_DOUBLE_H
#define TESTS_CLI_DOUBLE_H 1

#include "distem/rest.h"

/* Runs 'argv' in a process of its own, on this machine, and speaks the exec protocol about it on 'fd', in another process of its
 * own. */
void double_exec(int fd, const char *const *argv, bool tty);

/* The answers that are only text. */
json_t *double_platform(int64_t generation, const char *name, const char *state, int64_t running, const char *failed);
json_t *double_pnodes(int64_t generation, bool ready);
json_t *double_results(bool pass);

#endif
