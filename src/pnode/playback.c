/* SPDX-License-Identifier: Apache-2.0 */
/* What the player is told of this machine's share, see player.h. */
#include <config.h>

#include "distem/log.h"
#include "item.h"

#define DEFAULT_MTU 1500

void playback_prepare(struct pnode_daemon *p, const struct item *item)
{
    if (p->player) {
        player_prepare(p->player, p->wanted, item->vnode);
    }
}

void playback_play(struct pnode_daemon *p, const struct item *item)
{
    if (p->player) {
        player_play(p->player, p->links, p->wanted, item->vnode, DEFAULT_MTU);
    }
}

void playback_leave(struct pnode_daemon *p, uint32_t id)
{
    if (p->player) {
        (void)player_leave(p->player, id);
    }
}

/* Makes the player once there is something to play. */
static void find_player(struct pnode_daemon *p)
{
    g_autoptr(GError) error = NULL;
    if (!p->player && p->wanted && p->wanted->playbacks->len) {
        p->player = player_new(&error);
        daemon_set_trouble(p, TROUBLE_PLAYBACK, p->player ? NULL : error->message);
    }
}

/* Tells the player all that is complete on this machine. What is not yet goes on as it was until its turn comes. */
static void play_all(struct pnode_daemon *p)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, p->items);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct item *item = value;
        if (item->vnode && item->network_done && !g_strcmp0(item->network_done, item->network_wanted)) {
            playback_play(p, item);
        }
    }
}

void playback_run(struct pnode_daemon *p)
{
    int64_t start = db_playback_start(p->db);
    if (!p->player) {
        return;
    }
    if (start != p->play_start) {
        log_info("pnode", "traces start", "at=%" G_GINT64_FORMAT ".%09d", start / 1000000000, (int)(start % 1000000000));
    }
    if (p->play_again || start != p->play_start) {
        player_set_start(p->player, start);
        p->play_start = start;
    }
    if (p->play_again) {
        play_all(p);
        p->play_again = false;
    }
    g_autofree char *error = player_error(p->player);
    daemon_set_trouble(p, TROUBLE_PLAYBACK, error);
}

void playback_begin(struct pnode_daemon *p)
{
    find_player(p);
    if (p->player) {
        player_set_start(p->player, db_playback_start(p->db));
    }
}
