/* SPDX-License-Identifier: Apache-2.0 */
/* Containers by liblxc: what the worker process does. Blocks. */
#ifndef VNODE_CONTAINER_H
#define VNODE_CONTAINER_H 1

#include "cgroup.h"
#include "request.h"

struct lxc_container;

/* Returns lxc's object for container 'id', to be released with lxc_container_put(), or NULL with an error. */
struct lxc_container *container_open(const char *state_dir, uint32_t id, GError **error);

/* Starts the container that 'request' describes and returns init's pid, or -1 with an error. What an earlier one that died left
 * is removed first; one that runs is left as it is. */
pid_t container_start(const struct cgroups *, const struct vnode_request *request, GError **error);
/* Ends it: SIGPWR to its init, SIGKILL after request->grace_ms; removes what it leaves, with request->forget its folder, too. */
bool container_stop(const struct cgroups *, const struct vnode_request *request, GError **error);
/* Returns all that have a folder, an array of struct vnode_container that the caller unrefs, or NULL with an error. */
GArray *container_list(const char *run_dir, const char *state_dir, GError **error);

#endif
