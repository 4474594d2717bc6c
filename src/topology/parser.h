/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of topology_parse() share: one function per section of a file, called in this order. Each adds what it read to the
 * platform and what is wrong to the reader, and goes on, so that all problems of a file are found. What a broken object cannot be
 * blamed for is not reported again where it is used. */
#ifndef TOPOLOGY_PARSER_H
#define TOPOLOGY_PARSER_H 1

#include "distem/platform.h"
#include "layout.h"
#include "playbacks.h"
#include "reader.h"
#include "spec.h"

#define VNODES_LIMIT 1000000
#define VIFACES_LIMIT 4000000

struct vnode_template {
    const char *name;
    struct vnode_spec spec;
    struct vnode_template *base; /* What it extends; NULL: nothing. */
    bool broken;                 /* It has problems of its own. */
    unsigned visited;            /* For the search for cycles. */
};

struct parser {
    struct reader reader;
    struct platform *platform;
    GHashTable *vnetworks; /* Name -> struct vnetwork. */
    GHashTable *vnodes;    /* Name -> struct vnode. */
    GHashTable *origins;   /* Name of a vnode -> key that made it. */
    GHashTable *broken;    /* Set of those struct vnetwork and struct vnode that have problems. */
    GHashTable *templates; /* Name -> struct vnode_template, owned. */
    GHashTable *tables;    /* Name -> const struct delay_table; NULL where it is wrong. */
    GHashTable *taken;     /* Addresses given by hand, see check.c. */
    struct vnode_spec vnode_defaults;
    struct viface_spec viface_defaults;
    struct wire_spec wire_defaults;
    struct playbacks playbacks;
    struct layout *layout; /* Borrowed. */
    bool defaults_broken;
    bool vnodes_missing; /* Some were left out for problems. */
    uint64_t vifaces;    /* So far. */
};

void parser_init(struct parser *, const char *file, struct layout *);
void parser_clear(struct parser *);

/* The sections; the value is what stands at their key. */
void parser_read_vnetworks(struct parser *, const json_t *);
void parser_read_defaults(struct parser *, const json_t *);
void parser_read_templates(struct parser *, const json_t *);
void parser_read_vnodes(struct parser *, const json_t *);
void parser_read_vroutes(struct parser *, const json_t *);
/* The keys of a vnetwork, and of a vroute. */
extern const struct field vnetwork_fields[], vroute_fields[], default_fields[], platform_fields[];

/* Merges the defaults, the templates that 'own' names and 'own' into 'ret', which the caller clears. Returns false when one of them
 * is broken. */
bool parser_resolve_vnode(struct parser *, const struct vnode_spec *own, struct vnode_spec *ret);

/* Checks the merged 'spec' of the vnodes that 'key' stands for, 'count' many. The reader is at the vnode. */
void parser_check_vnode(struct parser *, const struct vnode_spec *spec, const char *key, uint64_t count);
/* Notes the addresses of a vnode; the ones that another viface has are problems. The reader is at the vnode. */
void parser_check_taken(struct parser *, struct vnode *);
void *parser_taken_new(void);

/* Returns the vnetwork with that name; if there is none, adds a problem. */
struct vnetwork *parser_find_vnetwork(struct parser *, const char *name);
bool parser_is_broken(const struct parser *, const void *object);

#endif
