/* SPDX-License-Identifier: Apache-2.0 */
/* What a vnode's container is like, in lxc's words. */
#ifndef VNODE_CONTAINER_CONFIG_H
#define VNODE_CONTAINER_CONFIG_H 1

#include "cgroup.h"
#include "request.h"

struct lxc_container;

/* Configures 'container' as 'request' says and writes the files that it mounts. Its folder exists. */
bool container_configure(struct lxc_container *container, const struct cgroups *, const struct vnode_request *request,
                         GError **error);

#endif
