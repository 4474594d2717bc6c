/* SPDX-License-Identifier: Apache-2.0 */
/* What one object of a topology file says about vnodes: read here, merged over others in templates.c. Strings are borrowed from the
 * JSON document. */
#ifndef TOPOLOGY_SPEC_H
#define TOPOLOGY_SPEC_H 1

#include "distem/platform.h"
#include "impairment.h"
#include "reader.h"

#define VIFACES_PER_VNODE 4096

struct viface_spec {
    const char *name;
    const char *vnetwork;      /* NULL: not given. */
    struct ip_addr ipv4, ipv6; /* Family 0: not given. */
    struct mac_addr mac;       /* Zero: not given. */
    struct direction both;     /* Only while reading; then it is under the other two. */
    struct direction input, output;
};

struct vnode_spec {
    const char *template_name; /* Of a vnode, or what a template extends; NULL: none. */
    uint32_t count;            /* 0: not given. */
    const char *image, *pnode;
    const json_t *where, *labels; /* Labels of its machine and its own, checked; NULL: not given. Borrowed as the strings are. */
    enum tristate gateway;
    bool cores_given, speed_given, memory_given;
    uint32_t cores;
    uint64_t frequency; /* At most one of the two is not 0. */
    uint32_t cpu_ratio;
    uint64_t memory;
    GArray *vifaces; /* Of struct viface_spec; NULL: none. */
};

/* The keys of a vnode, a template, and the defaults of vnodes, all for a struct vnode_spec; of a CPU (also that); of a viface, and
 * the defaults of vifaces, for a struct viface_spec. */
extern const struct field vnode_fields[], template_fields[], vnode_default_fields[], cpu_fields[];
extern const struct field viface_fields[], viface_default_fields[];

void vnode_spec_clear(struct vnode_spec *);

/* Reads a viface's object to 'spec' by one of the tables above. */
void viface_spec_read(struct reader *, const json_t *value, const char *what, const struct field *fields, struct viface_spec *);

/* Puts what 'over' gives over 'base'; vifaces that 'base' does not have begin as a copy of 'viface_defaults'. Returns whether there
 * are at most VIFACES_PER_VNODE. */
bool vnode_spec_overlay(struct vnode_spec *base, const struct vnode_spec *over, const struct viface_spec *viface_defaults);

#endif
