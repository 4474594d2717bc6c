/* SPDX-License-Identifier: Apache-2.0 */
/* TBF: the bandwidth, with a queue of bytes in front of it. */
#include <config.h>

#include <linux/if_ether.h>
#include <linux/pkt_sched.h>
#include <string.h>

#include "distem/units.h"

#include "qdisc.h"

#define NS_PER_TICK 64 /* PSCHED_SHIFT 6. */
#define LINKLAYER_ETHERNET 1

/* The kernel counts in bytes per second; less than one would be none. */
static uint64_t bytes_per_s(const struct impairment *impairment)
{
    return MAX((impairment->bandwidth + 4) / 8, 1);
}

static void tbf_put_options(struct nl_msg *message, const struct impairment *impairment, unsigned mtu)
{
    uint64_t rate = bytes_per_s(impairment);
    struct tc_tbf_qopt parms = {
        .rate = {.linklayer = LINKLAYER_ETHERNET, .rate = (uint32_t)MIN(rate, UINT32_MAX)},
        .limit = (uint32_t)shaping_queue(impairment, mtu),
    };
    rtnl_put(message, TCA_TBF_PARMS, &parms, sizeof parms);
    /* In bytes; without it the kernel would take 'parms.buffer', which is that time at the rate, rounded. */
    rtnl_put_u32(message, TCA_TBF_BURST, (uint32_t)shaping_burst(impairment, mtu));
    if (rate > UINT32_MAX) {
        rtnl_put(message, TCA_TBF_RATE64, &rate, sizeof rate);
    }
}

static bool tbf_has_options(const struct nlattr *options, const struct impairment *impairment, unsigned mtu)
{
    struct nlattr *attributes[TCA_TBF_MAX + 1];
    struct tc_tbf_qopt parms;
    if (nla_parse_nested(attributes, TCA_TBF_MAX, (struct nlattr *)options, NULL) < 0 || !attributes[TCA_TBF_PARMS] ||
        nla_len(attributes[TCA_TBF_PARMS]) < (int)sizeof parms) {
        return false;
    }
    memcpy(&parms, nla_data(attributes[TCA_TBF_PARMS]), sizeof parms);
    uint64_t rate = parms.rate.rate;
    if (attributes[TCA_TBF_RATE64]) {
        rate = nla_get_u64(attributes[TCA_TBF_RATE64]);
    }
    /* The burst comes back as its time at the rate, in ticks; the kernel computes it with 31 significant bits. */
    uint64_t wanted_rate = bytes_per_s(impairment);
    uint64_t time = (uint64_t)((unsigned __int128)shaping_burst(impairment, mtu) * (uint64_t)NS_PER_S / wanted_rate / NS_PER_TICK);
    int64_t deviation = (int64_t)(uint32_t)time - (int64_t)parms.buffer;
    return rate == wanted_rate && parms.limit == shaping_queue(impairment, mtu) && !parms.peakrate.rate &&
           ABS(deviation) <= (int64_t)(time >> 24) + 1;
}

const struct qdisc_ops qdisc_tbf = {
    .kind = "tbf",
    .module = "sch_tbf",
    .handle = 0x10 << 16,
    .options_size = 128,
    .put_options = tbf_put_options,
    .has_options = tbf_has_options,
};
