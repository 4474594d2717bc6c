/* SPDX-License-Identifier: Apache-2.0 */
/* Control groups as lxc uses them: every hierarchy below /sys/fs/cgroup, version 1, 2 or both, from where process 1 is in it. All
 * functions take a 'path' relative to there and act on all hierarchies at once. */
#ifndef VNODE_CGROUP_H
#define VNODE_CGROUP_H 1

#include <stdbool.h>

#include <glib.h>

struct cgroups;

/* Finds the hierarchies. */
struct cgroups *cgroups_open(GError **error);
void cgroups_close(struct cgroups *);
/* Declares a pointer that is closed when it goes out of scope. */
static inline void cgroups_close_pointer(struct cgroups **p)
{
    cgroups_close(*p);
}
#define AUTO_CGROUPS __attribute__((cleanup(cgroups_close_pointer))) struct cgroups *

/* Where a controller is. */
enum cgroup_version { CGROUP_NONE, CGROUP_V1, CGROUP_V2 };
enum cgroup_version cgroups_controller(const struct cgroups *, const char *controller);
/* Says whether 'path'/'file' exists in a hierarchy. */
bool cgroups_has_file(const struct cgroups *, const char *path, const char *file);

/* Says whether 'path' exists. */
bool cgroups_exist(const struct cgroups *, const char *path);
/* Returns the names of the cgroups right below 'path' as keys, which the caller unrefs. */
GHashTable *cgroups_children(const struct cgroups *, const char *path);
/* Returns all processes in 'path' and below it, an array of pid_t that the caller unrefs. */
GArray *cgroups_processes(const struct cgroups *, const char *path);

/* Kills all processes in 'path' and below it, frozen ones too, and waits for their end, at most 'timeout_ms'. */
bool cgroups_kill(const struct cgroups *, const char *path, unsigned timeout_ms, GError **error);
/* Removes 'path' and all cgroups below it, which have no processes. Nothing there is no error. */
bool cgroups_remove(const struct cgroups *, const char *path, GError **error);
/* Removes 'path' if there is nothing in it. */
void cgroups_remove_empty(const struct cgroups *, const char *path);

#endif
