/* SPDX-License-Identifier: Apache-2.0 */
/* netem: all that a direction does to frames but the bandwidth. */
#include <config.h>

#include <linux/pkt_sched.h>
#include <string.h>

#include "distem/units.h"

#include "distribution.h"
#include "qdisc.h"

#define NS_PER_TICK 64 /* PSCHED_SHIFT 6. */

/* All that netem can tell of itself, in its own units. */
struct figures {
    int64_t latency, jitter;
    struct tc_netem_qopt base;
    struct tc_netem_corr correlation;
    struct tc_netem_reorder reorder;
    struct tc_netem_corrupt corrupt;
    struct tc_netem_gemodel bursts; /* All 0: losses are independent. */
};

/* A correlation of 1 would never let a burst end. */
#define INDEPENDENCE_MIN 1e-6

/* Turns billionths into the kernel's 2^32 - 1 parts. */
static uint32_t probability(uint32_t ppb)
{
    return (uint32_t)(((uint64_t)ppb * UINT32_MAX + PPB_ONE / 2) / PPB_ONE);
}

static uint32_t ticks(int64_t ns)
{
    return (uint32_t)MIN(ns / NS_PER_TICK, UINT32_MAX);
}

/* Returns the chain of two states, one that loses all and one that loses nothing, of which the share of lost frames is that of
 * 'impairment' and the correlation of a loss with the one before, too. The correlation that netem itself offers for losses makes
 * them much rarer than they are to be. */
static struct tc_netem_gemodel loss_bursts(const struct impairment *impairment)
{
    if (!impairment->loss_correlation || !impairment->loss || impairment->loss >= PPB_ONE) {
        return (struct tc_netem_gemodel){0};
    }
    double loss = impairment->loss / (double)PPB_ONE;
    double independence = MAX(1 - impairment->loss_correlation / (double)PPB_ONE, INDEPENDENCE_MIN);
    return (struct tc_netem_gemodel){
        .p = (uint32_t)(independence * loss * UINT32_MAX + 0.5),
        .r = (uint32_t)(independence * (1 - loss) * UINT32_MAX + 0.5),
    };
}

static struct figures wanted(const struct impairment *impairment, unsigned mtu)
{
    /* Without a gap netem never reorders; 1 is every frame, with the probability. */
    uint32_t gap = impairment->reordering && !impairment->reordering_gap ? 1 : impairment->reordering_gap;
    return (struct figures){
        .latency = impairment->latency,
        .jitter = impairment->jitter,
        .base = {.latency = ticks(impairment->latency),
                 .jitter = ticks(impairment->jitter),
                 .limit = shaping_limit(impairment, mtu),
                 .loss = probability(impairment->loss),
                 .gap = gap,
                 .duplicate = probability(impairment->duplication)},
        .correlation = {.delay_corr = probability(impairment->latency_correlation),
                        .dup_corr = probability(impairment->duplication_correlation)},
        .reorder = {probability(impairment->reordering), probability(impairment->reordering_correlation)},
        .corrupt = {probability(impairment->corruption), probability(impairment->corruption_correlation)},
        .bursts = loss_bursts(impairment),
    };
}

static void netem_put_options(struct nl_msg *message, const struct impairment *impairment, unsigned mtu)
{
    struct figures figures = wanted(impairment, mtu);
    nlmsg_append(message, &figures.base, sizeof figures.base, NLA_ALIGNTO);
    /* What is left out keeps its value when netem is changed, so all of it is said. */
    rtnl_put(message, TCA_NETEM_LATENCY64, &figures.latency, sizeof figures.latency);
    rtnl_put(message, TCA_NETEM_JITTER64, &figures.jitter, sizeof figures.jitter);
    rtnl_put(message, TCA_NETEM_CORR, &figures.correlation, sizeof figures.correlation);
    rtnl_put(message, TCA_NETEM_REORDER, &figures.reorder, sizeof figures.reorder);
    rtnl_put(message, TCA_NETEM_CORRUPT, &figures.corrupt, sizeof figures.corrupt);
    if (figures.bursts.r) { /* Left out, losses are independent again. */
        struct nlattr *model = nla_nest_start(message, TCA_NETEM_LOSS);
        rtnl_put(message, NETEM_LOSS_GE, &figures.bursts, sizeof figures.bursts);
        nla_nest_end(message, model);
    }
    if (figures.jitter) {
        /* Also for the uniform one, which is netem's own without a table: a table cannot be taken away again, only replaced. */
        rtnl_put(message, TCA_NETEM_DELAY_DIST, distribution_table(impairment->distribution), DISTRIBUTION_SIZE * sizeof(int16_t));
    }
}

/* Copies attribute 'type' to 'ret' if it is there and large enough. */
static bool take(struct nlattr *const *attributes, int type, void *ret, int size)
{
    if (!attributes[type] || nla_len(attributes[type]) < size) {
        return false;
    }
    memcpy(ret, nla_data(attributes[type]), (size_t)size);
    return true;
}

/* Returns the model of bursts among 'attributes', all 0 where there is none. */
static struct tc_netem_gemodel take_bursts(struct nlattr *const *attributes)
{
    struct tc_netem_gemodel bursts = {0};
    struct nlattr *models[NETEM_LOSS_MAX + 1];
    if (attributes[TCA_NETEM_LOSS] && nla_parse_nested(models, NETEM_LOSS_MAX, attributes[TCA_NETEM_LOSS], NULL) == 0) {
        (void)take(models, NETEM_LOSS_GE, &bursts, sizeof bursts);
    }
    return bursts;
}

static bool netem_has_options(const struct nlattr *options, const struct impairment *impairment, unsigned mtu)
{
    struct figures figures = wanted(impairment, mtu), found = {0};
    struct nlattr *attributes[TCA_NETEM_MAX + 1];
    int base_size = NLA_ALIGN((int)sizeof found.base);
    if (figures.jitter || nla_len(options) < base_size) {
        return false; /* The distribution cannot be read back. */
    }
    struct nlattr *first = (struct nlattr *)((char *)nla_data(options) + base_size);
    if (nla_parse(attributes, TCA_NETEM_MAX, first, nla_len(options) - base_size, NULL) < 0) {
        return false;
    }
    memcpy(&found.base, nla_data(options), sizeof found.base);
    found.base.latency = figures.base.latency; /* The 64-bit figures count; the kernel saturates these in its own way. */
    found.base.jitter = figures.base.jitter;
    /* Not told: as if 0. */
    (void)take(attributes, TCA_NETEM_CORR, &found.correlation, sizeof found.correlation);
    (void)take(attributes, TCA_NETEM_REORDER, &found.reorder, sizeof found.reorder);
    (void)take(attributes, TCA_NETEM_CORRUPT, &found.corrupt, sizeof found.corrupt);
    found.bursts = take_bursts(attributes);
    return take(attributes, TCA_NETEM_LATENCY64, &found.latency, sizeof found.latency) &&
           take(attributes, TCA_NETEM_JITTER64, &found.jitter, sizeof found.jitter) && found.latency == figures.latency &&
           found.jitter == figures.jitter && !memcmp(&found.base, &figures.base, sizeof found.base) &&
           !memcmp(&found.correlation, &figures.correlation, sizeof found.correlation) &&
           !memcmp(&found.bursts, &figures.bursts, sizeof found.bursts) &&
           !memcmp(&found.reorder, &figures.reorder, sizeof found.reorder) &&
           !memcmp(&found.corrupt, &figures.corrupt, sizeof found.corrupt);
}

const struct qdisc_ops qdisc_netem = {
    .kind = "netem",
    .module = "sch_netem",
    .handle = 1 << 16,
    .options_size = 256 + DISTRIBUTION_SIZE * sizeof(int16_t),
    .put_options = netem_put_options,
    .has_options = netem_has_options,
};
