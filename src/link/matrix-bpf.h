/* SPDX-License-Identifier: Apache-2.0 */
/* What the program of the latency matrix, which runs in the kernel, shares with what fills its maps. */
#ifndef LINK_MATRIX_BPF_H
#define LINK_MATRIX_BPF_H 1

#include <linux/types.h>

/* An IPv4 address is one of IPv6, ::ffff:a.b.c.d. */
struct matrix_address {
    __u8 bytes[16];
};

/* A source, by its address. */
struct matrix_source {
    __u64 identity; /* Of the vnode. */
    __s64 ahead;    /* ns that frames which it sends from that address come early. */
    __u32 group;    /* From 0. */
    __u32 vnetwork; /* Of the address; 0: nothing is left out there. */
};

/* A destination: an address of the vnode behind a device. */
struct matrix_destination {
    __u32 ifindex;
    struct matrix_address address;
};

/* ... and what is known of it. */
struct matrix_target {
    __u64 identity; /* Of the vnode. */
    __u32 column;
};

/* What happens between two groups. The cell of a source and a destination is number column * groups + source's group. */
struct matrix_figures {
    __u64 latency;   /* ns */
    __u64 bandwidth; /* bit/s; 0: not limited. */
    __u64 loss;      /* Of 2^32. */
};

/* A source and a destination that share a bandwidth and a seed's losses with nobody. */
struct matrix_pair {
    __u64 source, target; /* Their identities. */
};

/* A viface of this machine as a sender, on a vnetwork. */
struct matrix_neighbour {
    __u8 mac[6];
    __u8 unused[2];
    __u32 vnetwork;
};

/* A viface of this machine as a receiver, by the ifindex of its device. */
struct matrix_receiver {
    __s64 ahead; /* ns that frames come early. */
    __s64 base;  /* ns that those from other machines take on their way. */
    __u32 vnetwork;
    __u32 unused;
};

#define MATRIX_WIRE 24           /* Bytes that a wire carries of a frame besides those that the kernel sees. */
#define MATRIX_WAIT 200000000ull /* ns; a frame that would wait longer for its bandwidth ... */
#define MATRIX_WAIT_FRAMES 10    /* ... and behind more than so many of its size, is dropped. */
#define MATRIX_MARK 0xd1000000u  /* On frames on their way, with the ifindex, which fits, in the rest. */
#define MATRIX_INDEX_MASK 0xffffffu
#define MATRIX_STEP 0x9e3779b97f4a7c15ull /* Odd, and without a pattern: 2^64 by the golden ratio. */

/* Scatters all bits of a number, each other number to another one: the finalizer of SplitMix64. */
static inline __u64 matrix_mix(__u64 number)
{
    number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9ull;
    number = (number ^ number >> 27) * 0x94d049bb133111ebull;
    return number ^ number >> 31;
}

/* Returns what tells a vnode from others by its first address, the same on all machines and in all runs. */
static inline __u64 matrix_identity(const struct matrix_address *first)
{
    __u64 identity = 0;
    for (unsigned int i = 0; i < sizeof first->bytes; i++) {
        identity = matrix_mix(identity + MATRIX_STEP + first->bytes[i]);
    }
    return identity;
}

/* Returns what decides on frame 'number' of a pair, from 0: it is lost when this is less than matrix_figures.loss. */
static inline __u32 matrix_draw(__u32 seed, const struct matrix_pair *pair, __u64 number)
{
    __u64 begin = matrix_mix(matrix_mix(matrix_mix(seed) ^ pair->source) + pair->target);
    return matrix_mix(begin + number * MATRIX_STEP) >> 32;
}

#endif
