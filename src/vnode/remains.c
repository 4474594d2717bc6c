/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "remains.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "distem/error.h"
#include "distem/vnode.h"
#include "layout.h"
#include "tree.h"

#define KILL_TIMEOUT_MS 10000
/* Longer than any start takes. */
#define LOCK_TIMEOUT_MS 60000

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

/* Locks one byte of the lock file: 0 for all containers, a container's id for that one. Such a lock belongs to the descriptor and
 * all its copies. */
static bool lock_byte(int fd, short type, uint32_t byte)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

static int open_lock(const char *run_dir)
{
    g_autofree char *path = layout_lock(run_dir);
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

/* Takes both locks: byte 0 as 'type' says, and byte 'id' (0: none) for this process alone. Waits for others to be done. */
static int take_locks(const char *run_dir, short type, uint32_t id, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)LOCK_TIMEOUT_MS * 1000;
    if (!tree_make(run_dir, 0755, error)) {
        return -1;
    }
    int fd = open_lock(run_dir);
    while (fd >= 0 && (!lock_byte(fd, type, 0) || (id && !lock_byte(fd, F_WRLCK, id)))) {
        if ((errno != EAGAIN && errno != EACCES) || g_get_monotonic_time() > deadline) {
            int errnum = errno;
            close(fd);
            errno = errnum;
            fd = -1;
        } else {
            g_usleep(2000);
        }
    }
    if (fd < 0) {
        g_autofree char *path = layout_lock(run_dir);
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot lock vnode %u in %s", id, path);
    }
    return fd;
}

int remains_lock(const char *run_dir, uint32_t id, GError **error)
{
    return take_locks(run_dir, F_RDLCK, id, error);
}

int remains_wait(const char *run_dir, GError **error)
{
    return take_locks(run_dir, F_WRLCK, 0, error);
}

void remains_remove_roots(const struct cgroups *cgroups, const char *run_dir, const char *state_dir)
{
    int fd = open_lock(run_dir);
    if (fd < 0 || !lock_byte(fd, F_WRLCK, 0)) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    static const char *const children[] = {"monitor", "pivot/lxc.pivot", "pivot", ""};
    g_autofree char *root = layout_cgroup(run_dir);
    for (unsigned i = 0; i < G_N_ELEMENTS(children); i++) {
        g_autofree char *path = g_build_filename(root, children[i], NULL);
        cgroups_remove_empty(cgroups, path);
    }
    if (!cgroups_exist(cgroups, root)) {
        g_autofree char *locks = layout_lxc_locks(state_dir);
        rmdir(locks);
    }
    close(fd);
}
