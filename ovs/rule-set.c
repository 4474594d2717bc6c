/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "rule-set.h"

#include <glib.h>

#include "hash.h"
#include "util.h"

struct rule_set *rule_set_new(void)
{
    struct rule_set *set = g_new0(struct rule_set, 1);
    set->references = 1;
    hmap_init(&set->rules);
    return set;
}

struct rule_set *rule_set_ref(struct rule_set *set)
{
    set->references++;
    return set;
}

static void rule_free(struct rule *rule)
{
    minimatch_destroy(&rule->match);
    g_free(rule->ofpacts);
    g_free(rule);
}

void rule_set_unref(struct rule_set *set)
{
    if (!set || --set->references) {
        return;
    }
    struct rule *rule;
    HMAP_FOR_EACH_SAFE (rule, node, &set->rules) {
        hmap_remove(&set->rules, &rule->node);
        rule_free(rule);
    }
    hmap_destroy(&set->rules);
    g_free(set);
}

static uint32_t rule_hash(const struct rule *rule)
{
    return minimatch_hash(&rule->match, hash_2words(rule->table, rule->priority));
}

const struct rule *rule_set_find(const struct rule_set *set, const struct rule *rule)
{
    const struct rule *other;
    HMAP_FOR_EACH_WITH_HASH (other, node, rule_hash(rule), &set->rules) {
        if (other->table == rule->table && other->priority == rule->priority && minimatch_equal(&other->match, &rule->match)) {
            return other;
        }
    }
    return NULL;
}

void rule_set_add(struct rule_set *set, uint8_t table, uint16_t priority, const struct match *match, const struct ofpact *ofpacts,
                  size_t ofpacts_len)
{
    struct rule *rule = g_new0(struct rule, 1);
    rule->table = table;
    rule->priority = priority;
    minimatch_init(&rule->match, match);
    rule->ofpacts = g_memdup2(ofpacts, ofpacts_len);
    rule->ofpacts_len = ofpacts_len;
    if (rule_set_find(set, rule)) {
        rule_free(rule);
    } else {
        hmap_insert(&set->rules, &rule->node, rule_hash(rule));
    }
}

bool rule_same_actions(const struct rule *a, const struct rule *b)
{
    /* Actions that came over the wire remember how they were encoded there, so that equal ones may differ in memory. */
    return ofpacts_equal(a->ofpacts, a->ofpacts_len, b->ofpacts, b->ofpacts_len) ||
           ofpacts_equal_stringwise(a->ofpacts, a->ofpacts_len, b->ofpacts, b->ofpacts_len);
}
