/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "rate.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "distem/units.h"

#define NS_PER_TICK 64 /* PSCHED_SHIFT 6. */
#define LINKLAYER_ETHERNET 1
#define HTB_VERSION 3
#define HTB_MODULE "sch_htb"
#define CLASS 1u
#define CLASS_ID (qdisc_htb.handle | CLASS)

static void htb_put_options(struct nl_msg *message, const struct impairment *impairment G_GNUC_UNUSED, unsigned mtu G_GNUC_UNUSED)
{
    const struct tc_htb_glob glob = {.version = HTB_VERSION, .rate2quantum = 1, .defcls = CLASS};
    rtnl_put(message, TCA_HTB_INIT, &glob, sizeof glob);
}

static bool htb_has_options(const struct nlattr *options, const struct impairment *impairment G_GNUC_UNUSED,
                            unsigned mtu G_GNUC_UNUSED)
{
    struct nlattr *init = nla_find(nla_data(options), nla_len(options), TCA_HTB_INIT);
    struct tc_htb_glob glob;
    return init && nla_len(init) >= (int)sizeof glob && (memcpy(&glob, nla_data(init), sizeof glob), glob.defcls == CLASS);
}

const struct qdisc_ops qdisc_htb = {
    .kind = "htb",
    .module = HTB_MODULE,
    .handle = 0x10 << 16,
    .options_size = 64,
    .put_options = htb_put_options,
    .has_options = htb_has_options,
};

/* The kernel counts in bytes per second; less than one would be none. */
static uint64_t bytes_per_s(const struct impairment *impairment)
{
    return MAX((impairment->bandwidth + 4) / 8, 1);
}

/* HTB sends as long as nothing is owed: the last frame of a burst need not be paid for in advance. */
static uint32_t burst_ticks(const struct impairment *impairment, unsigned mtu)
{
    uint64_t ahead = shaping_burst(impairment, mtu) - shaping_frame(impairment, mtu);
    unsigned __int128 ns = (unsigned __int128)ahead * (uint64_t)NS_PER_S / bytes_per_s(impairment);
    return (uint32_t)CLAMP(ns / NS_PER_TICK, 1, UINT32_MAX);
}

static struct tc_htb_opt class_options(const struct impairment *impairment, unsigned mtu)
{
    struct tc_ratespec rate = {.linklayer = LINKLAYER_ETHERNET, .rate = (uint32_t)MIN(bytes_per_s(impairment), UINT32_MAX)};
    uint32_t burst = burst_ticks(impairment, mtu);
    return (struct tc_htb_opt){
        .rate = rate,
        .ceil = rate,
        .buffer = burst,
        .cbuffer = burst,
        .quantum = (uint32_t)shaping_frame(impairment, mtu), /* Of no use to a single class, but else the kernel complains. */
    };
}

void rate_put_class(struct nl_msg *message, const struct impairment *impairment, unsigned mtu)
{
    struct impairment present = impairment_at_present(impairment);
    struct tc_htb_opt options = class_options(&present, mtu);
    uint64_t rate = bytes_per_s(&present);
    struct nlattr *nest = rtnl_nest(message, TCA_OPTIONS);
    rtnl_put(message, TCA_HTB_PARMS, &options, sizeof options);
    if (rate > UINT32_MAX) {
        rtnl_put(message, TCA_HTB_RATE64, &rate, sizeof rate);
        rtnl_put(message, TCA_HTB_CEIL64, &rate, sizeof rate);
    }
    nla_nest_end(message, nest);
}

bool rate_has_class(const struct nlattr *found, const struct impairment *impairment, unsigned mtu)
{
    struct impairment present = impairment_at_present(impairment);
    struct tc_htb_opt wanted = class_options(&present, mtu), there;
    struct nlattr *parms = nla_find(nla_data(found), nla_len(found), TCA_HTB_PARMS);
    struct nlattr *wide = nla_find(nla_data(found), nla_len(found), TCA_HTB_RATE64);
    if (!parms || nla_len(parms) < (int)sizeof there) {
        return false;
    }
    memcpy(&there, nla_data(parms), sizeof there);
    uint64_t rate = wide ? nla_get_u64(wide) : there.rate.rate;
    return rate == bytes_per_s(&present) && there.ceil.rate == wanted.ceil.rate && there.buffer == wanted.buffer &&
           there.cbuffer == wanted.cbuffer && there.quantum == wanted.quantum;
}

void rate_clear(struct rate *rate)
{
    qdisc_clear(&rate->htb);
    qdisc_clear(&rate->queue);
    g_clear_pointer(&rate->class, g_free);
}

static struct nl_msg *class_message(int type, int flags, int ifindex, size_t room)
{
    const struct tcmsg header = {.tcm_ifindex = ifindex, .tcm_parent = qdisc_htb.handle, .tcm_handle = CLASS_ID};
    return rtnl_message(type, flags, &header, sizeof header, room);
}

static void take_class(struct nlmsghdr *header, void *aux)
{
    struct rate *rate = aux;
    struct nlattr *options = nlmsg_find_attr(header, sizeof(struct tcmsg), TCA_OPTIONS);
    if (header->nlmsg_type == RTM_NEWTCLASS && options) {
        g_free(rate->class);
        rate->class = g_memdup2(options, options->nla_len);
    }
}

void rate_read(struct rtnl *rtnl, int ifindex, uint32_t parent, struct rate *ret)
{
    rate_clear(ret);
    qdisc_read(rtnl, ifindex, parent, &ret->htb);
    const struct rtnl_options options = {.tolerated = RTNL_ANY_ERROR, .answer = take_class, .aux = ret};
    rtnl_queue(rtnl, class_message(RTM_GETTCLASS, NLM_F_ECHO, ifindex, 0), &options, "reading a class");
    qdisc_read(rtnl, ifindex, CLASS_ID, &ret->queue);
}

void rate_write_class(struct rtnl *rtnl, int ifindex, const struct impairment *impairment, unsigned mtu, const char *what)
{
    const struct rtnl_options options = {.module = HTB_MODULE};
    struct nl_msg *message = class_message(RTM_NEWTCLASS, NLM_F_CREATE | NLM_F_REPLACE, ifindex, 256);
    rtnl_put_string(message, TCA_KIND, qdisc_htb.kind);
    rate_put_class(message, impairment, mtu);
    rtnl_queue(rtnl, message, &options, "setting the bandwidth of the %s", what);
}

void rate_write(struct rtnl *rtnl, int ifindex, uint32_t parent, const struct rate *found, const struct impairment *impairment,
                unsigned mtu, const char *what)
{
    static const struct rate none = {0};
    if (qdisc_write(rtnl, ifindex, parent, &found->htb, &qdisc_htb, impairment, mtu, what) || !found->htb.handle) {
        found = &none;
    }
    if (!found->class || !rate_has_class(found->class, impairment, mtu)) {
        rate_write_class(rtnl, ifindex, impairment, mtu, what);
    }
    qdisc_write(rtnl, ifindex, CLASS_ID, &found->queue, qdisc_queue(impairment), impairment, mtu, what);
    if (impairment->bandwidth_trace & PLAYBACK_PAUSES) {
        rate_pause(rtnl, ifindex, impairment->now.paused, what);
    }
}

void rate_pause(struct rtnl *rtnl, int ifindex, bool pause, const char *what)
{
    queue_pause(rtnl, ifindex, CLASS_ID, pause, 0, what);
}

void rate_release(struct rtnl *rtnl, int ifindex, const char *what)
{
    static const struct impairment fastest = {.bandwidth = UINT64_C(100000000000)};
    rate_write_class(rtnl, ifindex, &fastest, 0, what);
    queue_pause(rtnl, ifindex, CLASS_ID, false, ENOENT, what); /* Only a queue that pauses is there to go on. */
}
