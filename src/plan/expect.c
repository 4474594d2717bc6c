/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/expect.h"

#include <math.h>

#include "distem/delay-table.h"
#include "distem/units.h"
#include "family.h"

#define DEFAULT_MTU 1500u
#define ETHERNET_HEADER 14u
#define TCP_HEADER 32u /* With the timestamp option. */

static const struct impairment *hop_impairment(const struct hop *hop)
{
    return hop->output ? &hop->viface->output : &hop->viface->input;
}

/* Adds up one way of a packet of 'packet' bytes. */
static void sum_up(const struct path *path, unsigned packet, int64_t *latency, double *jitter_squares, uint32_t *ret_loss)
{
    double arrives = 1;
    for (unsigned i = 0; i < path->hops->len; i++) {
        const struct impairment *impairment = hop_impairment(&g_array_index(path->hops, struct hop, i));
        const struct delay_table *table = delay_table_find(impairment->distribution);
        /* The deviation of netem's own distributions is at most 1. */
        double jitter = (double)impairment->jitter, deviation = (table ? table->deviation : 1) * jitter;
        *latency += impairment->latency + expect_own_time(impairment, ETHERNET_HEADER + packet);
        *latency += table ? llround(table->mean * jitter) : 0;
        *jitter_squares += deviation * deviation;
        arrives *= 1 - impairment_loss(impairment);
    }
    *ret_loss = (uint32_t)lround((1 - arrives) * PPB_ONE);
}

static unsigned least_mtu(const struct path *path)
{
    unsigned least = path->hops->len ? UINT16_MAX : DEFAULT_MTU;
    for (unsigned i = 0; i < path->hops->len; i++) {
        const struct hop *hop = &g_array_index(path->hops, struct hop, i);
        least = MIN(least, hop->viface->vnetwork->mtu ? hop->viface->vnetwork->mtu : DEFAULT_MTU);
    }
    return least;
}

/* Checks that 'path', on which 'from' sends to 'address', ends at 'to': where prefixes overlap, the address may mean another there.
 */
static bool leads_to(const struct path *path, const struct vnode *from, const struct vnode *to, const struct ip_addr *address,
                     GError **error)
{
    const struct vnode *end = path->hops->len ? g_array_index(path->hops, struct hop, path->hops->len - 1).vnode : from;
    char text[IP_TEXT_SIZE];
    return end == to || fail(error, DISTEM_ERROR_NOT_FOUND, 0, "for vnode %s the address %s is that of vnode %s, not of vnode %s",
                             from->name, ip_format(address, text), end->name, to->name);
}

/* Finds the least bandwidth of the way there, and the least goodput, which need not be at the same hop: they may count frames in
 * different ways. */
static void find_bottleneck(struct expectation *expectation)
{
    unsigned mtu = least_mtu(&expectation->there);
    for (unsigned i = 0; i < expectation->there.hops->len; i++) {
        const struct impairment *impairment = hop_impairment(&g_array_index(expectation->there.hops, struct hop, i));
        if (impairment->bandwidth) {
            double goodput = expect_goodput(impairment, mtu, expectation->to_address.family);
            bool first = !expectation->bandwidth;
            expectation->bandwidth = first ? impairment->bandwidth : MIN(expectation->bandwidth, impairment->bandwidth);
            expectation->goodput = first ? goodput : MIN(expectation->goodput, goodput);
        }
    }
}

/* Finds the way from 'from' to 'to' and, from there, the way back to the address that 'from' takes for it: that of the viface it
 * leaves by. */
static bool there_and_back(const struct path_finder *finder, const struct vnode *from, const struct vnode *to,
                           const struct ip_addr *address, struct expectation *ret, GError **error)
{
    struct path there = {0}, back = {0};
    if (!path_find(finder, from, address, &there, error)) {
        return false;
    }
    if (!leads_to(&there, from, to, address, error)) {
        g_array_unref(there.hops);
        return false;
    }
    struct ip_addr source =
        there.hops->len ? *viface_address(g_array_index(there.hops, struct hop, 0).viface, address->family) : *address;
    if (!path_find(finder, to, &source, &back, error)) {
        g_array_unref(there.hops);
        return false;
    }
    if (!leads_to(&back, to, from, &source, error)) {
        g_array_unref(there.hops);
        g_array_unref(back.hops);
        return false;
    }
    *ret =
        (struct expectation){.from = from, .to = to, .from_address = source, .to_address = *address, .there = there, .back = back};
    return true;
}

static bool find_addresses(const struct path_finder *finder, const struct vnode *from, const struct vnode *to,
                           struct expectation *ret, GError **error)
{
    g_autoptr(GError) first = NULL;
    for (uint8_t family = 4; family <= 6; family += 2) {
        for (unsigned i = 0; i < to->vifaces->len; i++) {
            const struct ip_addr *address = viface_address(vnode_viface(to, i), family);
            if (address->family && there_and_back(finder, from, to, address, ret, first ? NULL : &first)) {
                return true;
            }
        }
    }
    if (!first) {
        fail(error, DISTEM_ERROR_NOT_FOUND, 0, "vnode %s has no address", to->name);
        return false;
    }
    g_propagate_error(error, g_steal_pointer(&first));
    return false;
}

/* Adds what the matrix does to a packet on one way; NULL: nothing. */
static void add_matrix(struct expectation *expectation, const struct matrix_cell *cell, unsigned packet, uint32_t *loss)
{
    if (cell) {
        const struct impairment wire = {.bandwidth = cell->bandwidth};
        uint64_t counted = impairment_counted(&wire, ETHERNET_HEADER + packet);
        expectation->rtt += cell->latency;
        if (cell->bandwidth) {
            expectation->rtt += (int64_t)((double)(counted * 8) * NS_PER_S / (double)cell->bandwidth);
        }
        *loss = (uint32_t)lround((1 - (1 - (double)*loss / PPB_ONE) * (1 - (double)cell->loss / PPB_ONE)) * PPB_ONE);
    }
}

/* Makes the bandwidth of the matrix the bottleneck if it is. */
static void limit_by_matrix(struct expectation *expectation, const struct matrix_cell *cell)
{
    if (cell && cell->bandwidth) {
        const struct impairment wire = {.bandwidth = cell->bandwidth};
        double goodput = expect_goodput(&wire, least_mtu(&expectation->there), expectation->to_address.family);
        bool first = !expectation->bandwidth;
        expectation->bandwidth = first ? cell->bandwidth : MIN(expectation->bandwidth, cell->bandwidth);
        expectation->goodput = first ? goodput : MIN(expectation->goodput, goodput);
    }
}

/* Works out what follows from the ways. */
static void follow(const struct path_finder *finder, struct expectation *expectation)
{
    const struct matrix *matrix = path_finder_platform(finder)->matrix;
    const struct matrix_cell *there = matrix_between(matrix, expectation->from->group, expectation->to->group);
    double jitter_squares = 0;
    unsigned packet = (expectation->to_address.family == 4 ? 20 : 40) + EXPECT_ECHO;
    sum_up(&expectation->there, packet, &expectation->rtt, &jitter_squares, &expectation->loss);
    sum_up(&expectation->back, packet, &expectation->rtt, &jitter_squares, &expectation->loss_back);
    expectation->rtt_jitter = (int64_t)llround(sqrt(jitter_squares));
    find_bottleneck(expectation);
    add_matrix(expectation, there, packet, &expectation->loss);
    add_matrix(expectation, matrix_between(matrix, expectation->to->group, expectation->from->group), packet,
               &expectation->loss_back);
    limit_by_matrix(expectation, there);
}

bool expect_pair(const struct path_finder *finder, const struct vnode *from, const struct vnode *to, struct expectation *ret,
                 GError **error)
{
    if (!find_addresses(finder, from, to, ret, error)) {
        return false;
    }
    follow(finder, ret);
    return true;
}

bool expect_address(const struct path_finder *finder, const struct vnode *from, const struct vnode *to,
                    const struct ip_addr *address, struct expectation *ret, GError **error)
{
    if (!there_and_back(finder, from, to, address, ret, error)) {
        return false;
    }
    follow(finder, ret);
    return true;
}

void expectation_clear(struct expectation *expectation)
{
    g_clear_pointer(&expectation->there.hops, g_array_unref);
    g_clear_pointer(&expectation->back.hops, g_array_unref);
}

double expect_goodput(const struct impairment *impairment, unsigned mtu, int family)
{
    unsigned headers = (family == 4 ? 20 : 40) + TCP_HEADER;
    double counted = (double)impairment_counted(impairment, mtu + ETHERNET_HEADER);
    return mtu > headers ? (double)impairment->bandwidth * (mtu - headers) / counted : 0;
}

int64_t expect_own_time(const struct impairment *impairment, unsigned frame)
{
    if (!impairment_takes_own_time(impairment)) {
        return 0;
    }
    return (int64_t)(impairment_counted(impairment, frame) * 8 * (uint64_t)NS_PER_S / impairment->bandwidth);
}
