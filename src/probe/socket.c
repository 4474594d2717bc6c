/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <linux/errqueue.h>

#include "distem/error.h"

struct endpoint endpoint_of(const struct ip_addr *address, uint16_t port)
{
    struct endpoint endpoint = {0};
    if (address->family == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)&endpoint.storage;
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        memcpy(&in->sin_addr, address->bytes, sizeof in->sin_addr);
        endpoint.length = sizeof *in;
    } else {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&endpoint.storage;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(port);
        memcpy(&in6->sin6_addr, address->bytes, sizeof in6->sin6_addr);
        endpoint.length = sizeof *in6;
    }
    return endpoint;
}

struct endpoint endpoint_local(int fd)
{
    struct endpoint endpoint = {.length = sizeof endpoint.storage};
    getsockname(fd, (struct sockaddr *)&endpoint.storage, &endpoint.length);
    return endpoint;
}

uint16_t endpoint_port(const struct endpoint *endpoint)
{
    const struct sockaddr_storage *storage = &endpoint->storage;
    return ntohs(storage->ss_family == AF_INET ? ((const struct sockaddr_in *)storage)->sin_port
                                               : ((const struct sockaddr_in6 *)storage)->sin6_port);
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    if (a->storage.ss_family != b->storage.ss_family) {
        return false;
    }
    if (a->storage.ss_family == AF_INET) {
        const struct sockaddr_in *x = (const struct sockaddr_in *)&a->storage, *y = (const struct sockaddr_in *)&b->storage;
        return x->sin_port == y->sin_port && x->sin_addr.s_addr == y->sin_addr.s_addr;
    }
    const struct sockaddr_in6 *x = (const struct sockaddr_in6 *)&a->storage, *y = (const struct sockaddr_in6 *)&b->storage;
    return x->sin6_port == y->sin6_port && !memcmp(&x->sin6_addr, &y->sin6_addr, sizeof x->sin6_addr);
}

/* Opens the file of a namespace, or returns -1 with an error. */
static int open_netns(const char *path, const char *name, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fail(error, errno == ENOENT ? DISTEM_ERROR_NOT_FOUND : DISTEM_ERROR_SYSTEM, errno,
             "cannot open the network namespace of %s, %s", name, path);
    }
    return fd;
}

/* Returns a socket made in the namespace 'netns_fd', or -1 with an error. */
static int socket_in(int netns_fd, const char *name, int family, int type, int protocol, GError **error)
{
    int home = open_netns("/proc/self/ns/net", "the prober", error);
    if (home < 0) {
        return -1;
    }
    int fd = -1;
    if (setns(netns_fd, CLONE_NEWNET)) {
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot enter the network namespace of %s", name);
    } else {
        fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
        if (fd < 0) {
            fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot open a socket in %s", name);
        }
        /* The way back was open a moment ago. Should it fail all the same, every socket still says where it is to be made. */
        if (setns(home, CLONE_NEWNET) && fd >= 0) {
            fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot leave the network namespace of %s", name);
            close(fd);
            fd = -1;
        }
    }
    close(home);
    return fd;
}

int socket_open(const char *netns, const char *name, const struct ip_addr *address, int type, int protocol, GError **error)
{
    int netns_fd = open_netns(netns, name, error);
    if (netns_fd < 0) {
        return -1;
    }
    int fd = socket_in(netns_fd, name, address->family == 4 ? AF_INET : AF_INET6, type, protocol, error);
    close(netns_fd);
    if (fd < 0) {
        return -1;
    }
    struct endpoint local = endpoint_of(address, 0);
    if (bind(fd, (struct sockaddr *)&local.storage, local.length)) {
        char text[IP_TEXT_SIZE];
        fail(error, DISTEM_ERROR_SYSTEM, errno, "%s cannot use the address %s", name, ip_format(address, text));
        close(fd);
        return -1;
    }
    return fd;
}

bool socket_fail(GError **error, int errnum, const char *name, const struct ip_addr *address)
{
    char text[IP_TEXT_SIZE];
    ip_format(address, text);
    const char *what = errnum == ENETUNREACH    ? "has no route to"
                       : errnum == EHOSTUNREACH ? "does not reach"
                       : errnum == ECONNREFUSED ? "is refused by"
                                                : "cannot send to";
    return fail(error, DISTEM_ERROR_SYSTEM, errnum, "%s %s %s", name, what, text);
}

int socket_take_errors(int fd)
{
    int last = 0;
    for (;;) {
        char control[512];
        struct msghdr message = {.msg_control = control, .msg_controllen = sizeof control};
        if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
            break;
        }
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
            if ((c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR) ||
                (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_RECVERR)) {
                struct sock_extended_err problem;
                memcpy(&problem, CMSG_DATA(c), sizeof problem);
                last = (int)problem.ee_errno;
            }
        }
    }
    int pending = 0;
    socklen_t length = sizeof pending;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &length);
    return last ? last : pending;
}
