/* SPDX-License-Identifier: Apache-2.0 */
/* What forwarding.c (the pipeline) and answers.c (its table of answers) share: writing rules. */
#ifndef OVS_FORWARDING_IMPL_H
#define OVS_FORWARDING_IMPL_H 1

#include "distem/vswitch.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofpbuf.h"
#include "rule-set.h"

enum { TABLE_ADMISSION, TABLE_ANSWERS, TABLE_FORWARDING, TABLE_ARRIVALS, TABLE_DELIVERY };

enum { PRIORITY_DEFAULT = 0, PRIORITY_RULE = 100, PRIORITY_EXCEPTION = 200 };

/* Actions under construction; not to be copied. */
struct actions {
    struct ofpbuf buffer;
    uint64_t stub[64];
};

void actions_begin(struct actions *);
void actions_output(struct actions *, ofp_port_t);
/* Sets a field to the 'size' bytes at 'value', its whole width. */
void actions_set(struct actions *, enum mf_field_id, const void *value, size_t size);
/* Sends to the pnode behind 'tunnel' (family 0: wherever the uplink leads). */
void actions_send(struct actions *, const struct ip_addr *tunnel, ofp_port_t uplink);
/* Adds a rule with the actions, which are freed. 'match' may be changed. */
void actions_end(struct actions *, struct rule_set *, uint8_t table, uint16_t priority, struct match *match);
/* Adds a rule that only goes on to table 'next'. */
void rules_add_goto(struct rule_set *, uint8_t table, uint16_t priority, struct match *match, uint8_t next);

/* Adds the rules that answer requests for the addresses of 'port'. */
void answers_add(struct rule_set *, const struct vswitch_port *port, ofp_port_t ofport);
/* ... that deliver solicitations for it which came from another pnode. */
void answers_add_arrivals(struct rule_set *, const struct vswitch_port *port, ofp_port_t ofport);
/* ... of a viface on another pnode, which 'uplink' leads to. */
void answers_add_remote(struct rule_set *, const struct vswitch_remote *, ofp_port_t uplink);
/* Adds the rules that let pass, from 'table' on to 'next', whoever asks whether an address is taken yet. */
void answers_add_probes(struct rule_set *, uint8_t table, uint8_t next);

#endif
