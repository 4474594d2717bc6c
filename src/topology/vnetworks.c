/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <string.h>

#include "distem/topology.h"
#include "names.h"
#include "parser.h"

#define VNI_LIMIT 0xffffff
#define VLAN_LIMIT 4094
#define MTU_LEAST 576
#define MTU_LEAST_IPV6 1280

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
    struct vnetwork *vnetwork = target;
    read_prefix(reader, value, 4, &vnetwork->ipv4);
}

static void read_ipv6(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct vnetwork *vnetwork = target;
    read_prefix(reader, value, 6, &vnetwork->ipv6);
}

static void read_vni(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct vnetwork *vnetwork = target;
    reader_integer(reader, value, 1, VNI_LIMIT, &vnetwork->vni);
}

static void read_vlan(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct vnetwork *vnetwork = target;
    uint32_t vlan;
    if (reader_integer(reader, value, 1, VLAN_LIMIT, &vlan)) {
        vnetwork->vlan = (uint16_t)vlan;
    }
}

static void read_mtu(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct vnetwork *vnetwork = target;
    uint32_t mtu;
    if (reader_integer(reader, value, MTU_LEAST, UINT16_MAX, &mtu)) {
        vnetwork->mtu = (uint16_t)mtu;
    }
}

const struct field vnetwork_fields[] = {
    {"ipv4", read_ipv4}, {"ipv6", read_ipv6}, {"vni", read_vni}, {"vlan", read_vlan}, {"mtu", read_mtu}, {NULL, NULL},
};

/* Adds a problem when another vnetwork has 'number' too. 'owners' is a table of number -> struct vnetwork. */
static void check_number(struct reader *reader, GHashTable *owners, const char *key, const char *what, uint32_t number,
                         struct vnetwork *vnetwork)
{
    const struct vnetwork *owner = number ? g_hash_table_lookup(owners, GUINT_TO_POINTER(number)) : NULL;
    if (owner) {
        size_t mark = reader_enter(reader, key);
        reader_problem(reader, "%s %u belongs to vnetwork \"%s\" already: expected another, or none, to have one chosen", what,
                       number, owner->name);
        reader_leave(reader, mark);
    } else if (number) {
        g_hash_table_insert(owners, GUINT_TO_POINTER(number), vnetwork);
    }
}

static void parse_vnetwork(struct parser *parser, const char *name, const json_t *value, GHashTable *vnis, GHashTable *vlans)
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
    bool readable = reader_object(reader, value, "a vnetwork", vnetwork_fields, vnetwork);
    if (readable && !json_object_get(value, "ipv4") && !json_object_get(value, "ipv6")) {
        reader_problem(reader, "a vnetwork needs addresses: expected \"ipv4\": \"10.1.0.0/24\", \"ipv6\": \"fd00:1::/64\" or both");
    }
    if (vnetwork->ipv6.addr.family && vnetwork->mtu && vnetwork->mtu < MTU_LEAST_IPV6) {
        size_t mark = reader_enter(reader, "mtu");
        reader_problem(reader, "an MTU of %u is too small for IPv6: expected at least %d", vnetwork->mtu, MTU_LEAST_IPV6);
        reader_leave(reader, mark);
    }
    check_number(reader, vnis, "vni", "VNI", vnetwork->vni, vnetwork);
    check_number(reader, vlans, "vlan", "VLAN", vnetwork->vlan, vnetwork);
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
    g_autoptr(GHashTable) vlans = g_hash_table_new(NULL, NULL);
    const char *name;
    json_t *member;
    json_object_foreach ((json_t *)value, name, member) {
        size_t mark = reader_enter(&parser->reader, name);
        parse_vnetwork(parser, name, member, vnis, vlans);
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
