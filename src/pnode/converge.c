/* SPDX-License-Identifier: Apache-2.0 */
/* The way of an item that is wanted:
 *
 *     network made (link_apply_vnode) -> its ports pushed to the switch, which settles -> container started -> running
 *
 * and of one that is not:
 *
 *     container stopped and forgotten -> its ports taken from the switch, which settles -> network removed -> item gone
 *
 * Pushes to the switch are batches: one whenever the one before has settled and something has changed since. */
#include <config.h>

#include <inttypes.h>
#include <poll.h>
#include <sys/epoll.h>

#include "bridges.h"
#include "distem/error.h"
#include "distem/log.h"
#include "distem/poll.h"
#include "item.h"
#include "marks.h"
#include "tunnels.h"

/* Namespaces and devices are made in the daemon's own loop; this long at a time, so that it keeps answering. */
#define SLICE_MS 50
#define STOP_GRACE_MS 2000
/* A switch that has just been started, or is busy, complains for a moment. */
#define SWITCH_PATIENCE_MS 10000
/* A container that ends earlier ends at once: it is not started again and again without a pause. */
#define SHORT_LIFE_MS 10000
/* Pause before the containers are asked for again. */
#define LIST_PAUSE_MS 1000
#define DEFAULT_MTU 1500

static bool is_due(const struct item *item)
{
    return poll_now_ms() >= item->retry_at;
}

static bool network_is_done(const struct item *item)
{
    return item->vnode && item->network_done && !g_strcmp0(item->network_done, item->network_wanted);
}

/* Says whether the switch has the ports of 'item' as they are to be. A switch that cannot settle holds up nothing for ever: its
 * error is reported, and other vnodes go on. */
static bool ports_are_done(const struct pnode_daemon *p, const struct item *item)
{
    return item->ports_epoch && item->ports_epoch <= p->settled_epoch;
}

static bool container_is_right(const struct item *item)
{
    if (item->container != CONTAINER_RUNNING) {
        return false;
    }
    g_autofree char *print = item_container_print(item->vnode);
    return !g_strcmp0(print, item->container_done);
}

static void make_network(struct pnode_daemon *p, struct item *item)
{
    g_autoptr(GError) error = NULL;
    g_clear_pointer(&item->network_done, g_free);
    marks_remove(p->run_dir, "network", item->id);
    playback_prepare(p, item);
    if (!link_apply_vnode(p->links, item->vnode, DEFAULT_MTU, p->user_datapath, &error) ||
        !marks_write(p->run_dir, "network", item->id, item->network_wanted, &error)) {
        item_fail(item, "cannot make a vnode's network", g_steal_pointer(&error));
        return;
    }
    item->network_done = g_strdup(item->network_wanted);
    item->has_devices = true;
    playback_play(p, item);
    item->ports_epoch = 0;
    p->push_needed = true;
}

static void start_container(struct pnode_daemon *p, struct item *item)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *print = item_container_print(item->vnode);
    if (!marks_write(p->run_dir, "container", item->id, print, &error)) {
        item_fail(item, "cannot start a vnode", g_steal_pointer(&error));
        return;
    }
    g_free(item->container_done);
    item->container_done = g_steal_pointer(&print);
    g_autofree char *netns = link_netns_path(p->links, item->id);
    item->container = CONTAINER_STARTING;
    item->forgotten = false;
    vnode_runner_start(p->runner, item->vnode, netns);
}

static void stop_container(struct pnode_daemon *p, struct item *item, bool forget)
{
    item->container = CONTAINER_STOPPING;
    item->forgetting = forget;
    vnode_runner_stop(p->runner, item->id, STOP_GRACE_MS, forget);
}

/* Moves a wanted item on. */
static void step_wanted(struct pnode_daemon *p, struct item *item, bool may_make_network)
{
    if (!is_due(item) || item->container == CONTAINER_STARTING || item->container == CONTAINER_STOPPING) {
        return;
    }
    if (!network_is_done(item)) {
        if (may_make_network) {
            make_network(p, item);
        }
        return;
    }
    if (!ports_are_done(p, item)) {
        return;
    }
    if (item->container == CONTAINER_ABSENT) {
        start_container(p, item);
    } else if (!container_is_right(item)) {
        item_set_state(item, VNODE_STATE_WAITING, NULL);
        stop_container(p, item, false);
    } else {
        item->failures = 0;
        item_set_state(item, VNODE_STATE_RUNNING, NULL);
    }
}

/* Moves an item that is to go on, up to the removal of its network: for that it is added to 'removable'. */
static void step_unwanted(struct pnode_daemon *p, struct item *item, GArray *removable)
{
    if (!is_due(item) || item->container == CONTAINER_STARTING || item->container == CONTAINER_STOPPING) {
        return;
    }
    /* Whether it runs or not: there may be files of it, and a start that failed may have left a container. */
    if (!item->forgotten) {
        stop_container(p, item, true);
    } else if (ports_are_done(p, item)) {
        g_array_append_val(removable, item->id);
    }
}

/* Removes the networks of items that are to go, all at once: each removal alone would wait for the kernel. */
static void remove_networks(struct pnode_daemon *p, const GArray *ids)
{
    if (!ids->len) {
        return;
    }
    for (unsigned i = 0; i < ids->len; i++) {
        marks_remove(p->run_dir, "network", g_array_index(ids, uint32_t, i));
        playback_leave(p, g_array_index(ids, uint32_t, i));
    }
    g_autoptr(GError) error = NULL;
    bool ok = link_remove_vnodes(p->links, (const uint32_t *)(const void *)ids->data, ids->len, &error);
    for (unsigned i = 0; i < ids->len; i++) {
        gpointer id = GUINT_TO_POINTER(g_array_index(ids, uint32_t, i));
        if (ok) {
            g_hash_table_remove(p->items, id);
        } else {
            item_fail(g_hash_table_lookup(p->items, id), "cannot remove a vnode's network", g_error_copy(error));
        }
    }
}

/* Says whether a vnode that has devices is about to get other ones: a push now would take ports away that stay. */
static bool is_rebuilding(struct pnode_daemon *p)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, p->items);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct item *item = value;
        if (item->vnode && item->has_devices && !network_is_done(item) && !item->failures) {
            return true;
        }
    }
    return false;
}

/* Tells the switch what is wanted now, when the push before has settled. */
static void push_ports(struct pnode_daemon *p)
{
    if (!p->push_needed || p->settled_epoch != p->pushed_epoch || is_rebuilding(p)) {
        return;
    }
    g_autoptr(GPtrArray) vnodes = g_ptr_array_new();
    p->pushed_epoch++;
    p->pushed_at = poll_now_ms();
    p->push_needed = false;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, p->items);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct item *item = value;
        if (item->vnode && item->has_devices) {
            g_ptr_array_add(vnodes, (void *)item->vnode);
        }
        if (!item->vnode || network_is_done(item)) {
            item->ports_epoch = p->pushed_epoch;
        }
    }
    g_autoptr(GArray) remotes = db_remote_vifaces(p->db, p->self->name);
    g_autoptr(GPtrArray) pnodes = db_pnodes(p->db);
    g_autoptr(GArray) bridges = bridges_make(p->self->name, vnodes, remotes, pnodes);
    g_strfreev(p->carriers);
    p->carriers = tunnels_devices(bridges, p->underlay.interface);
    vswitch_want(p->vswitch, bridges);
    poll_wake_now();
}

/* Tunnels are there once the switch has settled, and before a vnode starts that uses them. */
static void set_carriers(struct pnode_daemon *p)
{
    g_autoptr(GError) error = NULL;
    if (p->carriers && !link_unmerge(p->links, (const char *const *)p->carriers, &error)) {
        log_warning("pnode", "cannot keep an interface from merging frames: bandwidths may be inexact", "error=\"%s\"",
                    error->message);
    }
}

/* What is wanted has ended. It is started again: at once the first time, then after pauses, when it does not last. */
static void restart(struct item *item)
{
    int64_t life = poll_now_ms() - item->started_at;
    item->restarts = item->started_at && life < SHORT_LIFE_MS ? item->restarts + 1 : 0;
    if (item->restarts < 2) {
        log_warning("pnode", "a vnode has ended by itself and is started again", "vnode=%s", item->vnode->name);
        item_set_state(item, VNODE_STATE_WAITING, NULL);
        return;
    }
    GError *error = NULL;
    fail(&error, DISTEM_ERROR_SYSTEM, 0, "its init has ended %u times within %d s of its start: is its memory large enough?",
         item->restarts, SHORT_LIFE_MS / 1000);
    item->failures = item->restarts - 2;
    item_fail(item, "a vnode does not stay up", error);
}

/* Notices inits that have ended. */
static void reap(struct pnode_daemon *p)
{
    struct epoll_event events[64];
    int n = epoll_wait(p->epoll_fd, events, G_N_ELEMENTS(events), 0);
    for (int i = 0; i < n; i++) {
        struct item *item = g_hash_table_lookup(p->items, GUINT_TO_POINTER(events[i].data.u32));
        if (!item || item->pidfd < 0) {
            continue;
        }
        item_unwatch(item);
        if (item->container == CONTAINER_STOPPING) {
            continue; /* As asked; the answer to the request is still to come. */
        }
        item_set_absent(p, item);
        if (item->vnode) {
            restart(item);
        }
    }
}

void converge_result(struct pnode_daemon *p, struct vnode_result *result)
{
    if (result->op == VNODE_OP_LIST) {
        daemon_set_trouble(p, TROUBLE_CONTAINERS, result->error ? result->error->message : NULL);
        if (result->error) {
            p->list_at = poll_now_ms() + LIST_PAUSE_MS;
        } else {
            share_adopt_containers(p, result->containers);
        }
        return;
    }
    struct item *item = g_hash_table_lookup(p->items, GUINT_TO_POINTER(result->vnode_id));
    g_return_if_fail(item);
    if (result->op == VNODE_OP_START) {
        if (result->error) {
            item_set_absent(p, item);
            item_fail(item, "cannot start a vnode", g_steal_pointer(&result->error));
        } else {
            item->started_at = poll_now_ms();
            item_set_running(p, item, result->pid);
            log_info("pnode", "vnode started", "vnode=%s pid=%d", item->vnode ? item->vnode->name : "-", (int)result->pid);
        }
    } else if (result->error) {
        item->container = item->pidfd >= 0 ? CONTAINER_RUNNING : CONTAINER_ABSENT;
        item_fail(item, "cannot stop a vnode", g_steal_pointer(&result->error));
    } else {
        item_set_absent(p, item);
        item->forgotten = item->forgetting;
        log_info("pnode", "vnode stopped", "id=%u", item->id);
    }
}

const char *converge_switch_error(const struct pnode_daemon *p)
{
    bool patient = poll_now_ms() - p->pushed_at < SWITCH_PATIENCE_MS;
    return patient ? NULL : vswitch_error(p->vswitch);
}

bool converge_is_done(const struct pnode_daemon *p)
{
    if (!p->loaded || !p->adopted || p->push_needed || p->settled_epoch != p->pushed_epoch) {
        return false;
    }
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, p->items);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct item *item = value;
        if (!item->vnode || item->state != VNODE_STATE_RUNNING) {
            return false;
        }
    }
    return true;
}

void converge_run(struct pnode_daemon *p)
{
    reap(p);
    if (p->list_at && poll_now_ms() >= p->list_at) {
        p->list_at = 0;
        vnode_runner_list(p->runner);
    }
    if (!p->loaded || !p->adopted) {
        return;
    }
    if (p->settled_epoch != p->pushed_epoch && (vswitch_is_settled(p->vswitch) || converge_switch_error(p))) {
        p->settled_epoch = p->pushed_epoch;
        set_carriers(p);
    }
    int64_t start = g_get_monotonic_time() / 1000;
    bool slice_left = true;
    g_autoptr(GArray) removable = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, p->items);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct item *item = value;
        if (item->vnode) {
            step_wanted(p, item, slice_left);
        } else {
            step_unwanted(p, item, removable);
        }
        slice_left = g_get_monotonic_time() / 1000 - start < SLICE_MS;
    }
    if (!slice_left) {
        poll_wake_now();
    }
    remove_networks(p, removable);
    push_ports(p);
}

void converge_wait(struct pnode_daemon *p)
{
    poll_wait_fd(p->epoll_fd, POLLIN);
    const int64_t times[] = {p->list_at, p->reload_at};
    for (unsigned i = 0; i < G_N_ELEMENTS(times); i++) {
        if (times[i] > poll_now_ms()) {
            poll_wait_until(times[i]);
        }
    }
    if (p->list_at && p->list_at <= poll_now_ms()) {
        poll_wake_now();
    }
    if (vswitch_error(p->vswitch)) {
        int64_t end = p->pushed_at + SWITCH_PATIENCE_MS;
        if (end > poll_now_ms()) {
            poll_wait_until(end);
        }
    }
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, p->items);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct item *item = value;
        if (item->retry_at > poll_now_ms()) {
            poll_wait_until(item->retry_at);
        }
    }
}
