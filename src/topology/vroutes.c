/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <string.h>

#include "distem/topology.h"
#include "parser.h"

#define CANDIDATES_LIMIT 10000 /* Vnodes up to which the nearest name is looked for. */

/* What a vroute's object says. */
struct vroute_spec {
    const char *from, *to, *via;
};

static void read_from(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct vroute_spec *spec = target;
    reader_string(reader, value, "a vnetwork's name", &spec->from);
}

static void read_to(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct vroute_spec *spec = target;
    reader_string(reader, value, "a vnetwork's name or an IP prefix such as \"10.9.0.0/16\"", &spec->to);
}

static void read_via(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct vroute_spec *spec = target;
    reader_string(reader, value, "a vnode's name", &spec->via);
}

const struct field vroute_fields[] = {{"from", read_from}, {"to", read_to}, {"via", read_via}, {NULL, NULL}};

static struct vnetwork *resolve_vnetwork(struct parser *parser, const char *key, const char *name)
{
    size_t mark = reader_enter(&parser->reader, key);
    struct vnetwork *vnetwork = parser_find_vnetwork(parser, name);
    reader_leave(&parser->reader, mark);
    return vnetwork;
}

/* Sets where the vroute leads to. */
static bool resolve_to(struct parser *parser, const char *to, struct vroute *vroute)
{
    struct reader *reader = &parser->reader;
    if (!strchr(to, '/')) {
        vroute->to = resolve_vnetwork(parser, "to", to);
        return vroute->to;
    }
    g_autoptr(GError) error = NULL;
    g_autofree char *shown = reader_printable(to);
    if (!prefix_parse(shown, &vroute->prefix, &error)) {
        size_t mark = reader_enter(reader, "to");
        reader_problem(reader, "%s", error->message);
        reader_leave(reader, mark);
        return false;
    }
    return true;
}

/* Says why 'to' cannot be reached from 'from'; NULL: it can. */
static const char *check_ends(const struct vroute *vroute)
{
    const struct vnetwork *from = vroute->from, *to = vroute->to;
    if (to == from) {
        return "leads to the vnetwork that it comes from";
    }
    if (to) {
        bool common = (to->ipv4.addr.family && from->ipv4.addr.family) || (to->ipv6.addr.family && from->ipv6.addr.family);
        return common ? NULL : "joins a vnetwork that has only IPv4 addresses with one that has only IPv6 addresses";
    }
    const struct ip_prefix *own = vroute->prefix.addr.family == 4 ? &from->ipv4 : &from->ipv6;
    if (!own->addr.family) {
        return "leads to addresses of an IP version that vnetwork \"from\" has no prefix of";
    }
    return prefix_equal(own, &vroute->prefix) ? "leads to the addresses of the vnetwork that it comes from" : NULL;
}

static void unknown_vnode(struct parser *parser, const char *name)
{
    g_autofree char *shown = reader_printable(name), *hint = NULL;
    if (g_hash_table_size(parser->vnodes) <= CANDIDATES_LIMIT && !reader_is_full(&parser->reader)) {
        g_autofree const char **names = (const char **)g_hash_table_get_keys_as_array(parser->vnodes, NULL);
        hint = reader_suggestion(name, names);
    }
    reader_problem(&parser->reader, "there is no vnode \"%s\"%s: expected one that stands under \"vnodes\"", shown,
                   hint ? hint : "");
}

static bool is_on(const struct vnode *vnode, const struct vnetwork *vnetwork)
{
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        if (vnode_viface(vnode, i)->vnetwork == vnetwork) {
            return true;
        }
    }
    return false;
}

/* Sets and checks the vnode that the vroute goes through. The reader is at "via". */
static bool resolve_via(struct parser *parser, const char *name, struct vroute *vroute)
{
    struct reader *reader = &parser->reader;
    struct vnode *via = g_hash_table_lookup(parser->vnodes, name);
    if (!via) {
        if (!parser->vnodes_missing) {
            unknown_vnode(parser, name);
        }
        return false;
    }
    vroute->via = via;
    if (parser_is_broken(parser, via)) {
        return false;
    }
    if (!via->vifaces->len) {
        reader_problem(reader, "vnode \"%s\" has no vifaces: expected a vnode that is on vnetwork \"%s\"", name,
                       vroute->from->name);
        return false;
    }
    if (!is_on(via, vroute->from)) {
        reader_problem(reader, "vnode \"%s\" has no viface on vnetwork \"%s\": expected a vnode that is on it", name,
                       vroute->from->name);
        return false;
    }
    if (via->gateway == TRISTATE_NO) {
        reader_problem(reader, "vnode \"%s\" has \"gateway\": false, so it forwards nothing: expected a gateway", name);
        return false;
    }
    return true;
}

/* Adds 'wanted' to the platform unless the same way is there already. */
static void add_vroute(struct parser *parser, const struct vroute *wanted, GHashTable *ways)
{
    char prefix[PREFIX_TEXT_SIZE];
    const char *to = wanted->to ? wanted->to->name : prefix_format(&wanted->prefix, prefix);
    g_autofree char *way = g_strdup_printf("%s %s", wanted->from->name, to);
    if (!g_hash_table_add(ways, g_strdup(way))) {
        reader_problem(&parser->reader, "the way from \"%s\" to \"%s\" stands further up already: expected it once",
                       wanted->from->name, to);
        return;
    }
    struct vroute *vroute = platform_add_vroute(parser->platform, wanted->from, wanted->via);
    vroute->to = wanted->to;
    vroute->prefix = wanted->prefix;
}

static void parse_vroute(struct parser *parser, const json_t *value, GHashTable *ways)
{
    struct reader *reader = &parser->reader;
    unsigned problems = reader->count;
    struct vroute_spec spec = {0};
    struct vroute vroute = {0};
    if (!reader_object(reader, value, "a vroute", vroute_fields, &spec)) {
        return;
    }
    if (!spec.from || !spec.to || !spec.via) {
        if (reader->count == problems) {
            reader_problem(
                reader, "a vroute needs all of \"from\" (a vnetwork), \"to\" (a vnetwork or an IP prefix) and \"via\" (a vnode)");
        }
        return;
    }
    vroute.from = resolve_vnetwork(parser, "from", spec.from);
    bool ok = resolve_to(parser, spec.to, &vroute) && vroute.from;
    if (ok && !parser_is_broken(parser, vroute.from) && !(vroute.to && parser_is_broken(parser, vroute.to))) {
        const char *reason = check_ends(&vroute);
        if (reason) {
            reader_problem(reader, "this vroute %s: expected a way to another vnetwork, or to addresses beyond it", reason);
            ok = false;
        }
    }
    if (vroute.from) {
        size_t mark = reader_enter(reader, "via");
        ok = resolve_via(parser, spec.via, &vroute) && ok;
        reader_leave(reader, mark);
    }
    if (ok) {
        add_vroute(parser, &vroute, ways);
    }
}

void parser_read_vroutes(struct parser *parser, const json_t *value)
{
    if (!json_is_array(value)) {
        reader_problem(&parser->reader, "expected an array [...] of vroutes");
        return;
    }
    g_autoptr(GHashTable) ways = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    size_t index;
    json_t *member;
    json_array_foreach (value, index, member) {
        size_t mark = reader_enter_index(&parser->reader, index);
        parse_vroute(parser, member, ways);
        reader_leave(&parser->reader, mark);
    }
}
