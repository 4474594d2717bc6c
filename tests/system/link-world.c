/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "link-world.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <glib/gstdio.h>

bool world_isolate(void)
{
    return unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 && mount("", "/", "none", MS_PRIVATE | MS_REC, NULL) == 0 &&
           mount("", "/run", "tmpfs", 0, NULL) == 0;
}

bool world_has_netem(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) missing = link_missing_features(&error);
    g_assert_no_error(error);
    for (unsigned i = 0; i < missing->len; i++) {
        if (strstr(missing->pdata[i], "sch_netem")) {
            return false;
        }
    }
    return true;
}

static struct vnode *add_vnode(struct world *world, const char *name, uint32_t id)
{
    struct vnode *vnode = platform_add_vnode(world->platform, name);
    vnode->id = id;
    vnode->routes = g_array_new(FALSE, TRUE, sizeof(struct route));
    return vnode;
}

static void add_viface(struct vnode *vnode, const char *name, uint32_t id, struct vnetwork *net, unsigned host)
{
    struct viface *viface = vnode_add_viface(vnode, name, net);
    viface->id = id;
    viface->ipv4 = prefix_host(&net->ipv4, host);
    viface->ipv6 = prefix_host(&net->ipv6, host);
    viface->mac = (struct mac_addr){{2, 0, 0, 0, (uint8_t)(id >> 8), (uint8_t)id}};
}

static struct vnetwork *add_vnetwork(struct world *world, const char *name, const char *ipv4, const char *ipv6)
{
    struct vnetwork *net = platform_add_vnetwork(world->platform, name);
    g_assert_true(prefix_parse(ipv4, &net->ipv4, NULL));
    g_assert_true(prefix_parse(ipv6, &net->ipv6, NULL));
    return net;
}

static void add_routes(struct vnode *vnode, const struct vnetwork *to, const struct viface *via)
{
    struct route routes[] = {{.to = to->ipv4, .via = via->ipv4}, {.to = to->ipv6, .via = via->ipv6}};
    g_array_append_vals(vnode->routes, routes, G_N_ELEMENTS(routes));
}

struct world *world_new(void)
{
    g_autoptr(GError) error = NULL;
    struct world *world = g_new0(struct world, 1);
    world->platform = platform_new("world");
    struct vnetwork *net1 = add_vnetwork(world, "net1", "10.1.0.0/24", "fd01::/64");
    struct vnetwork *net2 = add_vnetwork(world, "net2", "10.2.0.0/24", "fd02::/64");
    world->n1 = add_vnode(world, "n1", 1);
    world->n2 = add_vnode(world, "n2", 2);
    world->n3 = add_vnode(world, "n3", 3);
    add_viface(world->n1, "if0", 11, net1, 0);
    add_viface(world->n2, "if0", 12, net1, 1);
    add_viface(world->n2, "if1", 13, net2, 0);
    add_viface(world->n3, "if0", 14, net2, 1);
    add_routes(world->n1, net2, vnode_viface(world->n2, 0));
    add_routes(world->n3, net1, vnode_viface(world->n2, 1));
    world->n2->forwards = true;
    world->run_dir = g_strdup("/run/distem-test");
    g_assert_cmpint(g_mkdir(world->run_dir, 0755), ==, 0);
    world->manager = link_manager_new(world->run_dir, &error);
    g_assert_no_error(error);
    return world;
}

static void remove_bridge(const char *name)
{
    struct ifreq request = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    g_strlcpy(request.ifr_name, name, sizeof request.ifr_name);
    (void)ioctl(fd, SIOCSIFFLAGS, &request);
    (void)ioctl(fd, SIOCBRDELBR, name);
    close(fd);
}

void world_free(struct world *world)
{
    g_autoptr(GError) error = NULL;
    remove_bridge("bridge1");
    remove_bridge("bridge2");
    for (unsigned id = 1; id <= WORLD_VNODES; id++) {
        link_remove_vnode(world->manager, id, &error);
        g_assert_no_error(error);
        link_remove_vnode(world->manager, id, &error);
        g_assert_no_error(error);
    }
    g_autoptr(GPtrArray) left = link_list(world->manager, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(left->len, ==, 0);
    g_autofree char *picture = world_picture(world, false);
    g_assert_cmpstr(picture, ==, "");
    link_manager_free(world->manager);
    platform_free(world->platform);
    g_assert_cmpint(g_rmdir(world->run_dir), ==, 0);
    g_free(world->run_dir);
    g_free(world);
}

void world_apply_vnode(struct world *world, const struct vnode *vnode)
{
    g_autoptr(GError) error = NULL;
    bool ok = link_apply_vnode(world->manager, vnode, WORLD_MTU, false, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
}

void world_apply(struct world *world)
{
    for (unsigned i = 0; i < world->platform->vnodes->len; i++) {
        world_apply_vnode(world, platform_vnode(world->platform, i));
    }
}

static void join_bridge(int fd, const char *bridge, uint32_t viface_id)
{
    struct ifreq request = {0};
    char name[16];
    link_veth_name(viface_id, name);
    g_strlcpy(request.ifr_name, bridge, sizeof request.ifr_name);
    request.ifr_ifindex = (int)if_nametoindex(name);
    if (request.ifr_ifindex) {
        (void)ioctl(fd, SIOCBRADDIF, &request);
    }
}

void world_connect(struct world *world)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (unsigned i = 1; i <= 2; i++) {
        g_autofree char *bridge = g_strdup_printf("bridge%u", i);
        struct ifreq request = {0};
        (void)ioctl(fd, SIOCBRADDBR, bridge);
        for (unsigned v = 0; v < world->platform->vnodes->len; v++) {
            const struct vnode *vnode = platform_vnode(world->platform, v);
            for (unsigned n = 0; n < vnode->vifaces->len; n++) {
                if (vnode_viface(vnode, n)->vnetwork == platform_vnetwork(world->platform, i - 1)) {
                    join_bridge(fd, bridge, vnode_viface(vnode, n)->id);
                }
            }
        }
        g_strlcpy(request.ifr_name, bridge, sizeof request.ifr_name);
        request.ifr_flags = IFF_UP;
        g_assert_cmpint(ioctl(fd, SIOCSIFFLAGS, &request), ==, 0);
    }
    close(fd);
}

int world_socket(struct world *world, const struct vnode *vnode, int family, uint16_t port)
{
    g_autofree char *path = link_netns_path(world->manager, vnode->id);
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), netns = open(path, O_RDONLY | O_CLOEXEC);
    g_assert_cmpint(setns(netns, CLONE_NEWNET), ==, 0);
    int fd = socket(family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 64 << 20;
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size), ==, 0);
    g_assert_cmpint(setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size), ==, 0);
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    g_assert_cmpint(family == 4 ? bind(fd, (struct sockaddr *)&v4, sizeof v4) : bind(fd, (struct sockaddr *)&v6, sizeof v6), ==, 0);
    g_assert_cmpint(setns(home, CLONE_NEWNET), ==, 0);
    close(netns);
    close(home);
    return fd;
}

void world_send(int socket, const struct ip_addr *to, uint16_t port, uint32_t number, size_t size)
{
    uint8_t data[65536] = {0};
    g_assert_cmpuint(size, <=, sizeof data);
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    memcpy(&v4.sin_addr, to->bytes, sizeof v4.sin_addr);
    memcpy(&v6.sin6_addr, to->bytes, sizeof v6.sin6_addr);
    memcpy(data, &number, sizeof number);
    ssize_t sent = to->family == 4 ? sendto(socket, data, size, 0, (struct sockaddr *)&v4, sizeof v4)
                                   : sendto(socket, data, size, 0, (struct sockaddr *)&v6, sizeof v6);
    g_assert_cmpint(sent, ==, (ssize_t)size);
}

bool world_receive(int socket, int timeout_ms, uint32_t *ret)
{
    struct pollfd event = {.fd = socket, .events = POLLIN};
    uint8_t data[65536];
    if (poll(&event, 1, timeout_ms) <= 0) {
        return false;
    }
    g_assert_cmpint(recv(socket, data, sizeof data, 0), >=, (ssize_t)sizeof *ret);
    memcpy(ret, data, sizeof *ret);
    return true;
}

int64_t world_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int64_t world_flight(int from, int to, const struct ip_addr *addr, uint16_t port)
{
    static uint32_t number;
    uint32_t got;
    int64_t start = world_now();
    world_send(from, addr, port, ++number, 64);
    g_assert_true(world_receive(to, 10000, &got));
    g_assert_cmpuint(got, ==, number);
    return world_now() - start;
}
