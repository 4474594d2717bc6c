/* SPDX-License-Identifier: Apache-2.0 */
/* What is made and found per machine; link_apply_vnode() stands in apply.c. */
#include <config.h>

#include "manager.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "distem/error.h"

#include "netns.h"

struct link_manager *link_manager_new(const char *run_dir, GError **error)
{
    struct link_manager *manager = g_new0(struct link_manager, 1);
    manager->folder = g_build_filename(run_dir, "netns", NULL);
    manager->merging = g_build_filename(run_dir, "merging", NULL);
    manager->offload = offload_new();
    manager->matrix = link_matrix_new();
    manager->socket = -1;
    bool ok =
        netns_folder_make(manager->folder, error) && (manager->host = rtnl_open(error)) && (manager->devices = devices_new(error));
    if (ok) {
        manager->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ok = manager->socket >= 0 || fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot open a socket");
    }
    if (!ok) {
        link_manager_free(manager);
        return NULL;
    }
    return manager;
}

void link_manager_free(struct link_manager *manager)
{
    if (manager) {
        netns_folder_remove(manager->folder);
        rtnl_close(manager->host);
        devices_free(manager->devices);
        offload_free(manager->offload);
        link_matrix_free(manager->matrix);
        if (manager->socket >= 0) {
            close(manager->socket);
        }
        g_free(manager->folder);
        g_free(manager->merging);
        g_free(manager);
    }
}

char *link_netns_path(const struct link_manager *manager, uint32_t vnode_id)
{
    return g_strdup_printf("%s/%u", manager->folder, vnode_id);
}

/* For link_remove_vnodes(). */
struct removal {
    struct rtnl *host;
    GHashTable *ids; /* Set of vnode ids. */
};

static void prepare_removal(const struct device *device, void *aux)
{
    const struct removal *removal = aux;
    if (device->kind != LINK_MATRIX && g_hash_table_contains(removal->ids, GUINT_TO_POINTER(device->vnode_id))) {
        netdev_regroup(removal->host, device->netdev.ifindex, LINK_GROUP_REMOVED, device->netdev.name);
    }
}

bool link_remove_vnodes(struct link_manager *manager, const uint32_t *ids, unsigned count, GError **error)
{
    if (!devices_refresh(manager->devices, manager->host, error)) {
        return false;
    }
    g_autoptr(GHashTable) set = g_hash_table_new(NULL, NULL);
    for (unsigned i = 0; i < count; i++) {
        g_hash_table_add(set, GUINT_TO_POINTER(ids[i]));
    }
    struct removal removal = {.host = manager->host, .ids = set};
    devices_foreach(manager->devices, prepare_removal, &removal);
    netdev_delete_group(manager->host, LINK_GROUP_REMOVED);
    if (!rtnl_flush(manager->host, error)) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        g_autofree char *path = link_netns_path(manager, ids[i]);
        if (!netns_remove(path, error)) {
            return false;
        }
    }
    return true;
}

bool link_remove_vnode(struct link_manager *manager, uint32_t vnode_id, GError **error)
{
    return link_remove_vnodes(manager, &vnode_id, 1, error);
}

static void found_free(void *data)
{
    struct link_found *found = data;
    g_free(found->name);
    g_free(found);
}

static void add_found(GPtrArray *list, enum link_kind kind, uint32_t vnode_id, uint32_t viface_id, const char *name)
{
    struct link_found *found = g_new0(struct link_found, 1);
    *found = (struct link_found){kind, vnode_id, viface_id, g_strdup(name)};
    g_ptr_array_add(list, found);
}

static void add_found_device(const struct device *device, void *aux)
{
    add_found(aux, device->kind, device->vnode_id, device->viface_id, device->netdev.name);
}

GPtrArray *link_list(struct link_manager *manager, GError **error)
{
    if (!devices_refresh(manager->devices, manager->host, error)) {
        return NULL;
    }
    GPtrArray *list = g_ptr_array_new_with_free_func(found_free);
    devices_foreach(manager->devices, add_found_device, list);
    g_autoptr(GDir) dir = g_dir_open(manager->folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        guint64 id;
        g_autofree char *path = g_build_filename(manager->folder, name, NULL);
        if (g_ascii_string_to_unsigned(name, 10, 1, UINT32_MAX, &id, NULL)) {
            add_found(list, LINK_NETNS, (uint32_t)id, 0, path);
        }
    }
    return list;
}

GHashTable *link_interfaces(struct link_manager *manager, GError **error)
{
    g_autoptr(GPtrArray) links = rtnl_dump(manager->host, RTM_GETLINK, error);
    if (!links) {
        return NULL;
    }
    GHashTable *interfaces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (unsigned i = 0; i < links->len; i++) {
        struct netdev netdev;
        if (netdev_parse(links->pdata[i], &netdev) && !(netdev.flags & IFF_LOOPBACK) && netdev.group != LINK_GROUP &&
            netdev.group != LINK_GROUP_REMOVED && !g_str_equal(netdev.kind, "openvswitch") && !g_str_equal(netdev.kind, "vxlan")) {
            g_hash_table_insert(interfaces, g_strdup(netdev.name), GUINT_TO_POINTER(netdev.mtu));
        }
    }
    return interfaces;
}
