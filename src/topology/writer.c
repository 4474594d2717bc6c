/* SPDX-License-Identifier: Apache-2.0 */
/* topology_write(): one line per vnetwork, vnode and vroute. */
#include <config.h>

#include <string.h>

#include "distem/delay-table.h"
#include "distem/topology.h"
#include "distem/units.h"
#include "labels.h"
#include "matrices.h"

static void set_string(json_t *object, const char *key, const char *value)
{
    json_object_set_new(object, key, json_string(value));
}

static void set_integer(json_t *object, const char *key, uint32_t value)
{
    if (value) {
        json_object_set_new(object, key, json_integer(value));
    }
}

/* Sets 'key' to the text of a quantity, which is freed. */
static void take_string(json_t *object, const char *key, char *value)
{
    set_string(object, key, value);
    g_free(value);
}

static void set_prefix(json_t *object, const char *key, const struct ip_prefix *prefix)
{
    char text[PREFIX_TEXT_SIZE];
    if (prefix->addr.family) {
        set_string(object, key, prefix_format(prefix, text));
    }
}

static void set_address(json_t *object, const char *key, const struct ip_addr *addr)
{
    char text[IP_TEXT_SIZE];
    if (addr->family) {
        set_string(object, key, ip_format(addr, text));
    }
}

static void set_impairment(json_t *object, const char *key, const struct impairment *impairment, const struct platform *platform)
{
    if (!impairment_is_zero(impairment)) {
        json_object_set_new(object, key, impairment_to_json_with_traces(impairment, platform));
    }
}

static json_t *vnetwork_to_json(const struct vnetwork *vnetwork)
{
    json_t *object = json_object();
    set_prefix(object, "ipv4", &vnetwork->ipv4);
    set_prefix(object, "ipv6", &vnetwork->ipv6);
    if (vnetwork->transport != TRANSPORT_AUTO) {
        set_string(object, "transport", transport_name(vnetwork->transport));
    }
    set_integer(object, "vni", vnetwork->vni);
    set_integer(object, "port", vnetwork->port);
    if (vnetwork->underlay) {
        set_string(object, "underlay", vnetwork->underlay == 4 ? "ipv4" : "ipv6");
    }
    set_integer(object, "vlan", vnetwork->vlan);
    if (vnetwork->interface) {
        set_string(object, "interface", vnetwork->interface);
    }
    set_integer(object, "mtu", vnetwork->mtu);
    return object;
}

static json_t *viface_to_json(const struct viface *viface, const struct platform *platform)
{
    json_t *object = json_object();
    set_string(object, "vnetwork", viface->vnetwork->name);
    set_address(object, "ipv4", &viface->ipv4);
    set_address(object, "ipv6", &viface->ipv6);
    if (!mac_is_zero(&viface->mac)) {
        char text[MAC_TEXT_SIZE];
        set_string(object, "mac", mac_format(&viface->mac, text));
    }
    if (impairment_equal(&viface->input, &viface->output)) {
        set_impairment(object, "both", &viface->input, platform);
    } else {
        set_impairment(object, "input", &viface->input, platform);
        set_impairment(object, "output", &viface->output, platform);
    }
    return object;
}

static void set_cpu(json_t *object, const struct vnode *vnode)
{
    json_t *cpu = json_object();
    set_integer(cpu, "cores", vnode->cores);
    if (vnode->frequency) {
        take_string(cpu, "frequency", frequency_format(vnode->frequency));
    }
    if (vnode->cpu_ratio) {
        take_string(cpu, "ratio", percent_format(vnode->cpu_ratio));
    }
    if (json_object_size(cpu)) {
        json_object_set(object, "cpu", cpu);
    }
    json_decref(cpu);
}

static json_t *vnode_to_json(const struct vnode *vnode, const struct platform *platform)
{
    json_t *object = json_object();
    if (strcmp(vnode->image, "host") != 0) {
        set_string(object, "image", vnode->image);
    }
    if (vnode->pnode) {
        set_string(object, "pnode", vnode->pnode);
    }
    if (vnode->where) {
        json_object_set_new(object, "where", labels_json(vnode->where));
    }
    if (vnode->labels) {
        json_object_set_new(object, "labels", labels_json(vnode->labels));
    }
    if (vnode->gateway != TRISTATE_AUTO) {
        json_object_set_new(object, "gateway", json_boolean(vnode->gateway == TRISTATE_YES));
    }
    set_cpu(object, vnode);
    if (vnode->memory) {
        take_string(object, "memory", size_format(vnode->memory));
    }
    if (vnode->vifaces->len) {
        json_t *vifaces = json_object();
        for (unsigned i = 0; i < vnode->vifaces->len; i++) {
            const struct viface *viface = vnode_viface(vnode, i);
            json_object_set_new(vifaces, viface->name, viface_to_json(viface, platform));
        }
        json_object_set_new(object, "vifaces", vifaces);
    }
    return object;
}

static json_t *vroute_to_json(const struct vroute *vroute)
{
    json_t *object = json_object();
    set_string(object, "from", vroute->from->name);
    if (vroute->to) {
        set_string(object, "to", vroute->to->name);
    } else {
        set_prefix(object, "to", &vroute->prefix);
    }
    set_string(object, "via", vroute->via->name);
    return object;
}

static int append(const char *buffer, size_t size, void *data)
{
    g_string_append_len(data, buffer, (gssize)size);
    return 0;
}

/* Appends 'value', which is consumed, on a line of its own, with its key unless that is NULL. */
static void append_line(GString *text, bool first, const char *key, json_t *value)
{
    g_string_append(text, first ? "\n    " : ",\n    ");
    if (key) {
        json_t *name = json_string(key);
        json_dump_callback(name, append, text, JSON_ENCODE_ANY);
        g_string_append(text, ": ");
        json_decref(name);
    }
    json_dump_callback(value, append, text, JSON_ENCODE_ANY);
    json_decref(value);
}

static void append_string(GString *text, const char *key, const char *value)
{
    json_t *string = json_string(value);
    g_string_append_printf(text, "  \"%s\": ", key);
    json_dump_callback(string, append, text, JSON_ENCODE_ANY);
    g_string_append(text, ",\n");
    json_decref(string);
}

/* Writes text 'i' of the 'count' in 'section', as its lines, with what stands before the first one and behind the last. */
static void append_text(GString *text, const char *section, unsigned i, unsigned count, const char *name, const char *value)
{
    g_auto(GStrv) lines = g_strsplit(value, "\n", -1);
    json_t *array = json_array();
    for (unsigned j = 0; lines[j]; j++) {
        json_array_append_new(array, json_string(lines[j]));
    }
    if (i == 0) {
        g_string_append_printf(text, "  \"%s\": {", section);
    }
    append_line(text, i == 0, name, array);
    g_string_append(text, i + 1 == count ? "\n  },\n" : "");
}

char *topology_write(const struct platform *platform)
{
    GString *text = g_string_new("{\n  \"distem\": 2,\n");
    append_string(text, "name", platform->name);
    append_string(text, "routing", routing_name(platform->routing));
    g_autoptr(GPtrArray) tables = delay_tables_of(platform);
    for (unsigned i = 0; i < tables->len; i++) {
        const struct delay_table *table = tables->pdata[i];
        g_autofree char *numbers = delay_table_text(table);
        append_text(text, "tables", i, tables->len, table->name, numbers);
    }
    for (unsigned i = 0; i < platform->playbacks->len; i++) {
        const struct playback_text *playback = platform_playback(platform, i);
        append_text(text, "traces", i, platform->playbacks->len, playback->name, playback->text);
    }
    if (platform->matrix) {
        json_t *matrix = matrix_to_json(platform->matrix, 0, 0);
        const char *key;
        json_t *value;
        bool first = true;
        g_string_append(text, "  \"matrix\": {");
        json_object_foreach (matrix, key, value) {
            append_line(text, first, key, json_incref(value));
            first = false;
        }
        g_string_append(text, "\n  },\n");
        json_decref(matrix);
    }
    g_string_append(text, "  \"vnetworks\": {");
    for (unsigned i = 0; i < platform->vnetworks->len; i++) {
        const struct vnetwork *vnetwork = platform_vnetwork(platform, i);
        append_line(text, i == 0, vnetwork->name, vnetwork_to_json(vnetwork));
    }
    g_string_append(text, "\n  },\n  \"vnodes\": {");
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        append_line(text, i == 0, vnode->name, vnode_to_json(vnode, platform));
    }
    g_string_append(text, "\n  }");
    for (unsigned i = 0; i < platform->vroutes->len; i++) {
        g_string_append(text, i == 0 ? ",\n  \"vroutes\": [" : "");
        append_line(text, i == 0, NULL, vroute_to_json(platform_vroute(platform, i)));
    }
    g_string_append(text, platform->vroutes->len ? "\n  ]\n}\n" : "\n}\n");
    return g_string_free(text, FALSE);
}
