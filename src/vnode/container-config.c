/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "container-config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include <lxc/lxccontainer.h>

#include "layout.h"
#include "tree.h"

/* Where the container sees its init. /dev is always ours, whatever the image is. */
#define INIT_INSIDE "dev/.distem-init"

struct item {
    const char *key, *value;
};

/* The same for every vnode. */
static const struct item common[] = {
    {"lxc.log.level", "WARN"},
    {"lxc.init.cmd", "/" INIT_INSIDE},
    {"lxc.autodev", "1"},
    {"lxc.tty.max", "0"},
    {"lxc.pty.max", "1024"},
    {"lxc.console.path", "none"},
    /* /proc/sys/net is the vnode's own and writable, as is /sys/devices/virtual/net; the rest of /proc/sys and /sys is the
     * machine's. */
    {"lxc.mount.auto", "proc:mixed sys:mixed"},
    {"lxc.mount.entry", "tmpfs dev/shm tmpfs rw,nosuid,nodev,mode=1777,create=dir 0 0"},
    {"lxc.mount.entry", "tmpfs run tmpfs rw,nosuid,nodev,mode=0755,create=dir 0 0"},
    {"lxc.mount.entry", "tmpfs tmp tmpfs rw,nosuid,nodev,mode=1777,create=dir 0 0"},
    {"lxc.mount.entry", "/dev/net/tun dev/net/tun none bind,optional,create=file 0 0"},
    {"lxc.mount.entry", "/dev/fuse dev/fuse none bind,optional,create=file 0 0"},
    /* What would reach the machine itself: its kernel, clock, devices, log, (DAC_READ_SEARCH) files by handle, (PERFMON) memory by
     * tracing, (CHECKPOINT_RESTORE) the programs that enter a vnode, and above all (SYS_ADMIN) mounts: a new /proc has the
     * machine's core_pattern, writable. Those that network programs, servers and debuggers need stay; who must mount makes a user
     * namespace (`unshare -Urm`), in which the kernel allows what is harmless. */
    {"lxc.cap.drop", "audit_control audit_read block_suspend dac_read_search linux_immutable mac_admin mac_override"},
    {"lxc.cap.drop", "sys_admin sys_boot sys_module sys_rawio sys_time syslog wake_alarm"},
    /* By number: the library may be older than their names, perfmon and checkpoint_restore. */
    {"lxc.cap.drop", "38 40"},
};

static const char *const devices[] = {
    "c *:* m",      "b *:* m",      /* Nodes may be made ... */
    "c 1:3 rwm",    "c 1:5 rwm",    /* ... and used: null, zero, */
    "c 1:7 rwm",    "c 1:8 rwm",    /* full, random, */
    "c 1:9 rwm",    "c 5:0 rwm",    /* urandom, tty, */
    "c 5:2 rwm",    "c 136:* rwm",  /* ptmx, pts/, */
    "c 10:200 rwm", "c 10:229 rwm", /* net/tun, fuse. */
};

static bool set(struct lxc_container *container, const char *key, const char *value, GError **error)
{
    if (!container->set_config_item(container, key, value)) {
        return fail(error, DISTEM_ERROR_SYSTEM, 0, "liblxc %s does not take %s = %s", lxc_get_version(), key, value);
    }
    return true;
}

static bool G_GNUC_PRINTF(4, 5)
    set_formatted(struct lxc_container *container, const char *key, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *value = g_strdup_vprintf(format, args);
    va_end(args);
    return set(container, key, value, error);
}

static bool set_memory(struct lxc_container *container, const struct cgroups *cgroups, uint64_t bytes, GError **error)
{
    if (!bytes) {
        return true;
    }
    switch (cgroups_controller(cgroups, "memory")) {
    case CGROUP_V1:
        return set_formatted(container, "lxc.cgroup.memory.limit_in_bytes", error, "%" G_GUINT64_FORMAT, bytes) &&
               (!cgroups_has_file(cgroups, "", "memory.memsw.limit_in_bytes") ||
                set_formatted(container, "lxc.cgroup.memory.memsw.limit_in_bytes", error, "%" G_GUINT64_FORMAT, bytes));
    case CGROUP_V2:
        return set_formatted(container, "lxc.cgroup2.memory.max", error, "%" G_GUINT64_FORMAT, bytes) &&
               set(container, "lxc.cgroup2.memory.swap.max", "0", error);
    default:
        return fail(error, DISTEM_ERROR_UNSUPPORTED, 0,
                    "a memory limit needs the memory cgroup controller, which this kernel has not enabled");
    }
}

static bool set_cgroups(struct lxc_container *container, const struct cgroups *cgroups, const struct vnode_request *request,
                        GError **error)
{
    g_autofree char *cgroup = vnode_cgroup(request->run_dir, request->id);
    g_autofree char *monitor = layout_monitor_cgroup(request->run_dir, request->id);
    g_autofree char *pivot = layout_pivot_cgroup(request->run_dir);
    if (!set(container, "lxc.cgroup.dir.container", cgroup, error) ||
        !set(container, "lxc.cgroup.dir.container.inner", "ns", error) ||
        !set(container, "lxc.cgroup.dir.monitor", monitor, error) ||
        !set(container, "lxc.cgroup.dir.monitor.pivot", pivot, error)) {
        return false;
    }
    bool v1 = cgroups_controller(cgroups, "devices") == CGROUP_V1;
    if (!set(container, v1 ? "lxc.cgroup.devices.deny" : "lxc.cgroup2.devices.deny", "a", error)) {
        return false;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(devices); i++) {
        if (!set(container, v1 ? "lxc.cgroup.devices.allow" : "lxc.cgroup2.devices.allow", devices[i], error)) {
            return false;
        }
    }
    return set_memory(container, cgroups, request->memory, error);
}

/* Mounts 'text' over the file 'inside'. */
static bool set_file(struct lxc_container *container, const struct vnode_request *request, const char *name, const char *inside,
                     const char *text, GError **error)
{
    g_autofree char *path = layout_file(request->state_dir, request->id, name);
    g_autoptr(GError) problem = NULL;
    if (!g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0644, &problem)) {
        return fail(error, DISTEM_ERROR_SYSTEM, 0, "%s", problem->message);
    }
    return set_formatted(container, "lxc.mount.entry", error, "%s %s none bind,optional,create=file 0 0", path, inside);
}

/* Returns what of 'path' comes behind 'folder': "" for the folder itself, NULL for what is outside. */
static const char *path_below(const char *path, const char *folder)
{
    size_t length = strcmp(folder, "/") ? strlen(folder) : 0;
    if (strncmp(path, folder, length) != 0 || (path[length] && path[length] != '/')) {
        return NULL;
    }
    return path[length] ? path + length + 1 : "";
}

/* Refuses an image that is 'folder', which is distem's own, or in it, and covers 'folder' where the image would show it. */
static bool hide(struct lxc_container *container, const char *image, const char *folder, GError **error)
{
    g_autofree char *lower = realpath(image, NULL);
    g_autofree char *own = realpath(folder, NULL);
    if (!lower || !own) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot read %s", lower ? folder : image);
    }
    if (path_below(lower, own)) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "image \"%s\": a folder outside %s was expected, which is distem's own", image,
                    folder);
    }
    const char *inside = path_below(own, lower);
    return !inside || set_formatted(container, "lxc.mount.entry", error,
                                    "tmpfs %s tmpfs ro,nosuid,nodev,size=4k,mode=0700,optional 0 0", inside);
}

/* Overlayfs cannot have its writable layer everywhere. */
static bool check_filesystem(const char *upper, GError **error)
{
    struct statfs fs;
    if (statfs(upper, &fs) < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot read %s", upper);
    }
    if ((unsigned long)fs.f_type == OVERLAYFS_SUPER_MAGIC || (unsigned long)fs.f_type == NFS_SUPER_MAGIC) {
        return fail(
            error, DISTEM_ERROR_UNSUPPORTED, 0,
            "%s is on %s, which cannot hold the vnodes' writable layers: choose a state folder on ext4, xfs, btrfs or tmpfs", upper,
            (unsigned long)fs.f_type == NFS_SUPER_MAGIC ? "NFS" : "an overlay");
    }
    return true;
}

static bool check_netns(const char *netns, GError **error)
{
    struct statfs fs;
    if (statfs(netns, &fs) < 0 || (unsigned long)fs.f_type != NSFS_MAGIC) {
        return fail(error, DISTEM_ERROR_NOT_FOUND, 0,
                    "%s is no network namespace: the vnode's network has to be there before it starts", netns);
    }
    return true;
}

static bool set_files(struct lxc_container *container, const struct vnode_request *request, GError **error)
{
    const char *lower = !strcmp(request->image, "host") ? "/" : request->image;
    struct stat st;
    if (stat(lower, &st) < 0 || !S_ISDIR(st.st_mode)) {
        return fail(error, DISTEM_ERROR_INVALID, errno, "image \"%s\": \"host\" or a folder was expected", request->image);
    }
    g_autofree char *upper = layout_file(request->state_dir, request->id, "upper");
    g_autofree char *root = layout_file(request->state_dir, request->id, "root");
    /* The merged root folder looks like the upper one. */
    if (!tree_make(upper, 0755, error) || !tree_make(root, 0755, error)) {
        return false;
    }
    if (!check_filesystem(upper, error)) {
        return false;
    }
    if (chmod(upper, st.st_mode & 07777) < 0 || chown(upper, st.st_uid, st.st_gid) < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot set owner and mode of %s", upper);
    }
    g_autofree char *own = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(own ? own : PKGLIBEXECDIR "/distem-vnode");
    g_autofree char *hostname = g_strdup_printf("%s\n", request->name);
    g_autofree char *hosts =
        g_strdup_printf("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\t%s\n", request->name);
    return set(container, "lxc.rootfs.mount", root, error) &&
           set_formatted(container, "lxc.rootfs.path", error, "overlay:%s:%s", lower, upper) &&
           set_formatted(container, "lxc.mount.entry", error, "%s/distem-init " INIT_INSIDE " none bind,ro,create=file 0 0",
                         folder) &&
           set_file(container, request, "hostname", "etc/hostname", hostname, error) &&
           set_file(container, request, "hosts", "etc/hosts", hosts, error) && hide(container, lower, request->run_dir, error) &&
           hide(container, lower, request->state_dir, error);
}

bool container_configure(struct lxc_container *container, const struct cgroups *cgroups, const struct vnode_request *request,
                         GError **error)
{
    container->clear_config(container);
    g_autofree char *log = layout_file(request->state_dir, request->id, "log");
    if (!check_netns(request->netns, error) || !set(container, "lxc.log.file", log, error) ||
        !set(container, "lxc.uts.name", request->name, error) ||
        !set(container, "lxc.namespace.share.net", request->netns, error)) {
        return false;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(common); i++) {
        if (!set(container, common[i].key, common[i].value, error)) {
            return false;
        }
    }
    /* Debian's profiles for containers forbid what a vnode's programs may do, and are not there on every machine. */
    if (lxc_config_item_is_supported("lxc.apparmor.profile") && !set(container, "lxc.apparmor.profile", "unconfined", error)) {
        return false;
    }
    return set_cgroups(container, cgroups, request, error) && set_files(container, request, error);
}
