/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <string.h>

#include "distem/topology.h"
#include "names.h"
#include "parser.h"

#define MTU_LEAST_IPV6 1280

/* A vnetwork as a topology has it. */
struct vnetwork_spec {
    struct wire_spec wire; /* First: its keys are read by wire.h's functions. */
    struct ip_prefix ipv4, ipv6;
};

/* Where no vnetwork may lie. */
static const struct {
    struct ip_prefix prefix;
    const char *what;
} forbidden[] = {
    {{{4, {0}}, 8}, "\"this network\" (0.0.0.0/8)"},
    {{{4, {127}}, 8}, "the loopback addresses (127.0.0.0/8)"},
    {{{4, {224}}, 3}, "multicast and reserved addresses (224.0.0.0/3)"},
    {{{6, {0}}, 8}, "loopback and special addresses (::/8)"},
    {{{6, {0xfe, 0x80}}, 10}, "link-local addresses (fe80::/10)"},
    {{{6, {0xff}}, 8}, "multicast addresses (ff00::/8)"},
};

static void read_prefix(struct reader *reader, const json_t *value, uint8_t family, struct ip_prefix *ret)
{
    g_autofree char *expected =
        g_strdup_printf("an IPv%u prefix such as \"%s\"", family, family == 4 ? "10.1.0.0/24" : "fd00:1::/64");
    g_autoptr(GError) error = NULL;
    const char *text;
    struct ip_prefix prefix;
    if (!reader_string(reader, value, expected, &text)) {
        return;
    }
    g_autofree char *shown = reader_printable(text);
    if (!prefix_parse(shown, &prefix, &error)) {
        reader_problem(reader, "%s", error->message);
        return;
    }
    if (prefix.addr.family != family) {
        reader_problem(reader, "\"%s\" is of the other IP version: expected %s", shown, expected);
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(forbidden); i++) {
        if (prefix_overlaps(&prefix, &forbidden[i].prefix)) {
            reader_problem(reader, "\"%s\" covers %s: expected addresses that hosts can have", shown, forbidden[i].what);
            return;
        }
    }
    *ret = prefix;
}

static void read_ipv4(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct vnetwork_spec *spec = target;
    read_prefix(reader, value, 4, &spec->ipv4);
}

static void read_ipv6(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct vnetwork_spec *spec = target;
    read_prefix(reader, value, 6, &spec->ipv6);
}

const struct field vnetwork_fields[] = {{"ipv4", read_ipv4}, {"ipv6", read_ipv6}, WIRE_FIELDS, {NULL, NULL}};

/* A vnetwork that is being read. */
struct reading {
    struct parser *parser;
    const struct wire_spec *own, *layout; /* What the topology says of it, and the layout; the latter may be NULL. */
    struct vnetwork *vnetwork;
};

/* Adds a problem at 'key' of the vnetwork, in the layout when that says something about it. */
static void G_GNUC_PRINTF(4, 5) complain(struct reading *reading, bool in_layout, const char *key, const char *format, ...)
{
    struct parser *parser = reading->parser;
    struct reader *reader = in_layout ? &parser->layout->reader : &parser->reader;
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    size_t mark = in_layout ? layout_enter(parser->layout, reading->vnetwork->name) : reader->pointer->len;
    (void)reader_enter(reader, key);
    reader_problem(reader, "%s", message);
    reader_leave(reader, mark);
    g_hash_table_add(parser->broken, reading->vnetwork);
}

struct owners {
    /* What only one vnetwork may have: VNI, or VLAN and interface as text -> struct vnetwork. */
    GHashTable *vnis, *vlans;
    bool layout_sound; /* It could be read. */
};

/* Checks what only the merged wire shows. */
static void check_wire(struct reading *reading, struct owners *owners)
{
    struct vnetwork *vnetwork = reading->vnetwork;
    const struct wire_spec *layout = reading->layout;
    if (vnetwork->ipv6.addr.family && vnetwork->mtu && vnetwork->mtu < MTU_LEAST_IPV6) {
        complain(reading, layout && layout->mtu, "mtu", "an MTU of %u is too small for IPv6: expected at least %d", vnetwork->mtu,
                 MTU_LEAST_IPV6);
    }
    if (vnetwork->transport == TRANSPORT_VLAN && !vnetwork->vlan) {
        complain(reading, layout != NULL, "transport",
                 "transport vlan needs a VLAN: expected \"vlan\": and a number from 1 to 4094");
    }
    if (vnetwork->transport == TRANSPORT_VLAN && !vnetwork->interface) {
        complain(reading, layout != NULL, "transport",
                 "transport vlan needs to know the machines' interface: expected \"interface\": and its name, such as \"eth1\"");
    }
    const struct vnetwork *owner = g_hash_table_lookup(owners->vnis, GUINT_TO_POINTER(vnetwork->vni));
    if (vnetwork->vni && owner) {
        complain(reading, layout && layout->vni, "vni",
                 "VNI %u belongs to vnetwork \"%s\" already: expected another, or none, to have one chosen", vnetwork->vni,
                 owner->name);
    } else if (vnetwork->vni) {
        g_hash_table_insert(owners->vnis, GUINT_TO_POINTER(vnetwork->vni), vnetwork);
    }
    if (!vnetwork->vlan || !vnetwork->interface) {
        return;
    }
    char *key = g_strdup_printf("%u %s", vnetwork->vlan, vnetwork->interface);
    owner = g_hash_table_lookup(owners->vlans, key);
    if (owner) {
        complain(reading, layout && layout->vlan, "vlan",
                 "VLAN %u of interface \"%s\" belongs to vnetwork \"%s\" already: expected another", vnetwork->vlan,
                 vnetwork->interface, owner->name);
        g_free(key);
    } else {
        g_hash_table_insert(owners->vlans, key, vnetwork);
    }
}

/* Merges all that there is about the vnetwork. */
static void fill_wire(struct reading *reading)
{
    const struct parser *parser = reading->parser;
    struct vnetwork *vnetwork = reading->vnetwork;
    struct wire_spec wire = wire_merge((const struct wire_spec *const[WIRE_LAYERS]){
        reading->layout, reading->own, &parser->layout->defaults, &parser->wire_defaults});
    vnetwork->transport = wire.transport;
    vnetwork->vni = wire.vni;
    vnetwork->port = wire.port;
    vnetwork->underlay = wire.underlay;
    vnetwork->vlan = wire.vlan;
    vnetwork->interface = g_strdup(wire.interface);
    vnetwork->mtu = wire.mtu;
}

static void parse_vnetwork(struct parser *parser, const char *name, const json_t *value, struct owners *owners)
{
    struct reader *reader = &parser->reader;
    unsigned problems = reader->count;
    g_autoptr(GError) error = NULL;
    if (strchr(name, '[')) {
        g_autofree char *shown = reader_printable(name);
        reader_problem(reader, "\"%s\" cannot be a vnetwork's name: ranges are for vnodes only", shown);
    } else if (!names_check(name, &error)) {
        reader_problem(reader, "%s", error->message);
    }
    struct vnetwork *vnetwork = platform_add_vnetwork(parser->platform, name);
    g_hash_table_insert(parser->vnetworks, vnetwork->name, vnetwork);
    struct vnetwork_spec spec = {0};
    bool readable = reader_object(reader, value, "a vnetwork", vnetwork_fields, &spec);
    if (readable && !json_object_get(value, "ipv4") && !json_object_get(value, "ipv6")) {
        reader_problem(reader, "a vnetwork needs addresses: expected \"ipv4\": \"10.1.0.0/24\", \"ipv6\": \"fd00:1::/64\" or both");
    }
    vnetwork->ipv4 = spec.ipv4;
    vnetwork->ipv6 = spec.ipv6;
    wire_check(reader, &spec.wire);
    struct reading reading = {parser, &spec.wire, layout_find(parser->layout, name), vnetwork};
    fill_wire(&reading);
    /* Where a part could not be read, it is not missing. */
    if (reader->count == problems && owners->layout_sound) {
        check_wire(&reading, owners);
    }
    if (reader->count != problems) {
        g_hash_table_add(parser->broken, vnetwork);
    }
}

void parser_read_vnetworks(struct parser *parser, const json_t *value)
{
    if (!reader_is_object(&parser->reader, value, "vnetworks by name")) {
        return;
    }
    g_autoptr(GHashTable) vnis = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) vlans = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    struct owners owners = {vnis, vlans, !parser->layout->reader.count};
    const char *name;
    json_t *member;
    json_object_foreach ((json_t *)value, name, member) {
        size_t mark = reader_enter(&parser->reader, name);
        parse_vnetwork(parser, name, member, &owners);
        reader_leave(&parser->reader, mark);
    }
}

struct vnetwork *parser_find_vnetwork(struct parser *parser, const char *name)
{
    struct vnetwork *vnetwork = g_hash_table_lookup(parser->vnetworks, name);
    if (vnetwork || reader_is_full(&parser->reader)) {
        if (!vnetwork) {
            reader_problem(&parser->reader, "unknown vnetwork");
        }
        return vnetwork;
    }
    g_autofree char *shown = reader_printable(name);
    g_autofree const char **names = (const char **)g_hash_table_get_keys_as_array(parser->vnetworks, NULL);
    g_autofree char *hint = reader_suggestion(name, names);
    reader_problem(&parser->reader, "there is no vnetwork \"%s\"%s: expected one that stands under \"vnetworks\"", shown, hint);
    return NULL;
}
