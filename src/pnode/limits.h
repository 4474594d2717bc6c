/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel-wide limits that a platform of many vnodes meets. */
#ifndef PNODE_LIMITS_H
#define PNODE_LIMITS_H 1

#include <stdbool.h>

#include <glib.h>

#include "distem/platform.h"

/* Raises the neighbour tables' limits (IPv4 and IPv6; one table for all namespaces) to what 'share' can fill them with. The first
 * time, what was there before is saved in 'run_dir'/limits. Limits are never lowered here. */
bool machine_limits_raise(const char *run_dir, const struct platform *share, GError **error);

/* Puts the saved limits back, where they still are what machine_limits_raise() wrote; without saved ones does nothing. */
bool machine_limits_restore(const char *run_dir, GError **error);

/* Returns sentences about limits that 'vnodes' vnodes would hit (pids, open files, inotify instances), each with the sysctl to
 * raise: an array of strings that the caller unrefs. */
GPtrArray *machine_limits_check(unsigned vnodes);

#endif
