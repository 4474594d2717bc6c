/* SPDX-License-Identifier: Apache-2.0 */
/* A small world for the tests of src/link: the program moves into a network and mount namespace of its own, which stands for the
 * host and takes everything along when it ends; in there are three vnodes and two bridges.
 *
 *      n1:if0 --- net1 (10.1.0.0/24, fd01::/64) --- if0:n2:if1 --- net2 (10.2.0.0/24, fd02::/64) --- n3:if0
 *       .1                                           .2    .1                                        .2
 */
#ifndef LINK_WORLD_H
#define LINK_WORLD_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "distem/link.h"

#define WORLD_MTU 1500
#define WORLD_VNODES 3

struct world {
    char *run_dir;
    struct link_manager *manager;
    struct platform *platform;
    struct vnode *n1, *n2, *n3;
};

/* Moves the process into namespaces of its own, with an empty /run; false where that is not allowed. */
bool world_isolate(void);
/* Says whether this kernel has netem. */
bool world_has_netem(void);

struct world *world_new(void);
/* Removes all vnodes and checks that nothing is left. */
void world_free(struct world *);

/* Apply; a failure ends the test. */
void world_apply_vnode(struct world *, const struct vnode *);
void world_apply(struct world *);
/* Makes the two bridges and joins the vifaces to them, again after vifaces were made anew. */
void world_connect(struct world *);

/* Returns in words all that matters of what the kernel has of this world: devices, addresses, routes, qdiscs, redirections,
 * forwarding; no counters. With 'identity' also what tells a thing from an equal one made later: ifindexes. The caller frees it. */
char *world_picture(struct world *, bool identity);

/* Returns a UDP socket in 'vnode's namespace, bound to 'port' of all addresses ('family' 4 or 6). */
int world_socket(struct world *, const struct vnode *, int family, uint16_t port);
/* Sends 'size' bytes that start with 'number' to 'port' of the address. */
void world_send(int socket, const struct ip_addr *to, uint16_t port, uint32_t number, size_t size);
/* Waits up to 'timeout_ms' for a datagram and returns its number in '*ret'; false when none comes. */
bool world_receive(int socket, int timeout_ms, uint32_t *ret);
/* Returns how many ns a datagram takes from the first socket to the second; ends the test if it gets lost. */
int64_t world_flight(int from, int to, const struct ip_addr *addr, uint16_t port);
/* ns since some moment. */
int64_t world_now(void);

#endif
