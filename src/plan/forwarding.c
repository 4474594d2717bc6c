/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "forwarding.h"

#include "family.h"

GHashTable *forwarding_positions(const struct platform *platform)
{
    GHashTable *positions = g_hash_table_new(NULL, NULL);
    for (unsigned i = 0; i < platform->vnetworks->len; i++) {
        g_hash_table_insert(positions, platform_vnetwork(platform, i), GUINT_TO_POINTER(i));
    }
    return positions;
}

/* Groups of vnetworks that reach each other in one family: each points to another of its group, the last one to itself. */
struct groups {
    uint8_t family;
    uint32_t *next;
};

static uint32_t group_of(struct groups *groups, uint32_t i)
{
    while (groups->next[i] != i) {
        groups->next[i] = groups->next[groups->next[i]];
        i = groups->next[i];
    }
    return i;
}

/* Merges the groups that 'vnode' is in and returns whether there was more than one; with 'ask_only' nothing changes. */
static bool join(struct groups *groups, const struct vnode *vnode, GHashTable *positions, bool ask_only)
{
    bool more = false, any = false;
    uint32_t first = 0;
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        const struct vnetwork *vnetwork = vnode_viface(vnode, i)->vnetwork;
        if (!vnetwork_prefix(vnetwork, groups->family)->addr.family) {
            continue;
        }
        uint32_t group = group_of(groups, GPOINTER_TO_UINT(g_hash_table_lookup(positions, vnetwork)));
        first = any ? first : group;
        any = true;
        more |= group != first;
        if (!ask_only) {
            groups->next[group] = first;
        }
    }
    return more;
}

static int compare_prefixes(const void *a, const void *b)
{
    const struct vnetwork *left = *(const struct vnetwork *const *)a, *right = *(const struct vnetwork *const *)b;
    int order = ip_compare(&left->ipv4.addr, &right->ipv4.addr);
    return order ? order : (int)left->ipv4.length - (int)right->ipv4.length;
}

static int compare_prefixes6(const void *a, const void *b)
{
    const struct vnetwork *left = *(const struct vnetwork *const *)a, *right = *(const struct vnetwork *const *)b;
    int order = ip_compare(&left->ipv6.addr, &right->ipv6.addr);
    return order ? order : (int)left->ipv6.length - (int)right->ipv6.length;
}

/* Says whether 'vnode' is on two vnetworks that share addresses, and on which. Such a vnode cannot forward: it would not know where
 * an address is. */
static bool is_ambiguous(const struct vnode *vnode, const struct vnetwork **ret_a, const struct vnetwork **ret_b)
{
    if (vnode->vifaces->len < 2) {
        return false;
    }
    g_autofree const struct vnetwork **sorted = g_new(const struct vnetwork *, vnode->vifaces->len);
    for (uint8_t family = 4; family <= 6; family += 2) {
        unsigned n = 0;
        for (unsigned i = 0; i < vnode->vifaces->len; i++) {
            const struct vnetwork *vnetwork = vnode_viface(vnode, i)->vnetwork;
            if (vnetwork_prefix(vnetwork, family)->addr.family) {
                sorted[n++] = vnetwork;
            }
        }
        qsort(sorted, n, sizeof *sorted, family == 4 ? compare_prefixes : compare_prefixes6);
        /* Prefixes nest or are apart, so of those that overlap, two are neighbours in this order. */
        for (unsigned i = 1; i < n; i++) {
            if (sorted[i] != sorted[i - 1] &&
                prefix_overlaps(vnetwork_prefix(sorted[i], family), vnetwork_prefix(sorted[i - 1], family))) {
                *ret_a = sorted[i - 1];
                *ret_b = sorted[i];
                return true;
            }
        }
    }
    return false;
}

/* Returns a text that says where 'vroute' goes, for messages; the caller frees it. */
static char *vroute_text(const struct vroute *vroute)
{
    char prefix[PREFIX_TEXT_SIZE];
    return g_strdup_printf("vroute on vnetwork %s to %s through vnode %s", vroute->from->name,
                           vroute->to ? vroute->to->name : prefix_format(&vroute->prefix, prefix), vroute->via->name);
}

static bool vroute_has_family(const struct vroute *vroute, uint8_t family)
{
    const struct ip_prefix *to = vroute->to ? vnetwork_prefix(vroute->to, family) : &vroute->prefix;
    return to->addr.family == family && vnetwork_prefix(vroute->from, family)->addr.family == family;
}

static void apply_vroutes(struct platform *platform, struct diagnostics *problems)
{
    for (unsigned i = 0; i < platform->vroutes->len; i++) {
        struct vroute *vroute = platform_vroute(platform, i);
        g_autofree char *text = vroute_text(vroute);
        bool is_there = false;
        for (unsigned j = 0; j < vroute->via->vifaces->len; j++) {
            is_there |= vnode_viface(vroute->via, j)->vnetwork == vroute->from;
        }
        if (!is_there) {
            diagnostics_add(problems, NULL, 0, NULL, "%s: that vnode has no viface on vnetwork %s", text, vroute->from->name);
        }
        if (vroute->from == vroute->to) {
            diagnostics_add(problems, NULL, 0, NULL, "%s: it leads to where it starts", text);
        } else if (!vroute_has_family(vroute, 4) && !vroute_has_family(vroute, 6)) {
            diagnostics_add(problems, NULL, 0, NULL, "%s: the two have no IP version in common", text);
        }
        if (vroute->via->gateway == TRISTATE_NO) {
            diagnostics_add(problems, NULL, 0, NULL, "%s: that vnode is said to be no gateway", text);
        }
        vroute->via->forwards = true;
    }
}

/* Orders vnodes by age. */
static int compare_ids(const void *a, const void *b)
{
    const struct vnode *left = *(const struct vnode *const *)a, *right = *(const struct vnode *const *)b;
    return (left->id > right->id) - (left->id < right->id);
}

/* Makes those of 'candidates' forward that join what is apart. */
static void choose(const struct platform *platform, GHashTable *positions, GHashTable *lost, GPtrArray *candidates)
{
    struct groups groups[2] = {{.family = 4}, {.family = 6}};
    for (unsigned f = 0; f < 2; f++) {
        groups[f].next = g_new(uint32_t, platform->vnetworks->len);
        for (uint32_t i = 0; i < platform->vnetworks->len; i++) {
            groups[f].next[i] = i;
        }
        for (unsigned i = 0; i < platform->vnodes->len; i++) {
            if (platform_vnode(platform, i)->forwards && !g_hash_table_contains(lost, platform_vnode(platform, i))) {
                join(&groups[f], platform_vnode(platform, i), positions, false);
            }
        }
    }
    g_ptr_array_sort(candidates, compare_ids);
    for (unsigned i = 0; i < candidates->len; i++) {
        struct vnode *vnode = candidates->pdata[i];
        if (join(&groups[0], vnode, positions, true) || join(&groups[1], vnode, positions, true)) {
            vnode->forwards = true;
            join(&groups[0], vnode, positions, false);
            join(&groups[1], vnode, positions, false);
        }
    }
    g_free(groups[0].next);
    g_free(groups[1].next);
}

bool forwarding_decide(struct platform *platform, GHashTable *positions, GHashTable *lost, struct diagnostics *problems)
{
    unsigned before = diagnostics_count(problems);
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        platform_vnode(platform, i)->forwards = platform_vnode(platform, i)->gateway == TRISTATE_YES;
    }
    apply_vroutes(platform, problems);
    g_autoptr(GPtrArray) candidates = g_ptr_array_new();
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        struct vnode *vnode = platform_vnode(platform, i);
        bool may = vnode->gateway == TRISTATE_AUTO && vnode->vifaces->len > 1 && platform->routing != ROUTING_NONE &&
                   !g_hash_table_contains(lost, vnode);
        const struct vnetwork *a = NULL, *b = NULL;
        if (!vnode->forwards && !may) {
            continue;
        }
        bool ambiguous = is_ambiguous(vnode, &a, &b);
        if (ambiguous && vnode->forwards) {
            diagnostics_add(problems, NULL, 0, NULL,
                            "vnode %s cannot forward: its vnetworks %s and %s have addresses in common; give one of them another "
                            "prefix, or let another vnode be the gateway",
                            vnode->name, a->name, b->name);
        } else if (!ambiguous && !vnode->forwards) {
            g_ptr_array_add(candidates, vnode);
        }
    }
    choose(platform, positions, lost, candidates);
    return diagnostics_count(problems) == before;
}
