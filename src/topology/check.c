/* SPDX-License-Identifier: Apache-2.0 */
/* What can only be checked once everything is merged: vifaces against their vnetworks and against each other. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "parser.h"

/* An address that a viface has, within its vnetwork. */
struct taken {
    const struct vnetwork *vnetwork;
    struct ip_addr addr; /* Family 48 stands for a MAC address. */
    const struct vnode *vnode;
    const struct viface *viface;
};

static guint taken_hash(const void *key)
{
    const struct taken *taken = key;
    guint hash = g_direct_hash(taken->vnetwork) + taken->addr.family;
    for (unsigned i = 0; i < sizeof taken->addr.bytes; i++) {
        hash = hash * 31 + taken->addr.bytes[i];
    }
    return hash;
}

static gboolean taken_equal(const void *a, const void *b)
{
    const struct taken *first = a, *second = b;
    return first->vnetwork == second->vnetwork && ip_equal(&first->addr, &second->addr);
}

void *parser_taken_new(void)
{
    return g_hash_table_new_full(taken_hash, taken_equal, g_free, NULL);
}

static void check_one_taken(struct parser *parser, const struct vnode *vnode, const struct viface *viface, const char *key,
                            const struct ip_addr *addr, const char *shown)
{
    struct taken taken = {viface->vnetwork, *addr, vnode, viface};
    const struct taken *other = g_hash_table_lookup(parser->taken, &taken);
    if (!other) {
        g_hash_table_add(parser->taken, g_memdup2(&taken, sizeof taken));
        return;
    }
    size_t marks[3] = {reader_enter(&parser->reader, "vifaces"), reader_enter(&parser->reader, viface->name),
                       reader_enter(&parser->reader, key)};
    reader_problem(&parser->reader,
                   "%s is taken by viface \"%s\" of vnode \"%s\": expected an address of its own on vnetwork \"%s\"", shown,
                   other->viface->name, other->vnode->name, viface->vnetwork->name);
    reader_leave(&parser->reader, marks[0]);
}

void parser_check_taken(struct parser *parser, struct vnode *vnode)
{
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        const struct viface *viface = vnode_viface(vnode, i);
        char text[IP_TEXT_SIZE];
        if (viface->ipv4.family) {
            check_one_taken(parser, vnode, viface, "ipv4", &viface->ipv4, ip_format(&viface->ipv4, text));
        }
        if (viface->ipv6.family) {
            check_one_taken(parser, vnode, viface, "ipv6", &viface->ipv6, ip_format(&viface->ipv6, text));
        }
        if (!mac_is_zero(&viface->mac)) {
            struct ip_addr mac = {.family = 48};
            memcpy(mac.bytes, viface->mac.bytes, sizeof viface->mac.bytes);
            check_one_taken(parser, vnode, viface, "mac", &mac, mac_format(&viface->mac, text));
        }
    }
}

/* Checks a viface's address against its vnetwork's prefix of the same IP version. */
static void check_address(struct reader *reader, const char *key, const struct ip_addr *addr, const struct ip_prefix *prefix,
                          const struct vnetwork *vnetwork)
{
    if (!addr->family) {
        return;
    }
    char text[IP_TEXT_SIZE], prefix_text[PREFIX_TEXT_SIZE];
    ip_format(addr, text);
    prefix_format(prefix, prefix_text);
    size_t mark = reader_enter(reader, key);
    if (!prefix->addr.family) {
        reader_problem(reader, "vnetwork \"%s\" has no %s prefix that %s could lie in: expected no address, or a prefix there",
                       vnetwork->name, key, text);
    } else if (!prefix_contains(prefix, addr)) {
        reader_problem(reader, "%s is outside of vnetwork \"%s\": expected an address in %s", text, vnetwork->name, prefix_text);
    } else if (!prefix_host_number(prefix, addr, NULL)) {
        bool network = ip_equal(addr, &prefix->addr);
        reader_problem(reader, "%s is the %s address of %s: expected one that a host may have", text,
                       !network            ? "broadcast"
                       : addr->family == 4 ? "network"
                                           : "subnet-router anycast",
                       prefix_text);
    }
    reader_leave(reader, mark);
}

/* An address that stands for many vnodes is one that is taken. */
static void check_single(struct reader *reader, const struct viface_spec *viface, const char *vnode, uint64_t count)
{
    const char *key = viface->ipv4.family ? "ipv4" : viface->ipv6.family ? "ipv6" : !mac_is_zero(&viface->mac) ? "mac" : NULL;
    if (count > 1 && key) {
        size_t mark = reader_enter(reader, key);
        reader_problem(reader,
                       "\"%s\" is %" G_GUINT64_FORMAT
                       " vnodes, which cannot all have the same address: expected none, to have them chosen",
                       vnode, count);
        reader_leave(reader, mark);
    }
}

static void check_directions(struct reader *reader, const struct viface_spec *viface, unsigned frame)
{
    const struct direction *directions[] = {&viface->input, &viface->output};
    static const char *const keys[] = {"input", "output"};
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *prefix = g_strdup_printf("%s of viface \"%s\": ", keys[i], viface->name);
        size_t mark = reader_enter(reader, keys[i]);
        impairment_check(reader, &directions[i]->value, frame, prefix);
        reader_leave(reader, mark);
    }
}

/* Returns the viface's vnetwork, NULL where it has none. */
static struct vnetwork *check_viface(struct parser *parser, const struct viface_spec *viface, const char *vnode, uint64_t count)
{
    struct reader *reader = &parser->reader;
    if (!viface->vnetwork) {
        reader_problem(reader, "viface \"%s\" is on no vnetwork: expected \"vnetwork\": and the name of one", viface->name);
        return NULL;
    }
    size_t mark = reader_enter(reader, "vnetwork");
    struct vnetwork *vnetwork = parser_find_vnetwork(parser, viface->vnetwork);
    reader_leave(reader, mark);
    if (!vnetwork) {
        return NULL;
    }
    if (!parser_is_broken(parser, vnetwork)) {
        check_address(reader, "ipv4", &viface->ipv4, &vnetwork->ipv4, vnetwork);
        check_address(reader, "ipv6", &viface->ipv6, &vnetwork->ipv6, vnetwork);
    }
    check_single(reader, viface, vnode, count);
    check_directions(reader, viface, impairment_frame_size(vnetwork->mtu));
    return vnetwork;
}

/* A prefix that a vnode is on. */
struct attachment {
    struct ip_prefix prefix;
    const struct vnetwork *vnetwork;
    const char *viface;
};

/* A prefix comes directly before the ones inside it, so overlapping ones become neighbours. */
static int compare_attachments(const void *a, const void *b)
{
    const struct attachment *first = a, *second = b;
    int order = ip_compare(&first->prefix.addr, &second->prefix.addr);
    return order ? order : first->prefix.length - second->prefix.length;
}

/* A vnode on two overlapping prefixes could not tell which way an address of both lies. */
static void check_overlaps(struct reader *reader, GArray *attachments, const char *vnode)
{
    g_array_sort(attachments, compare_attachments);
    for (unsigned i = 1; i < attachments->len; i++) {
        const struct attachment *a = &g_array_index(attachments, struct attachment, i - 1), *b = a + 1;
        if (!prefix_overlaps(&a->prefix, &b->prefix)) {
            continue;
        }
        char first[PREFIX_TEXT_SIZE], second[PREFIX_TEXT_SIZE];
        reader_problem(
            reader,
            "vnode \"%s\" is on two vnetworks with addresses in common, by \"%s\" on \"%s\" (%s) and by \"%s\" on \"%s\" (%s): "
            "expected vifaces on different networks",
            vnode, a->viface, a->vnetwork->name, prefix_format(&a->prefix, first), b->viface, b->vnetwork->name,
            prefix_format(&b->prefix, second));
        return;
    }
}

void parser_check_vnode(struct parser *parser, const struct vnode_spec *spec, const char *key, uint64_t count)
{
    if (!spec->vifaces) {
        return;
    }
    g_autoptr(GArray) attachments = g_array_new(FALSE, FALSE, sizeof(struct attachment));
    size_t mark = reader_enter(&parser->reader, "vifaces");
    for (unsigned i = 0; i < spec->vifaces->len; i++) {
        const struct viface_spec *viface = &g_array_index(spec->vifaces, struct viface_spec, i);
        size_t viface_mark = reader_enter(&parser->reader, viface->name);
        const struct vnetwork *vnetwork = check_viface(parser, viface, key, count);
        reader_leave(&parser->reader, viface_mark);
        if (vnetwork && vnetwork->ipv4.addr.family) {
            g_array_append_vals(attachments, &(struct attachment){vnetwork->ipv4, vnetwork, viface->name}, 1);
        }
        if (vnetwork && vnetwork->ipv6.addr.family) {
            g_array_append_vals(attachments, &(struct attachment){vnetwork->ipv6, vnetwork, viface->name}, 1);
        }
    }
    check_overlaps(&parser->reader, attachments, key);
    reader_leave(&parser->reader, mark);
}
