/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting folders. */
#ifndef VNODE_TREE_H
#define VNODE_TREE_H 1

#include <stdbool.h>

#include <glib.h>

/* Deletes 'path' and all below it: no matter how deep, without following symbolic links, and never what is mounted there, which is
 * an error. Something that is not there is no error. */
bool tree_remove(const char *path, GError **error);

/* Makes 'path' and what is missing above it, with 'mode' for what is made. */
bool tree_make(const char *path, unsigned mode, GError **error);

/* Detaches all mounts at or below 'path' that this process's mount namespace has. */
bool tree_unmount(const char *path, GError **error);

#endif
