/* SPDX-License-Identifier: Apache-2.0 */
/* What qdiscs have dropped, for the pnode's watch over itself. */
#include <config.h>

#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "manager.h"
#include "qdisc.h"

/* Of one device. */
struct dropped {
    bool has_netem;
    uint64_t netem, behind;
};

/* Returns the frames that the qdisc of 'attributes' has dropped. netem and HTB count what their children have dropped, too. */
static uint64_t dropped(struct nlattr *const *attributes)
{
    struct nlattr *stats = attributes[TCA_STATS2];
    struct nlattr *queue = stats ? nla_find(nla_data(stats), nla_len(stats), TCA_STATS_QUEUE) : NULL;
    struct gnet_stats_queue figures;
    if (!queue || nla_len(queue) < (int)sizeof figures) {
        return 0;
    }
    memcpy(&figures, nla_data(queue), sizeof figures);
    return figures.drops;
}

/* Enters a qdisc into 'devices', ifindex -> struct dropped. */
static void enter(GHashTable *devices, struct nlmsghdr *header)
{
    struct nlattr *attributes[TCA_MAX + 1];
    const struct tcmsg *tc = nlmsg_data(header);
    if (header->nlmsg_type != RTM_NEWQDISC || nlmsg_parse(header, sizeof *tc, attributes, TCA_MAX, NULL) < 0 ||
        !attributes[TCA_KIND]) {
        return;
    }
    const char *kind = nla_get_string(attributes[TCA_KIND]);
    bool is_netem = tc->tcm_handle == qdisc_netem.handle && !strcmp(kind, qdisc_netem.kind);
    if (!is_netem && (tc->tcm_handle != qdisc_htb.handle || strcmp(kind, qdisc_htb.kind) != 0)) {
        return;
    }
    struct dropped *device = g_hash_table_lookup(devices, GINT_TO_POINTER(tc->tcm_ifindex));
    if (!device) {
        device = g_new0(struct dropped, 1);
        g_hash_table_insert(devices, GINT_TO_POINTER(tc->tcm_ifindex), device);
    }
    device->has_netem |= is_netem;
    *(is_netem ? &device->netem : &device->behind) = dropped(attributes);
}

/* A call of link_read_drops(). */
struct telling {
    GHashTable *devices;
    link_dropped *each;
    void *aux;
};

static void tell(const struct device *device, void *aux)
{
    const struct telling *telling = aux;
    const struct dropped *found = g_hash_table_lookup(telling->devices, GINT_TO_POINTER(device->netdev.ifindex));
    if (found && found->has_netem) {
        telling->each(device->viface_id, device->kind == LINK_IFB, found->netem - MIN(found->netem, found->behind), telling->aux);
    }
}

bool link_read_drops(struct link_manager *manager, link_dropped *each, void *aux, GError **error)
{
    g_autoptr(GPtrArray) answers = rtnl_dump(manager->host, RTM_GETQDISC, error);
    if (!answers || !devices_refresh(manager->devices, manager->host, error)) {
        return false;
    }
    g_autoptr(GHashTable) devices = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    for (unsigned i = 0; i < answers->len; i++) {
        enter(devices, answers->pdata[i]);
    }
    struct telling telling = {devices, each, aux};
    devices_foreach(manager->devices, tell, &telling);
    return true;
}
