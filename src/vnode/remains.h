/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of containers whose init or monitor has died, however it died. Needs no liblxc. */
#ifndef VNODE_REMAINS_H
#define VNODE_REMAINS_H 1

#include <stdint.h>

#include "cgroup.h"

/* Makes this process the only one that works on container 'id', and keeps remains_remove_roots() of others away. A start goes on
 * when the worker that asked for it is killed; this waits for its end, too. Returns a descriptor to close afterwards, which a child
 * process that works on it may keep open; or -1 with an error. */
int remains_lock(const char *run_dir, uint32_t id, GError **error);

/* Waits until nobody works on any container. Returns a descriptor to close at once, or -1 with an error. */
int remains_wait(const char *run_dir, GError **error);

/* Kills every process of container 'id', its monitor too, and removes its cgroups, mounts and lock file; its folder stays. */
bool remains_clear(const struct cgroups *, const char *run_dir, const char *state_dir, uint32_t id, GError **error);

/* Removes the cgroups that all containers share, and lxc's folder for their lock files, if there is no container and nobody works
 * on one. */
void remains_remove_roots(const struct cgroups *, const char *run_dir, const char *state_dir);

#endif
