/* SPDX-License-Identifier: Apache-2.0 */
/* Mixing of bits that gives the same on every machine. */
#ifndef DISTEM_PLAN_HASH_H
#define DISTEM_PLAN_HASH_H 1

#include <stdint.h>

/* Returns a number in which each bit of 'x' matters for each bit (the finalizer of SplitMix64). */
static inline uint64_t hash_64(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* Returns a number for 'text' (FNV-1a, then mixed). */
static inline uint64_t hash_text(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++) {
        hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    }
    return hash_64(hash);
}

#endif
