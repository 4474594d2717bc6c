/* SPDX-License-Identifier: Apache-2.0 */
/* Following the routes of a planned platform, as the kernels of its vnodes would. */
#include <config.h>

#include "distem/expect.h"
#include "family.h"
#include "owners.h"

/* A line of a vnode's routing table. */
struct line {
    struct ip_prefix to;
    struct ip_addr via; /* Family 0: delivered directly. */
    uint32_t viface;
    uint32_t order; /* Of lines for the same prefix the lowest counts. */
};

struct path_finder {
    const struct platform *platform;
    GHashTable *owners;
    GHashTable
        *tables; /* Vnode, or route table of vnodes with one viface -> GArray of struct line, sorted; made when first needed. */
    unsigned n_gateways;
};

static void table_unref(void *table)
{
    g_array_unref(table);
}

struct path_finder *path_finder_new(const struct platform *planned)
{
    struct path_finder *finder = g_new0(struct path_finder, 1);
    finder->platform = planned;
    finder->owners = owners_new();
    finder->tables = g_hash_table_new_full(NULL, NULL, NULL, table_unref);
    for (unsigned i = 0; i < planned->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(planned, i);
        finder->n_gateways += vnode->forwards;
        for (unsigned j = 0; j < vnode->vifaces->len; j++) {
            const struct viface *viface = vnode_viface(vnode, j);
            for (uint8_t family = 4; family <= 6; family += 2) {
                if (viface_address(viface, family)->family) {
                    owners_add(finder->owners, vnode, viface, viface_address(viface, family));
                }
            }
        }
    }
    return finder;
}

const struct platform *path_finder_platform(const struct path_finder *finder)
{
    return finder->platform;
}

void path_finder_free(struct path_finder *finder)
{
    if (finder) {
        g_hash_table_unref(finder->tables);
        g_hash_table_unref(finder->owners);
        g_free(finder);
    }
}

/* Orders by address, then length: what contains stands before what it contains. */
static int compare_lines(const void *a, const void *b)
{
    const struct line *left = a, *right = b;
    int order = ip_compare(&left->to.addr, &right->to.addr);
    if (!order) {
        order = (int)left->to.length - (int)right->to.length;
    }
    return order ? order : (left->order > right->order) - (left->order < right->order);
}

/* Drops all but the first of the lines for the same prefix. */
static void drop_duplicates(GArray *table)
{
    unsigned n = 0;
    for (unsigned i = 0; i < table->len; i++) {
        const struct line *line = &g_array_index(table, struct line, i);
        if (n == 0 || !prefix_equal(&g_array_index(table, struct line, n - 1).to, &line->to)) {
            g_array_index(table, struct line, n++) = *line;
        }
    }
    g_array_set_size(table, n);
}

static void add_line(GArray *table, const struct ip_prefix *to, const struct ip_addr *via, uint32_t viface)
{
    struct line line = {*to, via ? *via : (struct ip_addr){0}, viface, table->len};
    g_array_append_val(table, line);
}

/* Returns the routing table of 'vnode'. Vnodes with one viface that share their routes share this, too. */
static const GArray *table_of(const struct path_finder *finder, const struct vnode *vnode)
{
    const void *key = vnode->vifaces->len == 1 && vnode->routes ? (const void *)vnode->routes : vnode;
    GArray *table = g_hash_table_lookup(finder->tables, key);
    if (table) {
        return table;
    }
    table = g_array_new(FALSE, FALSE, sizeof(struct line));
    for (unsigned i = 0; key == vnode && i < vnode->vifaces->len; i++) {
        for (uint8_t family = 4; family <= 6; family += 2) {
            if (viface_address(vnode_viface(vnode, i), family)->family) {
                add_line(table, vnetwork_prefix(vnode_viface(vnode, i)->vnetwork, family), NULL, i);
            }
        }
    }
    for (unsigned i = 0; vnode->routes && i < vnode->routes->len; i++) {
        const struct route *route = &g_array_index(vnode->routes, struct route, i);
        add_line(table, &route->to, &route->via, route->viface);
    }
    g_array_sort(table, compare_lines);
    drop_duplicates(table);
    g_hash_table_insert(finder->tables, (void *)key, table);
    return table;
}

/* Returns how many leading bits 'a' and 'b' have in common. */
static unsigned common_bits(const struct ip_addr *a, const struct ip_addr *b)
{
    unsigned i = 0;
    while (i < sizeof a->bytes && a->bytes[i] == b->bytes[i]) {
        i++;
    }
    if (i == sizeof a->bytes) {
        return 8 * i;
    }
    return 8 * i + (unsigned)__builtin_clz((unsigned)(a->bytes[i] ^ b->bytes[i])) - 24;
}

/* Returns the line with the longest prefix that contains 'addr', or NULL. The last line that does not stand behind 'addr' is it, or
 * shows how long a prefix can be at most; then the same is asked for a line that short. */
static const struct line *longest_match(const GArray *table, const struct ip_addr *addr)
{
    struct line key = {.to = {*addr, 128}, .order = UINT32_MAX};
    unsigned end = table->len;
    for (;;) {
        unsigned begin = 0;
        while (begin < end) {
            unsigned middle = begin + (end - begin) / 2;
            if (compare_lines(&g_array_index(table, struct line, middle), &key) <= 0) {
                begin = middle + 1;
            } else {
                end = middle;
            }
        }
        if (begin == 0) {
            return NULL;
        }
        const struct line *line = &g_array_index(table, struct line, begin - 1);
        if (prefix_contains(&line->to, addr)) {
            return line;
        }
        if (line->to.addr.family != addr->family) {
            return NULL;
        }
        unsigned common = common_bits(&line->to.addr, addr);
        for (unsigned bit = common; bit < 128; bit++) {
            key.to.addr.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
        }
        key.to.length = (uint8_t)common;
    }
}

/* Finds where 'vnode' sends what is for 'to': the viface, and the address on its vnetwork. */
static bool next_hop(const struct path_finder *finder, const struct vnode *vnode, const struct ip_addr *to,
                     const struct viface **ret_viface, struct ip_addr *ret_addr)
{
    const struct line *line = longest_match(table_of(finder, vnode), to);
    if (vnode->vifaces->len == 1) {
        const struct viface *only = vnode_viface(vnode, 0);
        const struct ip_prefix *own = vnetwork_prefix(only->vnetwork, to->family);
        if (viface_address(only, to->family)->family && prefix_contains(own, to) && (!line || line->to.length <= own->length)) {
            *ret_viface = only;
            *ret_addr = *to;
            return true;
        }
    }
    if (!line || line->viface >= vnode->vifaces->len) {
        return false;
    }
    *ret_viface = vnode_viface(vnode, line->viface);
    *ret_addr = line->via.family ? line->via : *to;
    return true;
}

static bool has_address(const struct vnode *vnode, const struct viface *entered, const struct ip_addr *addr)
{
    if (entered && ip_equal(viface_address(entered, addr->family), addr)) {
        return true;
    }
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        if (ip_equal(viface_address(vnode_viface(vnode, i), addr->family), addr)) {
            return true;
        }
    }
    return false;
}

/* Does one step: from 'vnode' to the owner of the next address, which it returns, or NULL with an error. */
static const struct owner *step(const struct path_finder *finder, const struct vnode *vnode, const struct ip_addr *to, GArray *hops,
                                GError **error)
{
    char text[IP_TEXT_SIZE], next_text[IP_TEXT_SIZE];
    const struct viface *viface;
    struct ip_addr next;
    ip_format(to, text);
    if (hops->len && !vnode->forwards) {
        fail(error, DISTEM_ERROR_NOT_FOUND, 0, "the way to %s goes through vnode %s, which does not forward", text, vnode->name);
        return NULL;
    }
    if (!next_hop(finder, vnode, to, &viface, &next)) {
        fail(error, DISTEM_ERROR_NOT_FOUND, 0, "vnode %s has no route to %s", vnode->name, text);
        return NULL;
    }
    const struct owner *owner = owners_find(finder->owners, viface->vnetwork, &next);
    if (!owner) {
        fail(error, DISTEM_ERROR_NOT_FOUND, 0, "no vnode has the address %s on vnetwork %s", ip_format(&next, next_text),
             viface->vnetwork->name);
        return NULL;
    }
    const struct hop pair[] = {{vnode, viface, true}, {owner->vnode, owner->viface, false}};
    g_array_append_vals(hops, pair, G_N_ELEMENTS(pair));
    return owner;
}

bool path_find(const struct path_finder *finder, const struct vnode *from, const struct ip_addr *to, struct path *ret,
               GError **error)
{
    g_autoptr(GArray) hops = g_array_new(FALSE, FALSE, sizeof(struct hop));
    const struct vnode *vnode = from;
    const struct viface *entered = NULL;
    while (!has_address(vnode, entered, to)) {
        if (hops->len / 2 > finder->n_gateways + 1) {
            char text[IP_TEXT_SIZE];
            return fail(error, DISTEM_ERROR_INVALID, 0, "the way from vnode %s to %s goes in a circle through vnode %s", from->name,
                        ip_format(to, text), vnode->name);
        }
        const struct owner *next = step(finder, vnode, to, hops, error);
        if (!next) {
            return false;
        }
        vnode = next->vnode;
        entered = next->viface;
    }
    ret->hops = g_steal_pointer(&hops);
    return true;
}
