/* SPDX-License-Identifier: Apache-2.0 */
/* What the prober is told to measure: JSON -> structs, without I/O. The format stands in distem/probe.h. */
#ifndef DISTEM_PROBE_INPUT_H
#define DISTEM_PROBE_INPUT_H 1

#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include "distem/ip.h"

enum probe_kind { PROBE_RTT, PROBE_LOSS, PROBE_GOODPUT, PROBE_KINDS };

/* The least payload of a loss datagram: a nonce and a sequence number. */
#define PROBE_SIZE_MIN 16

/* One measurement. Members that its kind does not have are 0. */
struct probe_test {
    enum probe_kind kind;
    char *from, *to;             /* Keys of the namespaces; what messages call the ends. */
    char *from_netns, *to_netns; /* Paths; to_netns is NULL where only one end is needed. */
    struct ip_addr from_address, to_address;
    int64_t id;
    int64_t count;     /* Packets. */
    int64_t interval;  /* ns between packets. */
    int64_t timeout;   /* ns to wait for a packet; of a goodput test: for the connection. */
    int64_t size;      /* Bytes of UDP payload. */
    int64_t bandwidth; /* bit/s expected; 0: not known. */
    int64_t duration;  /* ns; 0: to be chosen. */
    int64_t mss;       /* Bytes; 0: as the route says. */
};

struct probe_input {
    GPtrArray *rounds; /* Of GPtrArray of struct probe_test. */
};

/* Reads 'size' bytes at 'text'. Returns NULL with DISTEM_ERROR_INVALID, which says where ("/rounds/0/3/count") and what was
 * expected. The caller calls probe_input_free(). */
struct probe_input *probe_input_parse(const char *text, size_t size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void probe_input_free(struct probe_input *);

/* Returns "rtt", "loss" or "goodput". */
const char *probe_kind_name(enum probe_kind);

#endif
