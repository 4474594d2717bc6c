/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "offload.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include "distem/error.h"

#define BLOCK_BITS 32u
#define BLOCKS_MAX ((unsigned)OFFLOAD_BLOCKS)

struct offload {
    unsigned blocks; /* 0: not asked yet. */
    uint32_t frames[BLOCKS_MAX], checksums[BLOCKS_MAX], merging[BLOCKS_MAX];
};

struct offload *offload_new(void)
{
    return g_new0(struct offload, 1);
}

void offload_free(struct offload *offload)
{
    g_free(offload);
}

static int ethtool(int socket, const char *name, void *command)
{
    struct ifreq request = {.ifr_data = command};
    g_strlcpy(request.ifr_name, name, sizeof request.ifr_name);
    return ioctl(socket, SIOCETHTOOL, &request);
}

/* Features by their kernel names: tx-tcp-segmentation, tx-udp-segmentation, tx-gre-segmentation ...; rx-gro, rx-gro-list,
 * rx-udp-gro-forwarding, tx-gso-list; tx-checksum-ip-generic ... */
static void classify(struct offload *offload, unsigned bit, const char *feature)
{
    uint32_t mask = UINT32_C(1) << bit % BLOCK_BITS;
    if (g_str_has_suffix(feature, "-segmentation") || strstr(feature, "-gro") || g_str_equal(feature, "tx-gso-list")) {
        offload->frames[bit / BLOCK_BITS] |= mask;
    }
    if (g_str_has_prefix(feature, "tx-checksum-")) {
        offload->checksums[bit / BLOCK_BITS] |= mask;
    }
    if (strstr(feature, "-gro") || g_str_equal(feature, "rx-lro")) {
        offload->merging[bit / BLOCK_BITS] |= mask;
    }
}

/* Asks the kernel for the names of its features. */
static bool learn(struct offload *offload, int socket, const char *name, GError **error)
{
    struct {
        struct ethtool_sset_info info;
        uint32_t count;
    } sizes = {.info = {.cmd = ETHTOOL_GSSET_INFO, .sset_mask = UINT64_C(1) << ETH_SS_FEATURES}};
    if (ethtool(socket, name, &sizes) < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "counting the offloads of %s failed", name);
    }
    g_autoptr(GByteArray) buffer = g_byte_array_new();
    g_byte_array_set_size(buffer, (unsigned)sizeof(struct ethtool_gstrings) + sizes.count * ETH_GSTRING_LEN);
    struct ethtool_gstrings *strings = (struct ethtool_gstrings *)buffer->data;
    *strings = (struct ethtool_gstrings){.cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_FEATURES, .len = sizes.count};
    if (ethtool(socket, name, strings) < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "reading the names of the offloads of %s failed", name);
    }
    offload->blocks = MIN((sizes.count + BLOCK_BITS - 1) / BLOCK_BITS, BLOCKS_MAX);
    for (unsigned bit = 0; bit < MIN(sizes.count, BLOCKS_MAX * BLOCK_BITS); bit++) {
        g_autofree char *feature = g_strndup((const char *)strings->data + (size_t)bit * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
        classify(offload, bit, feature);
    }
    return true;
}

bool offload_disable(struct offload *offload, int socket, const char *name, bool checksums, GError **error)
{
    if (!offload->blocks && !learn(offload, socket, name, error)) {
        return false;
    }
    struct {
        struct ethtool_sfeatures head;
        struct ethtool_set_features_block blocks[BLOCKS_MAX];
    } features = {.head = {.cmd = ETHTOOL_SFEATURES, .size = offload->blocks}};
    for (unsigned i = 0; i < offload->blocks; i++) {
        features.blocks[i].valid = offload->frames[i] | (checksums ? offload->checksums[i] : 0);
    }
    if (ethtool(socket, name, &features) < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "switching off offloads of %s failed", name);
    }
    return true;
}

bool offload_get_merging(struct offload *offload, int socket, const char *name, uint32_t on[OFFLOAD_BLOCKS], GError **error)
{
    if (!offload->blocks && !learn(offload, socket, name, error)) {
        return false;
    }
    struct {
        struct ethtool_gfeatures head;
        struct ethtool_get_features_block blocks[BLOCKS_MAX];
    } features = {.head = {.cmd = ETHTOOL_GFEATURES, .size = offload->blocks}};
    if (ethtool(socket, name, &features) < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "reading the offloads of %s failed", name);
    }
    for (unsigned i = 0; i < BLOCKS_MAX; i++) {
        on[i] = features.blocks[i].active & offload->merging[i] & ~features.blocks[i].never_changed;
    }
    return true;
}

bool offload_set_merging(struct offload *offload, int socket, const char *name, const uint32_t which[OFFLOAD_BLOCKS], bool on,
                         GError **error)
{
    if (!offload->blocks && !learn(offload, socket, name, error)) {
        return false;
    }
    struct {
        struct ethtool_sfeatures head;
        struct ethtool_set_features_block blocks[BLOCKS_MAX];
    } features = {.head = {.cmd = ETHTOOL_SFEATURES, .size = offload->blocks}};
    for (unsigned i = 0; i < offload->blocks; i++) {
        features.blocks[i].valid = which[i] & offload->merging[i];
        features.blocks[i].requested = on ? features.blocks[i].valid : 0;
    }
    if (ethtool(socket, name, &features) < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "switching offloads of %s failed", name);
    }
    return true;
}
