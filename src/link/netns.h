/* SPDX-License-Identifier: Apache-2.0 */
/* Network namespaces that live without a process: one bind mount of nsfs per vnode under run_dir/netns, like ip netns does it, but
 * without a process. The folder is a shared mount point, so that unmounting a namespace here also unmounts it in the mount
 * namespaces of containers that were started meanwhile. Single-threaded: the process itself visits a namespace and comes back. */
#ifndef LINK_NETNS_H
#define LINK_NETNS_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

/* Makes the folder 'path' and mounts it on itself. */
bool netns_folder_make(const char *path, GError **error);
/* Removes the folder when nothing is in it. */
void netns_folder_remove(const char *path);

/* Returns an open descriptor of the namespace at 'path', which is made if it is not there; -1 with an error. */
int netns_open(const char *path, GError **error);
/* Returns a new namespace without a name, gone when the descriptor is closed; -1 with an error. */
int netns_open_unnamed(GError **error);
/* Removes the file at 'path'; no error when there is none. The namespace ends when no process is in it any more. */
bool netns_remove(const char *path, GError **error);

/* Moves the process into namespace 'fd'. Returns a descriptor of the one it was in, for netns_leave(); -1 with an error. */
int netns_enter(int fd, GError **error);
/* Goes back to 'home', and closes it. Aborts the process if that fails: everything it did from then on would hit the wrong network.
 */
void netns_leave(int home);

#endif
