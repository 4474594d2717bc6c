/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "distem/error.h"

#include "ipconf.h"
#include "netns.h"
#include "sysctl.h"

/* Before any viface is there, since a device takes its figures from 'default'. */
static const struct {
    const char *name, *value;
} sysctls[] = {
    /* The way back may be another than the way there. */
    {"ipv4/conf/all/rp_filter", "0"},
    {"ipv4/conf/default/rp_filter", "0"},
    /* The routes are planned: a gateway that teaches shorter ones would change the experiment. */
    {"ipv4/conf/all/send_redirects", "0"},
    {"ipv4/conf/default/send_redirects", "0"},
    /* An experiment's own addresses outlive a planned one of the same prefix. */
    {"ipv4/conf/all/promote_secondaries", "1"},
    {"ipv4/conf/default/promote_secondaries", "1"},
    /* Whatever the machine does for itself. */
    {"ipv6/conf/all/disable_ipv6", "0"},
    {"ipv6/conf/default/disable_ipv6", "0"},
    /* Addresses are planned: none is looked for twice (which takes seconds), none is made up from what a router says. */
    {"ipv6/conf/all/accept_dad", "0"},
    {"ipv6/conf/default/accept_dad", "0"},
    {"ipv6/conf/all/accept_ra", "0"},
    {"ipv6/conf/default/accept_ra", "0"},
};

static bool write_sysctls(bool forwards, GError **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(sysctls); i++) {
        if (!sysctl_write(sysctls[i].name, sysctls[i].value, error)) {
            return false;
        }
    }
    const char *value = forwards ? "1" : "0";
    return sysctl_write("ipv4/ip_forward", value, error) && sysctl_write("ipv6/conf/all/forwarding", value, error);
}

bool guest_open(int fd, bool forwards, struct guest *ret, GError **error)
{
    *ret = (struct guest){.socket = -1};
    int home = netns_enter(fd, error);
    if (home < 0) {
        return false;
    }
    ret->rtnl = rtnl_open(error);
    bool ok = ret->rtnl != NULL;
    if (ok) {
        ret->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ok = ret->socket >= 0 || fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot open a socket in a network namespace");
    }
    ok = ok && write_sysctls(forwards, error);
    netns_leave(home);
    return ok;
}

void guest_clear(struct guest *guest)
{
    rtnl_close(guest->rtnl);
    if (guest->socket >= 0) {
        close(guest->socket);
    }
    if (guest->netdevs) {
        g_array_unref(guest->netdevs);
    }
    *guest = (struct guest){.socket = -1};
}

bool guest_list(struct guest *guest, GError **error)
{
    g_autoptr(GPtrArray) answers = rtnl_dump(guest->rtnl, RTM_GETLINK, error);
    if (!answers) {
        return false;
    }
    if (guest->netdevs) {
        g_array_unref(guest->netdevs);
    }
    guest->netdevs = g_array_new(FALSE, FALSE, sizeof(struct netdev));
    for (unsigned i = 0; i < answers->len; i++) {
        struct netdev netdev;
        if (netdev_parse(answers->pdata[i], &netdev)) {
            g_array_append_val(guest->netdevs, netdev);
        }
    }
    return true;
}

const struct netdev *guest_find(const struct guest *guest, const char *name)
{
    for (unsigned i = 0; i < guest->netdevs->len; i++) {
        const struct netdev *netdev = &g_array_index(guest->netdevs, struct netdev, i);
        if (!strcmp(netdev->name, name)) {
            return netdev;
        }
    }
    return NULL;
}

/* Queues what is wrong with the MAC and MTU of 'netdev' (NULL and 0: nothing), and brings it up. */
static void configure_netdev(struct guest *guest, const struct netdev *netdev, const struct mac_addr *mac, unsigned mtu,
                             const char *what)
{
    struct ifinfomsg header = {.ifi_family = AF_UNSPEC, .ifi_index = netdev->ifindex};
    bool mac_differs = mac && !mac_equal(mac, &netdev->mac), mtu_differs = mtu && netdev->mtu != mtu;
    bool down = !(netdev->flags & IFF_UP);
    if (!mac_differs && !mtu_differs && !down) {
        return;
    }
    header.ifi_flags = header.ifi_change = down ? IFF_UP : 0;
    struct nl_msg *message = rtnl_message(RTM_NEWLINK, 0, &header, sizeof header, 64);
    if (mac_differs) {
        rtnl_put(message, IFLA_ADDRESS, mac->bytes, sizeof mac->bytes);
    }
    if (mtu_differs) {
        rtnl_put_u32(message, IFLA_MTU, mtu);
    }
    rtnl_queue(guest->rtnl, message, NULL, "configuring %s", what);
}

bool guest_configure(struct guest *guest, const struct vnode *vnode, uint16_t default_mtu, GError **error)
{
    g_autoptr(GArray) ifindexes = g_array_new(FALSE, TRUE, sizeof(int));
    g_autofree char *lo = g_strdup_printf("lo of %s", vnode->name);
    configure_netdev(guest, guest_find(guest, "lo"), NULL, 0, lo);
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        const struct viface *viface = vnode_viface(vnode, i);
        g_autofree char *what = g_strdup_printf("%s:%s", vnode->name, viface->name);
        const struct netdev *netdev = guest_find(guest, viface->name);
        if (!netdev) {
            return fail(error, DISTEM_ERROR_SYSTEM, 0, "the interface of %s vanished while it was being configured", what);
        }
        g_array_append_val(ifindexes, netdev->ifindex);
        unsigned mtu = viface->vnetwork->mtu ? viface->vnetwork->mtu : default_mtu;
        configure_netdev(guest, netdev, mac_is_zero(&viface->mac) ? NULL : &viface->mac, mtu, what);
    }
    return ipconf_addresses(guest->rtnl, vnode, (const int *)ifindexes->data, error) && rtnl_flush(guest->rtnl, error) &&
           ipconf_routes(guest->rtnl, vnode, (const int *)ifindexes->data, error) && rtnl_flush(guest->rtnl, error);
}
