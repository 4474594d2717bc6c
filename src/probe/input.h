/* SPDX-License-Identifier: Apache-2.0 */
/* What the prober is told: JSON -> structs, without I/O. The format stands in distem/probe.h. */
#ifndef DISTEM_PROBE_INPUT_H
#define DISTEM_PROBE_INPUT_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>
#include <jansson.h>

#include "distem/ip.h"

enum probe_kind { PROBE_RTT, PROBE_LOSS, PROBE_GOODPUT, PROBE_KINDS };

/* The least payload of a loss datagram: a nonce and a sequence number. */
#define PROBE_SIZE_MIN 16

enum probe_end { PROBE_FROM, PROBE_TO, PROBE_ENDS };

/* One measurement. Members that its kind does not have are 0. */
struct probe_test {
    enum probe_kind kind;
    bool here[PROBE_ENDS];              /* Which ends are this prober's. */
    char *name[PROBE_ENDS];             /* What messages call the ends. */
    int64_t vnode[PROBE_ENDS];          /* Ids: their namespaces' names. */
    struct ip_addr address[PROBE_ENDS]; /* Of one family. */
    int64_t id;
    int64_t count;     /* Packets. */
    int64_t interval;  /* ns between packets. */
    int64_t timeout;   /* ns to wait for a packet; of a goodput test: for the connection. */
    int64_t size;      /* Bytes of UDP payload. */
    int64_t bandwidth; /* bit/s expected; 0: not known. */
    int64_t duration;  /* ns; 0: to be chosen. */
    int64_t mss;       /* Bytes; 0: as the route says. */
};

/* A line of input: a round, or a message. */
struct probe_line {
    GPtrArray *round; /* Of struct probe_test, each with a reference of its own; NULL: a message. */
    int64_t id;       /* Of the test whose end gets the message, */
    json_t *message;  /* ... an object. */
};

/* Reads 'size' bytes at 'text' into 'ret'. Returns false with DISTEM_ERROR_INVALID, which says where ("/round/3/count") and what
 * was expected. On success the caller calls probe_line_clear(). */
bool probe_line_parse(const char *text, size_t size, struct probe_line *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void probe_line_clear(struct probe_line *);

struct probe_test *probe_test_ref(struct probe_test *);
void probe_test_unref(void *test);

/* Returns "rtt", "loss" or "goodput". */
const char *probe_kind_name(enum probe_kind);

#endif
