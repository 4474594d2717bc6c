/* SPDX-License-Identifier: Apache-2.0 */
/* The same question for IPv4 and IPv6. */
#ifndef DISTEM_PLAN_FAMILY_H
#define DISTEM_PLAN_FAMILY_H 1

#include "distem/platform.h"

/* Return the prefix of 'vnetwork', and the address of 'viface', in 'family' (4 or 6); its own family is 0 where there is none. */
static inline const struct ip_prefix *vnetwork_prefix(const struct vnetwork *vnetwork, uint8_t family)
{
    return family == 4 ? &vnetwork->ipv4 : &vnetwork->ipv6;
}
static inline const struct ip_addr *viface_address(const struct viface *viface, uint8_t family)
{
    return family == 4 ? &viface->ipv4 : &viface->ipv6;
}

#endif
