/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "layout.h"

#define LAYOUT_VERSION 1

/* What is read at the top. */
struct top {
    struct layout *layout;
    bool versioned;
};

void layout_init(struct layout *layout, const char *file, const char *pointer)
{
    *layout = (struct layout){.vnetworks = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free)};
    reader_init(&layout->reader, file, pointer);
}

void layout_clear(struct layout *layout)
{
    reader_clear(&layout->reader);
    g_hash_table_unref(layout->vnetworks);
}

static void read_version(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct top *top = target;
    top->versioned = true;
    if (!json_is_number(value) || json_number_value(value) != LAYOUT_VERSION) {
        reader_problem(reader, "this version of the layout format is not known: expected %d", LAYOUT_VERSION);
    }
}

static void read_vnetwork_default(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    const struct top *top = target;
    reader_object(reader, value, "the defaults of vnetworks", wire_default_fields, &top->layout->defaults);
}

static void read_vnetworks(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    const struct top *top = target;
    if (!reader_is_object(reader, value, "vnetworks by name")) {
        return;
    }
    const char *name;
    json_t *member;
    json_object_foreach ((json_t *)value, name, member) {
        struct wire_spec *wire = g_new0(struct wire_spec, 1);
        g_hash_table_insert(top->layout->vnetworks, (void *)name, wire);
        size_t mark = reader_enter(reader, name);
        reader_object(reader, member, "the layout of a vnetwork", wire_fields, wire);
        wire_check(reader, wire);
        reader_leave(reader, mark);
    }
}

#define LAYOUT_FIELDS                                                                                                              \
    {"defaults", read_vnetwork_default}, {"vnetworks", read_vnetworks},                                                            \
    {                                                                                                                              \
        NULL, NULL                                                                                                                 \
    }

const struct field layout_file_fields[] = {{"distem-layout", read_version}, LAYOUT_FIELDS};
const struct field layout_fields[] = {LAYOUT_FIELDS};

void layout_read(struct layout *layout, const json_t *value, bool is_file)
{
    struct reader *reader = &layout->reader;
    struct top top = {.layout = layout};
    layout->given = true;
    bool readable = reader_object(reader, value, "a layout", is_file ? layout_file_fields : layout_fields, &top);
    if (readable && is_file && !top.versioned) {
        reader_problem(reader, "the version of the format is missing: expected \"distem-layout\": %d", LAYOUT_VERSION);
    }
}

void layout_check_names(struct layout *layout, GHashTable *vnetworks)
{
    struct reader *reader = &layout->reader;
    g_autofree const char **names = (const char **)g_hash_table_get_keys_as_array(vnetworks, NULL);
    GHashTableIter iter;
    void *name;
    g_hash_table_iter_init(&iter, layout->vnetworks);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        if (g_hash_table_contains(vnetworks, name)) {
            continue;
        }
        size_t mark = layout_enter(layout, name);
        g_autofree char *shown = reader_printable(name);
        g_autofree char *hint = reader_is_full(reader) ? g_strdup("") : reader_suggestion(name, names);
        reader_problem(reader, "there is no vnetwork \"%s\"%s: expected one of the topology", shown, hint);
        reader_leave(reader, mark);
    }
}

const struct wire_spec *layout_find(const struct layout *layout, const char *name)
{
    return g_hash_table_lookup(layout->vnetworks, name);
}

size_t layout_enter(struct layout *layout, const char *name)
{
    size_t mark = reader_enter(&layout->reader, "vnetworks");
    (void)reader_enter(&layout->reader, name);
    return mark;
}
