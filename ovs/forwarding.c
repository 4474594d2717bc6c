/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "forwarding.h"

#include <string.h>

#include "flow.h"
#include "forwarding-impl.h"

/* A rule lists its outputs in one message of at most 64 KiB; with more ports than this it says "all" instead, which includes
 * the bridge's own interface. */
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

static void add_admission(struct rule_set *set, ofp_port_t ofport)
{
    struct match match;
    match_init_catchall(&match);
    match_set_in_port(&match, ofport);
    rules_add_goto(set, TABLE_ADMISSION, PRIORITY_RULE, &match, TABLE_ANSWERS);
}

static void add_unicast(struct rule_set *set, const struct vswitch_port *port, ofp_port_t ofport)
{
    struct eth_addr mac;
    memcpy(mac.ea, port->mac.bytes, sizeof mac.ea);
    struct match match;
    match_init_catchall(&match);
    match_set_dl_dst(&match, mac);
    struct actions actions;
    actions_begin(&actions);
    actions_output(&actions, ofport);
    actions_end(&actions, set, TABLE_FORWARDING, PRIORITY_RULE, &match);
}

/* The switch itself leaves out the port that the packet came from. */
static void add_flood(struct rule_set *set, const GArray *ports, const uint16_t *ofports)
{
    struct match match;
    match_init_catchall(&match);
    struct actions actions;
    actions_begin(&actions);
    for (unsigned i = 0; i < ports->len && ports->len <= FLOOD_LIST_MAX; i++) {
        if (ofports[i]) {
            actions_output(&actions, u16_to_ofp(ofports[i]));
        }
    }
    if (ports->len > FLOOD_LIST_MAX) {
        actions_output(&actions, OFPP_ALL);
    }
    actions_end(&actions, set, TABLE_FORWARDING, PRIORITY_DEFAULT, &match);
}

struct rule_set *forwarding_rules(const GArray *ports, const uint16_t *ofports)
{
    struct rule_set *set = rule_set_new();
    for (unsigned i = 0; i < ports->len; i++) {
        if (ofports[i]) {
            const struct vswitch_port *port = &g_array_index(ports, struct vswitch_port, i);
            add_admission(set, u16_to_ofp(ofports[i]));
            answers_add(set, port, u16_to_ofp(ofports[i]));
            add_unicast(set, port, u16_to_ofp(ofports[i]));
        }
    }
    answers_add_probes(set);
    struct match match;
    match_init_catchall(&match);
    rules_add_goto(set, TABLE_ANSWERS, PRIORITY_DEFAULT, &match, TABLE_FORWARDING);
    add_flood(set, ports, ofports);
    return set;
}
