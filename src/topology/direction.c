/* SPDX-License-Identifier: Apache-2.0 */
/* What follows from the properties of one direction. */
#include <config.h>

#include <string.h>

#include "distem/platform.h"
#include "distem/units.h"

#define ETHERNET_HEADER 14
#define ETHERNET_AROUND 24 /* FCS 4, preamble 8, gap 12. */

bool impairment_is_zero(const struct impairment *impairment)
{
    static const struct impairment zero;
    return impairment_equal(impairment, &zero);
}

bool impairment_equal(const struct impairment *a, const struct impairment *b)
{
    return a->latency == b->latency && a->jitter == b->jitter && a->distribution == b->distribution &&
           a->latency_correlation == b->latency_correlation && a->keep_order == b->keep_order && a->loss == b->loss &&
           a->loss_correlation == b->loss_correlation && a->gilbert_enter == b->gilbert_enter &&
           a->gilbert_leave == b->gilbert_leave && a->gilbert_bad_loss == b->gilbert_bad_loss &&
           a->gilbert_good_loss == b->gilbert_good_loss && a->markov_p13 == b->markov_p13 && a->markov_p31 == b->markov_p31 &&
           a->markov_p32 == b->markov_p32 && a->markov_p23 == b->markov_p23 && a->markov_p14 == b->markov_p14 &&
           a->duplication == b->duplication && a->duplication_correlation == b->duplication_correlation &&
           a->corruption == b->corruption && a->corruption_correlation == b->corruption_correlation &&
           a->reordering == b->reordering && a->reordering_correlation == b->reordering_correlation &&
           a->reordering_gap == b->reordering_gap && a->seed == b->seed && a->bandwidth == b->bandwidth &&
           a->framing == b->framing && a->overhead == b->overhead && a->cell_payload == b->cell_payload &&
           a->cell_size == b->cell_size && a->queue == b->queue && a->queue_unit == b->queue_unit && a->aqm == b->aqm &&
           a->burst == b->burst && a->latency_trace == b->latency_trace && a->loss_trace == b->loss_trace &&
           a->bandwidth_trace == b->bandwidth_trace;
}

bool impairment_has_more(const struct impairment *impairment)
{
    struct impairment rest = *impairment;
    rest.bandwidth = rest.queue = rest.burst = 0;
    rest.bandwidth_trace = 0;
    rest.framing = FRAMING_ETHERNET;
    rest.overhead = 0;
    rest.cell_payload = rest.cell_size = 0;
    rest.queue_unit = QUEUE_BYTES;
    rest.aqm = AQM_NONE;
    return !impairment_is_zero(&rest);
}

bool impairment_is_staged(const struct impairment *impairment)
{
    return impairment->bandwidth && impairment_has_more(impairment);
}

const char *impairment_memory(const struct impairment *impairment)
{
    const struct {
        const char *key;
        bool there;
    } properties[] = {
        {"loss_correlation", impairment->loss_correlation},
        {"gilbert_enter", impairment->gilbert_enter},
        {"markov_p13", impairment->markov_p13},
        {"markov_p14", impairment->markov_p14},
        {"reordering_correlation", impairment->reordering_correlation},
        {"reordering_gap", impairment->reordering_gap > 1},
        {"seed", impairment->seed},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(properties); i++) {
        if (properties[i].there) {
            return properties[i].key;
        }
    }
    return NULL;
}

bool impairment_takes_own_time(const struct impairment *impairment)
{
    bool overtakes = impairment->jitter && !impairment->keep_order;
    bool forgets = impairment->bandwidth_trace && impairment_memory(impairment);
    return impairment_is_staged(impairment) && !overtakes && !forgets;
}

struct impairment impairment_at_present(const struct impairment *impairment)
{
    struct impairment present = *impairment;
    if (present.latency_trace) {
        present.latency = present.now.latency;
    }
    if (present.loss_trace) {
        present.loss = present.now.loss;
    }
    if (present.bandwidth_trace && present.now.bandwidth) {
        present.bandwidth = present.now.bandwidth;
    }
    return present;
}

int impairment_overhead(const struct impairment *impairment)
{
    static const int framings[] = {[FRAMING_ETHERNET] = ETHERNET_AROUND, [FRAMING_L2] = 0, [FRAMING_IP] = -ETHERNET_HEADER};
    return MAX(framings[impairment->framing] + impairment->overhead, -ETHERNET_HEADER);
}

uint64_t impairment_counted(const struct impairment *impairment, unsigned frame)
{
    int64_t size = MAX((int64_t)frame + impairment_overhead(impairment), 1);
    uint32_t payload = impairment->cell_payload;
    return payload ? ((uint64_t)size + payload - 1) / payload * impairment->cell_size : (uint64_t)size;
}

static double share(uint32_t ppb)
{
    return (double)ppb / PPB_ONE;
}

/* The share of time spent in the bad state is enter / (enter + leave). */
static double gilbert_loss(const struct impairment *i)
{
    double bad = share(i->gilbert_enter) / (share(i->gilbert_enter) + share(i->gilbert_leave));
    double bad_loss = i->gilbert_bad_loss ? share(i->gilbert_bad_loss) : 1;
    return bad * bad_loss + (1 - bad) * share(i->gilbert_good_loss);
}

/* States 1 and 2 pass frames, 3 and 4 lose them: 1 <-> 3 <-> 2, and 1 -> 4 -> 1 for single losses. What goes from one state to the
 * next equals what comes back. */
static double markov_loss(const struct impairment *i)
{
    double third = i->markov_p31 ? share(i->markov_p13) / share(i->markov_p31) : 0;
    double second = i->markov_p23 ? third * share(i->markov_p32) / share(i->markov_p23) : 0;
    double fourth = share(i->markov_p14);
    return (third + fourth) / (1 + second + third + fourth);
}

double impairment_loss(const struct impairment *impairment)
{
    return impairment->gilbert_enter                          ? gilbert_loss(impairment)
           : impairment->markov_p13 || impairment->markov_p14 ? markov_loss(impairment)
                                                              : share(impairment->loss);
}
