/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for the daemon, with a meter, until it is done, Ctrl-C or a timeout. */
#ifndef DISTEM_CLI_WAIT_H
#define DISTEM_CLI_WAIT_H 1

#include "cli.h"

/* Waits until 'generation' is realised, for at most 'timeout_ms' (negative: for ever); tells of vnodes that fail. Prints
 * 'done_text' with the time it took, or why it did not come to that. Returns the exit code. */
int wait_for_generation(struct cli *, int64_t generation, int timeout_ms, const char *done_text);

/* Waits for verification 'id'. Returns it, or NULL with the exit code in '*ret_status' after printing why. */
json_t *wait_for_verification(struct cli *, int64_t id, int timeout_ms, int *ret_status);

/* Reads the value of --timeout (NULL: none given) as milliseconds, -1 for none. Returns false after a complaint. */
bool wait_parse_timeout(const char *text, int *ret_ms);

#endif
