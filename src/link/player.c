/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of values while traces are played: one message each for the class of a bandwidth, for netem, for a pause. */
#include <config.h>

#include <linux/pkt_sched.h>

#include "distem/link.h"

#include "manager.h"
#include "rate.h"

struct link_player {
    struct rtnl *rtnl;
};

struct link_player *link_player_new(GError **error)
{
    struct rtnl *rtnl = rtnl_open(error);
    if (!rtnl) {
        return NULL;
    }
    struct link_player *player = g_new(struct link_player, 1);
    player->rtnl = rtnl;
    return player;
}

void link_player_free(struct link_player *player)
{
    if (player) {
        rtnl_close(player->rtnl);
        g_free(player);
    }
}

bool link_find_direction(struct link_manager *manager, const struct viface *viface, bool output, uint16_t default_mtu,
                         struct link_direction *ret)
{
    char veth[16], ifb[16], queue[16], end[16];
    link_veth_name(viface->id, veth);
    link_ifb_name(viface->id, ifb);
    if (output) {
        link_output_queue_names(viface->id, queue, end);
    } else {
        link_input_queue_name(viface->id, queue);
    }
    if (!devices_refresh(manager->devices, manager->host, NULL)) {
        return false;
    }
    const struct device *netem = devices_find(manager->devices, output ? ifb : veth);
    const struct device *first = devices_find(manager->devices, queue);
    if (!netem) {
        return false;
    }
    ret->netem = netem->netdev.ifindex;
    ret->queue = first ? first->netdev.ifindex : ret->netem;
    ret->mtu = viface->vnetwork->mtu ? viface->vnetwork->mtu : default_mtu;
    return true;
}

void link_play(struct link_player *player, const struct link_direction *direction, const struct impairment *impairment,
               unsigned changes, const char *what, bool *failed)
{
    static const struct qdisc unread = {0};
    bool rate = changes & LINK_CHANGES_BANDWIDTH && impairment_takes_own_time(impairment); /* netem has it, too. */
    rtnl_note_failures(player->rtnl, failed);
    if (changes & LINK_CHANGES_PAUSE && impairment->now.paused) {
        rate_pause(player->rtnl, direction->queue, true, what);
    }
    if (changes & LINK_CHANGES_BANDWIDTH) {
        rate_write_class(player->rtnl, direction->queue, impairment, direction->mtu, what);
    }
    if (changes & LINK_CHANGES_NETEM || rate) {
        qdisc_write(player->rtnl, direction->netem, TC_H_ROOT, &unread, &qdisc_netem_values, impairment, direction->mtu, what);
    }
    if (changes & LINK_CHANGES_PAUSE && !impairment->now.paused) {
        rate_pause(player->rtnl, direction->queue, false, what);
    }
}

bool link_player_flush(struct link_player *player, GError **error)
{
    return rtnl_flush(player->rtnl, error);
}
