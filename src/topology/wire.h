/* SPDX-License-Identifier: Apache-2.0 */
/* How the parts of a vnetwork on several machines are joined, as one object of a file says it, and the merging of what several
 * objects say. Strings are borrowed from the JSON document. */
#ifndef TOPOLOGY_WIRE_H
#define TOPOLOGY_WIRE_H 1

#include "distem/platform.h"
#include "reader.h"

/* Zero is "not given" in all of them. */
struct wire_spec {
    enum transport transport;
    uint32_t vni;
    uint16_t port;
    uint8_t underlay;
    uint16_t vlan;
    const char *interface;
    uint16_t mtu;
};

/* What there is about one vnetwork, from near to far. */
enum wire_layer {
    WIRE_LAYOUT,         /* The layout, about this vnetwork. */
    WIRE_TOPOLOGY,       /* The topology, about this vnetwork. */
    WIRE_LAYOUT_DEFAULT, /* The layout, about all vnetworks. */
    WIRE_DEFAULT,        /* The topology, about all vnetworks. */
    WIRE_LAYERS
};

/* The keys of a wire; the target begins with a struct wire_spec. */
void wire_read_transport(struct reader *, const json_t *value, void *target, unsigned index);
void wire_read_vni(struct reader *, const json_t *value, void *target, unsigned index);
void wire_read_port(struct reader *, const json_t *value, void *target, unsigned index);
void wire_read_underlay(struct reader *, const json_t *value, void *target, unsigned index);
void wire_read_vlan(struct reader *, const json_t *value, void *target, unsigned index);
void wire_read_interface(struct reader *, const json_t *value, void *target, unsigned index);
void wire_read_mtu(struct reader *, const json_t *value, void *target, unsigned index);

#define WIRE_DEFAULT_FIELDS                                                                                                        \
    {"transport", wire_read_transport}, {"port", wire_read_port}, {"underlay", wire_read_underlay},                                \
        {"interface", wire_read_interface},                                                                                        \
    {                                                                                                                              \
        "mtu", wire_read_mtu                                                                                                       \
    }
#define WIRE_FIELDS                                                                                                                \
    WIRE_DEFAULT_FIELDS, {"vni", wire_read_vni},                                                                                   \
    {                                                                                                                              \
        "vlan", wire_read_vlan                                                                                                     \
    }

/* The keys of a wire about one vnetwork, and about all. */
extern const struct field wire_fields[], wire_default_fields[];

/* Adds a problem for each key of 'wire', which is about one vnetwork, that its transport has no use for. */
void wire_check(struct reader *, const struct wire_spec *wire);

/* Merges the layers (NULL: not there). What a nearer one says wins, and what a farther one says about another transport than the
 * nearest one's does not count. */
struct wire_spec wire_merge(const struct wire_spec *const layers[WIRE_LAYERS]);

#endif
