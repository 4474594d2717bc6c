/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel has of a world, in words. */
#include <config.h>

#include <linux/if_addr.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

#include "link-world.h"
#include "src/link/netdev.h"
#include "src/link/netns.h"
#include "src/link/rate.h"
#include "src/link/redirect.h"
#include "src/link/rtnl.h"

/* The devices of one namespace: ifindex -> struct netdev. */
static GHashTable *list_netdevs(struct rtnl *rtnl)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) answers = rtnl_dump(rtnl, RTM_GETLINK, &error);
    g_assert_no_error(error);
    GHashTable *netdevs = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    for (unsigned i = 0; i < answers->len; i++) {
        struct netdev netdev;
        g_assert_true(netdev_parse(answers->pdata[i], &netdev));
        g_hash_table_insert(netdevs, GINT_TO_POINTER(netdev.ifindex), g_memdup2(&netdev, sizeof netdev));
    }
    return netdevs;
}

static const char *name_of(GHashTable *netdevs, int ifindex)
{
    const struct netdev *netdev = g_hash_table_lookup(netdevs, GINT_TO_POINTER(ifindex));
    return netdev ? netdev->name : "nothing";
}

static void add_hex(GString *line, const struct nlattr *attribute)
{
    const uint8_t *bytes = nla_data(attribute);
    for (int i = 0; i < nla_len(attribute); i++) {
        g_string_append_printf(line, "%02x", bytes[i]);
    }
}

/* Adds a line for the qdisc at 'parent', if there is one. */
static void add_qdisc(GPtrArray *lines, const struct netdev *netdev, const char *place, const struct qdisc *qdisc)
{
    if (qdisc->handle) {
        GString *line = g_string_new(NULL);
        g_string_append_printf(line, "qdisc %s %s %x: %s ", netdev->name, place, qdisc->handle >> 16, qdisc->kind);
        add_hex(line, qdisc->options);
        if (qdisc->stab) {
            g_string_append(line, " stab ");
            add_hex(line, qdisc->stab);
        }
        g_ptr_array_add(lines, g_string_free(line, FALSE));
    }
}

/* ... for the bandwidth at 'parent', if there is one. */
static void add_rate(GPtrArray *lines, const struct netdev *netdev, const char *place, const struct rate *rate)
{
    if (!strcmp(rate->htb.kind, "htb")) {
        GString *line = g_string_new(NULL);
        g_string_append_printf(line, "rate %s %s ", netdev->name, place);
        g_string_append(line, " class ");
        add_hex(line, rate->class);
        g_ptr_array_add(lines, g_string_free(line, FALSE));
        add_qdisc(lines, netdev, "10:1", &rate->queue);
    }
}

static const char *const rules[RULES] = {
    [RULE_INPUT] = "input", [RULE_OUTPUT] = "redirect", [RULE_MARKED] = "marked", [RULE_MARK] = "mark"};

static void add_host_device(GPtrArray *lines, struct rtnl *rtnl, GHashTable *netdevs, const struct netdev *netdev, bool identity)
{
    struct qdisc root = {0};
    struct rate below = {0}, alone = {0};
    struct redirect redirect;
    qdisc_read(rtnl, netdev->ifindex, TC_H_ROOT, &root);
    rate_read(rtnl, netdev->ifindex, TC_H_MAKE(1 << 16, 1), &below);
    rate_read(rtnl, netdev->ifindex, TC_H_ROOT, &alone);
    redirect_read(rtnl, netdev->ifindex, &redirect);
    g_assert_true(rtnl_flush(rtnl, NULL));
    g_ptr_array_add(lines,
                    g_strdup_printf("host %s %d up=%d mtu=%u queue=%u group=%u %s", netdev->name, identity ? netdev->ifindex : 0,
                                    netdev->flags & IFF_UP, netdev->mtu, netdev->queue_length, netdev->group, netdev->alias));
    add_qdisc(lines, netdev, "root", &root);
    add_rate(lines, netdev, "1:1", &below);
    add_rate(lines, netdev, "root", &alone);
    for (enum rule rule = 0; rule < RULES; rule++) {
        if (redirect.rules[rule].to) {
            g_ptr_array_add(lines,
                            g_strdup_printf("%s %s to %s", rules[rule], netdev->name, name_of(netdevs, redirect.rules[rule].to)));
        }
    }
    if (redirect.there) {
        g_ptr_array_add(lines, g_strdup_printf("clsact at %s", netdev->name));
    }
    qdisc_clear(&root);
    rate_clear(&below);
    rate_clear(&alone);
}

static void add_host(GPtrArray *lines, bool identity)
{
    AUTO_RTNL rtnl = rtnl_open(NULL);
    g_autoptr(GHashTable) netdevs = list_netdevs(rtnl);
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, netdevs);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct netdev *netdev = value;
        if (strcmp(netdev->name, "lo") != 0 && !g_str_has_prefix(netdev->name, "bridge")) {
            add_host_device(lines, rtnl, netdevs, netdev, identity);
        }
    }
}

/* Adds a line for each answer to a dump for which 'describe' has words. */
static void add_dump(GPtrArray *lines, struct rtnl *rtnl, int type, uint32_t vnode, GHashTable *netdevs,
                     char *(*describe)(struct nlmsghdr *, GHashTable *netdevs))
{
    g_autoptr(GPtrArray) answers = rtnl_dump(rtnl, type, NULL);
    g_assert_nonnull(answers);
    for (unsigned i = 0; i < answers->len; i++) {
        g_autofree char *words = describe(answers->pdata[i], netdevs);
        if (words) {
            g_ptr_array_add(lines, g_strdup_printf("%u %s", vnode, words));
        }
    }
}

/* The kernel settles its own addresses and routes a moment later, so what may still be under way is left out. */
static char *describe_address(struct nlmsghdr *header, GHashTable *netdevs)
{
    const struct ifaddrmsg *info = nlmsg_data(header);
    GString *line = g_string_new(NULL);
    g_string_append_printf(line, "address %s /%u flags %x ", name_of(netdevs, (int)info->ifa_index), info->ifa_prefixlen,
                           info->ifa_flags & ~(unsigned)IFA_F_TENTATIVE);
    add_hex(line, nlmsg_find_attr(header, sizeof *info, IFA_ADDRESS));
    return g_string_free(line, FALSE);
}

static char *describe_route(struct nlmsghdr *header, GHashTable *netdevs)
{
    const struct rtmsg *info = nlmsg_data(header);
    if (info->rtm_table == RT_TABLE_LOCAL) {
        return NULL;
    }
    struct nlattr *to = nlmsg_find_attr(header, sizeof *info, RTA_DST), *via = nlmsg_find_attr(header, sizeof *info, RTA_GATEWAY);
    struct nlattr *device = nlmsg_find_attr(header, sizeof *info, RTA_OIF);
    GString *line = g_string_new(NULL);
    g_string_append_printf(line, "route table %u proto %u %s ", info->rtm_table, info->rtm_protocol,
                           device ? name_of(netdevs, (int)nla_get_u32(device)) : "");
    if (to) {
        add_hex(line, to);
    }
    g_string_append_printf(line, "/%u via ", info->rtm_dst_len);
    if (via) {
        add_hex(line, via);
    }
    return g_string_free(line, FALSE);
}

static void add_sysctl(GPtrArray *lines, uint32_t vnode, const char *name)
{
    g_autofree char *path = g_strdup_printf("/proc/sys/net/%s", name), *text = NULL;
    if (g_file_get_contents(path, &text, NULL, NULL)) {
        g_ptr_array_add(lines, g_strdup_printf("%u %s=%s", vnode, name, g_strchomp(text)));
    }
}

static void add_vnode(GPtrArray *lines, struct world *world, uint32_t id, bool identity)
{
    g_autofree char *path = link_netns_path(world->manager, id);
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        return;
    }
    int netns = netns_open(path, NULL), home = netns_enter(netns, NULL);
    g_assert_cmpint(home, >=, 0);
    AUTO_RTNL rtnl = rtnl_open(NULL);
    add_sysctl(lines, id, "ipv4/ip_forward");
    add_sysctl(lines, id, "ipv6/conf/all/forwarding");
    netns_leave(home);
    close(netns);
    g_autoptr(GHashTable) netdevs = list_netdevs(rtnl);
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, netdevs);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct netdev *netdev = value;
        char mac[MAC_TEXT_SIZE];
        g_ptr_array_add(lines, g_strdup_printf("%u %s %d up=%d mtu=%u %s", id, netdev->name, identity ? netdev->ifindex : 0,
                                               netdev->flags & IFF_UP, netdev->mtu, mac_format(&netdev->mac, mac)));
    }
    add_dump(lines, rtnl, RTM_GETADDR, id, netdevs, describe_address);
    add_dump(lines, rtnl, RTM_GETROUTE, id, netdevs, describe_route);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char *world_picture(struct world *world, bool identity)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    add_host(lines, identity);
    for (unsigned id = 1; id <= WORLD_VNODES; id++) {
        add_vnode(lines, world, id, identity);
    }
    g_ptr_array_sort(lines, compare_lines);
    GString *text = g_string_new(NULL);
    for (unsigned i = 0; i < lines->len; i++) {
        g_string_append_printf(text, "%s\n", (char *)lines->pdata[i]);
    }
    return g_string_free(text, FALSE);
}
