/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for the daemon, with a meter, until it is done, Ctrl-C or a timeout. */
#ifndef DISTEM_CLI_WAIT_H
#define DISTEM_CLI_WAIT_H 1

#include "cli.h"

/* How long to wait. */
struct wait_limits {
    int timeout_ms; /* At most, in all; negative: for ever. */
    int give_up_ms; /* When something has failed and nothing moves any more; negative: never. */
};
#define WAIT_LIMITS_DEFAULT                                                                                                        \
    {                                                                                                                              \
        .timeout_ms = -1, .give_up_ms = 20000                                                                                      \
    }

/* Waits until 'generation' is realised; tells of what fails. Prints 'done_text' (NULL: nothing) with the time it took, or why it
 * did not come to that. Returns the exit code. */
int wait_for_generation(struct cli *, int64_t generation, const struct wait_limits *limits, const char *done_text);

/* Waits for verification 'id'. Returns it, or NULL with the exit code in '*ret_status' after printing why. */
json_t *wait_for_verification(struct cli *, int64_t id, int timeout_ms, int *ret_status);

/* Reads 'text', the value of 'option' (NULL: none given, which leaves '*ret_ms' alone), as a time. Returns false after a complaint.
 */
bool wait_parse_time(const char *option, const char *text, int *ret_ms);

#endif
