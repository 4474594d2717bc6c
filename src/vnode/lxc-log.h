/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VNODE_LXC_LOG_H
#define VNODE_LXC_LOG_H 1

/* Returns what the first error in the log 'text' says, the cause of those that follow it, or NULL; the caller frees it. A line
 * reads lxc 3 20260131120000.123 ERROR    conf - ../src/lxc/conf.c:mount_entry:2412 - No such file or directory - Failed to mount
 * ... */
char *lxc_log_cause(const char *text);

#endif
