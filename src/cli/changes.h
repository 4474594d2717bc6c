/* SPDX-License-Identifier: Apache-2.0 */
/* What a new topology changes, for people. */
#ifndef DISTEM_CLI_CHANGES_H
#define DISTEM_CLI_CHANGES_H 1

#include "cli.h"

/* Prints a line with +, - or ~ for each of 'changes', an array of the answer to PUT /platform. */
void changes_print(const json_t *changes);
/* Returns "adds 2 vnetworks, 5 vnodes; removes 1 vnode", or "nothing to change"; the caller frees. */
char *changes_summary(const json_t *changes);
/* Prints what is unreachable ("net1 -> net2" ...) as a warning on standard error: all, or the first few. */
void changes_warn_unreachable(const json_t *unreachable, bool all);

#endif
