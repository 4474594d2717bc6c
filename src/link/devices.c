/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "devices.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include <netlink/errno.h>
#include <netlink/netlink.h>

#include "distem/error.h"

#define RECEIVE_BUFFER 4194304 /* A few thousand notifications. */

struct devices {
    struct nl_sock *socket;
    GHashTable *by_index; /* ifindex -> struct device, owned. */
    GHashTable *by_name;  /* Name -> struct device. */
    GArray *doubtful;     /* ifindexes of what to read again. */
    bool filled;
};

void link_veth_name(uint32_t viface_id, char name[16])
{
    snprintf(name, 16, "dv%u", viface_id);
}

void link_ifb_name(uint32_t viface_id, char name[16])
{
    snprintf(name, 16, "di%u", viface_id);
}

void link_input_queue_name(uint32_t viface_id, char name[16])
{
    snprintf(name, 16, "ds%u", viface_id);
}

void link_output_queue_names(uint32_t viface_id, char name[16], char end_name[16])
{
    snprintf(name, 16, "dx%u", viface_id);
    snprintf(end_name, 16, "dy%u", viface_id);
}

char *devices_alias(const struct vnode *vnode, const struct viface *viface)
{
    return g_strdup_printf("distem %u/%u %s:%s", vnode->id, viface->id, vnode->name, viface->name);
}

/* Takes a device's kind and viface from its name. */
static bool parse_name(const char *name, struct device *ret)
{
    guint64 id;
    if (!strcmp(name, "dma") || !strcmp(name, "dmb")) {
        ret->kind = LINK_MATRIX;
        return true;
    }
    if (name[0] != 'd' || !name[1] || !strchr("visxy", name[1]) ||
        !g_ascii_string_to_unsigned(name + 2, 10, 1, UINT32_MAX, &id, NULL)) {
        return false;
    }
    ret->kind = name[1] == 'v' ? LINK_VETH : name[1] == 'i' ? LINK_IFB : LINK_QUEUE;
    ret->viface_id = (uint32_t)id;
    return true;
}

static void forget(struct devices *devices, int ifindex)
{
    struct device *device = g_hash_table_lookup(devices->by_index, GINT_TO_POINTER(ifindex));
    if (device) {
        g_hash_table_remove(devices->by_name, device->netdev.name);
        g_hash_table_remove(devices->by_index, GINT_TO_POINTER(ifindex));
    }
}

/* Enters what the message says, in place of what was known of that device. */
static void learn(struct devices *devices, struct nlmsghdr *header)
{
    struct device found = {0};
    if (!netdev_parse(header, &found.netdev)) {
        return;
    }
    forget(devices, found.netdev.ifindex);
    if ((found.netdev.group != LINK_GROUP && found.netdev.group != LINK_GROUP_REMOVED) || !parse_name(found.netdev.name, &found)) {
        return;
    }
    unsigned viface_id;
    if (sscanf(found.netdev.alias, "distem %u/%u ", &found.vnode_id, &viface_id) != 2 || viface_id != found.viface_id) {
        found.vnode_id = 0;
    }
    struct device *device = g_memdup2(&found, sizeof found);
    g_hash_table_insert(devices->by_index, GINT_TO_POINTER(device->netdev.ifindex), device);
    g_hash_table_insert(devices->by_name, device->netdev.name, device);
}

struct devices *devices_new(GError **error)
{
    struct devices *devices = g_new0(struct devices, 1);
    devices->by_index = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    devices->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    devices->doubtful = g_array_new(FALSE, FALSE, sizeof(int));
    devices->socket = nl_socket_alloc();
    int err = devices->socket ? nl_connect(devices->socket, NETLINK_ROUTE) : -NLE_NOMEM;
    if (err >= 0) {
        err = nl_socket_add_memberships(devices->socket, RTNLGRP_LINK, 0);
    }
    if (err >= 0) {
        err = nl_socket_set_nonblocking(devices->socket);
    }
    if (err < 0) {
        fail(error, DISTEM_ERROR_SYSTEM, 0, "watching network devices failed: %s", nl_geterror(err));
        devices_free(devices);
        return NULL;
    }
    int size = RECEIVE_BUFFER;
    /* A smaller buffer means more dumps, not less truth. */
    (void)setsockopt(nl_socket_get_fd(devices->socket), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    return devices;
}

void devices_free(struct devices *devices)
{
    if (devices) {
        nl_socket_free(devices->socket);
        g_hash_table_unref(devices->by_name);
        g_hash_table_unref(devices->by_index);
        g_array_unref(devices->doubtful);
        g_free(devices);
    }
}

static void handle_notification(struct devices *devices, struct nlmsghdr *header)
{
    const struct ifinfomsg *info = nlmsg_data(header);
    /* Bridges tell of their ports with the same types, and a port that leaves its bridge is not deleted. */
    if (!nlmsg_valid_hdr(header, sizeof *info) || info->ifi_family != AF_UNSPEC) {
        return;
    }
    if (header->nlmsg_type == RTM_DELLINK) {
        forget(devices, info->ifi_index);
    } else if (header->nlmsg_type == RTM_NEWLINK) {
        learn(devices, header);
        if (!(info->ifi_flags & IFF_UP)) {
            g_array_append_val(devices->doubtful, info->ifi_index);
        }
    }
}

static void learn_answer(struct nlmsghdr *header, void *aux)
{
    learn(aux, header);
}

/* Asks for devices that were down when they were told of: the kernel tells of no new alias as long as they are. */
static bool read_doubtful(struct devices *devices, struct rtnl *host, GError **error)
{
    const struct rtnl_options options = {.tolerated = RTNL_ANY_ERROR, .answer = learn_answer, .aux = devices};
    for (unsigned i = 0; i < devices->doubtful->len; i++) {
        const struct ifinfomsg header = {.ifi_family = AF_UNSPEC, .ifi_index = g_array_index(devices->doubtful, int, i)};
        if (g_hash_table_contains(devices->by_index, GINT_TO_POINTER(header.ifi_index))) {
            rtnl_queue(host, rtnl_message(RTM_GETLINK, 0, &header, sizeof header, 0), &options, "reading a device");
        }
    }
    g_array_set_size(devices->doubtful, 0);
    return rtnl_flush(host, error);
}

/* Handles all notifications that are there. Sets '*ret_lost' when the kernel dropped some. */
static bool read_notifications(struct devices *devices, bool *ret_lost, GError **error)
{
    for (;;) {
        struct sockaddr_nl from;
        unsigned char *buffer = NULL;
        int rest = nl_recv(devices->socket, &from, &buffer, NULL);
        if (rest == 0 || rest == -NLE_AGAIN) {
            return true;
        }
        if (rest == -NLE_NOMEM) {
            *ret_lost = true;
            continue;
        }
        if (rest < 0) {
            return fail(error, DISTEM_ERROR_SYSTEM, 0, "watching network devices failed: %s", nl_geterror(rest));
        }
        for (struct nlmsghdr *h = (struct nlmsghdr *)buffer; nlmsg_ok(h, rest); h = nlmsg_next(h, &rest)) {
            handle_notification(devices, h);
        }
        free(buffer);
    }
}

bool devices_refresh(struct devices *devices, struct rtnl *host, GError **error)
{
    bool lost = !devices->filled;
    if (!read_notifications(devices, &lost, error)) {
        return false;
    }
    if (!lost) {
        return read_doubtful(devices, host, error);
    }
    /* What is notified from here on repeats the dump or is newer. */
    g_autoptr(GPtrArray) links = rtnl_dump(host, RTM_GETLINK, error);
    if (!links) {
        return false;
    }
    g_hash_table_remove_all(devices->by_name);
    g_hash_table_remove_all(devices->by_index);
    for (unsigned i = 0; i < links->len; i++) {
        learn(devices, links->pdata[i]);
    }
    g_array_set_size(devices->doubtful, 0);
    devices->filled = true;
    return true;
}

const struct device *devices_find(const struct devices *devices, const char *name)
{
    return g_hash_table_lookup(devices->by_name, name);
}

void devices_foreach(const struct devices *devices, void (*each)(const struct device *, void *aux), void *aux)
{
    GHashTableIter iter;
    void *device;
    g_hash_table_iter_init(&iter, devices->by_index);
    while (g_hash_table_iter_next(&iter, NULL, &device)) {
        each(device, aux);
    }
}
