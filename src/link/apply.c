/* SPDX-License-Identifier: Apache-2.0 */
/* link_apply_vnode(). Everything is compared with what the kernel has, so that it may be applied again at any time, also after a
 * kill in the middle: what was marked is found, whatever state it is in. */
#include <config.h>

#include <string.h>
#include <unistd.h>

#include "distem/error.h"

#include "guest.h"
#include "manager.h"
#include "netns.h"
#include "redirect.h"
#include "shape.h"
#include "sysctl.h"

/* One viface while it is being applied. */
struct port {
    const struct viface *viface;
    char veth_name[16], ifb_name[16];
    char *what, *input, *output; /* "n1:if0"; the directions, for errors. */
    char *alias;
    struct netdev_plan veth_plan, ifb_plan;
    const struct device *veth, *ifb; /* What there is. NULL: nothing. */
    struct shape input_shape, output_shape;
    struct redirect redirect;
};

/* One call of link_apply_vnode(). */
struct job {
    struct link_manager *manager;
    const struct vnode *vnode;
    uint16_t default_mtu;
    bool user_datapath;
    int netns;
    struct guest guest;
    struct port *ports; /* One for each viface. */
};

static void job_init(struct job *job)
{
    const struct vnode *vnode = job->vnode;
    job->netns = -1;
    job->guest.socket = -1;
    job->ports = g_new0(struct port, vnode->vifaces->len);
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        struct port *port = &job->ports[i];
        const struct viface *viface = port->viface = vnode_viface(vnode, i);
        link_veth_name(viface->id, port->veth_name);
        link_ifb_name(viface->id, port->ifb_name);
        port->what = g_strdup_printf("%s:%s", vnode->name, viface->name);
        port->input = g_strdup_printf("input of %s (%s)", port->what, port->veth_name);
        port->output = g_strdup_printf("output of %s (%s)", port->what, port->ifb_name);
        port->alias = devices_alias(vnode, viface);
        port->ifb_plan = (struct netdev_plan){.name = port->ifb_name,
                                              .alias = port->alias,
                                              .group = LINK_GROUP,
                                              .mtu = viface->vnetwork->mtu ? viface->vnetwork->mtu : job->default_mtu};
        port->veth_plan = port->ifb_plan;
        port->veth_plan.name = port->veth_name;
        port->veth_plan.peer_name = viface->name;
        port->veth_plan.peer_mac = mac_is_zero(&viface->mac) ? NULL : &viface->mac;
    }
}

static void job_clear(struct job *job)
{
    for (unsigned i = 0; i < job->vnode->vifaces->len; i++) {
        struct port *port = &job->ports[i];
        g_free(port->what);
        g_free(port->input);
        g_free(port->output);
        g_free(port->alias);
        shape_clear(&port->input_shape);
        shape_clear(&port->output_shape);
    }
    g_free(job->ports);
    guest_clear(&job->guest);
    if (job->netns >= 0) {
        close(job->netns);
    }
}

/* Brings the mirror up to date and finds the devices of all ports in it. */
static bool find_devices(struct job *job, GError **error)
{
    struct link_manager *manager = job->manager;
    if (!devices_refresh(manager->devices, manager->host, error)) {
        return false;
    }
    for (unsigned i = 0; i < job->vnode->vifaces->len; i++) {
        struct port *port = &job->ports[i];
        port->veth = devices_find(manager->devices, port->veth_name);
        port->ifb = devices_find(manager->devices, port->ifb_name);
    }
    return true;
}

static const struct port *find_port(const struct job *job, uint32_t viface_id)
{
    for (unsigned i = 0; i < job->vnode->vifaces->len; i++) {
        if (job->ports[i].viface->id == viface_id) {
            return &job->ports[i];
        }
    }
    return NULL;
}

/* Says whether the other end of 'veth' is the viface of 'port', under its name in the vnode's namespace. */
static bool is_joined(const struct job *job, const struct port *port, const struct netdev *veth)
{
    const struct netdev *end = guest_find(&job->guest, port->viface->name);
    return end && end->ifindex == veth->peer && end->peer == veth->ifindex;
}

/* Queues the removal of 'device' if it cannot be a part of the vnode as planned. */
static void remove_wrong(const struct device *device, void *aux)
{
    const struct job *job = aux;
    const struct port *port = find_port(job, device->viface_id);
    if (!port && device->vnode_id != job->vnode->id) {
        return; /* Of another vnode. */
    }
    if (!port || (device->kind == LINK_VETH && !is_joined(job, port, &device->netdev))) {
        netdev_delete(job->manager->host, device->netdev.ifindex, device->netdev.name);
    }
}

/* Makes the devices that are missing; they are down and carry nothing. */
static bool make_devices(struct job *job, GError **error)
{
    struct rtnl *host = job->manager->host;
    devices_foreach(job->manager->devices, remove_wrong, job);
    if (!rtnl_flush(host, error) || !find_devices(job, error)) {
        return false;
    }
    for (unsigned i = 0; i < job->vnode->vifaces->len; i++) {
        struct port *port = &job->ports[i];
        port->veth_plan.peer_netns = job->netns;
        if (!port->veth) {
            netdev_make_veth(host, &port->veth_plan, port->what);
        }
        if (!port->ifb && !impairment_is_zero(&port->viface->output)) {
            netdev_make_ifb(host, &port->ifb_plan, port->what);
        }
    }
    if (!rtnl_flush(host, error) || !find_devices(job, error) || !guest_list(&job->guest, error)) {
        return false;
    }
    for (unsigned i = 0; i < job->vnode->vifaces->len; i++) {
        struct port *port = &job->ports[i];
        if (!port->veth || (!port->ifb && !impairment_is_zero(&port->viface->output))) {
            return fail(error, DISTEM_ERROR_SYSTEM, 0, "a device of %s vanished just after it was made", port->what);
        }
    }
    return true;
}

/* Keeps a device that is still down from ever sending IPv6 of its own: thousands of ports that look for routers flood each other.
 */
static bool silence(const struct netdev *netdev, GError **error)
{
    g_autofree char *name = g_strdup_printf("ipv6/conf/%s/disable_ipv6", netdev->name);
    return (netdev->flags & IFF_UP) || sysctl_write(name, "1", error);
}

static bool settle_offloads(struct job *job, GError **error)
{
    struct link_manager *manager = job->manager;
    for (unsigned i = 0; i < job->vnode->vifaces->len; i++) {
        struct port *port = &job->ports[i];
        if (!offload_disable(manager->offload, manager->socket, port->veth_name, false, error) ||
            !offload_disable(manager->offload, job->guest.socket, port->viface->name, job->user_datapath, error) ||
            !silence(&port->veth->netdev, error) || (port->ifb && !silence(&port->ifb->netdev, error))) {
            return false;
        }
    }
    return true;
}

/* Finds out whether the kernel has netem, when 'impairment' makes it matter. One that had not may have got it since. */
static bool ask_for_netem(struct link_manager *manager, const struct impairment *impairment, GError **error)
{
    if (impairment_is_zero(impairment) || manager->netem.there || (manager->netem_known && !shape_needs_netem(impairment))) {
        return true;
    }
    manager->netem_known = true;
    return features_find_netem(&manager->netem, error);
}

/* Queues what is to change at the devices of 'port'. */
static bool write_port(struct job *job, struct port *port, GError **error)
{
    struct rtnl *host = job->manager->host;
    const struct impairment *input = &port->viface->input, *output = &port->viface->output;
    const struct netem_features *netem = &job->manager->netem;
    int veth = port->veth->netdev.ifindex;
    unsigned mtu = port->veth_plan.mtu;
    if (!shape_write(host, veth, &port->input_shape, input, mtu, netem, port->input, error)) {
        return false;
    }
    if (!impairment_is_zero(output)) {
        g_assert(port->ifb); /* make_devices() saw to it. */
        int ifb = port->ifb->netdev.ifindex;
        if (!shape_write(host, ifb, &port->output_shape, output, mtu, netem, port->output, error)) {
            return false;
        }
        netdev_adjust(host, &port->ifb->netdev, &port->ifb_plan, port->what);
        redirect_write(host, veth, &port->redirect, ifb, port->output);
    } else {
        if (port->redirect.ingress) {
            redirect_delete(host, veth, port->output);
        }
        if (port->ifb) {
            netdev_delete(host, port->ifb->netdev.ifindex, port->ifb_name);
        }
    }
    netdev_adjust(host, &port->veth->netdev, &port->veth_plan, port->what);
    return true;
}

/* Shapes all ports, and then brings their host-side ends up. */
static bool shape_ports(struct job *job, GError **error)
{
    struct rtnl *host = job->manager->host;
    for (unsigned i = 0; i < job->vnode->vifaces->len; i++) {
        struct port *port = &job->ports[i];
        shape_read(host, port->veth->netdev.ifindex, &port->input_shape);
        redirect_read(host, port->veth->netdev.ifindex, &port->redirect);
        if (port->ifb) {
            shape_read(host, port->ifb->netdev.ifindex, &port->output_shape);
        }
    }
    if (!rtnl_flush(host, error)) {
        return false;
    }
    for (unsigned i = 0; i < job->vnode->vifaces->len; i++) {
        const struct viface *viface = job->ports[i].viface;
        if (!ask_for_netem(job->manager, &viface->input, error) || !ask_for_netem(job->manager, &viface->output, error) ||
            !write_port(job, &job->ports[i], error)) {
            rtnl_discard(host);
            return false;
        }
    }
    return rtnl_flush(host, error);
}

bool link_apply_vnode(struct link_manager *manager, const struct vnode *vnode, uint16_t default_mtu, bool user_datapath,
                      GError **error)
{
    struct job job = {.manager = manager, .vnode = vnode, .default_mtu = default_mtu, .user_datapath = user_datapath};
    g_autofree char *path = link_netns_path(manager, vnode->id);
    job_init(&job);
    job.netns = netns_open(path, error);
    bool ok = job.netns >= 0 && guest_open(job.netns, vnode->forwards, &job.guest, error) && guest_list(&job.guest, error) &&
              find_devices(&job, error) && make_devices(&job, error) && settle_offloads(&job, error) && shape_ports(&job, error) &&
              guest_configure(&job.guest, vnode, default_mtu, error);
    job_clear(&job);
    return ok;
}
