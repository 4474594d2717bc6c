/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets in other network namespaces, and addresses for them. */
#ifndef DISTEM_PROBE_SOCKET_H
#define DISTEM_PROBE_SOCKET_H 1

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <glib.h>

#include "distem/ip.h"

/* An address of either family as the kernel wants it. */
struct endpoint {
    struct sockaddr_storage storage;
    socklen_t length;
};

/* Returns 'address' with 'port' (host byte order). */
struct endpoint endpoint_of(const struct ip_addr *address, uint16_t port);
/* Returns where 'fd' is bound to (port included). */
struct endpoint endpoint_local(int fd);
/* Returns its port. */
uint16_t endpoint_port(const struct endpoint *);
/* Says whether the addresses and ports are the same. */
bool endpoint_equal(const struct endpoint *, const struct endpoint *);

/* Opens a socket (close-on-exec, not blocking) in the namespace at 'netns', which is that of 'name', of the family of 'address',
 * and binds it to 'address' and any port. The process is back in its own namespace afterwards. Returns it, or -1 with an error. */
int socket_open(const char *netns, const char *name, const struct ip_addr *address, int type, int protocol,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Fails for the connection, or the packet, from 'name' to 'address' that gave 'errnum'. Always returns false. */
bool socket_fail(GError **error, int errnum, const char *name, const struct ip_addr *address);

/* Takes the errors that ICMP reported off the error queue of 'fd' and returns the last one's errno, 0 when there was none. */
int socket_take_errors(int fd);

#endif
