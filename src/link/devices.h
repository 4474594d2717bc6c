/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel has of our devices on the host: a mirror, filled by one dump and kept up to date by the kernel's notifications.
 * So finding a vnode's devices among thousands costs no dump. Ours is what is in interface group LINK_GROUP and has one of our
 * names. */
#ifndef LINK_DEVICES_H
#define LINK_DEVICES_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "distem/link.h"

#include "netdev.h"
#include "rtnl.h"

struct device {
    struct netdev netdev;
    enum link_kind kind; /* All but LINK_NETNS. */
    uint32_t viface_id;  /* From the name. */
    uint32_t vnode_id;   /* From the alias; 0 where that is missing. */
};

struct devices;

/* Opens the mirror of the current namespace, empty until devices_refresh(). NULL with an error. */
struct devices *devices_new(GError **error);
/* NULL is fine. */
void devices_free(struct devices *);

/* Brings the mirror up to date: after a batch was acknowledged, its effects are in it. Pointers to devices become invalid. */
bool devices_refresh(struct devices *, struct rtnl *host, GError **error);

/* Returns the device with that name, or NULL. */
const struct device *devices_find(const struct devices *, const char *name);

/* Calls 'each' for all devices. */
void devices_foreach(const struct devices *, void (*each)(const struct device *, void *aux), void *aux);

/* Returns the alias that marks devices of 'viface' of 'vnode'. The caller frees it. */
char *devices_alias(const struct vnode *, const struct viface *);

#endif
