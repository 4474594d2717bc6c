/* SPDX-License-Identifier: Apache-2.0 */
/* Random platforms for tests: always valid, the same for the same options, and joined: the vnetworks form a tree of gateways. */
#ifndef GENERATE_PLATFORM_H
#define GENERATE_PLATFORM_H 1

#include "distem/platform.h"

enum families { FAMILIES_IPV4, FAMILIES_IPV6, FAMILIES_BOTH, FAMILIES_MIXED /* Each vnetwork has one of the three. */ };

struct generate_options {
    uint32_t seed;
    unsigned vnetworks;      /* At least 1. vnetworks - 1 gateways "gateway1"... join each to an earlier one. */
    unsigned vnodes;         /* "vnode1"..., each on one vnetwork (some on none or two with 'details'). */
    unsigned extra_gateways; /* "extra1"..., between any two vnetworks, so that there are circles. Needs 2 vnetworks. */
    unsigned vroutes;        /* At most so many. Needs 2 vnetworks. */
    enum families families;
    bool addresses;   /* Some vifaces have addresses and MACs given by hand. */
    bool impairments; /* All of netem's vocabulary. */
    bool details;     /* Images, pnodes, labels, memory, CPU, how vnetworks are joined. */
};

/* Returns a platform as topology_parse() would: nothing is planned. The caller frees it. */
struct platform *generate_platform(const struct generate_options *);

#endif
