/* SPDX-License-Identifier: Apache-2.0 */
/* When the machine is looked after; what was found goes out with the next heartbeat. */
#include <config.h>

#include "distem/error.h"
#include "distem/log.h"
#include "distem/poll.h"
#include "item.h"

#define OBSERVE_MS 5000
#define TIMER_NS INT64_C(50000000) /* A hundred of them in that time. */

/* What link_read_drops() tells about. */
struct drops_look {
    struct pnode_daemon *p;
    GHashTable *vifaces; /* Id -> struct watched, of vnodes that run. */
};
struct watched {
    const struct vnode *vnode;
    const struct viface *viface;
};

static void look_at_drops(uint32_t viface_id, bool output, uint64_t frames, void *aux)
{
    const struct drops_look *look = aux;
    const struct watched *watched = g_hash_table_lookup(look->vifaces, GUINT_TO_POINTER(viface_id));
    uint64_t key = (uint64_t)viface_id << 1 | output;
    if (!watched || impairment_loss(output ? &watched->viface->output : &watched->viface->input) > 0) {
        health_forget_drops(look->p->health, key);
        return;
    }
    g_autofree char *what =
        g_strdup_printf("%s of %s:%s", output ? "output" : "input", watched->vnode->name, watched->viface->name);
    health_drops(look->p->health, key, frames, what, look->p->self->heartbeat + 1);
}

/* Fills 'vifaces' with those of all vnodes that are wanted here. */
static void find_watched(const struct pnode_daemon *p, GHashTable *vifaces)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, p->items);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct vnode *vnode = ((const struct item *)value)->vnode;
        for (unsigned i = 0; vnode && i < vnode->vifaces->len; i++) {
            const struct watched watched = {vnode, vnode_viface(vnode, i)};
            g_hash_table_insert(vifaces, GUINT_TO_POINTER(watched.viface->id), g_memdup2(&watched, sizeof watched));
        }
    }
}

static void look_at_upcalls(struct pnode_daemon *p)
{
    uint64_t lost;
    g_autoptr(GError) error = NULL;
    if (link_read_lost_upcalls(&lost, &error)) {
        health_upcalls(p->health, lost, p->self->heartbeat + 1);
    } else {
        log_warning("pnode", "cannot look at what Open vSwitch drops", "error=\"%s\"", error->message);
    }
}

void observe_start(struct pnode_daemon *p)
{
    g_autoptr(GError) error = NULL;
    p->health = health_new("");
    p->lateness = lateness_new(TIMER_NS, &error);
    if (!p->lateness) {
        log_info("pnode", "late timers are not watched", "error=\"%s\"", error->message);
    }
}

void observe_end(struct pnode_daemon *p)
{
    lateness_free(p->lateness);
    health_free(p->health);
}

void observe_run(struct pnode_daemon *p)
{
    if (p->removed || poll_now_ms() < p->observe_at) {
        return;
    }
    bool any = g_hash_table_size(p->items), settled = any && p->loaded && converge_is_done(p) && vswitch_is_settled(p->vswitch);
    p->observe_at = poll_now_ms() + OBSERVE_MS;
    if (!any) {
        health_clear(p->health);
    }
    health_look(p->health, settled, p->self->heartbeat + 1);
    look_at_upcalls(p);
    if (p->lateness) {
        health_late_timers(p->health, lateness_take(p->lateness) + (p->player ? player_take_late(p->player) : 0),
                           p->self->heartbeat + 1);
    }
    if (settled) {
        g_autoptr(GHashTable) vifaces = g_hash_table_new_full(NULL, NULL, NULL, g_free);
        struct drops_look look = {p, vifaces};
        g_autoptr(GError) error = NULL;
        find_watched(p, vifaces);
        if (!link_read_drops(p->links, look_at_drops, &look, &error)) {
            log_warning("pnode", "cannot look at what qdiscs drop", "error=\"%s\"", error->message);
        }
    }
    health_tell(p->health, p->self->doubts);
}

void observe_wait(const struct pnode_daemon *p)
{
    if (!p->removed) {
        poll_wait_until(p->observe_at);
    }
}
