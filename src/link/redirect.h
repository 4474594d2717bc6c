/* SPDX-License-Identifier: Apache-2.0 */
/* The ways of frames from one device to another, before any bridge or queue sees them: a clsact qdisc, a filter, and mirred. What
 * takes every frame of every protocol is u32 or basic (matchall would say the same, but cannot be changed in place). What an IFB
 * hands back to a device is not filtered there again, but what comes from a veth pair is, and is told from the rest by a mark. */
#ifndef LINK_REDIRECT_H
#define LINK_REDIRECT_H 1

#include <stdbool.h>

#include "rtnl.h"

/* Each belongs to one hook of a device. */
enum rule {
    RULE_INPUT,  /* What a device is to send goes out by another. */
    RULE_OUTPUT, /* What it has received goes out by another. */
    RULE_MARKED, /* ... if it is marked; the mark is taken off. Comes before RULE_OUTPUT. */
    RULE_MARK,   /* What it has received is marked, and is as if another had received it. */
    RULES
};

/* What there is of a rule on a device. */
struct redirect_rule {
    enum rule rule;
    int to; /* ifindex that frames are sent to; 0: they are not; -1: the filter is there, but not as made here. */
};

/* ... of all of them. */
struct redirect {
    bool there; /* The clsact qdisc. */
    struct redirect_rule rules[RULES];
};

/* Queue requests that fill '*ret', which must stay where it is until the flush, with what 'ifindex' has. */
void redirect_read(struct rtnl *, int ifindex, struct redirect *ret);
/* ... that make 'rule' send to 'to', or with 0 to nowhere; nothing where 'found' says that it does, which then says what is
 * queued. A change is made in place. 'what' names the direction in errors. */
void redirect_write(struct rtnl *, int ifindex, struct redirect *found, enum rule rule, int to, const char *what);
/* ... that let everything pass again. */
void redirect_delete(struct rtnl *, int ifindex, struct redirect *found, const char *what);

/* For redirect_write(), and for trying each part out: queue the clsact qdisc; the filter of a rule, with 'to' 0 one without
 * action. */
void redirect_put_hooks(struct rtnl *, int ifindex, const char *what);
void redirect_put_filter(struct rtnl *, int ifindex, enum rule rule, int to, const char *what);

#endif
