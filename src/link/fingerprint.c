/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <inttypes.h>

#include "distem/link.h"

static void add_impairment(GString *text, const char *direction, const struct impairment *i)
{
    g_string_append_printf(text, "  %s latency=%" PRId64 "~%" PRId64 "/%s/%u loss=%u/%u", direction, i->latency, i->jitter,
                           distribution_name(i->distribution), i->latency_correlation, i->loss, i->loss_correlation);
    g_string_append_printf(text, " duplication=%u/%u corruption=%u/%u reordering=%u/%u/%u", i->duplication,
                           i->duplication_correlation, i->corruption, i->corruption_correlation, i->reordering,
                           i->reordering_correlation, i->reordering_gap);
    g_string_append_printf(text, " bandwidth=%" PRIu64 " queue=%" PRIu64 " burst=%" PRIu64 "\n", i->bandwidth, i->queue, i->burst);
}

char *link_fingerprint(const struct vnode *vnode, uint16_t default_mtu, bool user_datapath)
{
    GString *text = g_string_new(NULL);
    char addr[IP_TEXT_SIZE], mac[MAC_TEXT_SIZE], to[PREFIX_TEXT_SIZE];
    g_string_append_printf(text, "%u %s forwards=%d user=%d\n", vnode->id, vnode->name, vnode->forwards, user_datapath);
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
