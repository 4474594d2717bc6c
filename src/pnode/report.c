/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <inttypes.h>

#include "distem/error.h"
#include "distem/log.h"
#include "distem/poll.h"
#include "item.h"

/* A database that refuses what it is told, because its disk is full, say, is not asked again at once. */
#define PAUSE_MS 1000
/* Nor one that has another machine with our name. */
#define REFUSED_PAUSE_MS 30000
#define HEARTBEAT_MS 5000

static void report_done(void *aux, const GError *error)
{
    struct pnode_daemon *p = aux;
    p->reporting = false;
    if (error) {
        log_warning("pnode", "cannot report the vnodes' states", "error=\"%s\"", error->message);
        p->report_at = poll_now_ms() + PAUSE_MS;
        GHashTableIter iter;
        gpointer value;
        g_hash_table_iter_init(&iter, p->items);
        while (g_hash_table_iter_next(&iter, NULL, &value)) {
            ((struct item *)value)->unreported = true;
        }
    }
}

static void introduce_done(void *aux, const GError *error)
{
    struct pnode_daemon *p = aux;
    bool refused = error && error->code == DISTEM_ERROR_CONFLICT;
    if (refused && !p->refusal) {
        log_error("pnode", "this machine is not taken in", "error=\"%s\"", error->message);
    } else if (error && !refused) {
        log_warning("pnode", "cannot write this machine's row", "error=\"%s\"", error->message);
    }
    g_free(p->refusal);
    p->refusal = refused ? g_strdup(error->message) : NULL;
    p->registering = false;
    p->introduced = true;
    p->registered = !error;
    p->introduce_at = poll_now_ms() + (refused ? REFUSED_PAUSE_MS : PAUSE_MS);
    p->heartbeat_at = poll_now_ms() + HEARTBEAT_MS;
}

static void state_done(void *aux, const GError *error)
{
    struct pnode_daemon *p = aux;
    p->registering = false;
    if (!error) {
        return;
    }
    if (g_error_matches(error, DISTEM_ERROR, DISTEM_ERROR_NOT_FOUND)) {
        peers_set_removed(p);
        return;
    }
    log_warning("pnode", "cannot report how far this machine is", "error=\"%s\"", error->message);
    p->unregistered = true;
    p->report_at = poll_now_ms() + PAUSE_MS;
}

/* Reports the vnodes whose state has changed, all in one transaction. */
static void report_vnodes(struct pnode_daemon *p)
{
    g_autoptr(GPtrArray) changed = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, p->items);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct item *item = value;
        if (item->unreported && item->vnode) {
            struct vnode *vnode = g_new0(struct vnode, 1);
            *vnode = (struct vnode){.id = item->id, .state = item->state, .error = item->error, .pid = (int32_t)item->pid};
            g_ptr_array_add(changed, vnode);
        }
        item->unreported = false;
    }
    if (changed->len) {
        p->reporting = true;
        db_report_vnodes(p->db, changed, report_done, p);
    }
}

static void introduce(struct pnode_daemon *p)
{
    /* Whoever has been removed does not come back by himself: peers.c looks first. */
    bool allowed = !p->known || p->peers;
    if (!p->registered && !p->registering && allowed && poll_now_ms() >= p->introduce_at) {
        p->registering = true;
        db_introduce_pnode(p->db, p->self, introduce_done, p);
    }
}

/* Writes how far this machine is. Each time it counts as a heartbeat. */
static void report_state(struct pnode_daemon *p)
{
    p->registering = true;
    p->unregistered = false;
    p->self->heartbeat++;
    p->heartbeat_at = poll_now_ms() + HEARTBEAT_MS;
    vswitch_counters(p->vswitch, &p->self->transactions, &p->self->rules);
    db_report_pnode(p->db, p->self, state_done, p);
}

/* Returns how many items are still to go. */
static uint32_t count_leaving(const struct pnode_daemon *p)
{
    uint32_t count = 0;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, p->items);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        count += !((const struct item *)value)->vnode;
    }
    return count;
}

/* Notes in 'self' what there is to tell about the share. Returns whether that is news. */
static bool update_self(struct pnode_daemon *p)
{
    struct pnode *self = p->self;
    /* The generation comes after the states that it stands for. */
    const char *trouble = daemon_trouble(p);
    const char *error = trouble ? trouble : converge_switch_error(p);
    bool done = converge_is_done(p) && vswitch_is_settled(p->vswitch) && !p->reporting && !error;
    bool realised = done && self->generation != p->generation;
    uint32_t leaving = count_leaving(p);
    bool news = realised || g_strcmp0(error, self->error) || leaving != self->leaving;
    self->leaving = leaving;
    if (g_strcmp0(error, self->error)) {
        g_free(self->error);
        self->error = g_strdup(error);
    }
    if (realised) {
        uint64_t transactions, rules;
        vswitch_counters(p->vswitch, &transactions, &rules);
        self->generation = p->generation;
        log_info("pnode", "generation realised", "generation=%" PRIu64 " transactions=%" PRIu64 " rules=%" PRIu64, p->generation,
                 transactions, rules);
    }
    return news;
}

void report_run(struct pnode_daemon *p)
{
    if (p->removed) {
        return;
    }
    introduce(p);
    if (p->loaded && !p->reporting && poll_now_ms() >= p->report_at) {
        report_vnodes(p);
    }
    if (!p->registered || p->registering || poll_now_ms() < p->report_at) {
        return;
    }
    bool news = p->loaded && update_self(p);
    if (news || p->unregistered || poll_now_ms() >= p->heartbeat_at) {
        report_state(p);
    }
}

void report_wait(struct pnode_daemon *p)
{
    if (p->removed || p->registering) {
        return;
    }
    if (p->registered) {
        poll_wait_until(MAX(p->heartbeat_at, p->report_at));
    } else if (!p->known || p->peers) {
        poll_wait_until(p->introduce_at);
    }
    if (p->report_at > poll_now_ms()) {
        poll_wait_until(p->report_at);
    }
}
