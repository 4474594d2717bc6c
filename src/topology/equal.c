/* SPDX-License-Identifier: Apache-2.0 */
/* topology_equal(): field by field and on its own, so that it also tests the writer. */
#include <config.h>

#include <string.h>

#include "distem/topology.h"

/* Says that the two differ in 'what' of 'kind' 'name'; false for `return`. */
static bool differ(char **ret, const char *kind, const char *name, const char *what)
{
    if (ret) {
        *ret = g_strdup_printf("%s \"%s\" differs in %s", kind, name, what);
    }
    return false;
}

static bool vnetwork_equal(const struct vnetwork *a, const struct vnetwork *b, char **ret)
{
    const char *what = !prefix_equal(&a->ipv4, &b->ipv4)       ? "ipv4"
                       : !prefix_equal(&a->ipv6, &b->ipv6)     ? "ipv6"
                       : a->transport != b->transport          ? "transport"
                       : a->vni != b->vni                      ? "vni"
                       : a->port != b->port                    ? "port"
                       : a->underlay != b->underlay            ? "underlay"
                       : a->vlan != b->vlan                    ? "vlan"
                       : g_strcmp0(a->interface, b->interface) ? "interface"
                       : a->mtu != b->mtu                      ? "mtu"
                                                               : NULL;
    return !what || differ(ret, "vnetwork", a->name, what);
}

/* Returns what differs, or NULL. */
static const char *viface_difference(const struct viface *a, const struct viface *b)
{
    return strcmp(a->vnetwork->name, b->vnetwork->name) ? "vnetwork"
           : !ip_equal(&a->ipv4, &b->ipv4)              ? "ipv4"
           : !ip_equal(&a->ipv6, &b->ipv6)              ? "ipv6"
           : !mac_equal(&a->mac, &b->mac)               ? "mac"
           : !impairment_equal(&a->input, &b->input)    ? "input"
           : !impairment_equal(&a->output, &b->output)  ? "output"
                                                        : NULL;
}

static bool vifaces_equal(const struct vnode *a, const struct vnode *b, char **ret)
{
    if (a->vifaces->len != b->vifaces->len) {
        return differ(ret, "vnode", a->name, "the number of its vifaces");
    }
    for (unsigned i = 0; i < a->vifaces->len; i++) {
        const struct viface *viface = vnode_viface(a, i), *twin = vnode_viface(b, i);
        /* In the same order as a rule; else in any. */
        if (strcmp(viface->name, twin->name) != 0) {
            twin = vnode_find_viface(b, viface->name);
        }
        const char *what = twin ? viface_difference(viface, twin) : "being there";
        if (what) {
            g_autofree char *which = g_strdup_printf("%s of viface \"%s\"", what, viface->name);
            return differ(ret, "vnode", a->name, which);
        }
    }
    return true;
}

static bool vnode_equal(const struct vnode *a, const struct vnode *b, char **ret)
{
    const char *what = g_strcmp0(a->pnode, b->pnode)     ? "pnode"
                       : g_strcmp0(a->where, b->where)   ? "where"
                       : g_strcmp0(a->labels, b->labels) ? "labels"
                       : strcmp(a->image, b->image)      ? "image"
                       : a->cores != b->cores            ? "cores"
                       : a->frequency != b->frequency    ? "frequency"
                       : a->cpu_ratio != b->cpu_ratio    ? "ratio"
                       : a->memory != b->memory          ? "memory"
                       : a->gateway != b->gateway        ? "gateway"
                                                         : NULL;
    return what ? differ(ret, "vnode", a->name, what) : vifaces_equal(a, b, ret);
}

/* A vroute's end as text; "from to". */
static char *way(const struct vroute *vroute)
{
    char prefix[PREFIX_TEXT_SIZE];
    return g_strdup_printf("%s -> %s", vroute->from->name, vroute->to ? vroute->to->name : prefix_format(&vroute->prefix, prefix));
}

static bool vroutes_equal(const struct platform *a, const struct platform *b, char **ret)
{
    g_autoptr(GHashTable) ways = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (unsigned i = 0; i < b->vroutes->len; i++) {
        g_hash_table_insert(ways, way(platform_vroute(b, i)), platform_vroute(b, i));
    }
    for (unsigned i = 0; i < a->vroutes->len; i++) {
        g_autofree char *key = way(platform_vroute(a, i));
        const struct vroute *twin = g_hash_table_lookup(ways, key);
        if (!twin) {
            return differ(ret, "vroute", key, "being there");
        }
        if (strcmp(platform_vroute(a, i)->via->name, twin->via->name) != 0) {
            return differ(ret, "vroute", key, "via");
        }
    }
    return true;
}

/* Compares the objects of two platforms by name. */
static bool objects_equal(const struct platform *a, const struct platform *b, char **ret)
{
    g_autoptr(GHashTable) vnetworks = platform_index_vnetworks(b);
    g_autoptr(GHashTable) vnodes = platform_index_vnodes(b);
    for (unsigned i = 0; i < a->vnetworks->len; i++) {
        const struct vnetwork *vnetwork = platform_vnetwork(a, i);
        const struct vnetwork *twin = g_hash_table_lookup(vnetworks, vnetwork->name);
        if (!(twin ? vnetwork_equal(vnetwork, twin, ret) : differ(ret, "vnetwork", vnetwork->name, "being there"))) {
            return false;
        }
    }
    for (unsigned i = 0; i < a->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(a, i);
        const struct vnode *twin = g_hash_table_lookup(vnodes, vnode->name);
        if (!(twin ? vnode_equal(vnode, twin, ret) : differ(ret, "vnode", vnode->name, "being there"))) {
            return false;
        }
    }
    return true;
}

static bool playbacks_equal(const struct platform *a, const struct platform *b, char **ret)
{
    for (unsigned i = 0; i < a->playbacks->len; i++) {
        const struct playback_text *one = platform_playback(a, i), *other = platform_playback(b, i);
        if (strcmp(one->name, other->name) != 0 || strcmp(one->text, other->text) != 0) {
            return differ(ret, "trace", one->name, "its place, its name or its lines");
        }
    }
    return true;
}

bool topology_equal(const struct platform *a, const struct platform *b, char **ret_difference)
{
    const char *what = strcmp(a->name, b->name)                 ? "its name"
                       : a->routing != b->routing               ? "routing"
                       : a->vnetworks->len != b->vnetworks->len ? "the number of vnetworks"
                       : a->vnodes->len != b->vnodes->len       ? "the number of vnodes"
                       : a->vroutes->len != b->vroutes->len     ? "the number of vroutes"
                       : !matrix_equal(a->matrix, b->matrix)    ? "the matrix"
                       : a->playbacks->len != b->playbacks->len ? "the number of traces"
                                                                : NULL;
    if (what) {
        return differ(ret_difference, "platform", a->name, what);
    }
    return objects_equal(a, b, ret_difference) && vroutes_equal(a, b, ret_difference) && playbacks_equal(a, b, ret_difference);
}
