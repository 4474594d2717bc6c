/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "labels.h"
#include "names.h"
#include "parser.h"

/* Fills 'vnode' from 'spec'. Vifaces whose vnetwork is missing were reported and are left out. */
static void fill_vnode(struct parser *parser, struct vnode *vnode, const struct vnode_spec *spec)
{
    g_free(vnode->image);
    vnode->image = g_strdup(spec->image);
    vnode->pnode = g_strdup(spec->pnode);
    vnode->where = spec->where ? labels_text(spec->where) : NULL;
    vnode->labels = spec->labels ? labels_text(spec->labels) : NULL;
    vnode->gateway = spec->gateway;
    vnode->cores = spec->cores;
    vnode->frequency = spec->frequency;
    vnode->cpu_ratio = spec->cpu_ratio;
    vnode->memory = spec->memory;
    for (unsigned i = 0; spec->vifaces && i < spec->vifaces->len; i++) {
        const struct viface_spec *from = &g_array_index(spec->vifaces, struct viface_spec, i);
        struct vnetwork *vnetwork = from->vnetwork ? g_hash_table_lookup(parser->vnetworks, from->vnetwork) : NULL;
        if (!vnetwork) {
            continue;
        }
        struct viface *viface = vnode_add_viface(vnode, from->name, vnetwork);
        viface->ipv4 = from->ipv4;
        viface->ipv6 = from->ipv6;
        viface->mac = from->mac;
        viface->input = from->input.value;
        viface->output = from->output.value;
    }
}

/* Makes the vnodes that 'names' stands for, from 'key' in the file. */
static void add_vnodes(struct parser *parser, const struct names *names, const char *key, const struct vnode_spec *spec,
                       bool broken)
{
    g_autoptr(GString) name = g_string_new(NULL);
    g_autofree char *first_twin = NULL;
    const char *twin_origin = NULL;
    uint64_t twins = 0;
    for (uint64_t i = 0; i < names->count; i++) {
        names_get(names, i, name);
        const char *origin = g_hash_table_lookup(parser->origins, name->str);
        if (origin) {
            if (!twins++) {
                first_twin = g_strdup(name->str);
                twin_origin = origin;
            }
            continue;
        }
        struct vnode *vnode = platform_add_vnode(parser->platform, name->str);
        g_hash_table_insert(parser->vnodes, vnode->name, vnode);
        g_hash_table_insert(parser->origins, vnode->name, (void *)key);
        fill_vnode(parser, vnode, spec);
        if (broken) {
            g_hash_table_add(parser->broken, vnode);
        } else if (names->count == 1) {
            parser_check_taken(parser, vnode);
        }
    }
    if (twins) {
        reader_problem(&parser->reader,
                       "\"%s\" makes %" G_GUINT64_FORMAT
                       " vnodes whose names are taken, first \"%s\", which \"%s\" makes already: expected "
                       "every name once",
                       key, twins, first_twin, twin_origin);
    }
}

/* Returns whether the platform has room for 'count' more vnodes like 'spec'. */
static bool check_room(struct parser *parser, uint64_t count, const struct vnode_spec *spec)
{
    uint64_t vnodes = parser->platform->vnodes->len;
    uint64_t vifaces_each = spec->vifaces ? spec->vifaces->len : 0;
    if (count > VNODES_LIMIT - vnodes) {
        reader_problem(&parser->reader, "these are more vnodes than a platform can have: expected at most %d in all", VNODES_LIMIT);
        return false;
    }
    if (count * vifaces_each > VIFACES_LIMIT - parser->vifaces) {
        reader_problem(&parser->reader, "these vnodes have more vifaces than a platform can have: expected at most %d in all",
                       VIFACES_LIMIT);
        return false;
    }
    parser->vifaces += count * vifaces_each;
    return true;
}

static void parse_vnode(struct parser *parser, const char *key, const json_t *value)
{
    struct reader *reader = &parser->reader;
    unsigned problems = reader->count;
    struct vnode_spec own = {0}, spec;
    struct names names;
    g_autoptr(GError) error = NULL;
    reader_object(reader, value, "a vnode", vnode_fields, &own);
    bool sound = reader->count == problems;
    sound = parser_resolve_vnode(parser, &own, &spec) && sound;
    if (!names_parse(key, own.count, &names, &error)) {
        reader_problem(reader, "%s", error->message);
        parser->vnodes_missing = true;
    } else {
        if (sound) {
            parser_check_vnode(parser, &spec, key, names.count);
        }
        if (check_room(parser, names.count, &spec)) {
            add_vnodes(parser, &names, key, &spec, !sound || reader->count != problems);
        } else {
            parser->vnodes_missing = true;
        }
        names_clear(&names);
    }
    vnode_spec_clear(&own);
    vnode_spec_clear(&spec);
}

void parser_read_vnodes(struct parser *parser, const json_t *value)
{
    if (!reader_is_object(&parser->reader, value, "vnodes by name")) {
        parser->vnodes_missing = true;
        return;
    }
    const char *key;
    json_t *member;
    json_object_foreach ((json_t *)value, key, member) {
        size_t mark = reader_enter(&parser->reader, key);
        parse_vnode(parser, key, member);
        reader_leave(&parser->reader, mark);
    }
}
