/* SPDX-License-Identifier: Apache-2.0 */
/* A layout: what a topology leaves to the site about how its vnetworks are joined. A file of its own, or a section of the topology.
 */
#ifndef TOPOLOGY_LAYOUT_H
#define TOPOLOGY_LAYOUT_H 1

#include "wire.h"

struct layout {
    struct reader reader; /* Of its own, for its problems have its file. */
    bool given;
    struct wire_spec defaults;
    GHashTable *vnetworks; /* Name -> struct wire_spec, owned. */
};

/* The keys of a layout that is a file, and of one in a topology. */
extern const struct field layout_file_fields[], layout_fields[];

/* Start with one that says nothing, and free. 'file' is where it stands, at 'pointer'; borrowed resp. copied. */
void layout_init(struct layout *, const char *file, const char *pointer);
void layout_clear(struct layout *);

/* Reads the layout 'value', the whole of a file or the section of a topology. Its problems go to the layout's reader. */
void layout_read(struct layout *, const json_t *value, bool is_file);

/* Adds a problem for each vnetwork that is not a key of 'vnetworks'. */
void layout_check_names(struct layout *, GHashTable *vnetworks);

/* Returns what the layout says about vnetwork 'name', or NULL. */
const struct wire_spec *layout_find(const struct layout *, const char *name);

/* Go to the vnetwork 'name' in the layout, for a problem there; the result is for reader_leave(). */
size_t layout_enter(struct layout *, const char *name);

#endif
