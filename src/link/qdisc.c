/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "qdisc.h"

#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "stab.h"

void qdisc_clear(struct qdisc *qdisc)
{
    g_free(qdisc->options);
    g_free(qdisc->stab);
    *qdisc = (struct qdisc){0};
}

/* Makes a message for the qdisc at 'parent' of 'ifindex'. */
static struct nl_msg *qdisc_message(int type, int flags, int ifindex, uint32_t parent, uint32_t handle, size_t room)
{
    struct tcmsg header = {.tcm_ifindex = ifindex, .tcm_parent = parent, .tcm_handle = handle};
    return rtnl_message(type, flags, &header, sizeof header, room);
}

static void take_answer(struct nlmsghdr *header, void *aux)
{
    struct qdisc *qdisc = aux;
    struct nlattr *attributes[TCA_MAX + 1];
    const struct tcmsg *tc = nlmsg_data(header);
    if (header->nlmsg_type != RTM_NEWQDISC || nlmsg_parse(header, sizeof *tc, attributes, TCA_MAX, NULL) < 0 ||
        !attributes[TCA_KIND]) {
        return;
    }
    qdisc_clear(qdisc);
    qdisc->handle = tc->tcm_handle;
    g_strlcpy(qdisc->kind, nla_get_string(attributes[TCA_KIND]), sizeof qdisc->kind);
    if (attributes[TCA_OPTIONS]) {
        qdisc->options = g_memdup2(attributes[TCA_OPTIONS], attributes[TCA_OPTIONS]->nla_len);
    }
    struct nlattr *queue = attributes[TCA_STATS2]
                               ? nla_find(nla_data(attributes[TCA_STATS2]), nla_len(attributes[TCA_STATS2]), TCA_STATS_QUEUE)
                               : NULL;
    struct gnet_stats_queue figures;
    if (queue && nla_len(queue) >= (int)sizeof figures) {
        memcpy(&figures, nla_data(queue), sizeof figures);
        qdisc->waiting = figures.qlen;
    }
    if (attributes[TCA_STAB]) {
        qdisc->stab = g_memdup2(attributes[TCA_STAB], attributes[TCA_STAB]->nla_len);
    }
}

void qdisc_read(struct rtnl *rtnl, int ifindex, uint32_t parent, struct qdisc *ret)
{
    qdisc_clear(ret);
    const struct rtnl_options options = {.tolerated = RTNL_ANY_ERROR, .answer = take_answer, .aux = ret};
    /* Without NLM_F_ECHO the kernel tells everybody but who asked. */
    rtnl_queue(rtnl, qdisc_message(RTM_GETQDISC, NLM_F_ECHO, ifindex, parent, 0, 0), &options, "reading a qdisc");
}

bool qdisc_is(const struct qdisc *found, const struct qdisc_ops *ops)
{
    return found->handle == ops->handle && !strcmp(found->kind, ops->kind);
}

bool qdisc_write(struct rtnl *rtnl, int ifindex, uint32_t parent, const struct qdisc *found, const struct qdisc_ops *ops,
                 const struct impairment *impairment, unsigned mtu, const char *what)
{
    bool ours = qdisc_is(found, ops), replaced = found->handle && !ours;
    bool counts = parent == TC_H_ROOT, same_options = ours && found->options && ops->has_options(found->options, impairment, mtu);
    if (same_options && (!counts || stab_is(found->stab, impairment))) {
        return false;
    }
    if (replaced && found->handle == ops->handle) { /* Another kind is put in its place, but not under the same handle. */
        qdisc_delete(rtnl, ifindex, parent, what);
    }
    const struct rtnl_options options = {.module = ops->module};
    struct nl_msg *message =
        qdisc_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, ifindex, parent, ops->handle,
                      64 + ops->options_size + (ops->more_room ? ops->more_room(impairment) : 0) + (counts ? STAB_SIZE : 0));
    rtnl_put_string(message, TCA_KIND, ops->kind);
    if (!same_options) { /* Not all kinds can be changed, and left out, nothing is. */
        struct nlattr *nest = rtnl_nest(message, TCA_OPTIONS);
        ops->put_options(message, impairment, mtu);
        nla_nest_end(message, nest);
    }
    if (counts) {
        stab_put(message, impairment);
    }
    rtnl_queue(rtnl, message, &options, "setting %s for the %s", ops->kind, what);
    return replaced;
}

void qdisc_delete(struct rtnl *rtnl, int ifindex, uint32_t parent, const char *what)
{
    const struct rtnl_options options = {.tolerated = ENOENT};
    rtnl_queue(rtnl, qdisc_message(RTM_DELQDISC, 0, ifindex, parent, 0, 0), &options, "removing a qdisc of the %s", what);
}
