/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "port.h"

/* The two directions of a port, for what is the same in both. */
struct direction {
    const struct impairment *impairment;
    const char *what;
    const struct device *device; /* Where netem is. NULL: nowhere. */
    const struct shape *shape;
    struct stage *stage;
};

static void get_directions(const struct port *port, struct direction ret[2])
{
    struct port *changeable = (struct port *)port;
    ret[0] = (struct direction){&port->viface->input, port->input, port->veth, &port->input_shape, &changeable->input_stage};
    ret[1] = (struct direction){&port->viface->output, port->output, port->ifb, &port->output_shape, &changeable->output_stage};
}

void port_init(struct port *port, const struct vnode *vnode, const struct viface *viface, uint16_t default_mtu)
{
    port->viface = viface;
    link_veth_name(viface->id, port->veth_name);
    link_ifb_name(viface->id, port->ifb_name);
    port->what = g_strdup_printf("%s:%s", vnode->name, viface->name);
    port->input = g_strdup_printf("input of %s (%s)", port->what, port->veth_name);
    port->output = g_strdup_printf("output of %s (%s)", port->what, port->ifb_name);
    port->alias = devices_alias(vnode, viface);
    port->ifb_plan = (struct netdev_plan){.name = port->ifb_name,
                                          .alias = port->alias,
                                          .group = LINK_GROUP,
                                          .mtu = viface->vnetwork->mtu ? viface->vnetwork->mtu : default_mtu};
    port->veth_plan = port->ifb_plan;
    port->veth_plan.name = port->veth_name;
    port->veth_plan.peer_name = viface->name;
    port->veth_plan.peer_mac = mac_is_zero(&viface->mac) ? NULL : &viface->mac;
    stage_init(&port->input_stage, false, viface->id, &port->ifb_plan);
    stage_init(&port->output_stage, true, viface->id, &port->ifb_plan);
}

void port_clear(struct port *port)
{
    g_free(port->what);
    g_free(port->input);
    g_free(port->output);
    g_free(port->alias);
    shape_clear(&port->input_shape);
    shape_clear(&port->output_shape);
    stage_clear(&port->input_stage);
    stage_clear(&port->output_stage);
}

void port_find(struct port *port, const struct devices *devices)
{
    port->veth = devices_find(devices, port->veth_name);
    port->ifb = devices_find(devices, port->ifb_name);
    stage_find(&port->input_stage, devices);
    stage_find(&port->output_stage, devices);
}

void port_make(struct rtnl *rtnl, struct port *port, int netns)
{
    port->veth_plan.peer_netns = netns;
    if (!port->veth) {
        netdev_make_veth(rtnl, &port->veth_plan, port->what);
    }
    if (!port->ifb && !impairment_is_zero(&port->viface->output)) {
        netdev_make_ifb(rtnl, &port->ifb_plan, port->what);
    }
    struct direction directions[2];
    get_directions(port, directions);
    for (unsigned i = 0; i < 2; i++) {
        if (stage_is_wanted(directions[i].stage, directions[i].impairment)) {
            stage_make(rtnl, directions[i].stage, port->what);
        }
    }
}

bool port_is_complete(const struct port *port)
{
    struct direction directions[2];
    get_directions(port, directions);
    bool complete = port->veth && (port->ifb || impairment_is_zero(&port->viface->output));
    for (unsigned i = 0; i < 2; i++) {
        complete &= stage_is_complete(directions[i].stage) || !stage_is_wanted(directions[i].stage, directions[i].impairment);
    }
    return complete;
}

void port_read(struct rtnl *rtnl, struct port *port)
{
    shape_read(rtnl, port->veth->netdev.ifindex, &port->input_shape);
    redirect_read(rtnl, port->veth->netdev.ifindex, &port->redirect);
    matrix_filter_read(rtnl, port->veth->netdev.ifindex, &port->filter);
    if (port->ifb) {
        shape_read(rtnl, port->ifb->netdev.ifindex, &port->output_shape);
    }
    stage_read(rtnl, &port->input_stage);
    stage_read(rtnl, &port->output_stage);
}

/* Queues the stage of a direction, if it has a bandwidth in one. */
static void write_stage(struct rtnl *rtnl, const struct port *port, const struct direction *direction)
{
    if (direction->stage->device && direction->impairment->bandwidth) {
        stage_write(rtnl, direction->stage, port->veth->netdev.ifindex, direction->impairment, port->veth_plan.mtu,
                    direction->what);
    }
}

/* Queues the shape of a direction, and then the ways there that 'lead' queues: only then may what is below netem leave at once. */
static bool write_direction(struct rtnl *rtnl, struct port *port, const struct direction *direction,
                            const struct netem_features *netem, void (*lead)(struct rtnl *, struct port *), GError **error)
{
    int ifindex = direction->device->netdev.ifindex;
    bool staged = direction->stage->device;
    write_stage(rtnl, port, direction);
    if (!shape_write(rtnl, ifindex, direction->shape, direction->impairment, staged, port->veth_plan.mtu, netem, direction->what,
                     error)) {
        return false;
    }
    lead(rtnl, port);
    if (shape_leaves_rate(direction->shape, direction->impairment, staged)) {
        shape_release_rate(rtnl, ifindex, direction->what);
    }
    return true;
}

static void lead_input(struct rtnl *rtnl, struct port *port)
{
    const struct device *first = port->input_stage.device;
    redirect_write(rtnl, port->veth->netdev.ifindex, &port->redirect, RULE_INPUT, first ? first->netdev.ifindex : 0, port->input);
}

static void lead_output(struct rtnl *rtnl, struct port *port)
{
    int veth = port->veth->netdev.ifindex, ifb = port->ifb->netdev.ifindex;
    const struct device *first = port->output_stage.device;
    netdev_adjust(rtnl, &port->ifb->netdev, &port->ifb_plan, port->what);
    if (first) { /* What comes from there must know its way before anything goes there. */
        redirect_write(rtnl, veth, &port->redirect, RULE_MARKED, ifb, port->output);
    }
    redirect_write(rtnl, veth, &port->redirect, RULE_OUTPUT, first ? first->netdev.ifindex : ifb, port->output);
    if (!first) {
        redirect_write(rtnl, veth, &port->redirect, RULE_MARKED, 0, port->output);
    }
}

/* Queues the end of all that shapes the output. */
static void end_output(struct rtnl *rtnl, struct port *port)
{
    int veth = port->veth->netdev.ifindex;
    redirect_write(rtnl, veth, &port->redirect, RULE_OUTPUT, 0, port->output);
    redirect_write(rtnl, veth, &port->redirect, RULE_MARKED, 0, port->output);
    if (port->ifb) {
        netdev_delete(rtnl, port->ifb->netdev.ifindex, port->ifb_name);
    }
}

bool port_write(struct rtnl *rtnl, struct port *port, const struct netem_features *netem, GError **error)
{
    struct direction directions[2];
    get_directions(port, directions);
    bool shaped = port->matrix || !impairment_is_zero(directions[0].impairment) || !impairment_is_zero(directions[1].impairment);
    /* Before any qdisc holds frames, and as long as one may: when the hooks come or go, the kernel empties all qdiscs of a device.
     */
    if (shaped && !port->redirect.there) {
        redirect_put_hooks(rtnl, port->veth->netdev.ifindex, port->what);
        port->redirect.there = true;
    }
    if (!write_direction(rtnl, port, &directions[0], netem, lead_input, error)) {
        return false;
    }
    matrix_filter_write(rtnl, port->matrix, port->veth->netdev.ifindex, &port->filter, port->input);
    if (impairment_is_zero(&port->viface->output)) {
        end_output(rtnl, port);
    } else if (!write_direction(rtnl, port, &directions[1], netem, lead_output, error)) {
        return false;
    }
    if (port->redirect.there && !shaped) {
        redirect_delete(rtnl, port->veth->netdev.ifindex, &port->redirect, port->what);
    }
    netdev_adjust(rtnl, &port->veth->netdev, &port->veth_plan, port->what);
    return true;
}

bool port_release(struct rtnl *rtnl, const struct port *port)
{
    struct direction directions[2];
    get_directions(port, directions);
    bool any = false;
    for (unsigned i = 0; i < 2; i++) {
        if (stage_is_left(directions[i].stage, directions[i].impairment)) {
            stage_release(rtnl, directions[i].stage, directions[i].what);
            any = true;
        }
    }
    return any;
}

/* Says whether the direction has a stage that goes, and can go now. */
static bool stage_may_go(const struct direction *direction)
{
    return stage_is_left(direction->stage, direction->impairment) &&
           (!direction->stage->rate.htb.waiting || impairment_is_zero(direction->impairment));
}

bool port_is_drained(const struct port *port)
{
    struct direction directions[2];
    get_directions(port, directions);
    bool drained = true;
    for (unsigned i = 0; i < 2; i++) {
        drained &= !stage_is_left(directions[i].stage, directions[i].impairment) || !directions[i].stage->rate.htb.waiting;
    }
    return drained;
}

void port_bypass(struct rtnl *rtnl, struct port *port)
{
    struct direction directions[2];
    get_directions(port, directions);
    int veth = port->veth->netdev.ifindex;
    if (stage_may_go(&directions[0])) {
        redirect_write(rtnl, veth, &port->redirect, RULE_INPUT, 0, port->input);
    }
    if (stage_may_go(&directions[1])) {
        redirect_write(rtnl, veth, &port->redirect, RULE_OUTPUT, port->ifb ? port->ifb->netdev.ifindex : 0, port->output);
    }
}

void port_drop(struct rtnl *rtnl, struct port *port)
{
    struct direction directions[2];
    get_directions(port, directions);
    for (unsigned i = 0; i < 2; i++) {
        if (stage_may_go(&directions[i])) {
            stage_delete(rtnl, directions[i].stage);
        }
    }
}

/* Says whether the direction has a bandwidth below netem that goes. */
static bool leaves_rate(const struct direction *direction)
{
    return direction->device && shape_leaves_rate(direction->shape, direction->impairment, direction->stage->device);
}

bool port_leaves_rates(const struct port *port)
{
    struct direction directions[2];
    get_directions(port, directions);
    return leaves_rate(&directions[0]) || leaves_rate(&directions[1]);
}

bool port_rates_are_drained(const struct port *port)
{
    struct direction directions[2];
    get_directions(port, directions);
    bool drained = true;
    for (unsigned i = 0; i < 2; i++) {
        drained &= !leaves_rate(&directions[i]) || !directions[i].shape->below.htb.waiting;
    }
    return drained;
}

void port_end_rates(struct rtnl *rtnl, const struct port *port)
{
    struct direction directions[2];
    get_directions(port, directions);
    for (unsigned i = 0; i < 2; i++) {
        if (leaves_rate(&directions[i]) && !directions[i].shape->below.htb.waiting) {
            shape_end_rate(rtnl, directions[i].device->netdev.ifindex, directions[i].what);
        }
    }
}
