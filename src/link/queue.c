/* SPDX-License-Identifier: Apache-2.0 */
/* The queue in front of a bandwidth: drop-tail by bytes or by packets, or one that the kernel manages actively. */
#include <config.h>

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "qdisc.h"

/* The number of the limit is the same for all that are managed. */
#define AQM_LIMIT 2
G_STATIC_ASSERT(TCA_CODEL_LIMIT == AQM_LIMIT && TCA_FQ_CODEL_LIMIT == AQM_LIMIT && TCA_PIE_LIMIT == AQM_LIMIT);

static struct tc_fifo_qopt fifo(const struct impairment *impairment, unsigned mtu)
{
    return (struct tc_fifo_qopt){.limit = impairment->queue_unit == QUEUE_PACKETS ? shaping_queue_packets(impairment, mtu)
                                                                                  : (uint32_t)shaping_queue(impairment, mtu)};
}

static void fifo_put_options(struct nl_msg *message, const struct impairment *impairment, unsigned mtu)
{
    struct tc_fifo_qopt options = fifo(impairment, mtu);
    nlmsg_append(message, &options, sizeof options, NLA_ALIGNTO);
}

static bool fifo_has_options(const struct nlattr *options, const struct impairment *impairment, unsigned mtu)
{
    struct tc_fifo_qopt wanted = fifo(impairment, mtu);
    return nla_len(options) >= (int)sizeof wanted && !memcmp(nla_data(options), &wanted, sizeof wanted);
}

static void aqm_put_options(struct nl_msg *message, const struct impairment *impairment, unsigned mtu)
{
    rtnl_put_u32(message, AQM_LIMIT, shaping_queue_packets(impairment, mtu));
}

static bool aqm_has_options(const struct nlattr *options, const struct impairment *impairment, unsigned mtu)
{
    struct nlattr *limit = nla_find(nla_data(options), nla_len(options), AQM_LIMIT);
    return limit && nla_get_u32(limit) == shaping_queue_packets(impairment, mtu);
}

/* A queue that can be told to hold everything back, for bandwidths that are 0 at times: HTB has no such rate, and would wait for
 * the end of what it once began to wait for. It cannot be read back. */
static void plug_put_options(struct nl_msg *message, const struct impairment *impairment, unsigned mtu)
{
    const struct tc_plug_qopt options = {.action = TCQ_PLUG_LIMIT, .limit = (uint32_t)shaping_queue(impairment, mtu)};
    nlmsg_append(message, (void *)&options, sizeof options, NLA_ALIGNTO);
}

static bool plug_has_options(const struct nlattr *options G_GNUC_UNUSED, const struct impairment *impairment G_GNUC_UNUSED,
                             unsigned mtu G_GNUC_UNUSED)
{
    return false;
}

#define QUEUE_SIZE 32
static const struct qdisc_ops bfifo = {"bfifo", "sch_fifo", 0x20 << 16, QUEUE_SIZE, fifo_put_options, fifo_has_options, NULL};
static const struct qdisc_ops pfifo = {"pfifo", "sch_fifo", 0x21 << 16, QUEUE_SIZE, fifo_put_options, fifo_has_options, NULL};
static const struct qdisc_ops plug = {"plug", "sch_plug", 0x25 << 16, QUEUE_SIZE, plug_put_options, plug_has_options, NULL};
static const struct qdisc_ops managed[] = {
    [AQM_CODEL] = {"codel", "sch_codel", 0x22 << 16, QUEUE_SIZE, aqm_put_options, aqm_has_options, NULL},
    [AQM_FQ_CODEL] = {"fq_codel", "sch_fq_codel", 0x23 << 16, QUEUE_SIZE, aqm_put_options, aqm_has_options, NULL},
    [AQM_PIE] = {"pie", "sch_pie", 0x24 << 16, QUEUE_SIZE, aqm_put_options, aqm_has_options, NULL},
};

const struct qdisc_ops *qdisc_queue(const struct impairment *impairment)
{
    return impairment->bandwidth_trace & PLAYBACK_PAUSES ? &plug
           : impairment->aqm                             ? &managed[impairment->aqm]
           : impairment->queue_unit == QUEUE_PACKETS     ? &pfifo
                                                         : &bfifo;
}

void queue_pause(struct rtnl *rtnl, int ifindex, uint32_t parent, bool pause, int tolerated, const char *what)
{
    const struct rtnl_options options = {.module = plug.module, .tolerated = tolerated};
    const struct tc_plug_qopt action = {.action = pause ? TCQ_PLUG_BUFFER : TCQ_PLUG_RELEASE_INDEFINITE};
    const struct tcmsg header = {.tcm_ifindex = ifindex, .tcm_parent = parent, .tcm_handle = plug.handle};
    struct nl_msg *message = rtnl_message(RTM_NEWQDISC, NLM_F_REPLACE, &header, sizeof header, 64);
    rtnl_put_string(message, TCA_KIND, plug.kind);
    rtnl_put(message, TCA_OPTIONS, &action, sizeof action);
    rtnl_queue(rtnl, message, &options, "%s the %s", pause ? "pausing" : "going on with", what);
}
