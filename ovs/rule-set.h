/* SPDX-License-Identifier: Apache-2.0 */
/* OpenFlow rules as values: a set that does not change once it is built and is shared by reference. */
#ifndef OVS_RULE_SET_H
#define OVS_RULE_SET_H 1

#include <stdint.h>

#include "openvswitch/hmap.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"

struct rule {
    struct hmap_node node; /* In a set, by table, priority and match. */
    uint8_t table;
    uint16_t priority;
    struct minimatch match;
    struct ofpact *ofpacts;
    size_t ofpacts_len;
};

struct rule_set {
    unsigned references;
    struct hmap rules; /* Of struct rule. */
};

/* Makes an empty set with one reference. */
struct rule_set *rule_set_new(void);
struct rule_set *rule_set_ref(struct rule_set *);
/* Gives up a reference; NULL is fine. */
void rule_set_unref(struct rule_set *);

/* Adds a rule; 'match' and 'ofpacts' are copied. Of two with the same table, priority and match the first stays. */
void rule_set_add(struct rule_set *, uint8_t table, uint16_t priority, const struct match *match, const struct ofpact *ofpacts,
                  size_t ofpacts_len);
/* Returns the rule with the table, priority and match of 'rule', or NULL. */
const struct rule *rule_set_find(const struct rule_set *, const struct rule *rule);
/* Says whether two rules do the same to the packets that they match. */
bool rule_same_actions(const struct rule *, const struct rule *);

#endif
