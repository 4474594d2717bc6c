/* SPDX-License-Identifier: Apache-2.0 */
/* Physical interfaces that carry VLANs. A switch takes everything that comes in on its ports: an interface that the machine itself
 * is reached by must not become one. */
#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vswitch-impl.h"

/* Returns the first address of 'interface' that others may use, as text to be freed, or NULL. */
static char *find_address(const char *interface)
{
    struct ifaddrs *list;
    char *found = NULL;
    if (getifaddrs(&list) < 0) {
        return NULL;
    }
    for (const struct ifaddrs *entry = list; entry && !found; entry = entry->ifa_next) {
        char text[INET6_ADDRSTRLEN];
        if (!entry->ifa_addr || strcmp(entry->ifa_name, interface) != 0) {
            continue;
        }
        if (entry->ifa_addr->sa_family == AF_INET) {
            const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)(const void *)entry->ifa_addr;
            found = g_strdup(inet_ntop(AF_INET, &ipv4->sin_addr, text, sizeof text));
        } else if (entry->ifa_addr->sa_family == AF_INET6) {
            const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)(const void *)entry->ifa_addr;
            found =
                IN6_IS_ADDR_LINKLOCAL(&ipv6->sin6_addr) ? NULL : g_strdup(inet_ntop(AF_INET6, &ipv6->sin6_addr, text, sizeof text));
        }
    }
    freeifaddrs(list);
    return found;
}

char *physical_take(const char *interface)
{
    if (!if_nametoindex(interface)) {
        return g_strdup_printf("there is no interface %s on this machine to carry VLANs", interface);
    }
    g_autofree char *address = find_address(interface);
    if (address) {
        return g_strdup_printf(
            "interface %s has the address %s, and would be cut off as a port of a switch: name an interface without "
            "addresses, or take them away",
            interface, address);
    }
    struct ifreq request = {0};
    g_strlcpy(request.ifr_name, interface, sizeof request.ifr_name);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool up = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0;
    if (up && !(request.ifr_flags & IFF_UP)) {
        request.ifr_flags |= IFF_UP;
        up = ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    }
    char *problem = up ? NULL : g_strdup_printf("interface %s cannot be set up: %s", interface, g_strerror(errno));
    if (fd >= 0) {
        close(fd);
    }
    return problem;
}
