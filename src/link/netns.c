/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "distem/error.h"

#define OWN_NETNS "/proc/thread-self/ns/net"

bool netns_folder_make(const char *path, GError **error)
{
    if (g_mkdir_with_parents(path, 0755) < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot make the folder %s", path);
    }
    if (mount("", path, "none", MS_SHARED | MS_REC, NULL) == 0) {
        return true;
    }
    /* EINVAL: no mount point yet. */
    if (errno != EINVAL || mount(path, path, "none", MS_BIND | MS_REC, NULL) < 0 ||
        mount("", path, "none", MS_SHARED | MS_REC, NULL) < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot make %s a mount point for network namespaces", path);
    }
    return true;
}

void netns_folder_remove(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    if (dir && !g_dir_read_name(dir) && umount2(path, MNT_DETACH) == 0) {
        (void)rmdir(path);
    }
}

/* Says whether 'fd' is a namespace, and not the plain file that a process killed between making and mounting leaves. */
static bool is_namespace(int fd)
{
    struct statfs fs;
    return fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}

int netns_enter(int fd, GError **error)
{
    int home = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
    if (home < 0) {
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot open the own network namespace");
        return -1;
    }
    if (setns(fd, CLONE_NEWNET) < 0) {
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot enter a network namespace");
        close(home);
        return -1;
    }
    return home;
}

void netns_leave(int home)
{
    if (setns(home, CLONE_NEWNET) < 0) {
        g_error("cannot return to the own network namespace: %s", g_strerror(errno));
    }
    close(home);
}

/* Makes a namespace and returns an open descriptor of it. With 'path' it is mounted there too. */
static int make_namespace(const char *path, GError **error)
{
    int home = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
    if (home < 0) {
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot open the own network namespace");
        return -1;
    }
    if (unshare(CLONE_NEWNET) < 0) {
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot make a network namespace");
        close(home);
        return -1;
    }
    int fd = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot open a new network namespace");
    } else if (path && mount(OWN_NETNS, path, "none", MS_BIND, NULL) < 0) {
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot mount a network namespace at %s", path);
        close(fd);
        fd = -1;
    }
    netns_leave(home);
    return fd;
}

int netns_open(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0444);
    if (fd < 0) {
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot open the network namespace %s", path);
        return -1;
    }
    if (is_namespace(fd)) {
        return fd;
    }
    close(fd);
    return make_namespace(path, error);
}

int netns_open_unnamed(GError **error)
{
    return make_namespace(NULL, error);
}

bool netns_remove(const char *path, GError **error)
{
    if (umount2(path, MNT_DETACH) < 0 && errno != EINVAL && errno != ENOENT) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot unmount the network namespace %s", path);
    }
    if (unlink(path) < 0 && errno != ENOENT) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot remove the network namespace %s", path);
    }
    return true;
}
