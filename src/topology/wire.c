/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "wire.h"

#include "names.h"

#define VNI_LIMIT 0xffffff
#define VLAN_LIMIT 4094
#define MTU_LEAST 576

void wire_read_transport(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct wire_spec *wire = target;
    static const char *const words[] = {"vxlan", "vlan", "local", NULL};
    const char *word;
    if (reader_string(reader, value, "a transport: vxlan, vlan or local", &word) && !transport_parse(word, &wire->transport)) {
        g_autofree char *shown = reader_printable(word), *hint = reader_suggestion(word, words);
        reader_problem(reader, "unknown transport \"%s\"%s: expected vxlan, vlan or local", shown, hint);
    }
}

void wire_read_vni(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct wire_spec *wire = target;
    reader_integer(reader, value, 1, VNI_LIMIT, &wire->vni);
}

void wire_read_port(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct wire_spec *wire = target;
    uint32_t port;
    if (reader_integer(reader, value, 1, UINT16_MAX, &port)) {
        wire->port = (uint16_t)port;
    }
}

void wire_read_underlay(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct wire_spec *wire = target;
    const char *word;
    if (!reader_string(reader, value, "the tunnels' IP version: ipv4 or ipv6", &word)) {
        return;
    }
    if (g_strcmp0(word, "ipv4") != 0 && g_strcmp0(word, "ipv6") != 0) {
        g_autofree char *shown = reader_printable(word);
        reader_problem(reader, "unknown underlay \"%s\": expected ipv4 or ipv6", shown);
        return;
    }
    wire->underlay = word[3] == '4' ? 4 : 6;
}

void wire_read_vlan(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct wire_spec *wire = target;
    uint32_t vlan;
    if (reader_integer(reader, value, 1, VLAN_LIMIT, &vlan)) {
        wire->vlan = (uint16_t)vlan;
    }
}

void wire_read_interface(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct wire_spec *wire = target;
    g_autoptr(GError) error = NULL;
    const char *name;
    if (!reader_string(reader, value, "a physical interface's name", &name)) {
        return;
    }
    if (!names_check_interface(name, &error)) {
        reader_problem(reader, "%s", error->message);
        return;
    }
    wire->interface = name;
}

void wire_read_mtu(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct wire_spec *wire = target;
    uint32_t mtu;
    if (reader_integer(reader, value, MTU_LEAST, UINT16_MAX, &mtu)) {
        wire->mtu = (uint16_t)mtu;
    }
}

const struct field wire_fields[] = {WIRE_FIELDS, {NULL, NULL}};
const struct field wire_default_fields[] = {WIRE_DEFAULT_FIELDS, {NULL, NULL}};

/* Returns the transport that 'wire', which is about one vnetwork, speaks of; AUTO: none. */
static enum transport transport_of(const struct wire_spec *wire)
{
    return wire->transport                                  ? wire->transport
           : wire->vlan || wire->interface                  ? TRANSPORT_VLAN
           : wire->vni || wire->port || wire->underlay != 0 ? TRANSPORT_VXLAN
                                                            : TRANSPORT_AUTO;
}

void wire_check(struct reader *reader, const struct wire_spec *wire)
{
    enum transport transport = transport_of(wire);
    const struct {
        const char *key;
        bool given;
        enum transport transport;
    } keys[] = {
        {"vni", wire->vni != 0, TRANSPORT_VXLAN},
        {"port", wire->port != 0, TRANSPORT_VXLAN},
        {"underlay", wire->underlay != 0, TRANSPORT_VXLAN},
        {"vlan", wire->vlan != 0, TRANSPORT_VLAN},
        {"interface", wire->interface != NULL, TRANSPORT_VLAN},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (keys[i].given && keys[i].transport != transport) {
            size_t mark = reader_enter(reader, keys[i].key);
            reader_problem(reader, "%s is of no use here, where the transport is %s: expected it with transport %s only",
                           keys[i].key, transport_name(transport), transport_name(keys[i].transport));
            reader_leave(reader, mark);
        }
    }
}

struct wire_spec wire_merge(const struct wire_spec *const layers[WIRE_LAYERS])
{
    static const struct wire_spec nothing;
    struct wire_spec merged = {0};
    for (unsigned i = 0; i < WIRE_LAYERS && !merged.transport; i++) {
        const struct wire_spec *layer = layers[i] ? layers[i] : &nothing;
        /* Defaults may speak of all transports at once. */
        merged.transport = i >= WIRE_LAYOUT_DEFAULT ? layer->transport : transport_of(layer);
    }
    bool vxlan = merged.transport == TRANSPORT_VXLAN || merged.transport == TRANSPORT_AUTO;
    bool vlan = merged.transport == TRANSPORT_VLAN;
    for (unsigned i = 0; i < WIRE_LAYERS; i++) {
        const struct wire_spec *layer = layers[i] ? layers[i] : &nothing;
        if (vxlan) {
            merged.vni = merged.vni ? merged.vni : layer->vni;
            merged.port = merged.port ? merged.port : layer->port;
            merged.underlay = merged.underlay ? merged.underlay : layer->underlay;
        }
        if (vlan) {
            merged.vlan = merged.vlan ? merged.vlan : layer->vlan;
            merged.interface = merged.interface ? merged.interface : layer->interface;
        }
        merged.mtu = merged.mtu ? merged.mtu : layer->mtu;
    }
    return merged;
}
