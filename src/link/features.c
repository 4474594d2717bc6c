/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "features.h"

#include <linux/pkt_sched.h>
#include <unistd.h>

#include "distem/error.h"
#include "distem/link.h"

#include "matrix.h"
#include "netdev.h"
#include "netns.h"
#include "qdisc.h"
#include "redirect.h"

#define LO 1 /* ifindex of lo in every namespace. */

static const struct impairment some = {.latency = 1000000, .bandwidth = 1000000};

static void try_veth(struct rtnl *rtnl, int netns)
{
    const struct netdev_plan plan = {.name = "dv1", .alias = "", .mtu = 1500, .peer_name = "dw1", .peer_netns = netns};
    netdev_make_veth(rtnl, &plan, "a trial");
}

static void try_ifb(struct rtnl *rtnl, int netns G_GNUC_UNUSED)
{
    const struct netdev_plan plan = {.name = "di1", .alias = "", .mtu = 1500};
    netdev_make_ifb(rtnl, &plan, "a trial");
}

static void try_qdisc(struct rtnl *rtnl, const struct qdisc_ops *ops)
{
    static const struct qdisc none = {0};
    qdisc_write(rtnl, LO, TC_H_ROOT, &none, ops, &some, 1500, "trial");
    qdisc_delete(rtnl, LO, TC_H_ROOT, "trial");
}

static void try_netem(struct rtnl *rtnl, int netns G_GNUC_UNUSED)
{
    try_qdisc(rtnl, &qdisc_netem);
}

static void try_htb(struct rtnl *rtnl, int netns G_GNUC_UNUSED)
{
    try_qdisc(rtnl, &qdisc_htb);
}

static void try_ingress(struct rtnl *rtnl, int netns G_GNUC_UNUSED)
{
    redirect_put_hooks(rtnl, LO, "trial");
}

static void try_u32(struct rtnl *rtnl, int netns G_GNUC_UNUSED)
{
    redirect_put_filter(rtnl, LO, RULE_OUTPUT, 0, "trial");
}

static void try_mirred(struct rtnl *rtnl, int netns G_GNUC_UNUSED)
{
    redirect_put_filter(rtnl, LO, RULE_OUTPUT, LO, "trial");
}

static void try_basic(struct rtnl *rtnl, int netns G_GNUC_UNUSED)
{
    redirect_put_filter(rtnl, LO, RULE_INPUT, LO, "trial");
}

static void try_fw(struct rtnl *rtnl, int netns G_GNUC_UNUSED)
{
    redirect_put_filter(rtnl, LO, RULE_MARKED, LO, "trial");
}

static void try_skbedit(struct rtnl *rtnl, int netns G_GNUC_UNUSED)
{
    redirect_put_filter(rtnl, LO, RULE_MARK, LO, "trial");
}

static void try_fq(struct rtnl *rtnl, int netns G_GNUC_UNUSED)
{
    matrix_put_fq(rtnl, LO);
}

static void try_bpf_filter(struct rtnl *rtnl, int netns G_GNUC_UNUSED)
{
    redirect_put_hooks(rtnl, LO, "trial");
    matrix_put_trial_filter(rtnl, LO);
}

static void try_plug(struct rtnl *rtnl, int netns G_GNUC_UNUSED)
{
    static const struct impairment pausing = {.bandwidth_trace = PLAYBACK_PAUSES};
    try_qdisc(rtnl, qdisc_queue(&pausing));
}

struct feature {
    const char *name, *module;
    void (*try)(struct rtnl *, int netns);
};

/* In an order in which each needs only what is in front of it: filters hang on the ingress qdisc. */
static const struct feature features[] = {
    {"veth pairs", "veth", try_veth},
    {"IFB devices", "ifb", try_ifb},
    {"netem", "sch_netem", try_netem},
    {"HTB", "sch_htb", try_htb},
    {"the ingress qdisc", "sch_ingress", try_ingress},
    {"u32 filters", "cls_u32", try_u32},
    {"mirred actions", "act_mirred", try_mirred},
    {"basic filters", "cls_basic", try_basic},
    {"fw filters", "cls_fw", try_fw},
    {"skbedit actions", "act_skbedit", try_skbedit},
};

/* Makes a namespace without a name and opens a socket in it; with an error, both are negative or NULL. */
static bool open_trial(int *ret_netns, struct rtnl **ret_rtnl, GError **error)
{
    int netns = netns_open_unnamed(error);
    int home = netns < 0 ? -1 : netns_enter(netns, error);
    if (home < 0) {
        if (netns >= 0) {
            close(netns);
        }
        return false;
    }
    *ret_rtnl = rtnl_open(error);
    netns_leave(home);
    *ret_netns = netns;
    if (!*ret_rtnl) {
        close(netns);
    }
    return *ret_rtnl != NULL;
}

bool features_find_netem(struct netem_features *ret, GError **error)
{
    static const struct qdisc none = {0};
    struct qdisc found = {0};
    int netns = -1;
    AUTO_RTNL rtnl = NULL;
    g_autoptr(GError) problem = NULL;
    if (!open_trial(&netns, &rtnl, error)) {
        return false;
    }
    qdisc_write(rtnl, LO, TC_H_ROOT, &none, &qdisc_netem, &some, 1500, "trial");
    qdisc_read(rtnl, LO, TC_H_ROOT, &found);
    bool have = rtnl_flush(rtnl, &problem);
    close(netns);
    *ret = (struct netem_features){.there = have, .seed = have && found.options && netem_has_seed(found.options)};
    qdisc_clear(&found);
    if (!have && !g_error_matches(problem, DISTEM_ERROR, DISTEM_ERROR_UNSUPPORTED)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    return true;
}

bool link_takes_seeds(bool *ret, GError **error)
{
    struct netem_features netem;
    if (!features_find_netem(&netem, error)) {
        return false;
    }
    *ret = netem.there && netem.seed;
    return true;
}

/* Tries some features in one namespace; as link_missing_features(). */
static GPtrArray *find_missing(const struct feature *some_features, unsigned count, GError **error)
{
    int netns = -1;
    AUTO_RTNL rtnl = NULL;
    if (!open_trial(&netns, &rtnl, error)) {
        return NULL;
    }
    GPtrArray *missing = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < count; i++) {
        some_features[i].try(rtnl, netns);
        if (!rtnl_flush(rtnl, NULL)) {
            g_ptr_array_add(missing, g_strdup_printf("%s: kernel module %s", some_features[i].name, some_features[i].module));
        }
    }
    close(netns);
    return missing;
}

GPtrArray *link_missing_features(GError **error)
{
    return find_missing(features, G_N_ELEMENTS(features), error);
}

GPtrArray *link_missing_for_matrices(GError **error)
{
    static const struct feature needed[] = {{"fq", "sch_fq", try_fq}, {"BPF filters", "cls_bpf", try_bpf_filter}};
    g_autoptr(GError) problem = NULL;
    GPtrArray *missing = find_missing(needed, G_N_ELEMENTS(needed), error);
    if (missing && !matrix_try_program(&problem)) {
        g_ptr_array_add(missing, g_strdup_printf("BPF programs: %s", problem->message));
    }
    return missing;
}

GPtrArray *link_missing_for_blackouts(GError **error)
{
    static const struct feature needed[] = {{"plug", "sch_plug", try_plug}};
    return find_missing(needed, G_N_ELEMENTS(needed), error);
}
