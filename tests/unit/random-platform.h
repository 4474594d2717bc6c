/* SPDX-License-Identifier: Apache-2.0 */
/* Small random platforms. */
#ifndef DISTEM_TEST_RANDOM_PLATFORM_H
#define DISTEM_TEST_RANDOM_PLATFORM_H 1

#include "distem/platform.h"

enum random_flags {
    RANDOM_OVERLAPS = 1, /* Vnetworks whose prefixes overlap; IPv4 only. */
    RANDOM_VROUTES = 2,  /* Vroutes, which may contradict each other; and routing "none" now and then. */
    RANDOM_UNEQUAL = 4,  /* Latencies may be so unequal that a detour beats a direct delivery. */
};

/* Returns the same platform for the same 'seed' and 'flags'; the caller frees it. It has 2 to 10 vnetworks net0, net1 ..., hosts
 * with one viface, hosts with several that are no gateways, and gateways that say so or do not. */
struct platform *random_platform(uint32_t seed, unsigned flags);

#endif
