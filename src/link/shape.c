/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "shape.h"

#include <linux/pkt_sched.h>
#include <string.h>

#include "distem/error.h"

#define NETEM_CLASS TC_H_MAKE(1u << 16, 1u)

void shape_clear(struct shape *shape)
{
    qdisc_clear(&shape->root);
    qdisc_clear(&shape->child);
}

void shape_read(struct rtnl *rtnl, int ifindex, struct shape *ret)
{
    qdisc_read(rtnl, ifindex, TC_H_ROOT, &ret->root);
    qdisc_read(rtnl, ifindex, NETEM_CLASS, &ret->child);
}

bool shape_needs_netem(const struct impairment *impairment)
{
    struct impairment rest = *impairment;
    rest.bandwidth = rest.queue = rest.burst = 0;
    return !impairment_is_zero(&rest);
}

bool shape_write(struct rtnl *rtnl, int ifindex, const struct shape *found, const struct impairment *impairment, unsigned mtu,
                 bool netem, const char *what, GError **error)
{
    static const struct qdisc none = {0};
    if (impairment_is_zero(impairment)) {
        if (found->root.handle) {
            qdisc_delete(rtnl, ifindex, TC_H_ROOT, what);
        }
        return true;
    }
    if (!netem) {
        if (shape_needs_netem(impairment)) {
            return fail(error, DISTEM_ERROR_UNSUPPORTED, 0, "the %s cannot be shaped as asked: this kernel lacks the module %s",
                        what, qdisc_netem.module);
        }
        qdisc_write(rtnl, ifindex, TC_H_ROOT, &found->root, &qdisc_tbf, impairment, mtu, what);
        return true;
    }
    bool root_gone = qdisc_write(rtnl, ifindex, TC_H_ROOT, &found->root, &qdisc_netem, impairment, mtu, what);
    const struct qdisc *child = root_gone || !found->root.handle ? &none : &found->child;
    if (impairment->bandwidth) {
        qdisc_write(rtnl, ifindex, NETEM_CLASS, child, &qdisc_tbf, impairment, mtu, what);
    } else if (child->handle) {
        qdisc_delete(rtnl, ifindex, NETEM_CLASS, what);
    }
    return true;
}
