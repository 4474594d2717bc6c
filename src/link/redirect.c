/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "redirect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>

/* Not "ingress": ovs-vswitchd deletes the qdisc of that name from a port that it opens, before it sets up its own policing. */
#define INGRESS_KIND "clsact"
#define INGRESS_HANDLE 0xffff0000u
#define INGRESS_HOOK TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
#define FILTER_HANDLE 0x80000800u /* 800::800: the first entry of the first table. */
#define FILTER_PRIORITY 1u

static struct tcmsg filter_header(int ifindex)
{
    return (struct tcmsg){.tcm_ifindex = ifindex,
                          .tcm_parent = INGRESS_HOOK,
                          .tcm_handle = FILTER_HANDLE,
                          .tcm_info = TC_H_MAKE(FILTER_PRIORITY << 16, htons(ETH_P_ALL))};
}

static void take_qdisc(struct nlmsghdr *header, void *aux)
{
    struct redirect *redirect = aux;
    redirect->ingress = header->nlmsg_type == RTM_NEWQDISC;
}

/* Returns the attribute 'type' inside 'nest', or NULL; NULL is fine as 'nest'. */
static struct nlattr *inside(struct nlattr *nest, int type)
{
    return nest ? nla_find(nla_data(nest), nla_len(nest), type) : NULL;
}

static void take_filter(struct nlmsghdr *header, void *aux)
{
    struct redirect *redirect = aux;
    struct nlattr *kind = nlmsg_find_attr(header, sizeof(struct tcmsg), TCA_KIND);
    if (header->nlmsg_type != RTM_NEWTFILTER || !kind || strcmp(nla_get_string(kind), "u32") != 0) {
        return;
    }
    struct nlattr *options = nlmsg_find_attr(header, sizeof(struct tcmsg), TCA_OPTIONS);
    struct nlattr *action = inside(inside(options, TCA_U32_ACT), 1);
    struct nlattr *parms = inside(inside(action, TCA_ACT_OPTIONS), TCA_MIRRED_PARMS);
    struct tc_mirred mirred;
    if (parms && nla_len(parms) >= (int)sizeof mirred) {
        memcpy(&mirred, nla_data(parms), sizeof mirred);
        redirect->to = mirred.eaction == TCA_EGRESS_REDIR ? (int)mirred.ifindex : 0;
    }
}

void redirect_read(struct rtnl *rtnl, int ifindex, struct redirect *ret)
{
    *ret = (struct redirect){0};
    const struct tcmsg qdisc = {.tcm_ifindex = ifindex, .tcm_parent = TC_H_CLSACT}, filter = filter_header(ifindex);
    struct rtnl_options options = {.tolerated = RTNL_ANY_ERROR, .answer = take_qdisc, .aux = ret};
    rtnl_queue(rtnl, rtnl_message(RTM_GETQDISC, NLM_F_ECHO, &qdisc, sizeof qdisc, 0), &options, "reading an ingress qdisc");
    options.answer = take_filter;
    struct nl_msg *message = rtnl_message(RTM_GETTFILTER, 0, &filter, sizeof filter, 16);
    rtnl_put_string(message, TCA_KIND, "u32");
    rtnl_queue(rtnl, message, &options, "reading a filter");
}

void redirect_put_ingress(struct rtnl *rtnl, int ifindex, const char *what)
{
    const struct tcmsg header = {.tcm_ifindex = ifindex, .tcm_parent = TC_H_CLSACT, .tcm_handle = INGRESS_HANDLE};
    const struct rtnl_options options = {.module = "sch_ingress"};
    struct nl_msg *message = rtnl_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header, 32);
    rtnl_put_string(message, TCA_KIND, INGRESS_KIND);
    rtnl_queue(rtnl, message, &options, "setting the ingress qdisc for the %s", what);
}

void redirect_put_filter(struct rtnl *rtnl, int ifindex, int to, const char *what)
{
    const struct tcmsg header = filter_header(ifindex);
    const struct rtnl_options options = {.module = to ? "act_mirred" : "cls_u32"};
    struct nl_msg *message = rtnl_message(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header, 256);
    rtnl_put_string(message, TCA_KIND, "u32");
    struct nlattr *nest = rtnl_nest(message, TCA_OPTIONS);
    /* One key that compares no bit: every frame matches. */
    struct {
        struct tc_u32_sel selector;
        struct tc_u32_key key;
    } match = {.selector = {.flags = TC_U32_TERMINAL, .nkeys = 1}};
    rtnl_put(message, TCA_U32_SEL, &match, sizeof match);
    if (to) {
        const struct tc_mirred mirred = {.action = TC_ACT_STOLEN, .eaction = TCA_EGRESS_REDIR, .ifindex = (uint32_t)to};
        struct nlattr *actions = rtnl_nest(message, TCA_U32_ACT), *first = rtnl_nest(message, 1);
        rtnl_put_string(message, TCA_ACT_KIND, "mirred");
        struct nlattr *parms = rtnl_nest(message, TCA_ACT_OPTIONS);
        rtnl_put(message, TCA_MIRRED_PARMS, &mirred, sizeof mirred);
        nla_nest_end(message, parms);
        nla_nest_end(message, first);
        nla_nest_end(message, actions);
    }
    nla_nest_end(message, nest);
    rtnl_queue(rtnl, message, &options, "setting the filter of the %s", what);
}

void redirect_write(struct rtnl *rtnl, int ifindex, const struct redirect *found, int to, const char *what)
{
    if (!found->ingress) {
        redirect_put_ingress(rtnl, ifindex, what);
    }
    if (!found->ingress || found->to != to) {
        redirect_put_filter(rtnl, ifindex, to, what);
    }
}

void redirect_delete(struct rtnl *rtnl, int ifindex, const char *what)
{
    const struct tcmsg header = {.tcm_ifindex = ifindex, .tcm_parent = TC_H_CLSACT, .tcm_handle = INGRESS_HANDLE};
    const struct rtnl_options options = {.tolerated = ENOENT};
    rtnl_queue(rtnl, rtnl_message(RTM_DELQDISC, 0, &header, sizeof header, 0), &options, "removing the ingress qdisc of the %s",
               what);
}
