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
#include "port.h"
#include "sysctl.h"

#define DRAIN_ROUNDS 100
#define DRAIN_ROUND_US 1000

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
        port_init(&job->ports[i], vnode, vnode_viface(vnode, i), job->default_mtu);
        const struct link_matrix *matrix = job->manager->matrix;
        job->ports[i].matrix = matrix_holds(matrix, vnode, job->ports[i].viface) ? matrix : NULL;
    }
}

static void job_clear(struct job *job)
{
    for (unsigned i = 0; i < job->vnode->vifaces->len; i++) {
        port_clear(&job->ports[i]);
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
        port_find(&job->ports[i], manager->devices);
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
        port_make(host, &job->ports[i], job->netns);
    }
    if (!rtnl_flush(host, error) || !find_devices(job, error) || !guest_list(&job->guest, error)) {
        return false;
    }
    for (unsigned i = 0; i < job->vnode->vifaces->len; i++) {
        if (!port_is_complete(&job->ports[i])) {
            return fail(error, DISTEM_ERROR_SYSTEM, 0, "a device of %s vanished just after it was made", job->ports[i].what);
        }
    }
    return true;
}

/* Keeps a device that is still down from ever sending IPv6 of its own: thousands of ports that look for routers flood each other.
 * NULL is fine. */
static bool silence(const struct device *device, GError **error)
{
    if (!device || (device->netdev.flags & IFF_UP)) {
        return true;
    }
    g_autofree char *name = g_strdup_printf("ipv6/conf/%s/disable_ipv6", device->netdev.name);
    return sysctl_write(name, "1", error);
}

static bool settle_offloads(struct job *job, GError **error)
{
    struct link_manager *manager = job->manager;
    for (unsigned i = 0; i < job->vnode->vifaces->len; i++) {
        struct port *port = &job->ports[i];
        if (!offload_disable(manager->offload, manager->socket, port->veth_name, false, error) ||
            !offload_disable(manager->offload, job->guest.socket, port->viface->name, job->user_datapath, error) ||
            !silence(port->veth, error) || !silence(port->ifb, error) || !silence(port->input_stage.device, error) ||
            !silence(port->output_stage.device, error) || !silence(port->output_stage.end, error)) {
            return false;
        }
    }
    return true;
}

/* Finds out whether the kernel has netem, when 'impairment' makes it matter. One that had not may have got it since. */
static bool ask_for_netem(struct link_manager *manager, const struct impairment *impairment, GError **error)
{
    if (impairment_is_zero(impairment) || manager->netem.there || (manager->netem_known && !impairment_has_more(impairment))) {
        return true;
    }
    manager->netem_known = true;
    return features_find_netem(&manager->netem, error);
}

/* Reads what there is at all ports. */
static bool read_ports(struct job *job, GError **error)
{
    for (unsigned i = 0; i < job->vnode->vifaces->len; i++) {
        port_read(job->manager->host, &job->ports[i]);
    }
    return rtnl_flush(job->manager->host, error);
}

/* Waits until all ports are 'drained', or for DRAIN_ROUNDS: a frame at a low rate may be paid for for longer. */
static bool wait_for(struct job *job, bool (*drained)(const struct port *), GError **error)
{
    for (unsigned round = 0; round < DRAIN_ROUNDS; round++) {
        bool all = true;
        if (!read_ports(job, error)) {
            return false;
        }
        for (unsigned i = 0; i < job->vnode->vifaces->len; i++) {
            all &= drained(&job->ports[i]);
        }
        if (all) {
            break;
        }
        g_usleep(DRAIN_ROUND_US);
    }
    return true;
}

/* Removes the stages of directions that have no bandwidth any more. */
static bool end_stages(struct job *job, GError **error)
{
    struct rtnl *host = job->manager->host;
    bool any = false;
    for (unsigned i = 0; i < job->vnode->vifaces->len; i++) {
        any |= port_release(host, &job->ports[i]);
    }
    if (!any) {
        return true;
    }
    if (!rtnl_flush(host, error) || !wait_for(job, port_is_drained, error)) {
        return false;
    }
    for (unsigned i = 0; i < job->vnode->vifaces->len; i++) {
        port_bypass(host, &job->ports[i]);
    }
    if (!rtnl_flush(host, error)) {
        return false;
    }
    g_usleep(DRAIN_ROUND_US); /* For what has just left the queue: no counter tells when it is through. */
    for (unsigned i = 0; i < job->vnode->vifaces->len; i++) {
        port_drop(host, &job->ports[i]);
    }
    return rtnl_flush(host, error);
}

/* Removes the bandwidths below netem that have moved to a stage, or went. */
static bool end_rates(struct job *job, GError **error)
{
    bool any = false;
    for (unsigned i = 0; i < job->vnode->vifaces->len; i++) {
        any |= port_leaves_rates(&job->ports[i]);
    }
    if (!any) {
        return true;
    }
    if (!wait_for(job, port_rates_are_drained, error)) {
        return false;
    }
    for (unsigned i = 0; i < job->vnode->vifaces->len; i++) {
        port_end_rates(job->manager->host, &job->ports[i]);
    }
    return rtnl_flush(job->manager->host, error);
}

/* Enters the vnode into the latency matrix, where it has a part in it. */
static bool enter_matrix(struct job *job, GError **error)
{
    for (unsigned i = 0; i < job->vnode->vifaces->len; i++) {
        const struct port *port = &job->ports[i];
        if (port->matrix && !matrix_program(port->matrix)) {
            return fail(error, DISTEM_ERROR_UNSUPPORTED, 0,
                        "vnode %s needs the program of the latency matrix, which this machine could not load", job->vnode->name);
        }
        if (port->matrix &&
            !matrix_set_destination(job->manager->matrix, job->vnode, port->viface, port->veth->netdev.ifindex, error)) {
            return false;
        }
    }
    return true;
}

/* Shapes all ports, and brings their host-side ends up. */
static bool shape_ports(struct job *job, GError **error)
{
    struct rtnl *host = job->manager->host;
    if (!enter_matrix(job, error) || !read_ports(job, error) || !end_stages(job, error)) {
        return false;
    }
    for (unsigned i = 0; i < job->vnode->vifaces->len; i++) {
        const struct viface *viface = job->ports[i].viface;
        if (!ask_for_netem(job->manager, &viface->input, error) || !ask_for_netem(job->manager, &viface->output, error) ||
            !port_write(host, &job->ports[i], &job->manager->netem, error)) {
            rtnl_discard(host);
            return false;
        }
    }
    return rtnl_flush(host, error) && end_rates(job, error);
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
