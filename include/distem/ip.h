/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of Ethernet, IPv4 and IPv6, and IP prefixes, as small values. */
#ifndef DISTEM_IP_H
#define DISTEM_IP_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

/* An IPv4 or IPv6 address; all zero means "none". IPv4 uses the first four bytes, the others are zero, so memcmp() compares. */
struct ip_addr {
    uint8_t family; /* 4, 6, or 0 for none. */
    uint8_t bytes[16];
};

/* A prefix: host bits of 'addr' are zero. 'addr.family' 0 means "none". */
struct ip_prefix {
    struct ip_addr addr;
    uint8_t length;
};

struct mac_addr {
    uint8_t bytes[6];
};

#define IP_TEXT_SIZE 46     /* Enough for any address with its final 0. */
#define PREFIX_TEXT_SIZE 50 /* ... and for "/128" behind it. */
#define MAC_TEXT_SIZE 18

/* Read "10.0.0.1" or "fd00::1"; "10.0.0.0/24" or "fd00::/64" (host bits that are set are an error that names the prefix meant);
 * "02:00:00:00:00:01" (unicast only). 'ret' is written on success only. */
bool ip_addr_parse(const char *text, struct ip_addr *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool prefix_parse(const char *text, struct ip_prefix *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool mac_parse(const char *text, struct mac_addr *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Write to 'buffer', which has the size named above, and return it; an address that is none gives "". */
const char *ip_format(const struct ip_addr *, char buffer[IP_TEXT_SIZE]);
const char *prefix_format(const struct ip_prefix *, char buffer[PREFIX_TEXT_SIZE]);
const char *mac_format(const struct mac_addr *, char buffer[MAC_TEXT_SIZE]);

/* Compare all bits. */
bool ip_equal(const struct ip_addr *, const struct ip_addr *);
bool prefix_equal(const struct ip_prefix *, const struct ip_prefix *);
/* Orders by family, then numerically: < 0, 0, > 0. */
int ip_compare(const struct ip_addr *, const struct ip_addr *);
bool mac_is_zero(const struct mac_addr *);
bool mac_equal(const struct mac_addr *, const struct mac_addr *);

/* Says whether 'addr' lies in 'prefix' (never for different families). */
bool prefix_contains(const struct ip_prefix *, const struct ip_addr *addr);
/* Says whether the two prefixes share an address. */
bool prefix_overlaps(const struct ip_prefix *, const struct ip_prefix *);
/* Returns how many addresses of 'prefix' may be given to hosts: without network and broadcast address for IPv4 up to /30, without
 * the subnet-router anycast address (all host bits zero, RFC 4291 2.6.1) for IPv6 up to /126; saturates at UINT64_MAX. */
uint64_t prefix_host_count(const struct ip_prefix *);
/* Returns host number 'n' (0 <= n < prefix_host_count()): 10.0.0.1 is host 0 of 10.0.0.0/24. */
struct ip_addr prefix_host(const struct ip_prefix *, uint64_t n);
/* Says whether a host may have 'addr' in 'prefix', and its number in '*ret_n' (may be NULL); UINT64_MAX stands for a number that is
 * too large to be said. */
bool prefix_host_number(const struct ip_prefix *, const struct ip_addr *addr, uint64_t *ret_n);

#endif
