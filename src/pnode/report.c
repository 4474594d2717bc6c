/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <inttypes.h>

#include "distem/log.h"
#include "distem/poll.h"
#include "item.h"

/* A database that refuses what it is told, because its disk is full, say, is not asked again at once. */
#define PAUSE_MS 1000

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

static void register_done(void *aux, const GError *error)
{
    struct pnode_daemon *p = aux;
    p->registering = false;
    p->introduced = true;
    if (error) {
        log_warning("pnode", "cannot write this machine's row", "error=\"%s\"", error->message);
        p->report_at = poll_now_ms() + PAUSE_MS;
        p->unregistered = true;
    }
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

void report_register(struct pnode_daemon *p)
{
    p->registering = true;
    p->unregistered = false;
    if (p->introduced) {
        db_report_pnode(p->db, p->self, register_done, p);
    } else {
        db_introduce_pnode(p->db, p->self, register_done, p);
    }
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

void report_run(struct pnode_daemon *p)
{
    if (!p->loaded || poll_now_ms() < p->report_at) {
        return;
    }
    if (!p->reporting) {
        report_vnodes(p);
    }
    /* The generation comes after the states that it stands for. */
    const char *trouble = daemon_trouble(p);
    const char *error = trouble ? trouble : converge_switch_error(p);
    bool done = converge_is_done(p) && vswitch_is_settled(p->vswitch) && !p->reporting && !error;
    bool news = done && p->self->generation != p->generation;
    uint32_t leaving = count_leaving(p);
    if (!p->registering && (news || p->unregistered || g_strcmp0(error, p->self->error) || leaving != p->self->leaving)) {
        p->self->leaving = leaving;
        g_free(p->self->error);
        p->self->error = g_strdup(error);
        if (news) {
            p->self->generation = p->generation;
            log_info("pnode", "generation realised", "generation=%" PRIu64, p->generation);
        }
        report_register(p);
    }
}
