/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "redirect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <linux/tc_act/tc_skbedit.h>
#include <string.h>

/* Not "ingress": ovs-vswitchd deletes the qdisc of that name from a port that it opens, before it sets up its own policing. */
#define HOOKS_KIND "clsact"
#define HOOKS_HANDLE 0xffff0000u
#define INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
#define EGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)
#define MARK 53591u /* 0xd157. Frames that leave or enter a namespace lose theirs, so no vnode can set it. */

/* Kinds of filters. */
enum filter { FILTER_U32, FILTER_BASIC, FILTER_FW };
static const struct {
    const char *name, *module;
    uint32_t handle;
    int actions; /* The attribute that they are in. */
} filters[] = {
    [FILTER_U32] = {"u32", "cls_u32", 0x80000800u, TCA_U32_ACT}, /* 800::800: the first entry of the first table. */
    [FILTER_BASIC] = {"basic", "cls_basic", 1, TCA_BASIC_ACT},
    [FILTER_FW] = {"fw", "cls_fw", MARK, TCA_FW_ACT}, /* The handle is the mark that it looks for. */
};

/* Both hooks of a device count the tables of u32 together, so that it can be at one of them only. */
static const struct rule_kind {
    uint32_t hook, priority;
    enum filter filter;
    int action;      /* Of mirred. */
    bool edits;      /* Whether frames get ... */
    uint32_t marked; /* ... this mark. */
} kinds[RULES] = {
    [RULE_INPUT] = {EGRESS, 2, FILTER_BASIC, TCA_EGRESS_REDIR, false, 0},
    [RULE_OUTPUT] = {INGRESS, 2, FILTER_U32, TCA_EGRESS_REDIR, false, 0},
    [RULE_MARKED] = {INGRESS, 1, FILTER_FW, TCA_EGRESS_REDIR, true, 0},
    [RULE_MARK] = {INGRESS, 3, FILTER_U32, TCA_INGRESS_REDIR, true, MARK},
};

static struct tcmsg filter_header(int ifindex, enum rule rule)
{
    const struct rule_kind *kind = &kinds[rule];
    return (struct tcmsg){.tcm_ifindex = ifindex,
                          .tcm_parent = kind->hook,
                          .tcm_handle = filters[kind->filter].handle,
                          .tcm_info = TC_H_MAKE(kind->priority << 16, htons(ETH_P_ALL))};
}

static void take_qdisc(struct nlmsghdr *header, void *aux)
{
    struct redirect *redirect = aux;
    redirect->there = header->nlmsg_type == RTM_NEWQDISC;
}

/* Returns the attribute 'type' inside 'nest', or NULL; NULL is fine as 'nest'. */
static struct nlattr *inside(struct nlattr *nest, int type)
{
    return nest ? nla_find(nla_data(nest), nla_len(nest), type) : NULL;
}

static void take_filter(struct nlmsghdr *header, void *aux)
{
    struct redirect_rule *found = aux;
    const struct rule_kind *kind = &kinds[found->rule];
    struct nlattr *name = nlmsg_find_attr(header, sizeof(struct tcmsg), TCA_KIND);
    if (header->nlmsg_type != RTM_NEWTFILTER || !name || strcmp(nla_get_string(name), filters[kind->filter].name) != 0) {
        return;
    }
    found->to = -1;
    struct nlattr *options = nlmsg_find_attr(header, sizeof(struct tcmsg), TCA_OPTIONS);
    struct nlattr *action = inside(inside(options, filters[kind->filter].actions), kind->edits ? 2 : 1);
    struct nlattr *parms = inside(inside(action, TCA_ACT_OPTIONS), TCA_MIRRED_PARMS);
    struct tc_mirred mirred;
    if (parms && nla_len(parms) >= (int)sizeof mirred) {
        memcpy(&mirred, nla_data(parms), sizeof mirred);
        found->to = mirred.eaction == kind->action && mirred.ifindex ? (int)mirred.ifindex : -1;
    }
}

void redirect_read(struct rtnl *rtnl, int ifindex, struct redirect *ret)
{
    *ret = (struct redirect){0};
    const struct tcmsg qdisc = {.tcm_ifindex = ifindex, .tcm_parent = TC_H_CLSACT};
    struct rtnl_options options = {.tolerated = RTNL_ANY_ERROR, .answer = take_qdisc, .aux = ret};
    rtnl_queue(rtnl, rtnl_message(RTM_GETQDISC, NLM_F_ECHO, &qdisc, sizeof qdisc, 0), &options, "reading a clsact qdisc");
    options.answer = take_filter;
    for (enum rule rule = 0; rule < RULES; rule++) {
        const struct tcmsg filter = filter_header(ifindex, rule);
        ret->rules[rule].rule = rule;
        options.aux = &ret->rules[rule];
        struct nl_msg *message = rtnl_message(RTM_GETTFILTER, 0, &filter, sizeof filter, 16);
        rtnl_put_string(message, TCA_KIND, filters[kinds[rule].filter].name);
        rtnl_queue(rtnl, message, &options, "reading a filter");
    }
}

void redirect_put_hooks(struct rtnl *rtnl, int ifindex, const char *what)
{
    const struct tcmsg header = {.tcm_ifindex = ifindex, .tcm_parent = TC_H_CLSACT, .tcm_handle = HOOKS_HANDLE};
    const struct rtnl_options options = {.module = "sch_ingress"};
    struct nl_msg *message = rtnl_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header, 32);
    rtnl_put_string(message, TCA_KIND, HOOKS_KIND);
    rtnl_queue(rtnl, message, &options, "setting the clsact qdisc for the %s", what);
}

/* Appends one action with its 'size' bytes of 'parms', as attribute 'type'; 'mark' is for what edits, or NULL. */
static void put_action(struct nl_msg *message, int number, const char *kind, int type, const void *parms, size_t size,
                       const uint32_t *mark)
{
    struct nlattr *action = rtnl_nest(message, number);
    rtnl_put_string(message, TCA_ACT_KIND, kind);
    struct nlattr *options = rtnl_nest(message, TCA_ACT_OPTIONS);
    rtnl_put(message, type, parms, size);
    if (mark) {
        rtnl_put_u32(message, TCA_SKBEDIT_MARK, *mark);
    }
    nla_nest_end(message, options);
    nla_nest_end(message, action);
}

static void put_actions(struct nl_msg *message, const struct rule_kind *kind, int to)
{
    const struct tc_skbedit edit = {.action = TC_ACT_PIPE};
    const struct tc_mirred mirred = {.action = TC_ACT_STOLEN, .eaction = kind->action, .ifindex = (uint32_t)to};
    struct nlattr *actions = rtnl_nest(message, filters[kind->filter].actions);
    if (kind->edits) {
        put_action(message, 1, "skbedit", TCA_SKBEDIT_PARMS, &edit, sizeof edit, &kind->marked);
    }
    put_action(message, kind->edits ? 2 : 1, "mirred", TCA_MIRRED_PARMS, &mirred, sizeof mirred, NULL);
    nla_nest_end(message, actions);
}

void redirect_put_filter(struct rtnl *rtnl, int ifindex, enum rule rule, int to, const char *what)
{
    const struct rule_kind *kind = &kinds[rule];
    const struct tcmsg header = filter_header(ifindex, rule);
    const struct rtnl_options options = {.module = !to           ? filters[kind->filter].module
                                                   : kind->edits ? "act_skbedit or act_mirred"
                                                                 : "act_mirred"};
    struct nl_msg *message = rtnl_message(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header, 512);
    rtnl_put_string(message, TCA_KIND, filters[kind->filter].name);
    struct nlattr *nest = rtnl_nest(message, TCA_OPTIONS);
    if (kind->filter == FILTER_U32) {
        /* One key that compares no bit: every frame matches. */
        struct {
            struct tc_u32_sel selector;
            struct tc_u32_key key;
        } match = {.selector = {.flags = TC_U32_TERMINAL, .nkeys = 1}};
        rtnl_put(message, TCA_U32_SEL, &match, sizeof match);
    }
    if (to) {
        put_actions(message, kind, to);
    }
    nla_nest_end(message, nest);
    rtnl_queue(rtnl, message, &options, "setting the filter of the %s", what);
}

/* Queues the removal of the filter of 'rule', with the table that it is in. */
static void delete_filter(struct rtnl *rtnl, int ifindex, enum rule rule, const char *what)
{
    struct tcmsg header = filter_header(ifindex, rule);
    const struct rtnl_options options = {.tolerated = ENOENT};
    header.tcm_handle = 0;
    struct nl_msg *message = rtnl_message(RTM_DELTFILTER, 0, &header, sizeof header, 16);
    rtnl_put_string(message, TCA_KIND, filters[kinds[rule].filter].name);
    rtnl_queue(rtnl, message, &options, "removing a filter of the %s", what);
}

void redirect_write(struct rtnl *rtnl, int ifindex, struct redirect *found, enum rule rule, int to, const char *what)
{
    if (found->rules[rule].to == to) {
        return;
    }
    if (!found->there) {
        redirect_put_hooks(rtnl, ifindex, what);
        found->there = true;
    }
    if (to) {
        redirect_put_filter(rtnl, ifindex, rule, to, what);
    } else {
        delete_filter(rtnl, ifindex, rule, what);
    }
    found->rules[rule].to = to;
}

void redirect_delete(struct rtnl *rtnl, int ifindex, struct redirect *found, const char *what)
{
    const struct tcmsg header = {.tcm_ifindex = ifindex, .tcm_parent = TC_H_CLSACT, .tcm_handle = HOOKS_HANDLE};
    const struct rtnl_options options = {.tolerated = ENOENT};
    rtnl_queue(rtnl, rtnl_message(RTM_DELQDISC, 0, &header, sizeof header, 0), &options, "removing the clsact qdisc of the %s",
               what);
    *found = (struct redirect){0};
}
