/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "underlay.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "distem/error.h"
#include "distem/pnode-daemon.h"

/* Returns the address in 'address' (NULL: none); family 0 when it is neither IPv4 nor IPv6. */
static struct ip_addr to_ip(const struct sockaddr *address)
{
    struct ip_addr ip = {0};
    if (address && address->sa_family == AF_INET) {
        ip.family = 4;
        memcpy(ip.bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    } else if (address && address->sa_family == AF_INET6) {
        ip.family = 6;
        memcpy(ip.bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
    }
    return ip;
}

/* Says whether other machines can reach an address that an interface has. */
static bool is_global(const struct ip_addr *ip)
{
    static const struct ip_addr loopback6 = {.family = 6, .bytes[15] = 1};
    if (ip->family == 4) {
        return ip->bytes[0] != 127 && !(ip->bytes[0] == 169 && ip->bytes[1] == 254);
    }
    return ip->family == 6 && !(ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80) && !ip_equal(ip, &loopback6);
}

static void take_address(struct underlay *underlay, const struct ip_addr *ip)
{
    struct ip_addr *to = ip->family == 4 ? &underlay->ipv4 : &underlay->ipv6;
    if (is_global(ip) && !to->family) {
        *to = *ip;
    }
}

static bool read_mtu(struct underlay *underlay, GError **error)
{
    struct ifreq request = {0};
    g_strlcpy(request.ifr_name, underlay->interface, sizeof request.ifr_name);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && ioctl(fd, SIOCGIFMTU, &request) == 0;
    int errnum = errno;
    if (fd >= 0) {
        close(fd);
    }
    underlay->mtu = (uint16_t)CLAMP(request.ifr_mtu, 0, UINT16_MAX);
    return ok || fail(error, DISTEM_ERROR_SYSTEM, errnum, "cannot read the MTU of %s", underlay->interface);
}

bool underlay_find(const char *name_or_address, struct underlay *ret, GError **error)
{
    struct underlay underlay = {0};
    struct ip_addr wanted = {0};
    struct ifaddrs *list;
    if (getifaddrs(&list) < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot list this machine's addresses");
    }
    bool by_address = ip_addr_parse(name_or_address, &wanted, NULL);
    for (const struct ifaddrs *at = list; at && !*underlay.interface; at = at->ifa_next) {
        struct ip_addr ip = to_ip(at->ifa_addr);
        if (by_address ? ip_equal(&ip, &wanted) : !strcmp(at->ifa_name, name_or_address)) {
            g_strlcpy(underlay.interface, at->ifa_name, sizeof underlay.interface);
            underlay.interface[strcspn(underlay.interface, ":")] = '\0'; /* A label, "eth0:1". */
        }
    }
    take_address(&underlay, &wanted);
    for (const struct ifaddrs *at = list; at; at = at->ifa_next) {
        struct ip_addr ip = to_ip(at->ifa_addr);
        if (ip.family && !strcmp(at->ifa_name, underlay.interface)) {
            take_address(&underlay, &ip);
        }
    }
    freeifaddrs(list);
    if (!*underlay.interface) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "the underlay %s: this machine has no such %s", name_or_address,
                    by_address ? "address" : "interface");
    }
    if (!underlay.ipv4.family && !underlay.ipv6.family) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "the underlay %s: no address that other machines could reach", name_or_address);
    }
    if (!read_mtu(&underlay, error)) {
        return false;
    }
    *ret = underlay;
    return true;
}

bool pnode_source_address(const char *host, struct ip_addr *ret_host, struct ip_addr *ret_source, GError **error)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *found;
    /* The port does not matter: nothing is sent. */
    int err = getaddrinfo(host, "9", &hints, &found);
    if (err) {
        return fail(error, DISTEM_ERROR_UNAVAILABLE, err == EAI_SYSTEM ? errno : 0, "cannot find the machine %s: %s", host,
                    gai_strerror(err));
    }
    bool ok = false;
    int errnum = 0;
    for (const struct addrinfo *at = found; at && !ok; at = at->ai_next) {
        struct sockaddr_storage source = {0};
        socklen_t size = sizeof source;
        int fd = socket(at->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ok = fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0 && getsockname(fd, (struct sockaddr *)&source, &size) == 0;
        errnum = errno;
        if (ok) {
            *ret_host = to_ip(at->ai_addr);
            *ret_source = to_ip((const struct sockaddr *)&source);
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    freeaddrinfo(found);
    return ok || fail(error, DISTEM_ERROR_UNAVAILABLE, errnum, "there is no way to the machine %s", host);
}
