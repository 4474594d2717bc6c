/* SPDX-License-Identifier: Apache-2.0 */
/* The properties of one direction as a table, for the files that read, check and write them. */
#ifndef TOPOLOGY_IMPAIRMENT_TABLE_H
#define TOPOLOGY_IMPAIRMENT_TABLE_H 1

#include "impairment.h"

/* In an order in which what needs another stands behind it. */
enum property {
    LATENCY,
    JITTER,
    DISTRIBUTION,
    LATENCY_CORRELATION,
    KEEP_ORDER,
    LOSS,
    LOSS_CORRELATION,
    GILBERT_ENTER,
    GILBERT_LEAVE,
    GILBERT_BAD_LOSS,
    GILBERT_GOOD_LOSS,
    MARKOV_P13,
    MARKOV_P31,
    MARKOV_P32,
    MARKOV_P23,
    MARKOV_P14,
    DUPLICATION,
    DUPLICATION_CORRELATION,
    CORRUPTION,
    CORRUPTION_CORRELATION,
    REORDERING,
    REORDERING_CORRELATION,
    REORDERING_GAP,
    SEED,
    BANDWIDTH,
    FRAMING,
    OVERHEAD,
    CELL,
    QUEUE,
    AQM,
    BURST,
    PROPERTIES,
};

#define NEEDS_NOTHING PROPERTIES

enum width { BITS_32, BITS_64 };

/* What a property is. Those that are no quantities have kind NULL. */
struct property_info {
    size_t offset;
    enum width width;
    const struct quantity_kind *kind;
    uint64_t low, high;  /* Of a value other than 0. */
    enum property needs; /* Without which it says nothing. */
    size_t second;       /* Offset of a second member of 32 bits, whose value goes with that of the first: of a quantity the trace
                          * that it follows; 0: none. */
};
extern const struct property_info impairment_properties[PROPERTIES];

uint64_t impairment_get(const struct impairment *, enum property);
/* Says whether it has a value other than 0, or follows a trace, which may be 0 at times. */
bool impairment_has(const struct impairment *, enum property);

/* The field functions of those that are no quantities, and of the queue, which may be one of three kinds. */
void impairment_read_distribution(struct reader *, const json_t *value, void *target, unsigned index);
void impairment_read_flag(struct reader *, const json_t *value, void *target, unsigned index);
void impairment_read_number(struct reader *, const json_t *value, void *target, unsigned index);
void impairment_read_framing(struct reader *, const json_t *value, void *target, unsigned index);
void impairment_read_overhead(struct reader *, const json_t *value, void *target, unsigned index);
void impairment_read_cell(struct reader *, const json_t *value, void *target, unsigned index);
void impairment_read_queue(struct reader *, const json_t *value, void *target, unsigned index);
void impairment_read_aqm(struct reader *, const json_t *value, void *target, unsigned index);

/* Returns the value of such a property as they read it. */
json_t *impairment_write_other(const struct impairment *, enum property);

/* Puts a value, and that of the second member, into 'direction' as given. */
void direction_give(struct direction *, enum property, uint64_t value, uint32_t second);

#endif
