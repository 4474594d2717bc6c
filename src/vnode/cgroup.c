/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "distem/error.h"
#include "process.h"

#define CGROUP_MOUNTS "/sys/fs/cgroup"

struct hierarchy {
    char *root;         /* The folder of process 1's cgroup. */
    char **controllers; /* Version 1: by the kernel; version 2: what is enabled there. */
    bool unified;
};

struct cgroups {
    GPtrArray *hierarchies; /* Of struct hierarchy. */
};

static void hierarchy_free(void *data)
{
    struct hierarchy *h = data;
    g_free(h->root);
    g_strfreev(h->controllers);
    g_free(h);
}

static bool is_filesystem(const char *path, unsigned long magic)
{
    struct statfs fs;
    return statfs(path, &fs) == 0 && (unsigned long)fs.f_type == magic;
}

/* Adds the hierarchy that a line of /proc/1/cgroup, "4:memory:/" or "0::/init.scope", is about, if it is mounted. */
static void add_hierarchy(struct cgroups *cgroups, const char *line)
{
    g_auto(GStrv) fields = g_strsplit(line, ":", 3);
    if (g_strv_length(fields) < 3) {
        return;
    }
    bool unified = !*fields[1];
    g_autofree char *mount = NULL;
    if (unified) {
        mount = g_strdup(is_filesystem(CGROUP_MOUNTS, CGROUP2_SUPER_MAGIC) ? CGROUP_MOUNTS : CGROUP_MOUNTS "/unified");
    } else {
        const char *name = g_str_has_prefix(fields[1], "name=") ? fields[1] + 5 : fields[1];
        mount = g_build_filename(CGROUP_MOUNTS, name, NULL);
    }
    if (!is_filesystem(mount, unified ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC)) {
        return;
    }
    /* systemd moves itself one level down. */
    if (g_str_has_suffix(fields[2], "/init.scope")) {
        fields[2][strlen(fields[2]) - strlen("/init.scope")] = '\0';
    }
    struct hierarchy *h = g_new0(struct hierarchy, 1);
    g_ptr_array_add(cgroups->hierarchies, h);
    h->unified = unified;
    h->root = g_build_filename(mount, fields[2], NULL);
    if (unified) {
        g_autofree char *file = g_build_filename(h->root, "cgroup.controllers", NULL);
        g_autofree char *text = NULL;
        g_file_get_contents(file, &text, NULL, NULL);
        h->controllers = g_strsplit(text ? g_strchomp(text) : "", " ", -1);
    } else {
        h->controllers = g_strsplit(fields[1], ",", -1);
    }
}

struct cgroups *cgroups_open(GError **error)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents("/proc/1/cgroup", &text, NULL, NULL)) {
        fail(error, DISTEM_ERROR_UNSUPPORTED, 0, "cannot read /proc/1/cgroup: control groups are needed, and root's rights");
        return NULL;
    }
    struct cgroups *cgroups = g_new0(struct cgroups, 1);
    cgroups->hierarchies = g_ptr_array_new_with_free_func(hierarchy_free);
    g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
    for (unsigned i = 0; lines[i]; i++) {
        add_hierarchy(cgroups, lines[i]);
    }
    if (!cgroups->hierarchies->len) {
        cgroups_close(cgroups);
        fail(error, DISTEM_ERROR_UNSUPPORTED, 0, "no control groups are mounted below " CGROUP_MOUNTS);
        return NULL;
    }
    return cgroups;
}

void cgroups_close(struct cgroups *cgroups)
{
    if (cgroups) {
        g_ptr_array_unref(cgroups->hierarchies);
        g_free(cgroups);
    }
}

static const struct hierarchy *hierarchy(const struct cgroups *cgroups, unsigned i)
{
    return cgroups->hierarchies->pdata[i];
}

enum cgroup_version cgroups_controller(const struct cgroups *cgroups, const char *controller)
{
    for (unsigned i = 0; i < cgroups->hierarchies->len; i++) {
        const struct hierarchy *h = hierarchy(cgroups, i);
        if (g_strv_contains((const char *const *)h->controllers, controller)) {
            return h->unified ? CGROUP_V2 : CGROUP_V1;
        }
    }
    return CGROUP_NONE;
}

bool cgroups_has_file(const struct cgroups *cgroups, const char *path, const char *file)
{
    for (unsigned i = 0; i < cgroups->hierarchies->len; i++) {
        g_autofree char *name = g_build_filename(hierarchy(cgroups, i)->root, path, file, NULL);
        if (access(name, F_OK) == 0) {
            return true;
        }
    }
    return false;
}

bool cgroups_exist(const struct cgroups *cgroups, const char *path)
{
    return cgroups_has_file(cgroups, path, "cgroup.procs");
}

/* Calls 'visit' for each cgroup right below 'folder', with its path. */
typedef bool visit_cgroup(const char *path, void *aux);
static bool for_each_child(const char *folder, visit_cgroup *visit, void *aux)
{
    DIR *dir = opendir(folder);
    if (!dir) {
        return true;
    }
    bool ok = true;
    const struct dirent *entry;
    while (ok && (entry = readdir(dir))) {
        /* lxc itself makes a ".lxc". */
        if (entry->d_type == DT_DIR && !g_str_equal(entry->d_name, ".") && !g_str_equal(entry->d_name, "..")) {
            g_autofree char *path = g_build_filename(folder, entry->d_name, NULL);
            ok = visit(path, aux);
        }
    }
    closedir(dir);
    return ok;
}

static bool note_name(const char *path, void *aux)
{
    g_hash_table_add(aux, g_path_get_basename(path));
    return true;
}

GHashTable *cgroups_children(const struct cgroups *cgroups, const char *path)
{
    GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (unsigned i = 0; i < cgroups->hierarchies->len; i++) {
        g_autofree char *folder = g_build_filename(hierarchy(cgroups, i)->root, path, NULL);
        for_each_child(folder, note_name, names);
    }
    return names;
}

static bool collect_processes(const char *folder, void *aux)
{
    g_autofree char *file = g_build_filename(folder, "cgroup.procs", NULL);
    g_autofree char *text = NULL;
    if (g_file_get_contents(file, &text, NULL, NULL)) {
        for (char *p = text, *end; *p; p = end) {
            long pid = strtol(p, &end, 10);
            if (end == p) {
                break;
            }
            /* 0: a process of a pid namespace that we do not see. */
            if (pid > 0) {
                g_hash_table_add(aux, GINT_TO_POINTER((int)pid));
            }
        }
    }
    return for_each_child(folder, collect_processes, aux);
}

GArray *cgroups_processes(const struct cgroups *cgroups, const char *path)
{
    /* A process is in each hierarchy. */
    g_autoptr(GHashTable) pids = g_hash_table_new(NULL, NULL);
    for (unsigned i = 0; i < cgroups->hierarchies->len; i++) {
        g_autofree char *folder = g_build_filename(hierarchy(cgroups, i)->root, path, NULL);
        collect_processes(folder, pids);
    }
    GArray *list = g_array_new(FALSE, FALSE, sizeof(pid_t));
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, pids);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        pid_t pid = GPOINTER_TO_INT(key);
        g_array_append_val(list, pid);
    }
    return list;
}

/* Writes 'text' to 'file' of the cgroup 'path', where there is such a file. */
static void write_file(const struct cgroups *cgroups, const char *path, const char *file, const char *text)
{
    for (unsigned i = 0; i < cgroups->hierarchies->len; i++) {
        g_autofree char *name = g_build_filename(hierarchy(cgroups, i)->root, path, file, NULL);
        int fd = open(name, O_WRONLY | O_CLOEXEC);
        if (fd >= 0) {
            /* A cgroup that was removed meanwhile has no processes to thaw either. */
            ssize_t written = write(fd, text, strlen(text));
            (void)written;
            close(fd);
        }
    }
}

/* Says whether process 'pid' is in 'path': since the list was read, its number may have become another's. */
static bool process_is_in(pid_t pid, const char *path)
{
    g_autofree char *file = g_strdup_printf("/proc/%d/cgroup", (int)pid);
    g_autofree char *text = NULL;
    g_autofree char *below = g_strdup_printf("/%s/", path);
    g_autofree char *exact = g_strdup_printf("/%s\n", path);
    return g_file_get_contents(file, &text, NULL, NULL) && (strstr(text, below) || strstr(text, exact));
}

bool cgroups_kill(const struct cgroups *cgroups, const char *path, unsigned timeout_ms, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    for (;;) {
        g_autoptr(GArray) pids = cgroups_processes(cgroups, path);
        if (!pids->len) {
            return true;
        }
        write_file(cgroups, path, "freezer.state", "THAWED");
        write_file(cgroups, path, "cgroup.freeze", "0");
        for (unsigned i = 0; i < pids->len; i++) {
            pid_t pid = g_array_index(pids, pid_t, i);
            int pidfd = process_open(pid);
            if (pidfd < 0) {
                continue;
            }
            if (process_is_in(pid, path)) {
                process_signal(pidfd, SIGKILL);
            }
            close(pidfd);
        }
        if (g_get_monotonic_time() > deadline) {
            return fail(error, DISTEM_ERROR_SYSTEM, 0, "%u processes of the cgroup %s did not end within %u ms of SIGKILL",
                        pids->len, path, timeout_ms);
        }
        g_usleep(1000);
    }
}

static bool remove_folder(const char *folder, void *aux)
{
    GError **error = aux;
    if (!for_each_child(folder, remove_folder, error)) {
        return false;
    }
    /* The last process may be dead but not yet gone for the kernel's books. */
    for (unsigned tries = 0; rmdir(folder) < 0; tries++) {
        if (errno == ENOENT) {
            break;
        }
        if (errno != EBUSY || tries == 2000) {
            return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot remove the cgroup %s", folder);
        }
        g_usleep(1000);
    }
    return true;
}

bool cgroups_remove(const struct cgroups *cgroups, const char *path, GError **error)
{
    for (unsigned i = 0; i < cgroups->hierarchies->len; i++) {
        g_autofree char *folder = g_build_filename(hierarchy(cgroups, i)->root, path, NULL);
        if (access(folder, F_OK) == 0 && !remove_folder(folder, error)) {
            return false;
        }
    }
    return true;
}

void cgroups_remove_empty(const struct cgroups *cgroups, const char *path)
{
    for (unsigned i = 0; i < cgroups->hierarchies->len; i++) {
        g_autofree char *folder = g_build_filename(hierarchy(cgroups, i)->root, path, NULL);
        rmdir(folder);
    }
}
