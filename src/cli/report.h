/* SPDX-License-Identifier: Apache-2.0 */
/* A verification as a table. */
#ifndef DISTEM_CLI_REPORT_H
#define DISTEM_CLI_REPORT_H 1

#include "cli.h"

/* Prints the results of 'verification' (as GET /verifications/:id gives them) pair by pair, the worst of each kind, and whether all
 * is within its tolerance; only this last line when 'brief'. */
void report_print(const json_t *verification, bool brief);

#endif
