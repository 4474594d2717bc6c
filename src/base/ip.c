/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "distem/error.h"

static unsigned address_bits(uint8_t family)
{
    return family == 4 ? 32 : 128;
}

bool ip_addr_parse(const char *text, struct ip_addr *ret, GError **error)
{
    struct ip_addr addr = {0};
    if (inet_pton(AF_INET, text, addr.bytes) == 1) {
        addr.family = 4;
    } else if (inet_pton(AF_INET6, text, addr.bytes) == 1) {
        addr.family = 6;
    } else {
        return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\" is no IP address: write it like 10.0.0.1 or fd00::1", text);
    }
    *ret = addr;
    return true;
}

/* Sets all bits of 'addr' from number 'length' on to 0. */
static void clear_host_bits(struct ip_addr *addr, unsigned length)
{
    for (unsigned i = 0; i < 16; i++) {
        unsigned kept = length > i * 8 ? MIN(length - i * 8, 8) : 0;
        addr->bytes[i] &= (uint8_t)(0xff00 >> kept);
    }
}

bool prefix_parse(const char *text, struct ip_prefix *ret, GError **error)
{
    const char *slash = strchr(text, '/');
    g_autofree char *address = slash ? g_strndup(text, (size_t)(slash - text)) : NULL;
    struct ip_prefix prefix = {0};
    guint64 length = 0;
    if (!slash || !ip_addr_parse(address, &prefix.addr, NULL) ||
        !g_ascii_string_to_unsigned(slash + 1, 10, 0, address_bits(prefix.addr.family), &length, NULL)) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\" is no IP prefix: write it like 10.0.0.0/24 or fd00::/64", text);
    }
    prefix.length = (uint8_t)length;
    struct ip_addr given = prefix.addr;
    clear_host_bits(&prefix.addr, prefix.length);
    if (!ip_equal(&given, &prefix.addr)) {
        char meant[PREFIX_TEXT_SIZE];
        return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\" has bits set behind its prefix length: did you mean %s?", text,
                    prefix_format(&prefix, meant));
    }
    *ret = prefix;
    return true;
}

bool mac_parse(const char *text, struct mac_addr *ret, GError **error)
{
    struct mac_addr mac;
    bool ok = strlen(text) == MAC_TEXT_SIZE - 1;
    for (size_t i = 0; ok && i < 6; i++) {
        int high = g_ascii_xdigit_value(text[3 * i]);
        int low = g_ascii_xdigit_value(text[3 * i + 1]);
        ok = high >= 0 && low >= 0 && (i == 5 || text[3 * i + 2] == ':');
        mac.bytes[i] = (uint8_t)((unsigned)high << 4 | ((unsigned)low & 15));
    }
    if (!ok) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\" is no MAC address: write it like 02:00:00:00:00:01", text);
    }
    if (mac.bytes[0] & 1 || mac_is_zero(&mac)) {
        return fail(
            error, DISTEM_ERROR_INVALID, 0,
            "\"%s\" cannot be the address of an interface: the first byte must be even (not multicast), and not all may be zero",
            text);
    }
    *ret = mac;
    return true;
}

const char *ip_format(const struct ip_addr *addr, char buffer[IP_TEXT_SIZE])
{
    if (!addr->family) {
        *buffer = '\0';
    } else {
        inet_ntop(addr->family == 4 ? AF_INET : AF_INET6, addr->bytes, buffer, IP_TEXT_SIZE);
    }
    return buffer;
}

const char *prefix_format(const struct ip_prefix *prefix, char buffer[PREFIX_TEXT_SIZE])
{
    ip_format(&prefix->addr, buffer);
    if (prefix->addr.family) {
        size_t length = strlen(buffer);
        snprintf(buffer + length, PREFIX_TEXT_SIZE - length, "/%u", prefix->length);
    }
    return buffer;
}

const char *mac_format(const struct mac_addr *mac, char buffer[MAC_TEXT_SIZE])
{
    const uint8_t *b = mac->bytes;
    snprintf(buffer, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
    return buffer;
}

bool ip_equal(const struct ip_addr *a, const struct ip_addr *b)
{
    return ip_compare(a, b) == 0;
}

bool prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b)
{
    return a->length == b->length && ip_equal(&a->addr, &b->addr);
}

int ip_compare(const struct ip_addr *a, const struct ip_addr *b)
{
    return a->family != b->family ? (int)a->family - (int)b->family : memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

bool mac_is_zero(const struct mac_addr *mac)
{
    static const struct mac_addr zero;
    return mac_equal(mac, &zero);
}

bool mac_equal(const struct mac_addr *a, const struct mac_addr *b)
{
    return !memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

bool prefix_contains(const struct ip_prefix *prefix, const struct ip_addr *addr)
{
    if (prefix->addr.family != addr->family || !addr->family) {
        return false;
    }
    struct ip_addr masked = *addr;
    clear_host_bits(&masked, prefix->length);
    return ip_equal(&masked, &prefix->addr);
}

bool prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b)
{
    return a->length < b->length ? prefix_contains(a, &b->addr) : prefix_contains(b, &a->addr);
}

/* Returns how many low numbers of 'prefix' no host may have: the network's, or subnet-router anycast, address. Prefixes of one or
 * two addresses have none (RFC 3021, RFC 6164). */
static unsigned reserved_low(const struct ip_prefix *prefix)
{
    return address_bits(prefix->addr.family) - prefix->length >= 2;
}

uint64_t prefix_host_count(const struct ip_prefix *prefix)
{
    unsigned bits = address_bits(prefix->addr.family) - prefix->length;
    if (bits >= 64) {
        return UINT64_MAX;
    }
    unsigned broadcast = prefix->addr.family == 4 && reserved_low(prefix);
    return (UINT64_C(1) << bits) - reserved_low(prefix) - broadcast;
}

struct ip_addr prefix_host(const struct ip_prefix *prefix, uint64_t n)
{
    struct ip_addr addr = prefix->addr;
    unsigned size = address_bits(addr.family) / 8;
    n += reserved_low(prefix);
    for (unsigned i = 0; i < 8 && i < size; i++) {
        addr.bytes[size - 1 - i] |= (uint8_t)(n >> (8 * i));
    }
    return addr;
}

bool prefix_host_number(const struct ip_prefix *prefix, const struct ip_addr *addr, uint64_t *ret_n)
{
    if (!prefix_contains(prefix, addr)) {
        return false;
    }
    unsigned size = address_bits(addr->family) / 8;
    uint64_t n = 0;
    bool beyond = false; /* What a number can say, yet a fine address of a wide prefix. */
    for (unsigned i = 0; i < size; i++) {
        uint8_t host_bits = addr->bytes[i] ^ prefix->addr.bytes[i];
        beyond = beyond || n >> 56;
        n = n << 8 | host_bits;
    }
    if (!beyond && (n < reserved_low(prefix) || n - reserved_low(prefix) >= prefix_host_count(prefix))) {
        return false;
    }
    if (ret_n) {
        *ret_n = beyond ? UINT64_MAX : n - reserved_low(prefix);
    }
    return true;
}
