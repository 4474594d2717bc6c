/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include <glib.h>

#include "distem/link.h"

int main(void)
{
    GError *error = NULL;
    if (unshare(CLONE_NEWNET | CLONE_NEWNS)) {
        return 77;
    }
    g_autoptr(GPtrArray) missing = link_missing_features(&error);
    g_assert_no_error(error);
    for (unsigned i = 0; i < missing->len; i++) {
        g_print("missing %s\n", (char *)missing->pdata[i]);
    }
    AUTO_PLATFORM p = platform_new("p");
    struct vnetwork *net = platform_add_vnetwork(p, "net1");
    g_assert_true(prefix_parse("10.1.0.0/24", &net->ipv4, NULL));
    g_assert_true(prefix_parse("fd01::/64", &net->ipv6, NULL));
    for (unsigned i = 1; i <= 2; i++) {
        struct vnode *n = platform_add_vnode(p, i == 1 ? "n1" : "n2");
        n->id = i;
        struct viface *v = vnode_add_viface(n, "if0", net);
        v->id = 10 + i;
        v->ipv4 = prefix_host(&net->ipv4, i - 1);
        v->ipv6 = prefix_host(&net->ipv6, i - 1);
        v->mac = (struct mac_addr){{2, 0, 0, 0, 0, (uint8_t)i}};
        v->input.bandwidth = 1000000;
        v->output.bandwidth = 2000000;
        if (!missing->len) {
            v->input.latency = 10000000;
        }
    }
    struct link_manager *m = link_manager_new("/run/tl", &error);
    g_assert_no_error(error);
    for (unsigned r = 0; r < 2; r++) {
        for (unsigned i = 0; i < 2; i++) {
            link_apply_vnode(m, platform_vnode(p, i), 1500, false, &error);
            g_assert_no_error(error);
        }
        system("ip -d addr; tc qdisc; tc filter show dev dv11 ingress; nsenter --net=/run/tl/netns/1 ip addr");
        system("nsenter --net=/run/tl/netns/1 ip route; nsenter --net=/run/tl/netns/1 ethtool -k if0 | grep ': on'");
    }
    for (unsigned i = 0; i < 2; i++) {
        link_remove_vnode(m, i + 1, &error);
        g_assert_no_error(error);
    }
    system("ip -d addr; tc qdisc; findmnt | grep /run; ls /run/tl");
    link_manager_free(m);
}
