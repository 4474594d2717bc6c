/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of containers whose init or monitor has died, however it died. Needs no liblxc. */
#ifndef VNODE_REMAINS_H
#define VNODE_REMAINS_H 1

#include <stdint.h>

#include "cgroup.h"

/* Kills every process of container 'id', its monitor too, and removes its cgroups, mounts and lock file; its folder stays. */
bool remains_clear(const struct cgroups *, const char *run_dir, const char *state_dir, uint32_t id, GError **error);

/* Keep remains_remove_roots() of other processes from taking away the cgroups that a container is about to be started in, and let
 * remains_wait() wait. Returns a descriptor to close afterwards, or -1 with an error. */
int remains_lock(const char *run_dir, GError **error);
/* Waits until all that have called remains_lock() are done. Returns a descriptor to close at once, or -1 with an error. */
int remains_wait(const char *run_dir, GError **error);
/* Removes the cgroups and lxc's lock folders that all containers share, as far as they are empty, if none is being started. */
void remains_remove_roots(const struct cgroups *, const char *run_dir, const char *state_dir);

#endif
