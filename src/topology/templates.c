/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <string.h>

#include "distem/topology.h"
#include "names.h"
#include "parser.h"

#define DEPTH_LIMIT 64 /* Templates that extend each other in a row. */
#define NAMES_SHOWN 8  /* Of a cycle. */

static void read_vnode_default(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct parser *parser = target;
    reader_object(reader, value, "the defaults of vnodes", vnode_default_fields, &parser->vnode_defaults);
}

static void read_viface_default(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct parser *parser = target;
    viface_spec_read(reader, value, "the defaults of vifaces", viface_default_fields, &parser->viface_defaults);
}

static void read_vnetwork_default(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct parser *parser = target;
    reader_object(reader, value, "the defaults of vnetworks", wire_default_fields, &parser->wire_defaults);
}

const struct field default_fields[] = {
    {"vnode", read_vnode_default}, {"viface", read_viface_default}, {"vnetwork", read_vnetwork_default}, {NULL, NULL}};

void parser_read_defaults(struct parser *parser, const json_t *value)
{
    unsigned problems = parser->reader.count;
    reader_object(&parser->reader, value, "the defaults", default_fields, parser);
    parser->defaults_broken = parser->reader.count != problems;
}

/* Returns the template with that name; if there is none, adds a problem at the key 'key'. */
static struct vnode_template *find_template(struct parser *parser, const char *name, const char *key)
{
    struct vnode_template *template = g_hash_table_lookup(parser->templates, name);
    if (!template) {
        size_t mark = reader_enter(&parser->reader, key);
        g_autofree char *shown = reader_printable(name);
        g_autofree const char **names = (const char **)g_hash_table_get_keys_as_array(parser->templates, NULL);
        g_autofree char *hint = reader_is_full(&parser->reader) ? g_strdup("") : reader_suggestion(name, names);
        reader_problem(&parser->reader, "there is no template \"%s\"%s: expected one that stands under \"templates\"", shown, hint);
        reader_leave(&parser->reader, mark);
    }
    return template;
}

/* Reports the cycle that 'first' is on and cuts it there. */
static void report_cycle(struct parser *parser, struct vnode_template *first)
{
    g_autoptr(GString) way = g_string_new(NULL);
    unsigned length = 0;
    struct vnode_template *template = first;
    do {
        if (length++ < NAMES_SHOWN) {
            g_autofree char *shown = reader_printable(template->name);
            g_string_append_printf(way, "%s -> ", shown);
        }
        template->broken = true;
        template = template->base;
    } while (template != first);
    if (length > NAMES_SHOWN) {
        g_string_append_printf(way, "(%u more) -> ", length - NAMES_SHOWN);
    }
    g_autofree char *shown = reader_printable(first->name);
    g_string_append(way, shown);
    size_t mark = reader_enter(&parser->reader, first->name);
    size_t key_mark = reader_enter(&parser->reader, "extends");
    reader_problem(&parser->reader,
                   "these templates extend each other in a circle: %s; expected a template that extends none at the end", way->str);
    reader_leave(&parser->reader, key_mark);
    reader_leave(&parser->reader, mark);
    first->base = NULL;
}

/* Each walk from a template marks what it passes with its own number: who meets that number again has found a circle. */
static void find_cycles(struct parser *parser, const GPtrArray *templates)
{
    for (unsigned i = 0; i < templates->len; i++) {
        struct vnode_template *template = templates->pdata[i];
        while (template && !template->visited) {
            template->visited = i + 1;
            template = template->base;
        }
        if (template && template->visited == i + 1) {
            report_cycle(parser, template);
        }
    }
}

static void check_depth(struct parser *parser, struct vnode_template *template)
{
    unsigned depth = 0;
    for (const struct vnode_template *t = template; t && depth <= DEPTH_LIMIT; t = t->base) {
        depth++;
    }
    if (depth > DEPTH_LIMIT) {
        size_t mark = reader_enter(&parser->reader, template->name);
        reader_problem(&parser->reader, "more than %d templates extend each other in a row here: expected fewer", DEPTH_LIMIT);
        reader_leave(&parser->reader, mark);
        template->broken = true;
    }
}

static struct vnode_template *parse_template(struct parser *parser, const char *name, const json_t *value)
{
    unsigned problems = parser->reader.count;
    g_autoptr(GError) error = NULL;
    struct vnode_template *template = g_new0(struct vnode_template, 1);
    template->name = name;
    g_hash_table_insert(parser->templates, (void *)name, template);
    if (!names_check(name, &error)) {
        reader_problem(&parser->reader, "%s", error->message);
    }
    reader_object(&parser->reader, value, "a template", template_fields, &template->spec);
    template->broken = parser->reader.count != problems;
    return template;
}

void parser_read_templates(struct parser *parser, const json_t *value)
{
    if (!reader_is_object(&parser->reader, value, "templates by name")) {
        return;
    }
    g_autoptr(GPtrArray) templates = g_ptr_array_new();
    const char *name;
    json_t *member;
    json_object_foreach ((json_t *)value, name, member) {
        size_t mark = reader_enter(&parser->reader, name);
        g_ptr_array_add(templates, parse_template(parser, name, member));
        reader_leave(&parser->reader, mark);
    }
    for (unsigned i = 0; i < templates->len; i++) {
        struct vnode_template *template = templates->pdata[i];
        if (template->spec.template_name) {
            size_t mark = reader_enter(&parser->reader, template->name);
            template->base = find_template(parser, template->spec.template_name, "extends");
            template->broken |= !template->base;
            reader_leave(&parser->reader, mark);
        }
    }
    find_cycles(parser, templates);
    for (unsigned i = 0; i < templates->len; i++) {
        check_depth(parser, templates->pdata[i]);
    }
}

bool parser_resolve_vnode(struct parser *parser, const struct vnode_spec *own, struct vnode_spec *ret)
{
    const struct vnode_template *chain[DEPTH_LIMIT];
    unsigned depth = 0;
    bool ok = !parser->defaults_broken;
    const struct vnode_template *template = own->template_name ? find_template(parser, own->template_name, "template") : NULL;
    ok = ok && (template || !own->template_name);
    for (; template && depth < DEPTH_LIMIT; template = template->base) {
        ok = ok && !template->broken;
        chain[depth++] = template;
    }
    struct vnode_spec spec = {.image = "host"};
    bool fits = vnode_spec_overlay(&spec, &parser->vnode_defaults, &parser->viface_defaults);
    while (depth--) {
        fits = vnode_spec_overlay(&spec, &chain[depth]->spec, &parser->viface_defaults) && fits;
    }
    fits = vnode_spec_overlay(&spec, own, &parser->viface_defaults) && fits;
    if (!fits) {
        reader_problem(&parser->reader, "with those of its templates, this vnode has %u vifaces: expected at most %d",
                       spec.vifaces->len, VIFACES_PER_VNODE);
    }
    *ret = spec;
    return ok && fits;
}
