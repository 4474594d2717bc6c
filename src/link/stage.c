/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "stage.h"

#include <linux/pkt_sched.h>

void stage_init(struct stage *stage, bool output, uint32_t id, const struct netdev_plan *port)
{
    *stage = (struct stage){.plan = *port, .end_plan = *port};
    if (output) {
        link_output_queue_names(id, stage->name, stage->end_name);
        stage->plan.peer_name = stage->end_plan.name = stage->end_name;
    } else {
        link_input_queue_name(id, stage->name);
        stage->plan.peer_name = NULL;
    }
    stage->plan.name = stage->name;
    stage->plan.peer_mac = NULL;
}

void stage_clear(struct stage *stage)
{
    rate_clear(&stage->rate);
}

bool stage_is_wanted(const struct stage *stage, const struct impairment *impairment)
{
    return impairment_is_staged(impairment) || (impairment->bandwidth && stage->device);
}

bool stage_is_left(const struct stage *stage, const struct impairment *impairment)
{
    return stage->device && !impairment->bandwidth;
}

void stage_find(struct stage *stage, const struct devices *devices)
{
    stage->device = devices_find(devices, stage->name);
    stage->end = stage->plan.peer_name ? devices_find(devices, stage->end_name) : NULL;
}

void stage_make(struct rtnl *rtnl, const struct stage *stage, const char *what)
{
    if (stage->device) {
        return;
    }
    if (stage->plan.peer_name) {
        netdev_make_pair(rtnl, &stage->plan, what);
    } else {
        netdev_make_ifb(rtnl, &stage->plan, what);
    }
}

bool stage_is_complete(const struct stage *stage)
{
    return stage->device && (stage->end || !stage->plan.peer_name);
}

void stage_read(struct rtnl *rtnl, struct stage *stage)
{
    if (stage->device) {
        rate_read(rtnl, stage->device->netdev.ifindex, TC_H_ROOT, &stage->rate);
    }
    if (stage->end) {
        redirect_read(rtnl, stage->end->netdev.ifindex, &stage->back);
    }
}

void stage_write(struct rtnl *rtnl, struct stage *stage, int ifindex, const struct impairment *impairment, unsigned mtu,
                 const char *what)
{
    const struct netdev *device = &stage->device->netdev;
    rate_write(rtnl, device->ifindex, TC_H_ROOT, &stage->rate, impairment, mtu, what);
    if (stage->end) {
        redirect_write(rtnl, stage->end->netdev.ifindex, &stage->back, RULE_MARK, ifindex, what);
        netdev_adjust(rtnl, &stage->end->netdev, &stage->end_plan, what);
    }
    netdev_adjust(rtnl, device, &stage->plan, what);
}

void stage_release(struct rtnl *rtnl, const struct stage *stage, const char *what)
{
    if (qdisc_is(&stage->rate.htb, &qdisc_htb) && stage->rate.class) {
        rate_release(rtnl, stage->device->netdev.ifindex, what);
    }
}

void stage_delete(struct rtnl *rtnl, struct stage *stage)
{
    netdev_delete(rtnl, stage->device->netdev.ifindex, stage->name);
    stage->device = stage->end = NULL;
}
