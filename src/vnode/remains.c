/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "remains.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "distem/error.h"
#include "distem/vnode.h"
#include "layout.h"
#include "tree.h"

#define KILL_TIMEOUT_MS 10000

bool remains_clear(const struct cgroups *cgroups, const char *run_dir, const char *state_dir, uint32_t id, GError **error)
{
    g_autofree char *cgroup = vnode_cgroup(run_dir, id);
    g_autofree char *monitor = layout_monitor_cgroup(run_dir, id);
    /* The monitor first, so that it does not start to clean up at the same time. */
    if (!cgroups_kill(cgroups, monitor, KILL_TIMEOUT_MS, error) || !cgroups_kill(cgroups, cgroup, KILL_TIMEOUT_MS, error) ||
        !cgroups_remove(cgroups, monitor, error) || !cgroups_remove(cgroups, cgroup, error)) {
        return false;
    }
    g_autofree char *container = layout_container(state_dir, id);
    if (!tree_unmount(container, error)) {
        return false;
    }
    g_autofree char *locks = layout_lxc_locks(state_dir);
    g_autofree char *lock = g_strdup_printf("%s/.%u", locks, id);
    if (unlink(lock) < 0 && errno != ENOENT) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot delete %s", lock);
    }
    return true;
}

static int open_lock(const char *run_dir, int operation)
{
    g_autofree char *path = layout_lock(run_dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, operation) < 0) {
        int errnum = errno;
        close(fd);
        errno = errnum;
        return -1;
    }
    return fd;
}

static int take_lock(const char *run_dir, int operation, GError **error)
{
    int fd = open_lock(run_dir, operation);
    if (fd < 0) {
        g_autofree char *path = layout_lock(run_dir);
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot lock %s", path);
    }
    return fd;
}

int remains_lock(const char *run_dir, GError **error)
{
    return take_lock(run_dir, LOCK_SH, error);
}

int remains_wait(const char *run_dir, GError **error)
{
    return take_lock(run_dir, LOCK_EX, error);
}

/* Removes the folders that lxc made for its lock files, as far up as they are empty. */
static void remove_lock_folders(const char *state_dir)
{
    g_autofree char *folder = layout_lxc_locks(state_dir);
    while (!g_str_has_suffix(folder, "/lxc/lock") && rmdir(folder) == 0) {
        char *parent = g_path_get_dirname(folder);
        g_free(folder);
        folder = parent;
    }
}

void remains_remove_roots(const struct cgroups *cgroups, const char *run_dir, const char *state_dir)
{
    int fd = open_lock(run_dir, LOCK_EX | LOCK_NB);
    if (fd < 0) {
        return;
    }
    static const char *const children[] = {"monitor", "pivot/lxc.pivot", "pivot", ""};
    g_autofree char *root = layout_cgroup(run_dir);
    for (unsigned i = 0; i < G_N_ELEMENTS(children); i++) {
        g_autofree char *path = g_build_filename(root, children[i], NULL);
        cgroups_remove_empty(cgroups, path);
    }
    remove_lock_folders(state_dir);
    close(fd);
}
