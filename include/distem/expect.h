/* SPDX-License-Identifier: Apache-2.0 */
/* What a planned platform promises: the way between two vnodes, and the RTT, goodput and loss that follow. Pure. */
#ifndef DISTEM_EXPECT_H
#define DISTEM_EXPECT_H 1

#include "distem/error.h"
#include "distem/platform.h"

/* One viface direction that a packet passes. */
struct hop {
    const struct vnode *vnode;
    const struct viface *viface;
    bool output; /* Leaves the vnode (true) or enters it. */
};

/* The way from a vnode to an address: out of the source, in and out of each gateway, into the destination. */
struct path {
    GArray *hops; /* Of struct hop, borrowed from the platform. */
};

/* Looks routes up quickly in one planned platform, which it borrows. */
struct path_finder;
struct path_finder *path_finder_new(const struct platform *planned);
void path_finder_free(struct path_finder *);
const struct platform *path_finder_platform(const struct path_finder *);

/* Follows the routes (longest prefix first) from 'from' to 'to'. Returns false with DISTEM_ERROR_NOT_FOUND where a vnode has no
 * route or does not forward, and DISTEM_ERROR_INVALID for a loop, by name. On success the caller unrefs ret->hops. */
bool path_find(const struct path_finder *, const struct vnode *from, const struct ip_addr *to, struct path *ret, GError **error);

#define EXPECT_ECHO 24u /* Bytes of the echo, its ICMP header counted, that a round-trip time is measured with. */

/* What is expected between vnodes 'from' and 'to'. */
struct expectation {
    const struct vnode *from, *to;
    struct ip_addr from_address, to_address; /* The ones measured with: the first address of 'to' (IPv4 first) that has a way there
                                                and back, and that of the viface by which 'from' leaves for it. */
    int64_t rtt; /* ns: all latencies of the way there and of the way back, those of the matrix, too, and what expect_own_time()
                    says of an echo of EXPECT_ECHO bytes. */
    int64_t rtt_jitter; /* ns: the root of the sum of the squares of all jitters of both ways. */
    uint64_t bandwidth; /* bit/s: the least of the way there; 0: not limited. */
    double goodput;     /* bit/s of TCP payload: see expect_goodput(); 0: not limited. */
    uint32_t loss;      /* ppb, of a packet on the way there: 1 - product of (1 - p). */
    uint32_t loss_back;
    struct path there, back;
};

/* Works out 'ret'. Fails as path_find() does. The caller calls expectation_clear(). */
bool expect_pair(const struct path_finder *, const struct vnode *from, const struct vnode *to, struct expectation *ret,
                 GError **error);
/* The same for an address of 'to' that is given. */
bool expect_address(const struct path_finder *, const struct vnode *from, const struct vnode *to, const struct ip_addr *address,
                    struct expectation *ret, GError **error);
void expectation_clear(struct expectation *);

/* Returns the payload rate of a long TCP stream with timestamps through a direction with a bandwidth: bandwidth * (mtu - ip_header
 * - 32) / (what its framing counts of a full frame: mtu + 38 by default), ip_header 20 (IPv4) or 40 (IPv6). Loss is not in it, nor
 * that the acknowledgements need room on the way back (about a thirtieth of the goodput), nor a window too small for the RTT. */
double expect_goodput(const struct impairment *, unsigned mtu, int family);

/* Returns the ns that a frame of 'frame' bytes, its Ethernet header counted, takes for itself on the wire of a direction that is
 * idle: 0 where that is not emulated, for a bandwidth alone and where jitter lets frames overtake each other. */
int64_t expect_own_time(const struct impairment *, unsigned frame);

/* Returns how many of 'sent' frames, one after the other, the way there loses: at least and at most, but for one case in 10,000.
 * Losses that depend on each other (in bursts, for example) make that a wider range. Takes a time that grows with the product of
 * 'sent' and the most. */
void expect_losses(const struct expectation *, unsigned sent, unsigned *ret_least, unsigned *ret_most);

/* Splits 'expectations' (of struct expectation *) into rounds in which no two ways, there or back, share a viface direction, so
 * that a round's measurements do not disturb each other. Returns an array of arrays (GPtrArray of GPtrArray of borrowed pointers),
 * which the caller unrefs. The order is the same for the same input. */
GPtrArray *expect_rounds(const GPtrArray *expectations);

#endif
