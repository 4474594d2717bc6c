/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "layout.h"

#include <glib.h>

#include "distem/vnode.h"

char *layout_containers(const char *state_dir)
{
    g_autofree char *canonical = g_canonicalize_filename(state_dir, "/");
    return g_build_filename(canonical, "vnodes", NULL);
}

char *layout_container(const char *state_dir, uint32_t id)
{
    g_autofree char *containers = layout_containers(state_dir);
    return g_strdup_printf("%s/%u", containers, id);
}

char *layout_file(const char *state_dir, uint32_t id, const char *name)
{
    g_autofree char *container = layout_container(state_dir, id);
    return g_build_filename(container, name, NULL);
}

char *layout_lock(const char *run_dir)
{
    g_autofree char *canonical = g_canonicalize_filename(run_dir, "/");
    return g_build_filename(canonical, "vnodes.lock", NULL);
}

char *layout_lxc_locks(const char *state_dir)
{
    g_autofree char *containers = layout_containers(state_dir);
    return g_build_filename("/run/lxc/lock", containers, NULL);
}

char *layout_cgroup(const char *run_dir)
{
    g_autofree char *canonical = g_canonicalize_filename(run_dir, "/");
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, canonical, -1);
    return g_strdup_printf("distem-%.8s", hash);
}

char *vnode_cgroup(const char *run_dir, uint32_t vnode_id)
{
    g_autofree char *cgroup = layout_cgroup(run_dir);
    return g_strdup_printf("%s/%u", cgroup, vnode_id);
}

char *layout_monitor_cgroup(const char *run_dir, uint32_t id)
{
    g_autofree char *cgroup = layout_cgroup(run_dir);
    return g_strdup_printf("%s/monitor/%u", cgroup, id);
}

char *layout_pivot_cgroup(const char *run_dir)
{
    g_autofree char *cgroup = layout_cgroup(run_dir);
    return g_build_filename(cgroup, "pivot", NULL);
}

bool layout_parse_id(const char *name, uint32_t *ret)
{
    guint64 id;
    if (name[0] == '0' || !g_ascii_string_to_unsigned(name, 10, 1, UINT32_MAX, &id, NULL)) {
        return false;
    }
    *ret = (uint32_t)id;
    return true;
}
