/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ipconf.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* Marks what distem put there among addresses and routes ("proto" in the words of ip(8)), so that an experiment may add its own.
 * The kernel knows it for addresses since 5.18. */
#define PROTOCOL 219

static unsigned address_size(const struct ip_addr *addr)
{
    return addr->family == 4 ? 4 : 16;
}

static unsigned char address_family(const struct ip_addr *addr)
{
    return addr->family == 4 ? AF_INET : AF_INET6;
}

/* Takes an address of 'family' (AF_) from an attribute; none where it is missing. */
static struct ip_addr take_address(const struct nlattr *attribute, unsigned char family)
{
    struct ip_addr addr = {.family = family == AF_INET ? 4 : 6};
    if (!attribute || nla_len(attribute) != (int)address_size(&addr)) {
        return (struct ip_addr){0};
    }
    memcpy(addr.bytes, nla_data(attribute), address_size(&addr));
    return addr;
}

/* Returns what stands for a thing in the sets of planned and found ones. */
static char *address_key(int ifindex, const struct ip_addr *addr, unsigned length)
{
    char text[IP_TEXT_SIZE];
    return g_strdup_printf("%d %s/%u", ifindex, ip_format(addr, text), length);
}

static char *route_key(int ifindex, const struct ip_prefix *to, const struct ip_addr *via)
{
    char to_text[PREFIX_TEXT_SIZE], via_text[IP_TEXT_SIZE];
    return g_strdup_printf("%d %s via %s", ifindex, prefix_format(to, to_text), ip_format(via, via_text));
}

static void put_address(struct nl_msg *message, const struct ip_addr *addr, unsigned length)
{
    rtnl_put(message, IFA_LOCAL, addr->bytes, address_size(addr));
    rtnl_put(message, IFA_ADDRESS, addr->bytes, address_size(addr));
    if (addr->family == 4 && length < 31) {
        struct ip_addr broadcast = *addr;
        for (unsigned bit = length; bit < 32; bit++) {
            broadcast.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
        }
        rtnl_put(message, IFA_BROADCAST, broadcast.bytes, address_size(addr));
    }
    rtnl_put_u8(message, IFA_PROTO, PROTOCOL);
}

/* Queues 'addr' for 'ifindex' unless it is in 'found'. */
static void add_address(struct rtnl *rtnl, GHashTable *found, int ifindex, const struct ip_addr *addr, unsigned length,
                        const char *what)
{
    g_autofree char *key = address_key(ifindex, addr, length);
    if (!addr->family || g_hash_table_contains(found, key)) {
        return;
    }
    const struct ifaddrmsg header = {.ifa_family = address_family(addr),
                                     .ifa_prefixlen = (unsigned char)length,
                                     .ifa_flags = addr->family == 6 ? IFA_F_NODAD : 0,
                                     .ifa_index = (unsigned)ifindex};
    char text[IP_TEXT_SIZE];
    struct nl_msg *message = rtnl_message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header, 128);
    put_address(message, addr, length);
    rtnl_queue(rtnl, message, NULL, "giving %s/%u to %s", ip_format(addr, text), length, what);
}

/* Returns the set key -> message of the addresses or routes (dump of 'type') that are ours, as 'key_of' tells. */
static GHashTable *list_ours(struct rtnl *rtnl, int type, char *(*key_of)(struct nlmsghdr *), GError **error)
{
    g_autoptr(GPtrArray) answers = rtnl_dump(rtnl, type, error);
    if (!answers) {
        return NULL;
    }
    GHashTable *found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (unsigned i = 0; i < answers->len; i++) {
        struct nlmsghdr *header = answers->pdata[i];
        char *key = key_of(header);
        if (key) {
            g_hash_table_replace(found, key, g_memdup2(header, header->nlmsg_len));
        }
    }
    return found;
}

/* Returns the key of an address that distem added, else NULL. */
static char *found_address_key(struct nlmsghdr *header)
{
    struct nlattr *attributes[IFA_MAX + 1];
    const struct ifaddrmsg *info = nlmsg_data(header);
    if (nlmsg_parse(header, sizeof *info, attributes, IFA_MAX, NULL) < 0 || !attributes[IFA_PROTO] ||
        nla_get_u8(attributes[IFA_PROTO]) != PROTOCOL) {
        return NULL;
    }
    struct ip_addr addr = take_address(attributes[attributes[IFA_LOCAL] ? IFA_LOCAL : IFA_ADDRESS], info->ifa_family);
    return address_key((int)info->ifa_index, &addr, info->ifa_prefixlen);
}

/* Queues the removal of all in 'found' that is not in 'planned': the kernel takes back what it told. */
static void remove_rest(struct rtnl *rtnl, GHashTable *found, GHashTable *planned, int type, size_t header_size, int gone,
                        const char *what)
{
    GHashTableIter iter;
    void *key, *value;
    const struct rtnl_options options = {.tolerated = gone};
    g_hash_table_iter_init(&iter, found);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        struct nlmsghdr *header = value;
        if (g_hash_table_contains(planned, key)) {
            continue;
        }
        struct nl_msg *message = rtnl_message(type, 0, nlmsg_data(header), header_size, header->nlmsg_len);
        struct nlattr *attribute;
        int rest;
        nlmsg_for_each_attr(attribute, header, (int)header_size, rest)
        {
            rtnl_put(message, nla_type(attribute), nla_data(attribute), (size_t)nla_len(attribute));
        }
        rtnl_queue(rtnl, message, &options, "removing %s %s", what, (char *)key);
    }
}

bool ipconf_addresses(struct rtnl *rtnl, const struct vnode *vnode, const int *ifindexes, GError **error)
{
    g_autoptr(GHashTable) found = list_ours(rtnl, RTM_GETADDR, found_address_key, error);
    if (!found) {
        return false;
    }
    g_autoptr(GHashTable) planned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        const struct viface *viface = vnode_viface(vnode, i);
        g_hash_table_add(planned, address_key(ifindexes[i], &viface->ipv4, viface->vnetwork->ipv4.length));
        g_hash_table_add(planned, address_key(ifindexes[i], &viface->ipv6, viface->vnetwork->ipv6.length));
    }
    /* First, so that a new address of the same prefix does not become a secondary one. */
    remove_rest(rtnl, found, planned, RTM_DELADDR, sizeof(struct ifaddrmsg), EADDRNOTAVAIL, "the address");
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        const struct viface *viface = vnode_viface(vnode, i);
        g_autofree char *what = g_strdup_printf("%s:%s", vnode->name, viface->name);
        add_address(rtnl, found, ifindexes[i], &viface->ipv4, viface->vnetwork->ipv4.length, what);
        add_address(rtnl, found, ifindexes[i], &viface->ipv6, viface->vnetwork->ipv6.length, what);
    }
    return true;
}

/* Returns the key of a route that distem added, else NULL. */
static char *found_route_key(struct nlmsghdr *header)
{
    struct nlattr *attributes[RTA_MAX + 1];
    const struct rtmsg *info = nlmsg_data(header);
    if (nlmsg_parse(header, sizeof *info, attributes, RTA_MAX, NULL) < 0 || info->rtm_protocol != PROTOCOL ||
        info->rtm_table != RT_TABLE_MAIN) {
        return NULL;
    }
    struct ip_prefix to = {take_address(attributes[RTA_DST], info->rtm_family), info->rtm_dst_len};
    if (!attributes[RTA_DST]) {
        to.addr.family = info->rtm_family == AF_INET ? 4 : 6;
    }
    struct ip_addr via = take_address(attributes[RTA_GATEWAY], info->rtm_family);
    int ifindex = attributes[RTA_OIF] ? (int)nla_get_u32(attributes[RTA_OIF]) : 0;
    return route_key(ifindex, &to, &via);
}

/* Queues 'route', in place of one to the same prefix. */
static void add_route(struct rtnl *rtnl, int ifindex, const struct route *route, const char *vnode)
{
    const struct rtmsg header = {.rtm_family = address_family(&route->to.addr),
                                 .rtm_dst_len = route->to.length,
                                 .rtm_table = RT_TABLE_MAIN,
                                 .rtm_protocol = PROTOCOL,
                                 .rtm_scope = route->via.family ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
                                 .rtm_type = RTN_UNICAST};
    char to[PREFIX_TEXT_SIZE], via[IP_TEXT_SIZE];
    struct nl_msg *message = rtnl_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header, 128);
    if (route->to.length) {
        rtnl_put(message, RTA_DST, route->to.addr.bytes, address_size(&route->to.addr));
    }
    if (route->via.family) {
        rtnl_put(message, RTA_GATEWAY, route->via.bytes, address_size(&route->via));
    }
    rtnl_put_u32(message, RTA_OIF, (uint32_t)ifindex);
    rtnl_queue(rtnl, message, NULL, "setting the route of %s to %s via %s", vnode, prefix_format(&route->to, to),
               ip_format(&route->via, via));
}

bool ipconf_routes(struct rtnl *rtnl, const struct vnode *vnode, const int *ifindexes, GError **error)
{
    g_autoptr(GHashTable) found = list_ours(rtnl, RTM_GETROUTE, found_route_key, error);
    if (!found) {
        return false;
    }
    g_autoptr(GHashTable) planned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (unsigned i = 0; vnode->routes && i < vnode->routes->len; i++) {
        const struct route *route = &g_array_index(vnode->routes, struct route, i);
        char *key = route_key(ifindexes[route->viface], &route->to, &route->via);
        if (!g_hash_table_contains(found, key)) {
            add_route(rtnl, ifindexes[route->viface], route, vnode->name);
        }
        g_hash_table_add(planned, key);
    }
    /* Last, so that what is replaced is never missing; by now it is gone. */
    remove_rest(rtnl, found, planned, RTM_DELROUTE, sizeof(struct rtmsg), ESRCH, "the route");
    return true;
}
