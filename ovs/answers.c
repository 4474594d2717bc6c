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

static void add_arp_answer(struct rule_set *rules, const struct ip_addr *ipv4, const struct mac_addr *mac)
{
    struct actions actions;
    actions_begin(&actions);
    move(&actions, MFF_ETH_SRC, MFF_ETH_DST);
    actions_set(&actions, MFF_ETH_SRC, mac->bytes, sizeof mac->bytes);
    ovs_be16 reply = htons(ARP_OP_REPLY);
    actions_set(&actions, MFF_ARP_OP, &reply, sizeof reply);
    move(&actions, MFF_ARP_SHA, MFF_ARP_THA);
    actions_set(&actions, MFF_ARP_SHA, mac->bytes, sizeof mac->bytes);
    move(&actions, MFF_ARP_SPA, MFF_ARP_TPA);
    actions_set(&actions, MFF_ARP_SPA, ipv4->bytes, 4);
    actions_output(&actions, OFPP_IN_PORT);
    struct match match = arp_requests();
    match_set_nw_dst(&match, ipv4_bits(ipv4));
    actions_end(&actions, rules, TABLE_ANSWERS, PRIORITY_RULE, &match);
}

/* Adds a rule that sends solicitations for 'ipv6' where 'actions' say; they are freed. */
static void add_nd_delivery(struct rule_set *rules, uint8_t table, const struct ip_addr *ipv6, struct actions *actions)
{
    struct match match = solicitations();
    struct in6_addr target = ipv6_bits(ipv6);
    match_set_nd_target(&match, &target);
    actions_end(actions, rules, table, PRIORITY_RULE, &match);
}

/* Adds the rule that gives the owner, here, what solicits its address. */
static void add_nd_output(struct rule_set *rules, uint8_t table, const struct vswitch_port *port, ofp_port_t ofport)
{
    struct actions actions;
    actions_begin(&actions);
    actions_output(&actions, ofport);
    add_nd_delivery(rules, table, &port->ipv6, &actions);
}

static void add_pass(struct rule_set *rules, struct match *match)
{
    rules_add_goto(rules, TABLE_ANSWERS, PRIORITY_EXCEPTION, match, TABLE_FORWARDING);
}

/* Lets the owner of 'ipv4' announce it. */
static void add_gratuitous(struct rule_set *rules, const struct ip_addr *ipv4)
{
    struct match gratuitous = arp_requests();
    match_set_nw_dst(&gratuitous, ipv4_bits(ipv4));
    match_set_nw_src(&gratuitous, ipv4_bits(ipv4));
    add_pass(rules, &gratuitous);
}

void answers_add(struct rule_set *rules, const struct vswitch_port *port, ofp_port_t ofport)
{
    if (port->ipv4.family) {
        add_arp_answer(rules, &port->ipv4, &port->mac);
        add_gratuitous(rules, &port->ipv4);
        struct match own = arp_requests();
        match_set_nw_dst(&own, ipv4_bits(&port->ipv4));
        match_set_in_port(&own, ofport);
        add_pass(rules, &own);
    }
    if (port->ipv6.family) {
        add_nd_output(rules, TABLE_ANSWERS, port, ofport);
    }
}

void answers_add_arrivals(struct rule_set *rules, const struct vswitch_port *port, ofp_port_t ofport)
{
    if (port->ipv6.family) {
        add_nd_output(rules, TABLE_ARRIVALS, port, ofport);
    }
}

void answers_add_remote(struct rule_set *rules, const struct vswitch_remote *remote, ofp_port_t uplink)
{
    if (remote->ipv4.family) {
        add_arp_answer(rules, &remote->ipv4, &remote->mac);
        add_gratuitous(rules, &remote->ipv4);
    }
    if (remote->ipv6.family) {
        struct actions actions;
        actions_begin(&actions);
        actions_send(&actions, &remote->tunnel, uplink);
        add_nd_delivery(rules, TABLE_ANSWERS, &remote->ipv6, &actions);
    }
}

void answers_add_probes(struct rule_set *rules, uint8_t table, uint8_t next)
{
    struct match arp = arp_requests();
    match_set_nw_src(&arp, 0);
    rules_add_goto(rules, table, PRIORITY_EXCEPTION, &arp, next);
    struct match nd = solicitations();
    match_set_ipv6_src(&nd, &in6addr_any);
    rules_add_goto(rules, table, PRIORITY_EXCEPTION, &nd, next);
}
