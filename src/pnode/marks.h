/* SPDX-License-Identifier: Apache-2.0 */
/* What was done for a vnode, kept in small files below run_dir so that a daemon that starts anew knows what is right already. A
 * mark is written when its work is complete and removed before the work is touched again; it goes with the reboot that undoes the
 * work. */
#ifndef PNODE_MARKS_H
#define PNODE_MARKS_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

/* 'kind' is "network" or "container". */
char *marks_read(const char *run_dir, const char *kind, uint32_t vnode_id);
bool marks_write(const char *run_dir, const char *kind, uint32_t vnode_id, const char *text, GError **error);
void marks_remove(const char *run_dir, const char *kind, uint32_t vnode_id);

#endif
