/* SPDX-License-Identifier: Apache-2.0 */
/* Offloads of network devices, as ethtool -K sets them. */
#ifndef LINK_OFFLOAD_H
#define LINK_OFFLOAD_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

/* Knows which feature bits this kernel has for what. */
struct offload;

struct offload *offload_new(void);
/* NULL is fine. */
void offload_free(struct offload *);

/* Switches off all that makes the frames of device 'name' other than those on a wire: segmentation of any protocol and aggregation;
 * with 'checksums' also the computing of checksums, which else are left to a receiver that has no need of them. 'socket' is any
 * socket of the namespace that the device is in. No error for what the device cannot do anyhow. */
bool offload_disable(struct offload *, int socket, const char *name, bool checksums, GError **error);

/* What merges received frames into larger ones (GRO, LRO): words of feature bits, which only the running kernel understands. */
#define OFFLOAD_BLOCKS 8
/* Reads which of it is on and could be switched off. */
bool offload_get_merging(struct offload *, int socket, const char *name, uint32_t on[OFFLOAD_BLOCKS], GError **error);
/* Switches that of it that 'which' names. */
bool offload_set_merging(struct offload *, int socket, const char *name, const uint32_t which[OFFLOAD_BLOCKS], bool on,
                         GError **error);

#endif
