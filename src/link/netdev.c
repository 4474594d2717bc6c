/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "netdev.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <string.h>

#include <netlink/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>

bool netdev_parse(struct nlmsghdr *header, struct netdev *ret)
{
    struct nlattr *attributes[IFLA_MAX + 1];
    const struct ifinfomsg *info = nlmsg_data(header);
    if (header->nlmsg_type != RTM_NEWLINK || nlmsg_parse(header, sizeof *info, attributes, IFLA_MAX, NULL) < 0 ||
        !attributes[IFLA_IFNAME]) {
        return false;
    }
    struct netdev netdev = {.ifindex = info->ifi_index, .flags = info->ifi_flags};
    const struct {
        int type;
        void *to;
        size_t size;
    } numbers[] = {
        {IFLA_LINK, &netdev.peer, sizeof netdev.peer},
        {IFLA_MTU, &netdev.mtu, sizeof netdev.mtu},
        {IFLA_TXQLEN, &netdev.queue_length, sizeof netdev.queue_length},
        {IFLA_GROUP, &netdev.group, sizeof netdev.group},
        {IFLA_ADDRESS, netdev.mac.bytes, sizeof netdev.mac.bytes},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++) {
        struct nlattr *attribute = attributes[numbers[i].type];
        if (attribute && (size_t)nla_len(attribute) == numbers[i].size) {
            memcpy(numbers[i].to, nla_data(attribute), numbers[i].size);
        }
    }
    g_strlcpy(netdev.name, nla_get_string(attributes[IFLA_IFNAME]), sizeof netdev.name);
    if (attributes[IFLA_IFALIAS]) {
        nla_strlcpy(netdev.alias, attributes[IFLA_IFALIAS], sizeof netdev.alias);
    }
    struct nlattr *details[IFLA_INFO_MAX + 1] = {0};
    if (attributes[IFLA_LINKINFO] && nla_parse_nested(details, IFLA_INFO_MAX, attributes[IFLA_LINKINFO], NULL) == 0 &&
        details[IFLA_INFO_KIND]) {
        nla_strlcpy(netdev.kind, details[IFLA_INFO_KIND], sizeof netdev.kind);
    }
    *ret = netdev;
    return true;
}

static void mark(struct rtnl *rtnl, const char *name, const char *alias)
{
    const struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
    struct nl_msg *message = rtnl_message(RTM_NEWLINK, 0, &header, sizeof header, 64 + NETDEV_ALIAS_SIZE);
    rtnl_put_string(message, IFLA_IFNAME, name);
    rtnl_put_string(message, IFLA_IFALIAS, alias);
    rtnl_queue(rtnl, message, NULL, "marking %s", name);
}

/* Queues the making of 'link', which is freed, and in the same system call the setting of its alias: the kernel takes groups, but
 * no alias when it makes a device, and nobody can kill the process in between. */
static void make(struct rtnl *rtnl, struct rtnl_link *link, const struct netdev_plan *plan, const char *module, const char *what)
{
    struct nl_msg *message;
    rtnl_link_set_name(link, plan->name);
    rtnl_link_set_group(link, plan->group);
    rtnl_link_set_mtu(link, plan->mtu);
    rtnl_link_set_txqlen(link, NETDEV_QUEUE_LENGTH);
    /* One queue: else the kernel makes one for each processor, for thousands of devices. */
    rtnl_link_set_num_tx_queues(link, 1);
    rtnl_link_set_num_rx_queues(link, 1);
    int err = rtnl_link_build_add_request(link, NLM_F_CREATE | NLM_F_EXCL, &message);
    if (err < 0) {
        g_error("a request for a network device cannot be built: %s", nl_geterror(err));
    }
    const struct rtnl_options options = {.module = module};
    rtnl_queue(rtnl, message, &options, "making %s for %s", plan->name, what);

    mark(rtnl, plan->name, plan->alias);
}

void netdev_make_veth(struct rtnl *rtnl, const struct netdev_plan *plan, const char *what)
{
    struct rtnl_link *link = rtnl_link_veth_alloc();
    struct rtnl_link *peer = link ? rtnl_link_veth_get_peer(link) : NULL;
    if (!peer) {
        g_error("out of memory for a network device");
    }
    rtnl_link_set_name(peer, plan->peer_name);
    rtnl_link_set_mtu(peer, plan->mtu);
    rtnl_link_set_txqlen(peer, NETDEV_QUEUE_LENGTH);
    rtnl_link_set_num_tx_queues(peer, 1);
    rtnl_link_set_num_rx_queues(peer, 1);
    rtnl_link_set_ns_fd(peer, plan->peer_netns);
    if (plan->peer_mac) {
        struct nl_addr *mac = nl_addr_build(AF_LLC, (void *)plan->peer_mac->bytes, sizeof plan->peer_mac->bytes);
        rtnl_link_set_addr(peer, mac);
        nl_addr_put(mac);
    }
    make(rtnl, link, plan, "veth", what);
    rtnl_link_put(peer);
    rtnl_link_veth_release(link);
}

static void put_end(struct nl_msg *message, const char *name, const struct netdev_plan *plan)
{
    rtnl_put_string(message, IFLA_IFNAME, name);
    rtnl_put_u32(message, IFLA_GROUP, plan->group);
    rtnl_put_u32(message, IFLA_MTU, plan->mtu);
    rtnl_put_u32(message, IFLA_TXQLEN, NETDEV_QUEUE_LENGTH);
    rtnl_put_u32(message, IFLA_NUM_TX_QUEUES, 1);
    rtnl_put_u32(message, IFLA_NUM_RX_QUEUES, 1);
}

void netdev_make_pair(struct rtnl *rtnl, const struct netdev_plan *plan, const char *what)
{
    const struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
    const struct rtnl_options options = {.module = "veth"};
    /* By hand: libnl gives no group to the other end. */
    struct nl_msg *message = rtnl_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header, 512);
    put_end(message, plan->name, plan);
    struct nlattr *info = rtnl_nest(message, IFLA_LINKINFO);
    rtnl_put_string(message, IFLA_INFO_KIND, "veth");
    struct nlattr *data = rtnl_nest(message, IFLA_INFO_DATA), *peer = rtnl_nest(message, VETH_INFO_PEER);
    nlmsg_append(message, (void *)&header, sizeof header, NLA_ALIGNTO);
    put_end(message, plan->peer_name, plan);
    nla_nest_end(message, peer);
    nla_nest_end(message, data);
    nla_nest_end(message, info);
    rtnl_queue(rtnl, message, &options, "making %s for %s", plan->name, what);
    mark(rtnl, plan->name, plan->alias);
    mark(rtnl, plan->peer_name, plan->alias);
}

void netdev_make_ifb(struct rtnl *rtnl, const struct netdev_plan *plan, const char *what)
{
    struct rtnl_link *link = rtnl_link_alloc();
    if (!link || rtnl_link_set_type(link, "ifb") < 0) {
        g_error("out of memory for a network device");
    }
    make(rtnl, link, plan, "ifb", what);
    rtnl_link_put(link);
}

void netdev_adjust(struct rtnl *rtnl, const struct netdev *found, const struct netdev_plan *plan, const char *what)
{
    struct ifinfomsg header = {.ifi_family = AF_UNSPEC, .ifi_index = found->ifindex};
    bool alias = strcmp(found->alias, plan->alias) != 0, mtu = found->mtu != plan->mtu;
    bool queue = found->queue_length != NETDEV_QUEUE_LENGTH, down = !(found->flags & IFF_UP);
    if (!alias && !mtu && !queue && !down && found->group == plan->group) {
        return;
    }
    header.ifi_flags = header.ifi_change = down ? IFF_UP : 0;
    struct nl_msg *message = rtnl_message(RTM_NEWLINK, 0, &header, sizeof header, 64 + NETDEV_ALIAS_SIZE);
    rtnl_put_string(message, IFLA_IFALIAS, plan->alias);
    rtnl_put_u32(message, IFLA_MTU, plan->mtu);
    rtnl_put_u32(message, IFLA_TXQLEN, NETDEV_QUEUE_LENGTH);
    rtnl_put_u32(message, IFLA_GROUP, plan->group);
    rtnl_queue(rtnl, message, NULL, "configuring %s for %s", plan->name, what);
}

void netdev_delete(struct rtnl *rtnl, int ifindex, const char *name)
{
    const struct ifinfomsg header = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
    const struct rtnl_options options = {.tolerated = ENODEV};
    rtnl_queue(rtnl, rtnl_message(RTM_DELLINK, 0, &header, sizeof header, 0), &options, "removing %s", name);
}

void netdev_regroup(struct rtnl *rtnl, int ifindex, uint32_t group, const char *name)
{
    const struct ifinfomsg header = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
    const struct rtnl_options options = {.tolerated = ENODEV};
    struct nl_msg *message = rtnl_message(RTM_NEWLINK, 0, &header, sizeof header, 16);
    rtnl_put_u32(message, IFLA_GROUP, group);
    rtnl_queue(rtnl, message, &options, "preparing the removal of %s", name);
}

void netdev_delete_group(struct rtnl *rtnl, uint32_t group)
{
    const struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
    const struct rtnl_options options = {.tolerated = ENODEV};
    struct nl_msg *message = rtnl_message(RTM_DELLINK, 0, &header, sizeof header, 16);
    rtnl_put_u32(message, IFLA_GROUP, group);
    rtnl_queue(rtnl, message, &options, "removing devices");
}
