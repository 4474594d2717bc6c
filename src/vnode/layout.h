/* SPDX-License-Identifier: Apache-2.0 */
/* Where a vnode's files and cgroups are. All strings that are returned belong to the caller.
 *
 *   STATE_DIR/vnodes/ID/       lxc's folder of the container "ID":
 *       config, log            as lxc reads and writes them
 *       upper/, work/        the writable layer over the image, and what overlayfs needs beside it
 *       root/                  where lxc mounts the root file system, seen by the container only
 *       hostname, hosts        mounted over the files in /etc
 *   RUN_DIR/vnodes.lock        byte ID is locked by whoever works on that container, byte 0 is shared by all of them
 *   cgroups: distem-HASH/ID, the limits; in it ns/, which the container sees as its root;
 *            distem-HASH/monitor/ID, lxc's monitor process; distem-HASH/pivot, where that one goes to die.
 *            HASH stands for the run folder: several pnodes on one machine do not meet. */
#ifndef VNODE_LAYOUT_H
#define VNODE_LAYOUT_H 1

#include <stdbool.h>
#include <stdint.h>

/* The folder of all containers, which is their "lxcpath"; that of one; and a file in it. */
char *layout_containers(const char *state_dir);
char *layout_container(const char *state_dir, uint32_t id);
char *layout_file(const char *state_dir, uint32_t id, const char *name);
/* The lock file. */
char *layout_lock(const char *run_dir);
/* The folder in which lxc keeps a lock file for each container. */
char *layout_lxc_locks(const char *state_dir);

/* Cgroups, relative to the root of a hierarchy (vnode.h has vnode_cgroup()). */
char *layout_cgroup(const char *run_dir);
char *layout_monitor_cgroup(const char *run_dir, uint32_t id);
char *layout_pivot_cgroup(const char *run_dir);

/* Reads a folder's name as a vnode's id. */
bool layout_parse_id(const char *name, uint32_t *ret);

#endif
