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
    rate_clear(&shape->below);
    rate_clear(&shape->alone);
}

void shape_read(struct rtnl *rtnl, int ifindex, struct shape *ret)
{
    qdisc_read(rtnl, ifindex, TC_H_ROOT, &ret->root);
    rate_read(rtnl, ifindex, NETEM_CLASS, &ret->below);
    rate_read(rtnl, ifindex, TC_H_ROOT, &ret->alone);
}

bool shape_leaves_rate(const struct shape *found, const struct impairment *impairment, bool staged)
{
    return qdisc_is(&found->root, &qdisc_netem) && qdisc_is(&found->below.htb, &qdisc_htb) && found->below.class &&
           !impairment_is_zero(impairment) && (staged || !impairment->bandwidth);
}

void shape_release_rate(struct rtnl *rtnl, int ifindex, const char *what)
{
    rate_release(rtnl, ifindex, what);
}

void shape_end_rate(struct rtnl *rtnl, int ifindex, const char *what)
{
    qdisc_delete(rtnl, ifindex, NETEM_CLASS, what);
}

bool shape_write(struct rtnl *rtnl, int ifindex, const struct shape *found, const struct impairment *impairment, bool staged,
                 unsigned mtu, const struct netem_features *netem, const char *what, GError **error)
{
    static const struct rate none = {0};
    if (impairment_is_zero(impairment)) {
        if (found->root.handle) {
            qdisc_delete(rtnl, ifindex, TC_H_ROOT, what);
        }
        return true;
    }
    if (impairment->seed && netem->there && !netem->seed) {
        return fail(error, DISTEM_ERROR_UNSUPPORTED, 0,
                    "the %s cannot have a seed: the netem of this kernel takes none (Linux 6.6 and later do)", what);
    }
    if (!netem->there) {
        if (impairment_has_more(impairment)) {
            return fail(error, DISTEM_ERROR_UNSUPPORTED, 0, "the %s cannot be shaped as asked: this kernel lacks the module %s",
                        what, qdisc_netem.module);
        }
        rate_write(rtnl, ifindex, TC_H_ROOT, &found->alone, impairment, mtu, what);
        return true;
    }
    bool root_gone = qdisc_write(rtnl, ifindex, TC_H_ROOT, &found->root, &qdisc_netem, impairment, mtu, what);
    const struct rate *below = root_gone || !found->root.handle ? &none : &found->below;
    if (impairment->bandwidth && !staged) {
        rate_write(rtnl, ifindex, NETEM_CLASS, below, impairment, mtu, what);
    } else if (below->htb.handle && !shape_leaves_rate(found, impairment, staged)) {
        qdisc_delete(rtnl, ifindex, NETEM_CLASS, what);
    }
    return true;
}
