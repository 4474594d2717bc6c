/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The program of the latency matrix: it runs in the kernel for each frame that is to enter a vnode, before all that shapes its
 * input, and for each that comes back from the device that delays. Compiled for BPF. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "matrix-bpf.h"

#define IPV4_SOURCE 12
#define IPV6_SOURCE 8

/* Where frames are delayed; set before loading. */
volatile const __u32 delay_ifindex = 0;
volatile const __u32 groups = 0;
volatile const __u32 seed = 0; /* 0: none; the verifier then leaves out what it is for. */

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, struct matrix_address);
    __type(value, struct matrix_source);
} sources SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, struct matrix_destination);
    __type(value, struct matrix_target);
} destinations SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct matrix_figures);
} cells SEC(".maps");

struct turn {
    struct bpf_spin_lock lock;
    __u64 next;   /* When the bandwidth is free again. */
    __u64 number; /* Of the next frame that a seed decides on. */
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH); /* Not LRU: that takes no locks. */
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, struct matrix_pair);
    __type(value, struct turn);
} turns SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, struct matrix_neighbour);
    __type(value, __s64);
} neighbours SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct matrix_receiver);
} receivers SEC(".maps");

/* Returns how much earlier than asked, in ns, a frame comes from its neighbour, which is 'source' (NULL: not known) if that is
 * elsewhere; less than 0: so much later. */
static __always_inline __s64 time_ahead(struct __sk_buff *skb, const struct matrix_source *source)
{
    struct matrix_neighbour neighbour = {};
    __u32 ifindex = skb->ifindex;
    const struct matrix_receiver *receiver = bpf_map_lookup_elem(&receivers, &ifindex);
    if (!receiver || bpf_skb_load_bytes(skb, ETH_ALEN, neighbour.mac, ETH_ALEN)) {
        return 0;
    }
    neighbour.vnetwork = receiver->vnetwork;
    const __s64 *ahead = bpf_map_lookup_elem(&neighbours, &neighbour);
    if (ahead) {
        return *ahead + receiver->ahead;
    }
    return source && source->vnetwork == receiver->vnetwork ? source->ahead + receiver->ahead - receiver->base : 0;
}

static __always_inline int read_addresses(struct __sk_buff *skb, struct matrix_address *source, struct matrix_address *destination)
{
    if (skb->protocol == bpf_htons(ETH_P_IP)) {
        source->bytes[10] = source->bytes[11] = destination->bytes[10] = destination->bytes[11] = 0xff;
        return bpf_skb_load_bytes(skb, ETH_HLEN + IPV4_SOURCE, source->bytes + 12, 4) ||
               bpf_skb_load_bytes(skb, ETH_HLEN + IPV4_SOURCE + 4, destination->bytes + 12, 4);
    }
    if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
        return bpf_skb_load_bytes(skb, ETH_HLEN + IPV6_SOURCE, source->bytes, 16) ||
               bpf_skb_load_bytes(skb, ETH_HLEN + IPV6_SOURCE + 16, destination->bytes, 16);
    }
    return -1;
}

/* Returns what is known of a pair, from its first frame on; NULL when there are too many. */
static __always_inline struct turn *find_turn(const struct matrix_pair *pair)
{
    struct turn *turn = bpf_map_lookup_elem(&turns, pair);
    if (!turn) {
        struct turn first = {};
        bpf_map_update_elem(&turns, pair, &first, BPF_NOEXIST);
        turn = bpf_map_lookup_elem(&turns, pair);
    }
    return turn;
}

static __always_inline int is_lost(const struct matrix_pair *pair, __u64 loss)
{
    struct turn *turn = seed ? find_turn(pair) : 0;
    if (!turn) {
        return bpf_get_prandom_u32() < loss;
    }
    bpf_spin_lock(&turn->lock);
    __u64 number = turn->number++;
    bpf_spin_unlock(&turn->lock);
    return matrix_draw(seed, pair, number) < loss;
}

/* Lets a frame that takes 'own' ns wait for its pair's bandwidth. Returns when it has passed, or 0 when too many wait already. */
static __always_inline __u64 take_turn(const struct matrix_pair *pair, __u64 own, __u64 now)
{
    __u64 passed = 0;
    struct turn *turn = find_turn(pair);
    if (!turn) {
        return now + own;
    }
    bpf_spin_lock(&turn->lock);
    __u64 start = turn->next > now ? turn->next : now;
    if (start - now <= MATRIX_WAIT || start - now <= MATRIX_WAIT_FRAMES * own) {
        turn->next = passed = start + own;
    }
    bpf_spin_unlock(&turn->lock);
    return passed;
}

/* What is known of a frame. */
struct way {
    const struct matrix_source *source; /* NULL: nothing. */
    const struct matrix_target *target;
    const struct matrix_figures *figures; /* NULL: nothing lies between the two. */
};

static __always_inline struct way find_way(struct __sk_buff *skb)
{
    struct way way = {};
    struct matrix_destination destination = {.ifindex = skb->ifindex};
    struct matrix_address address = {};
    if (read_addresses(skb, &address, &destination.address)) {
        return way;
    }
    way.target = bpf_map_lookup_elem(&destinations, &destination);
    way.source = bpf_map_lookup_elem(&sources, &address);
    if (way.target && way.source) {
        __u32 number = way.target->column * groups + way.source->group;
        way.figures = bpf_map_lookup_elem(&cells, &number);
    }
    return way;
}

SEC("tc")
int distem_matrix(struct __sk_buff *skb)
{
    /* It has been delayed. The mark stays, as an IFB may bring it here again; it is lost at the way into the vnode. */
    if (skb->mark == (MATRIX_MARK | skb->ifindex)) {
        bpf_skb_set_tstamp(skb, 0, BPF_SKB_TSTAMP_UNSPEC);
        return TC_ACT_UNSPEC;
    }
    struct way way = find_way(skb);
    struct matrix_pair pair = {};
    __u64 bandwidth = 0;
    __s64 delay = time_ahead(skb, way.source);
    if (way.figures) {
        pair = (struct matrix_pair){.source = way.source->identity, .target = way.target->identity};
        if (way.figures->loss && is_lost(&pair, way.figures->loss)) {
            return TC_ACT_SHOT;
        }
        bandwidth = way.figures->bandwidth;
        delay += way.figures->latency;
    }
    if (!bandwidth && delay <= 0) {
        return TC_ACT_UNSPEC;
    }
    __u64 leaves = bpf_ktime_get_ns();
    if (bandwidth) {
        leaves = take_turn(&pair, (__u64)(skb->len + MATRIX_WIRE) * 8 * 1000000000ull / bandwidth, leaves);
        if (!leaves) {
            return TC_ACT_SHOT;
        }
    }
    skb->mark = MATRIX_MARK | skb->ifindex;
    skb->priority = 0; /* fq lets those of the highest pass at once. */
    bpf_skb_set_tstamp(skb, leaves + (delay > 0 ? delay : 0), BPF_SKB_TSTAMP_DELIVERY_MONO);
    return bpf_redirect(delay_ifindex, 0);
}

SEC("tc")
int distem_return(struct __sk_buff *skb)
{
    return (skb->mark & ~MATRIX_INDEX_MASK) == MATRIX_MARK ? bpf_redirect(skb->mark & MATRIX_INDEX_MASK, 0) : TC_ACT_UNSPEC;
}

/* The kernel lends some of its helpers only to programs that the GPL goes with: hence the choice in the first line. */
char LICENSE[] SEC("license") = "GPL";
