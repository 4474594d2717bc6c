/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <inttypes.h>

#include "distem/link.h"

static void add_impairment(GString *text, const char *direction, const struct impairment *i)
{
    g_string_append_printf(text, "  %s latency=%" PRId64 "-%" PRId64 "~%" PRId64 "/%" PRIu64 "/%u/%u loss=%u/%u", direction,
                           i->latency, i->compensation, i->jitter, i->distribution, i->latency_correlation, i->keep_order, i->loss,
                           i->loss_correlation);
    g_string_append_printf(text, " gilbert=%u/%u/%u/%u markov=%u/%u/%u/%u/%u", i->gilbert_enter, i->gilbert_leave,
                           i->gilbert_bad_loss, i->gilbert_good_loss, i->markov_p13, i->markov_p31, i->markov_p32, i->markov_p23,
                           i->markov_p14);
    g_string_append_printf(text, " duplication=%u/%u corruption=%u/%u reordering=%u/%u/%u seed=%u", i->duplication,
                           i->duplication_correlation, i->corruption, i->corruption_correlation, i->reordering,
                           i->reordering_correlation, i->reordering_gap, i->seed);
    if (i->latency_trace || i->loss_trace || i->bandwidth_trace) { /* Not which: that is no matter of what is made. */
        g_string_append_printf(text, " traces=%d%d%d%d", i->latency_trace != 0, i->loss_trace != 0, i->bandwidth_trace != 0,
                               (i->bandwidth_trace & PLAYBACK_PAUSES) != 0);
    }
    g_string_append_printf(text, " bandwidth=%" PRIu64 "/%s/%d/%u/%u queue=%" PRIu64 "/%u/%s burst=%" PRIu64 "\n", i->bandwidth,
                           framing_name(i->framing), i->overhead, i->cell_payload, i->cell_size, i->queue, i->queue_unit,
                           aqm_name(i->aqm), i->burst);
}

char *link_fingerprint(const struct vnode *vnode, uint16_t default_mtu, bool user_datapath)
{
    GString *text = g_string_new(NULL);
    char addr[IP_TEXT_SIZE], mac[MAC_TEXT_SIZE], to[PREFIX_TEXT_SIZE];
    g_string_append_printf(text, "%u %s forwards=%d user=%d group=%u\n", vnode->id, vnode->name, vnode->forwards, user_datapath,
                           vnode->group);
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        const struct viface *viface = vnode_viface(vnode, i);
        const struct vnetwork *vnetwork = viface->vnetwork;
        unsigned mtu = vnetwork->mtu ? vnetwork->mtu : default_mtu;
        g_string_append_printf(text, " %u %s %s mtu=%u", viface->id, viface->name, mac_format(&viface->mac, mac), mtu);
        g_string_append_printf(text, " %s/%u", ip_format(&viface->ipv4, addr), vnetwork->ipv4.length);
        g_string_append_printf(text, " %s/%u\n", ip_format(&viface->ipv6, addr), vnetwork->ipv6.length);
        add_impairment(text, "input", &viface->input);
        add_impairment(text, "output", &viface->output);
    }
    for (unsigned i = 0; vnode->routes && i < vnode->routes->len; i++) {
        const struct route *route = &g_array_index(vnode->routes, struct route, i);
        g_string_append_printf(text, " %s via %s viface %u\n", prefix_format(&route->to, to), ip_format(&route->via, addr),
                               route->viface);
    }
    return g_string_free(text, FALSE);
}
