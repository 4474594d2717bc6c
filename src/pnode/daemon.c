/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "distem/error.h"
#include "distem/log.h"
#include "distem/poll.h"
#include "item.h"
#include "machine.h"

#define MACHINE_OVS_REMOTE "unix:/run/openvswitch/db.sock"
#define MACHINE_OVS_RUNDIR "/run/openvswitch"

/* Connects to the machine's own Open vSwitch, or to a private one. */
static bool open_vswitch(struct pnode_daemon *p, GError **error)
{
    p->user_datapath = !machine_has_kernel_datapath();
    const char *datapath = p->user_datapath ? "netdev" : "system";
    if (server_machine_vswitch()) {
        p->vswitch = vswitch_open(MACHINE_OVS_REMOTE, MACHINE_OVS_RUNDIR, datapath, p->run_dir);
        return true;
    }
    if (!server_ensure_vswitch(p->run_dir, error)) {
        return false;
    }
    g_autofree char *ovs_dir = g_build_filename(p->run_dir, "ovs", NULL);
    g_autofree char *remote = g_strdup_printf("unix:%s/db.sock", ovs_dir);
    p->keeper = server_keep_vswitch(p->run_dir);
    p->vswitch = vswitch_open(remote, ovs_dir, datapath, p->run_dir);
    return true;
}

struct pnode_daemon *pnode_daemon_new(const struct pnode_config *config, struct db *db, GError **error)
{
    struct pnode_daemon *p = g_new0(struct pnode_daemon, 1);
    p->run_dir = g_strdup(config->run_dir);
    p->state_dir = g_strdup(config->state_dir);
    p->db = db;
    p->items = g_hash_table_new_full(NULL, NULL, NULL, item_free);
    p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    p->known = config->known;
    p->links = link_manager_new(config->run_dir, error);
    if (!p->links || (config->underlay && !underlay_find(config->underlay, &p->underlay, error)) || !open_vswitch(p, error)) {
        pnode_daemon_free(p);
        return NULL;
    }
    p->self = machine_describe(config, &p->underlay, p->links);
    observe_start(p);
    p->runner = vnode_runner_new(config->run_dir, config->state_dir, config->worker_path, config->workers);
    vnode_runner_list(p->runner);
    p->push_needed = true;
    return p;
}

void pnode_daemon_free(struct pnode_daemon *p)
{
    if (!p) {
        return;
    }
    vnode_runner_free(p->runner);
    vswitch_close(p->vswitch);
    server_keeper_free(p->keeper);
    player_free(p->player);
    observe_end(p);
    link_manager_free(p->links);
    g_hash_table_unref(p->items);
    platform_free(p->wanted);
    pnode_free(p->self);
    g_strfreev(p->carriers);
    g_free(p->refusal);
    g_free(p->peers);
    close(p->epoll_fd);
    for (unsigned i = 0; i < TROUBLE_COUNT; i++) {
        g_free(p->troubles[i]);
    }
    g_free(p->run_dir);
    g_free(p->state_dir);
    g_free(p);
}

void daemon_set_trouble(struct pnode_daemon *p, enum trouble trouble, const char *message)
{
    if (message && g_strcmp0(message, p->troubles[trouble])) {
        log_error("pnode", "the machine is in trouble", "error=\"%s\"", message);
    }
    g_free(p->troubles[trouble]);
    p->troubles[trouble] = g_strdup(message);
}

const char *daemon_trouble(const struct pnode_daemon *p)
{
    for (unsigned i = 0; i < TROUBLE_COUNT; i++) {
        if (p->troubles[i]) {
            return p->troubles[i];
        }
    }
    return NULL;
}

bool pnode_daemon_is_introduced(const struct pnode_daemon *p)
{
    return p->introduced;
}

bool pnode_daemon_is_registered(const struct pnode_daemon *p)
{
    return p->registered;
}

const char *pnode_daemon_refusal(const struct pnode_daemon *p)
{
    return p->refusal;
}

bool pnode_daemon_is_removed(const struct pnode_daemon *p)
{
    return p->removed && p->loaded && p->adopted && !g_hash_table_size(p->items) && !p->push_needed &&
           p->settled_epoch == p->pushed_epoch;
}

char *pnode_daemon_trace(const struct pnode_daemon *p, uint32_t vnetwork_id, const char *flow, GError **error)
{
    return vswitch_trace(p->vswitch, vnetwork_id, flow, error);
}

static void keep_switch(struct pnode_daemon *p)
{
    if (p->keeper) {
        if (server_keeper_run(p->keeper)) {
            log_warning("pnode", "the private Open vSwitch had ended and was started again", "run_dir=%s", p->run_dir);
        }
        daemon_set_trouble(p, TROUBLE_SWITCH, server_keeper_error(p->keeper));
    }
}

void pnode_daemon_run(struct pnode_daemon *p)
{
    keep_switch(p);
    vswitch_run(p->vswitch);
    vnode_runner_run(p->runner);
    peers_look(p);
    share_reload(p);
    for (struct vnode_result *result; (result = vnode_runner_next(p->runner));) {
        converge_result(p, result);
        vnode_result_free(result);
    }
    converge_run(p);
    playback_run(p);
    observe_run(p);
    report_run(p);
}

void pnode_daemon_wait(struct pnode_daemon *p)
{
    if (p->keeper) {
        server_keeper_wait(p->keeper);
    }
    vswitch_wait(p->vswitch);
    vnode_runner_wait(p->runner);
    converge_wait(p);
    observe_wait(p);
    report_wait(p);
}
