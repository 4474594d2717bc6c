/* SPDX-License-Identifier: Apache-2.0 */
/* netem: all that a direction does to frames but the bandwidth. */
#include <config.h>

#include <linux/pkt_sched.h>
#include <string.h>

#include "distem/delay-table.h"
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
    struct tc_netem_gemodel two;  /* All 0: not. */
    struct tc_netem_gimodel four; /* All 0: not. With neither, losses are independent. */
    uint64_t rate;                /* Bytes per second; 0: none, and frames may overtake each other. */
    uint64_t seed;                /* 0: any. */
};

/* With a rate, netem lets no frame leave before one that came earlier. At this one a frame takes no time. */
#define RATE_IN_ORDER (UINT64_C(1) << 62)
/* This part of a bandwidth is netem's rate above it: HTB and netem round in different ways, and of two equal rates in a row the
 * second would collect a queue. */
#define RATE_MARGIN 4096
#define NETEM_PRNG_SEED 14 /* TCA_NETEM_PRNG_SEED, since Linux 6.6. */
#define NETEM_ATTRIBUTES MAX(TCA_NETEM_MAX, NETEM_PRNG_SEED)

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

/* Returns the chain of two states of 'impairment'. A correlation of losses is one too: a state that loses all and one that loses
 * nothing, with that share of lost frames and that correlation of a loss with the one before. The correlation that netem itself
 * offers for losses makes them much rarer than they are to be. */
static struct tc_netem_gemodel two_states(const struct impairment *impairment)
{
    if (impairment->gilbert_enter) {
        return (struct tc_netem_gemodel){
            .p = probability(impairment->gilbert_enter),
            .r = probability(impairment->gilbert_leave),
            .h = impairment->gilbert_bad_loss ? probability(PPB_ONE - impairment->gilbert_bad_loss) : 0,
            .k1 = probability(impairment->gilbert_good_loss),
        };
    }
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

static struct tc_netem_gimodel four_states(const struct impairment *impairment)
{
    return (struct tc_netem_gimodel){
        .p13 = probability(impairment->markov_p13),
        .p31 = probability(impairment->markov_p31),
        .p32 = probability(impairment->markov_p32),
        .p14 = probability(impairment->markov_p14),
        .p23 = probability(impairment->markov_p23),
    };
}

/* Returns netem's rate, which makes frames keep their order, also when the latency is lowered, and behind an HTB makes each take
 * its own time on the wire, where it is to. Only frames that may overtake each other have none. */
static uint64_t rate(const struct impairment *impairment)
{
    if (impairment->jitter && !impairment->keep_order) {
        return 0;
    }
    uint64_t bandwidth = MAX(impairment->bandwidth / 8, 1);
    return impairment_takes_own_time(impairment) ? bandwidth + bandwidth / RATE_MARGIN : RATE_IN_ORDER;
}

/* Returns the figures of 'asked' as they are at present. The limit is that of all its latencies and bandwidths. */
static struct figures wanted(const struct impairment *asked, unsigned mtu)
{
    const struct impairment present = impairment_at_present(asked), *impairment = &present;
    /* Without a gap netem never reorders; 1 is every frame, with the probability. */
    uint32_t gap = impairment->reordering && !impairment->reordering_gap ? 1 : impairment->reordering_gap;
    int64_t latency = impairment->latency - impairment->compensation;
    return (struct figures){
        .latency = latency,
        .jitter = impairment->jitter,
        .base = {.latency = ticks(latency),
                 .jitter = ticks(impairment->jitter),
                 .limit = shaping_limit(asked, mtu),
                 .loss = probability(impairment->loss),
                 .gap = gap,
                 .duplicate = probability(impairment->duplication)},
        .correlation = {.delay_corr = probability(impairment->latency_correlation),
                        .dup_corr = probability(impairment->duplication_correlation)},
        .reorder = {probability(impairment->reordering), probability(impairment->reordering_correlation)},
        .corrupt = {probability(impairment->corruption), probability(impairment->corruption_correlation)},
        .two = two_states(impairment),
        .four = four_states(impairment),
        .rate = rate(impairment),
        .seed = impairment->seed,
    };
}

/* Left out, losses are independent again. */
static void put_model(struct nl_msg *message, const struct figures *figures)
{
    bool four = figures->four.p13 || figures->four.p14;
    if (figures->two.r || four) {
        struct nlattr *model = nla_nest_start(message, TCA_NETEM_LOSS);
        if (four) {
            rtnl_put(message, NETEM_LOSS_GI, &figures->four, sizeof figures->four);
        } else {
            rtnl_put(message, NETEM_LOSS_GE, &figures->two, sizeof figures->two);
        }
        nla_nest_end(message, model);
    }
}

/* Returns what a user's table takes more than one of ours. */
static size_t netem_more_room(const struct impairment *impairment)
{
    const struct delay_table *table = delay_table_find(impairment->distribution);
    return table ? table->entries->len * sizeof(int16_t) : 0;
}

static void put_distribution(struct nl_msg *message, uint64_t distribution)
{
    const struct delay_table *table = delay_table_find(distribution);
    const void *entries = table ? table->entries->data : (const void *)distribution_table((enum distribution)distribution);
    rtnl_put(message, TCA_NETEM_DELAY_DIST, entries, (table ? table->entries->len : DISTRIBUTION_SIZE) * sizeof(int16_t));
}

/* What traces may change, and what has to be said again then. What is left out keeps its value and what it remembers, but for the
 * model of losses and the seed: directions that have those are never changed so. */
static void netem_put_values(struct nl_msg *message, const struct impairment *impairment, unsigned mtu)
{
    struct figures figures = wanted(impairment, mtu);
    nlmsg_append(message, &figures.base, sizeof figures.base, NLA_ALIGNTO);
    rtnl_put(message, TCA_NETEM_LATENCY64, &figures.latency, sizeof figures.latency);
    rtnl_put(message, TCA_NETEM_JITTER64, &figures.jitter, sizeof figures.jitter);
    rtnl_put(message, TCA_NETEM_REORDER, &figures.reorder, sizeof figures.reorder); /* Left out, a gap would mean each frame. */
    const struct tc_netem_rate narrow = {.rate = (uint32_t)MIN(figures.rate, UINT32_MAX)};
    rtnl_put(message, TCA_NETEM_RATE, &narrow, sizeof narrow);
    if (figures.rate > UINT32_MAX) { /* Left out, it is as the other says. */
        rtnl_put(message, TCA_NETEM_RATE64, &figures.rate, sizeof figures.rate);
    }
}

static void netem_put_options(struct nl_msg *message, const struct impairment *impairment, unsigned mtu)
{
    struct figures figures = wanted(impairment, mtu);
    netem_put_values(message, impairment, mtu);
    rtnl_put(message, TCA_NETEM_CORR, &figures.correlation, sizeof figures.correlation);
    rtnl_put(message, TCA_NETEM_CORRUPT, &figures.corrupt, sizeof figures.corrupt);
    put_model(message, &figures);
    if (figures.seed) { /* Left out, it becomes any. */
        rtnl_put(message, NETEM_PRNG_SEED, &figures.seed, sizeof figures.seed);
    }
    if (impairment->jitter) {
        /* Also for the uniform one, which is netem's own without a table: a table cannot be taken away again, only replaced. */
        put_distribution(message, impairment->distribution);
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

/* Takes the model of losses among 'attributes', if there is one. */
static void take_model(struct nlattr *const *attributes, struct figures *ret)
{
    struct nlattr *models[NETEM_LOSS_MAX + 1];
    if (attributes[TCA_NETEM_LOSS] && nla_parse_nested(models, NETEM_LOSS_MAX, attributes[TCA_NETEM_LOSS], NULL) == 0) {
        (void)take(models, NETEM_LOSS_GE, &ret->two, sizeof ret->two);
        (void)take(models, NETEM_LOSS_GI, &ret->four, sizeof ret->four);
    }
}

/* Returns the rate among 'attributes'; 0: none. */
static uint64_t take_rate(struct nlattr *const *attributes)
{
    struct tc_netem_rate narrow = {0};
    uint64_t wide;
    (void)take(attributes, TCA_NETEM_RATE, &narrow, sizeof narrow);
    return take(attributes, TCA_NETEM_RATE64, &wide, sizeof wide) ? wide : narrow.rate;
}

static bool netem_has_options(const struct nlattr *options, const struct impairment *impairment, unsigned mtu)
{
    struct figures figures = wanted(impairment, mtu), found = {0};
    struct nlattr *attributes[NETEM_ATTRIBUTES + 1];
    int base_size = NLA_ALIGN((int)sizeof found.base);
    if (figures.jitter || nla_len(options) < base_size) {
        return false; /* The distribution cannot be read back. */
    }
    struct nlattr *first = (struct nlattr *)((char *)nla_data(options) + base_size);
    if (nla_parse(attributes, NETEM_ATTRIBUTES, first, nla_len(options) - base_size, NULL) < 0) {
        return false;
    }
    memcpy(&found.base, nla_data(options), sizeof found.base);
    found.base.latency = figures.base.latency; /* The 64-bit figures count; the kernel saturates these in its own way. */
    found.base.jitter = figures.base.jitter;
    /* Not told: as if 0. */
    (void)take(attributes, TCA_NETEM_CORR, &found.correlation, sizeof found.correlation);
    (void)take(attributes, TCA_NETEM_REORDER, &found.reorder, sizeof found.reorder);
    (void)take(attributes, TCA_NETEM_CORRUPT, &found.corrupt, sizeof found.corrupt);
    take_model(attributes, &found);
    found.rate = take_rate(attributes);
    (void)take(attributes, NETEM_PRNG_SEED, &found.seed, sizeof found.seed);
    return take(attributes, TCA_NETEM_LATENCY64, &found.latency, sizeof found.latency) &&
           take(attributes, TCA_NETEM_JITTER64, &found.jitter, sizeof found.jitter) && found.latency == figures.latency &&
           found.jitter == figures.jitter && !memcmp(&found.base, &figures.base, sizeof found.base) &&
           !memcmp(&found.correlation, &figures.correlation, sizeof found.correlation) &&
           !memcmp(&found.two, &figures.two, sizeof found.two) && !memcmp(&found.four, &figures.four, sizeof found.four) &&
           found.rate == figures.rate && (!figures.seed || found.seed == figures.seed) &&
           !memcmp(&found.reorder, &figures.reorder, sizeof found.reorder) &&
           !memcmp(&found.corrupt, &figures.corrupt, sizeof found.corrupt);
}

bool netem_has_seed(const struct nlattr *options)
{
    int base_size = NLA_ALIGN((int)sizeof(struct tc_netem_qopt));
    return nla_len(options) > base_size &&
           nla_find((struct nlattr *)((char *)nla_data(options) + base_size), nla_len(options) - base_size, NETEM_PRNG_SEED);
}

const struct qdisc_ops qdisc_netem = {
    .kind = "netem",
    .module = "sch_netem",
    .handle = 1 << 16,
    .options_size = 256 + DISTRIBUTION_SIZE * sizeof(int16_t),
    .more_room = netem_more_room,
    .put_options = netem_put_options,
    .has_options = netem_has_options,
};

const struct qdisc_ops qdisc_netem_values = {
    .kind = "netem",
    .module = "sch_netem",
    .handle = 1 << 16,
    .options_size = 256,
    .put_options = netem_put_values,
    .has_options = netem_has_options,
};
