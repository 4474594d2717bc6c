/* SPDX-License-Identifier: Apache-2.0 */
/* One direction of a viface as a file gives it: some properties, merged over others. */
#ifndef TOPOLOGY_IMPAIRMENT_H
#define TOPOLOGY_IMPAIRMENT_H 1

#include "distem/platform.h"
#include "reader.h"

struct direction {
    struct impairment value;
    uint64_t given; /* Bit i: field i of impairment_fields was given. */
};

/* The keys of one direction; the target is a struct direction. */
extern const struct field impairment_fields[];

/* Puts what 'over' gives over 'base'. What is set to 0 takes along the properties of 'base' that depend on it: "jitter": "0s" in a
 * vnode also ends a template's distribution. */
void direction_overlay(struct direction *base, const struct direction *over);

/* Adds the properties that contradict each other, and what the kernel cannot do, as problems that begin with 'prefix'. 'frame' is
 * the largest frame in bytes. */
void impairment_check(struct reader *, const struct impairment *, unsigned frame, const char *prefix);

/* Returns a sentence when a frame of 'frame' bytes would take too long at the bandwidth, else NULL. The caller frees it. */
char *impairment_slowness(const struct impairment *, unsigned frame);

/* Returns the largest frame, in bytes with its Ethernet header, of a vnetwork with that MTU (0: the usual one). */
unsigned impairment_frame_size(unsigned mtu);

#endif
