/* SPDX-License-Identifier: Apache-2.0 */
/* A network device as route netlink tells of it, and the requests that make one. */
#ifndef LINK_NETDEV_H
#define LINK_NETDEV_H 1

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "distem/ip.h"

#include "rtnl.h"

#define NETDEV_ALIAS_SIZE 256 /* IFALIASZ of the kernel. */
#define NETDEV_QUEUE_LENGTH 1000

struct netdev {
    int ifindex;
    int peer; /* ifindex of a veth's other end, in that one's namespace; 0: none. */
    unsigned mtu, flags, queue_length;
    uint32_t group;
    struct mac_addr mac;
    char name[IFNAMSIZ];
    char kind[IFNAMSIZ];           /* "veth", "vxlan" ...; "" for what is hardware. */
    char alias[NETDEV_ALIAS_SIZE]; /* "" when there is none. */
};

/* Reads a RTM_NEWLINK message. False for one that is something else. */
bool netdev_parse(struct nlmsghdr *, struct netdev *ret);

/* What a host-side device shall be. */
struct netdev_plan {
    const char *name, *alias; /* The alias marks it. */
    uint32_t group;           /* So does the group, from the first moment. */
    unsigned mtu;
    const char *peer_name; /* Of a veth: the other end, made in namespace 'peer_netns'. */
    const struct mac_addr *peer_mac;
    int peer_netns;
};

/* Queue what makes a veth pair; one with both ends here, of the same plan but for the name; an IFB. All are down; alias and group
 * are set before anybody else can see them. */
void netdev_make_veth(struct rtnl *, const struct netdev_plan *, const char *what);
void netdev_make_pair(struct rtnl *, const struct netdev_plan *, const char *what);
void netdev_make_ifb(struct rtnl *, const struct netdev_plan *, const char *what);

/* Queues what makes 'found' as planned, and brings it up; nothing where it is. */
void netdev_adjust(struct rtnl *, const struct netdev *found, const struct netdev_plan *, const char *what);

/* Queues the removal of device 'ifindex', with its peer. No error when it is gone. */
void netdev_delete(struct rtnl *, int ifindex, const char *name);

/* Queue the move of device 'ifindex' to another group; the removal of a whole group at once, which may be empty. */
void netdev_regroup(struct rtnl *, int ifindex, uint32_t group, const char *name);
void netdev_delete_group(struct rtnl *, uint32_t group);

#endif
