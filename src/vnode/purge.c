/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <errno.h>
#include <unistd.h>

#include "cgroup.h"
#include "distem/error.h"
#include "distem/vnode.h"
#include "layout.h"
#include "remains.h"
#include "tree.h"

static int compare_ids(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void add_cgroups(const struct cgroups *cgroups, const char *path, GHashTable *ids)
{
    g_autoptr(GHashTable) names = cgroups_children(cgroups, path);
    GHashTableIter iter;
    gpointer name;
    uint32_t id;
    g_hash_table_iter_init(&iter, names);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        if (layout_parse_id(name, &id)) {
            g_hash_table_add(ids, GUINT_TO_POINTER(id));
        }
    }
}

/* Returns the ids of all vnodes of which anything is there, in order; the caller unrefs the array. */
static GArray *find_ids(const struct cgroups *cgroups, const char *run_dir, const char *state_dir)
{
    g_autoptr(GHashTable) ids = g_hash_table_new(NULL, NULL);
    g_autofree char *containers = layout_containers(state_dir);
    GDir *dir = g_dir_open(containers, 0, NULL);
    const char *name;
    uint32_t id;
    while (dir && (name = g_dir_read_name(dir))) {
        if (layout_parse_id(name, &id)) {
            g_hash_table_add(ids, GUINT_TO_POINTER(id));
        }
    }
    if (dir) {
        g_dir_close(dir);
    }
    g_autofree char *root = layout_cgroup(run_dir);
    g_autofree char *monitors = g_build_filename(root, "monitor", NULL);
    add_cgroups(cgroups, root, ids);
    add_cgroups(cgroups, monitors, ids);
    GArray *list = g_array_new(FALSE, FALSE, sizeof id);
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, ids);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        id = GPOINTER_TO_UINT(key);
        g_array_append_val(list, id);
    }
    g_array_sort(list, compare_ids);
    return list;
}

/* Says in 'found' what there is of vnode 'id'. */
static void describe(const struct cgroups *cgroups, const char *run_dir, const char *state_dir, uint32_t id, GPtrArray *found)
{
    g_autofree char *cgroup = vnode_cgroup(run_dir, id);
    g_autofree char *monitor = layout_monitor_cgroup(run_dir, id);
    g_autofree char *folder = layout_container(state_dir, id);
    const char *const paths[] = {cgroup, monitor};
    for (unsigned i = 0; i < G_N_ELEMENTS(paths); i++) {
        if (cgroups_exist(cgroups, paths[i])) {
            g_autoptr(GArray) pids = cgroups_processes(cgroups, paths[i]);
            g_ptr_array_add(found, g_strdup_printf("vnode %u: cgroup %s with %u processes", id, paths[i], pids->len));
        }
    }
    if (access(folder, F_OK) == 0) {
        g_ptr_array_add(found, g_strdup_printf("vnode %u: folder %s", id, folder));
    }
}

/* Removes all of vnode 'id'. */
static bool remove_vnode(const struct cgroups *cgroups, const char *run_dir, const char *state_dir, uint32_t id, GError **error)
{
    int lock = remains_lock(run_dir, id, error);
    if (lock < 0) {
        return false;
    }
    g_autofree char *folder = layout_container(state_dir, id);
    bool ok = remains_clear(cgroups, run_dir, state_dir, id, error) && tree_remove(folder, error);
    close(lock);
    return ok;
}

/* Removes the folders that lxc made for its lock files, as far up as they are empty. */
static void remove_lock_folders(const char *state_dir)
{
    g_autofree char *folder = layout_lxc_locks(state_dir);
    while (!g_str_has_suffix(folder, "/lxc/lock") && (rmdir(folder) == 0 || errno == ENOENT)) {
        char *parent = g_path_get_dirname(folder);
        g_free(folder);
        folder = parent;
    }
}

/* Removes what is not of one vnode. */
static bool remove_common(const struct cgroups *cgroups, const char *run_dir, const char *state_dir, GError **error)
{
    g_autofree char *root = layout_cgroup(run_dir);
    g_autofree char *pivot = layout_pivot_cgroup(run_dir);
    g_autofree char *containers = layout_containers(state_dir);
    g_autofree char *lock = layout_lock(run_dir);
    /* Monitors that are just ending. */
    if (!cgroups_kill(cgroups, pivot, 10000, error)) {
        return false;
    }
    remains_remove_roots(cgroups, run_dir, state_dir);
    remove_lock_folders(state_dir);
    if (cgroups_exist(cgroups, root)) {
        return fail(error, DISTEM_ERROR_CONFLICT, 0, "the cgroup %s is still in use: is a distemd running on %s?", root, run_dir);
    }
    if (rmdir(containers) < 0 && errno != ENOENT && errno != ENOTEMPTY) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot remove %s", containers);
    }
    if (unlink(lock) < 0 && errno != ENOENT) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot remove %s", lock);
    }
    return true;
}

GPtrArray *vnode_purge(const char *run_dir, const char *state_dir, bool remove, GError **error)
{
    AUTO_CGROUPS cgroups = cgroups_open(error);
    if (!cgroups) {
        return NULL;
    }
    g_autoptr(GArray) ids = find_ids(cgroups, run_dir, state_dir);
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < ids->len; i++) {
        uint32_t id = g_array_index(ids, uint32_t, i);
        describe(cgroups, run_dir, state_dir, id, found);
        if (remove && !remove_vnode(cgroups, run_dir, state_dir, id, error)) {
            return NULL;
        }
    }
    g_autofree char *root = layout_cgroup(run_dir);
    if (cgroups_exist(cgroups, root)) {
        g_ptr_array_add(found, g_strdup_printf("cgroup %s", root));
    }
    if (remove && !remove_common(cgroups, run_dir, state_dir, error)) {
        return NULL;
    }
    return g_steal_pointer(&found);
}
