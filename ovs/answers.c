/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour discovery without broadcast. An ARP request for an address that the bridge knows is made into the reply and sent back.
 * The kernel's datapath cannot write the option of a neighbour advertisement, so a solicitation goes to the owner of the address
 * alone. Requests that are meant to be heard by all, or come from the owner, pass: duplicate address detection, gratuitous
 * announcements. */
#include <config.h>

#include <netinet/icmp6.h>
#include <string.h>

#include "flow.h"
#include "forwarding-impl.h"
#include "openvswitch/meta-flow.h"
#include "packets.h"

static ovs_be32 ipv4_bits(const struct ip_addr *addr)
{
    ovs_be32 bits;
    memcpy(&bits, addr->bytes, sizeof bits);
    return bits;
}

static struct in6_addr ipv6_bits(const struct ip_addr *addr)
{
    struct in6_addr bits;
    memcpy(&bits, addr->bytes, sizeof bits);
    return bits;
}

/* Matches all ARP requests. */
static struct match arp_requests(void)
{
    struct match match;
    match_init_catchall(&match);
    match_set_dl_type(&match, htons(ETH_TYPE_ARP));
    match_set_nw_proto(&match, ARP_OP_REQUEST);
    return match;
}

/* Matches all neighbour solicitations. */
static struct match solicitations(void)
{
    struct match match;
    match_init_catchall(&match);
    match_set_dl_type(&match, htons(ETH_TYPE_IPV6));
    match_set_nw_proto(&match, IPPROTO_ICMPV6);
    match_set_icmp_type(&match, ND_NEIGHBOR_SOLICIT);
    match_set_icmp_code(&match, 0);
    return match;
}

/* Adds the action that copies a field. */
static void move(struct actions *actions, enum mf_field_id from, enum mf_field_id to)
{
    struct ofpact_reg_move *move = ofpact_put_REG_MOVE(&actions->buffer);
    move->src = (struct mf_subfield){.field = mf_from_id(from), .n_bits = mf_from_id(from)->n_bits};
    move->dst = (struct mf_subfield){.field = mf_from_id(to), .n_bits = mf_from_id(to)->n_bits};
}

/* Adds the action that sets a field to the 'size' bytes at 'value', its whole width. */
static void set(struct actions *actions, enum mf_field_id field, const void *value, size_t size)
{
    union mf_value mf_value = {0};
    memcpy(&mf_value, value, size);
    ofpact_put_set_field(&actions->buffer, mf_from_id(field), &mf_value, NULL);
}

static void add_arp_answer(struct rule_set *rules, const struct vswitch_port *port)
{
    struct actions actions;
    actions_begin(&actions);
    move(&actions, MFF_ETH_SRC, MFF_ETH_DST);
    set(&actions, MFF_ETH_SRC, port->mac.bytes, sizeof port->mac.bytes);
    ovs_be16 reply = htons(ARP_OP_REPLY);
    set(&actions, MFF_ARP_OP, &reply, sizeof reply);
    move(&actions, MFF_ARP_SHA, MFF_ARP_THA);
    set(&actions, MFF_ARP_SHA, port->mac.bytes, sizeof port->mac.bytes);
    move(&actions, MFF_ARP_SPA, MFF_ARP_TPA);
    set(&actions, MFF_ARP_SPA, port->ipv4.bytes, 4);
    actions_output(&actions, OFPP_IN_PORT);
    struct match match = arp_requests();
    match_set_nw_dst(&match, ipv4_bits(&port->ipv4));
    actions_end(&actions, rules, TABLE_ANSWERS, PRIORITY_RULE, &match);
}

static void add_nd_delivery(struct rule_set *rules, const struct vswitch_port *port, ofp_port_t ofport)
{
    struct actions actions;
    actions_begin(&actions);
    actions_output(&actions, ofport);
    struct match match = solicitations();
    struct in6_addr target = ipv6_bits(&port->ipv6);
    match_set_nd_target(&match, &target);
    actions_end(&actions, rules, TABLE_ANSWERS, PRIORITY_RULE, &match);
}

static void add_pass(struct rule_set *rules, struct match *match)
{
    rules_add_goto(rules, TABLE_ANSWERS, PRIORITY_EXCEPTION, match, TABLE_FORWARDING);
}

void answers_add(struct rule_set *rules, const struct vswitch_port *port, ofp_port_t ofport)
{
    if (port->ipv4.family) {
        add_arp_answer(rules, port);
        struct match own = arp_requests();
        match_set_nw_dst(&own, ipv4_bits(&port->ipv4));
        struct match gratuitous = own;
        match_set_in_port(&own, ofport);
        add_pass(rules, &own);
        match_set_nw_src(&gratuitous, ipv4_bits(&port->ipv4));
        add_pass(rules, &gratuitous);
    }
    if (port->ipv6.family) {
        add_nd_delivery(rules, port, ofport);
    }
}

void answers_add_probes(struct rule_set *rules)
{
    struct match arp = arp_requests();
    match_set_nw_src(&arp, 0);
    add_pass(rules, &arp);
    struct match nd = solicitations();
    match_set_ipv6_src(&nd, &in6addr_any);
    add_pass(rules, &nd);
}
