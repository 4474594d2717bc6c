/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "forwarding.h"

#include <string.h>

#include "flow.h"
#include "forwarding-impl.h"
#include "packets.h"

/* A rule lists its outputs in one message of at most 64 KiB. */
#define FLOOD_LIST_MAX 3500

void actions_begin(struct actions *actions)
{
    ofpbuf_use_stub(&actions->buffer, actions->stub, sizeof actions->stub);
}

void actions_output(struct actions *actions, ofp_port_t port)
{
    ofpact_put_OUTPUT(&actions->buffer)->port = port;
}

void actions_end(struct actions *actions, struct rule_set *set, uint8_t table, uint16_t priority, struct match *match)
{
    match_set_default_packet_type(match);
    rule_set_add(set, table, priority, match, actions->buffer.data, actions->buffer.size);
    ofpbuf_uninit(&actions->buffer);
}

void rules_add_goto(struct rule_set *set, uint8_t table, uint16_t priority, struct match *match, uint8_t next)
{
    struct actions actions;
    actions_begin(&actions);
    ofpact_put_GOTO_TABLE(&actions.buffer)->table_id = next;
    actions_end(&actions, set, table, priority, match);
}

void actions_set(struct actions *actions, enum mf_field_id field, const void *value, size_t size)
{
    union mf_value mf_value = {0};
    memcpy(&mf_value, value, size);
    ofpact_put_set_field(&actions->buffer, mf_from_id(field), &mf_value, NULL);
}

void actions_send(struct actions *actions, const struct ip_addr *tunnel, ofp_port_t uplink)
{
    if (tunnel->family == 4) {
        actions_set(actions, MFF_TUN_DST, tunnel->bytes, 4);
    } else if (tunnel->family == 6) {
        actions_set(actions, MFF_TUN_IPV6_DST, tunnel->bytes, 16);
    }
    actions_output(actions, uplink);
}

static void add_admission(struct rule_set *set, ofp_port_t ofport)
{
    struct match match;
    match_init_catchall(&match);
    match_set_in_port(&match, ofport);
    rules_add_goto(set, TABLE_ADMISSION, PRIORITY_RULE, &match, TABLE_ANSWERS);
}

/* Lets in what comes from the pnode behind 'tunnel'. */
static void add_arrival(struct rule_set *set, const struct forwarding *f, const struct ip_addr *tunnel)
{
    struct match match;
    match_init_catchall(&match);
    match_set_in_port(&match, u16_to_ofp(f->uplink));
    if (f->vni) {
        match_set_tun_id(&match, htonll(f->vni));
    }
    if (tunnel->family == 4) {
        ovs_be32 source;
        memcpy(&source, tunnel->bytes, sizeof source);
        match_set_tun_src(&match, source);
    } else if (tunnel->family == 6) {
        struct in6_addr source;
        memcpy(&source, tunnel->bytes, sizeof source);
        match_set_tun_ipv6_src(&match, &source);
    }
    rules_add_goto(set, TABLE_ADMISSION, PRIORITY_RULE, &match, TABLE_ARRIVALS);
}

/* Matches what is for 'mac'. */
static struct match to_mac(const struct mac_addr *mac)
{
    struct eth_addr address;
    memcpy(address.ea, mac->bytes, sizeof address.ea);
    struct match match;
    match_init_catchall(&match);
    match_set_dl_dst(&match, address);
    return match;
}

static void add_unicast(struct rule_set *set, uint8_t table, const struct vswitch_port *port, ofp_port_t ofport)
{
    struct match match = to_mac(&port->mac);
    struct actions actions;
    actions_begin(&actions);
    actions_output(&actions, ofport);
    actions_end(&actions, set, table, PRIORITY_RULE, &match);
}

static void add_remote_unicast(struct rule_set *set, const struct vswitch_remote *remote, ofp_port_t uplink)
{
    struct match match = to_mac(&remote->mac);
    struct actions actions;
    actions_begin(&actions);
    actions_send(&actions, &remote->tunnel, uplink);
    actions_end(&actions, set, TABLE_FORWARDING, PRIORITY_RULE, &match);
}

/* The switch itself leaves out the port that the packet came from. A long list goes on in the next table. */
static void add_local_flood(struct rule_set *set, const GArray *ports, const uint16_t *ofports)
{
    uint8_t table = TABLE_DELIVERY;
    unsigned i = 0;
    do {
        struct match match;
        match_init_catchall(&match);
        struct actions actions;
        actions_begin(&actions);
        for (unsigned end = MIN(i + FLOOD_LIST_MAX, ports->len); i < end; i++) {
            if (ofports[i]) {
                actions_output(&actions, u16_to_ofp(ofports[i]));
            }
        }
        if (i < ports->len) {
            ofpact_put_GOTO_TABLE(&actions.buffer)->table_id = table + 1;
        }
        actions_end(&actions, set, table++, PRIORITY_DEFAULT, &match);
    } while (i < ports->len);
}

/* Returns the ends of tunnels of 'remotes', each once, in their order: pointers to struct ip_addr, to be unreffed. A patch port
 * leads to all pnodes: one end, of family 0. */
static GPtrArray *distinct_tunnels(const GArray *remotes)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
    GPtrArray *tunnels = g_ptr_array_new();
    for (unsigned i = 0; remotes && i < remotes->len; i++) {
        const struct ip_addr *tunnel = &g_array_index(remotes, struct vswitch_remote, i).tunnel;
        uint8_t key[1 + sizeof tunnel->bytes] = {tunnel->family};
        memcpy(key + 1, tunnel->bytes, tunnel->family == 4 ? 4 : tunnel->family ? sizeof tunnel->bytes : 0);
        if (g_hash_table_add(seen, g_bytes_new(key, sizeof key))) {
            g_ptr_array_add(tunnels, (void *)tunnel);
        }
    }
    return tunnels;
}

/* Sends what is for all, or for an unknown MAC, to each of 'tunnels', and delivers it here. */
static void add_flood(struct rule_set *set, const GPtrArray *tunnels, ofp_port_t uplink)
{
    struct match match;
    match_init_catchall(&match);
    struct actions actions;
    actions_begin(&actions);
    for (unsigned i = 0; i < tunnels->len; i++) {
        actions_send(&actions, tunnels->pdata[i], uplink);
    }
    ofpact_put_GOTO_TABLE(&actions.buffer)->table_id = TABLE_DELIVERY;
    actions_end(&actions, set, TABLE_FORWARDING, PRIORITY_DEFAULT, &match);
}

static void add_remotes(struct rule_set *set, const struct forwarding *f, const GPtrArray *tunnels)
{
    ofp_port_t uplink = u16_to_ofp(f->uplink);
    for (unsigned i = 0; i < f->remotes->len; i++) {
        const struct vswitch_remote *remote = &g_array_index(f->remotes, struct vswitch_remote, i);
        answers_add_remote(set, remote, uplink);
        add_remote_unicast(set, remote, uplink);
    }
    for (unsigned i = 0; i < tunnels->len; i++) {
        add_arrival(set, f, tunnels->pdata[i]);
    }
    for (unsigned i = 0; i < f->ports->len; i++) {
        if (f->ofports[i]) {
            answers_add_arrivals(set, &g_array_index(f->ports, struct vswitch_port, i), u16_to_ofp(f->ofports[i]));
        }
    }
    answers_add_probes(set, TABLE_ARRIVALS, TABLE_DELIVERY);
    struct match match;
    match_init_catchall(&match);
    rules_add_goto(set, TABLE_ARRIVALS, PRIORITY_DEFAULT, &match, TABLE_DELIVERY);
}

struct rule_set *forwarding_rules(const struct forwarding *f)
{
    struct rule_set *set = rule_set_new();
    for (unsigned i = 0; i < f->ports->len; i++) {
        if (f->ofports[i]) {
            const struct vswitch_port *port = &g_array_index(f->ports, struct vswitch_port, i);
            ofp_port_t ofport = u16_to_ofp(f->ofports[i]);
            add_admission(set, ofport);
            answers_add(set, port, ofport);
            add_unicast(set, TABLE_FORWARDING, port, ofport);
            add_unicast(set, TABLE_DELIVERY, port, ofport);
        }
    }
    g_autoptr(GPtrArray) tunnels = distinct_tunnels(f->uplink ? f->remotes : NULL);
    if (f->uplink) {
        add_remotes(set, f, tunnels);
    }
    answers_add_probes(set, TABLE_ANSWERS, TABLE_FORWARDING);
    struct match match;
    match_init_catchall(&match);
    rules_add_goto(set, TABLE_ANSWERS, PRIORITY_DEFAULT, &match, TABLE_FORWARDING);
    add_flood(set, tunnels, u16_to_ofp(f->uplink));
    add_local_flood(set, f->ports, f->ofports);
    return set;
}

static void add_vlan(struct rule_set *set, ofp_port_t interface, const struct provider_vlan *vlan)
{
    struct match out;
    match_init_catchall(&out);
    match_set_in_port(&out, u16_to_ofp(vlan->ofport));
    struct actions actions;
    actions_begin(&actions);
    ofpact_put_PUSH_VLAN(&actions.buffer)->ethertype = htons(ETH_TYPE_VLAN_8021Q);
    struct ofpact_vlan_vid *vid = ofpact_put_SET_VLAN_VID(&actions.buffer);
    vid->vlan_vid = vlan->vlan;
    vid->push_vlan_if_needed = false;
    vid->flow_has_vlan = true;
    actions_output(&actions, interface);
    actions_end(&actions, set, TABLE_ADMISSION, PRIORITY_RULE, &out);

    struct match in;
    match_init_catchall(&in);
    match_set_in_port(&in, interface);
    match_set_dl_vlan(&in, htons(vlan->vlan), 0);
    actions_begin(&actions);
    ofpact_put_STRIP_VLAN(&actions.buffer);
    actions_output(&actions, u16_to_ofp(vlan->ofport));
    actions_end(&actions, set, TABLE_ADMISSION, PRIORITY_RULE, &in);
}

struct rule_set *forwarding_provider_rules(uint16_t interface, const struct provider_vlan *vlans, unsigned count)
{
    struct rule_set *set = rule_set_new();
    for (unsigned i = 0; interface && i < count; i++) {
        if (vlans[i].ofport) {
            add_vlan(set, u16_to_ofp(interface), &vlans[i]);
        }
    }
    return set;
}
