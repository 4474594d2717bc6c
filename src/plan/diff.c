/* SPDX-License-Identifier: Apache-2.0 */
/* What turns one platform into another. */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "distem/plan.h"
#include "distem/topology.h"
#include "distem/units.h"
#include "twins.h"

static void change_free(void *data)
{
    struct change *change = data;
    g_free(change->name);
    g_free(change->detail);
    g_free(change);
}

static void add_change(GPtrArray *changes, enum change_kind kind, const char *object, const char *name, const char *detail)
{
    struct change *change = g_new(struct change, 1);
    *change = (struct change){kind, object, g_strdup(name), g_strdup(detail)};
    g_ptr_array_add(changes, change);
}

/* Appends "what old -> new" to 'detail' when the two differ. Frees both texts. */
static void note(GString *detail, const char *what, char *old, char *new)
{
    if (strcmp(old, new) != 0) {
        g_string_append_printf(detail, "%s%s %s -> %s", detail->len ? ", " : "", what, *old ? old : "none", *new ? new : "none");
    }
    g_free(old);
    g_free(new);
}

static char *number_text(uint64_t n)
{
    return g_strdup_printf("%" PRIu64, n);
}

static void note_number(GString *detail, const char *what, uint64_t old, uint64_t new)
{
    if (old != new) {
        note(detail, what, number_text(old), number_text(new));
    }
}

static void note_address(GString *detail, const char *what, const struct ip_addr *old, const struct ip_addr *new)
{
    if (!ip_equal(old, new)) {
        char old_text[IP_TEXT_SIZE], new_text[IP_TEXT_SIZE];
        note(detail, what, g_strdup(ip_format(old, old_text)), g_strdup(ip_format(new, new_text)));
    }
}

static void note_prefix(GString *detail, const char *what, const struct ip_prefix *old, const struct ip_prefix *new)
{
    if (!prefix_equal(old, new)) {
        char old_text[PREFIX_TEXT_SIZE], new_text[PREFIX_TEXT_SIZE];
        note(detail, what, g_strdup(prefix_format(old, old_text)), g_strdup(prefix_format(new, new_text)));
    }
}

/* Returns the value of 'key' in 'properties' as a person reads it; "0" where it is not given. The caller frees it. */
static char *property_text(const json_t *properties, const char *key)
{
    const json_t *value = json_object_get(properties, key);
    return json_is_string(value) ? g_strdup(json_string_value(value)) : value ? json_dumps(value, JSON_ENCODE_ANY) : g_strdup("0");
}

/* Notes the keys of 'properties' whose value in 'others' is another. With 'added', 'properties' are the new ones, and those that
 * the old ones have too are passed over. */
static void note_properties(GString *detail, const char *direction, const json_t *properties, const json_t *others, bool added)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)properties, key, value) {
        const json_t *other = json_object_get(others, key);
        if (added ? other == NULL : !json_equal(value, other)) {
            g_autofree char *what = g_strdup_printf("%s.%s", direction, key);
            note(detail, what, property_text(added ? others : properties, key), property_text(added ? properties : others, key));
        }
    }
}

/* What is compared. */
struct sides {
    const struct platform *from, *to;
    GHashTable *compared; /* See compare_tables(). */
};

/* Notes what differs between two directions, as "input.latency 10ms -> 20ms". */
static void note_impairment(GString *detail, const struct sides *sides, const char *direction, const struct impairment *old,
                            const struct impairment *new)
{
    if (impairment_equal(old, new)) {
        return;
    }
    json_t *before = impairment_to_json_with_traces(old, sides->from);
    json_t *after = impairment_to_json_with_traces(new, sides->to);
    note_properties(detail, direction, before, after, false);
    note_properties(detail, direction, after, before, true);
    json_decref(before);
    json_decref(after);
}

static void note_time(GString *detail, const char *what, int64_t old, int64_t new)
{
    if (old != new) {
        note(detail, what, old ? time_format(old) : g_strdup(""), new ? time_format(new) : g_strdup(""));
    }
}

static const char *underlay_text(const struct vnetwork *vnetwork)
{
    return !vnetwork->underlay ? "" : vnetwork->underlay == 4 ? "ipv4" : "ipv6";
}

static void note_vnetwork(GString *detail, const struct vnetwork *old, const struct vnetwork *new)
{
    note_prefix(detail, "ipv4", &old->ipv4, &new->ipv4);
    note_prefix(detail, "ipv6", &old->ipv6, &new->ipv6);
    note(detail, "transport", g_strdup(transport_name(old->transport)), g_strdup(transport_name(new->transport)));
    note_number(detail, "vni", old->vni, new->vni);
    note_number(detail, "port", old->port, new->port);
    if (old->underlay != new->underlay) {
        note(detail, "underlay", g_strdup(underlay_text(old)), g_strdup(underlay_text(new)));
    }
    note_number(detail, "vlan", old->vlan, new->vlan);
    note(detail, "interface", g_strdup(old->interface ? old->interface : ""), g_strdup(new->interface ? new->interface : ""));
    note_number(detail, "mtu", old->mtu, new->mtu);
    note_time(detail, "base_local", old->base_local, new->base_local);
    note_time(detail, "base_remote", old->base_remote, new->base_remote);
}

static void note_viface(GString *detail, const struct sides *sides, const struct viface *old, const struct viface *new)
{
    if (strcmp(old->vnetwork->name, new->vnetwork->name) != 0) {
        note(detail, "vnetwork", g_strdup(old->vnetwork->name), g_strdup(new->vnetwork->name));
    }
    note_address(detail, "ipv4", &old->ipv4, &new->ipv4);
    note_address(detail, "ipv6", &old->ipv6, &new->ipv6);
    if (!mac_equal(&old->mac, &new->mac)) {
        char old_mac[MAC_TEXT_SIZE], new_mac[MAC_TEXT_SIZE];
        note(detail, "mac", g_strdup(mac_format(&old->mac, old_mac)), g_strdup(mac_format(&new->mac, new_mac)));
    }
    note_impairment(detail, sides, "input", &old->input, &new->input);
    note_impairment(detail, sides, "output", &old->output, &new->output);
    note_time(detail, "input.compensation", old->input.compensation, new->input.compensation);
    note_time(detail, "output.compensation", old->output.compensation, new->output.compensation);
}

static int compare_routes(const void *a, const void *b)
{
    const struct route *left = a, *right = b;
    int order = ip_compare(&left->to.addr, &right->to.addr);
    order = order ? order : (int)left->to.length - (int)right->to.length;
    order = order ? order : ip_compare(&left->via, &right->via);
    return order ? order : (left->viface > right->viface) - (left->viface < right->viface);
}

static GArray *sorted_routes(const struct vnode *vnode)
{
    GArray *routes = g_array_new(FALSE, FALSE, sizeof(struct route));
    if (vnode->routes && vnode->routes->len) {
        g_array_append_vals(routes, vnode->routes->data, vnode->routes->len);
        g_array_sort(routes, compare_routes);
    }
    return routes;
}

/* How two route tables differ. */
struct routes_difference {
    const GArray *new;
    unsigned added, removed;
};

/* Compares the routes of two vnodes. Many vnodes share theirs, so what was found is kept in 'compared': old table -> struct
 * routes_difference. */
static struct routes_difference compare_tables(GHashTable *compared, const struct vnode *old, const struct vnode *new)
{
    struct routes_difference *known = g_hash_table_lookup(compared, old->routes);
    if (known && known->new == new->routes) {
        return *known;
    }
    g_autoptr(GArray) before = sorted_routes(old), after = sorted_routes(new);
    known = g_new0(struct routes_difference, 1);
    known->new = new->routes;
    unsigned i = 0, j = 0;
    while (i < before->len || j < after->len) {
        int order = i == before->len ? 1
                    : j == after->len
                        ? -1
                        : compare_routes(&g_array_index(before, struct route, i), &g_array_index(after, struct route, j));
        known->removed += order < 0;
        known->added += order > 0;
        i += order <= 0;
        j += order >= 0;
    }
    g_hash_table_insert(compared, old->routes, known);
    return *known;
}

/* Notes "routes +2 -1". */
static void note_routes(GString *detail, GHashTable *compared, const struct vnode *old, const struct vnode *new)
{
    struct routes_difference difference = {0};
    if (old->routes != new->routes) {
        difference = compare_tables(compared, old, new);
    }
    if (difference.added || difference.removed) {
        g_string_append_printf(detail, "%sroutes +%u -%u", detail->len ? ", " : "", difference.added, difference.removed);
    }
}

static const char *tristate_text(enum tristate tristate)
{
    return tristate == TRISTATE_AUTO ? "auto" : tristate == TRISTATE_YES ? "yes" : "no";
}

static void note_vnode(GString *detail, GHashTable *compared, const struct vnode *old, const struct vnode *new)
{
    note(detail, "pnode", g_strdup(old->pnode ? old->pnode : ""), g_strdup(new->pnode ? new->pnode : ""));
    note(detail, "where", g_strdup(old->where ? old->where : ""), g_strdup(new->where ? new->where : ""));
    note(detail, "labels", g_strdup(old->labels ? old->labels : ""), g_strdup(new->labels ? new->labels : ""));
    note(detail, "image", g_strdup(old->image), g_strdup(new->image));
    note_number(detail, "cores", old->cores, new->cores);
    if (old->frequency != new->frequency) {
        note(detail, "frequency", frequency_format(old->frequency), frequency_format(new->frequency));
    }
    if (old->cpu_ratio != new->cpu_ratio) {
        note(detail, "cpu_ratio", percent_format(old->cpu_ratio), percent_format(new->cpu_ratio));
    }
    if (old->memory != new->memory) {
        note(detail, "memory", size_format(old->memory), size_format(new->memory));
    }
    note(detail, "gateway", g_strdup(tristate_text(old->gateway)), g_strdup(tristate_text(new->gateway)));
    note(detail, "forwards", g_strdup(old->forwards ? "yes" : "no"), g_strdup(new->forwards ? "yes" : "no"));
    note_routes(detail, compared, old, new);
}

/* Adds a modification when there is something in 'detail', and empties that. */
static void add_modified(GPtrArray *changes, const char *object, const char *name, GString *detail)
{
    if (detail->len) {
        add_change(changes, CHANGE_MODIFY, object, name, detail->str);
        g_string_truncate(detail, 0);
    }
}

static void add_viface_change(GPtrArray *changes, enum change_kind kind, const struct vnode *vnode, const struct viface *viface)
{
    g_autofree char *name = g_strdup_printf("%s:%s", vnode->name, viface->name);
    add_change(changes, kind, "viface", name, NULL);
}

/* Adds a vnode that comes or goes, with its vifaces. */
static void add_whole_vnode(GPtrArray *changes, enum change_kind kind, const struct vnode *vnode)
{
    add_change(changes, kind, "vnode", vnode->name, NULL);
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        add_viface_change(changes, kind, vnode, vnode_viface(vnode, i));
    }
}

static void diff_vnodes(GPtrArray *changes, const struct sides *sides, const struct vnode *old, const struct vnode *new)
{
    g_autoptr(GString) detail = g_string_new(NULL);
    note_vnode(detail, sides->compared, old, new);
    add_modified(changes, "vnode", new->name, detail);
    for (unsigned i = 0; i < old->vifaces->len; i++) {
        if (!vnode_guess_viface(new, vnode_viface(old, i)->name, i)) {
            add_viface_change(changes, CHANGE_REMOVE, old, vnode_viface(old, i));
        }
    }
    for (unsigned i = 0; i < new->vifaces->len; i++) {
        const struct viface *viface = vnode_viface(new, i), *twin = vnode_guess_viface(old, viface->name, i);
        if (!twin) {
            add_viface_change(changes, CHANGE_ADD, new, viface);
            continue;
        }
        note_viface(detail, sides, twin, viface);
        if (detail->len) {
            g_autofree char *name = g_strdup_printf("%s:%s", new->name, viface->name);
            add_modified(changes, "viface", name, detail);
        }
    }
}

/* A vroute is known by where it starts and where it leads; the caller frees the text. */
static char *vroute_name(const struct vroute *vroute)
{
    char text[PREFIX_TEXT_SIZE];
    return g_strdup_printf("%s -> %s", vroute->from->name, vroute->to ? vroute->to->name : prefix_format(&vroute->prefix, text));
}

/* Returns a table of the vroutes of 'platform' by name; the caller unrefs it. */
static GHashTable *index_vroutes(const struct platform *platform)
{
    GHashTable *index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (unsigned i = 0; i < platform->vroutes->len; i++) {
        g_hash_table_insert(index, vroute_name(platform_vroute(platform, i)), platform_vroute(platform, i));
    }
    return index;
}

static void diff_vroutes(GPtrArray *changes, const struct platform *from, const struct platform *to)
{
    g_autoptr(GHashTable) before = index_vroutes(from), after = index_vroutes(to);
    for (unsigned i = 0; i < from->vroutes->len; i++) {
        g_autofree char *name = vroute_name(platform_vroute(from, i));
        if (!g_hash_table_contains(after, name)) {
            add_change(changes, CHANGE_REMOVE, "vroute", name, NULL);
        }
    }
    g_autoptr(GString) detail = g_string_new(NULL);
    for (unsigned i = 0; i < to->vroutes->len; i++) {
        const struct vroute *vroute = platform_vroute(to, i);
        g_autofree char *name = vroute_name(vroute);
        const struct vroute *twin = g_hash_table_lookup(before, name);
        if (twin) {
            note(detail, "via", g_strdup(twin->via->name), g_strdup(vroute->via->name));
            add_modified(changes, "vroute", name, detail);
        } else {
            add_change(changes, CHANGE_ADD, "vroute", name, NULL);
        }
    }
}

static const struct playback_text *find_playback(const struct platform *platform, const char *name)
{
    for (unsigned i = 0; i < platform->playbacks->len; i++) {
        if (!strcmp(platform_playback(platform, i)->name, name)) {
            return platform_playback(platform, i);
        }
    }
    return NULL;
}

static void diff_playbacks(GPtrArray *changes, const struct platform *from, const struct platform *to)
{
    for (unsigned i = 0; i < from->playbacks->len; i++) {
        const char *name = platform_playback(from, i)->name;
        if (!find_playback(to, name)) {
            add_change(changes, CHANGE_REMOVE, "trace", name, NULL);
        }
    }
    for (unsigned i = 0; i < to->playbacks->len; i++) {
        const struct playback_text *playback = platform_playback(to, i), *twin = find_playback(from, playback->name);
        if (!twin) {
            add_change(changes, CHANGE_ADD, "trace", playback->name, NULL);
        } else if (strcmp(twin->text, playback->text) != 0) {
            add_change(changes, CHANGE_MODIFY, "trace", playback->name, "other lines");
        }
    }
}

/* What goes, in reverse order of what depends on what. */
static void find_removed(GPtrArray *changes, const struct platform *from, const struct platform *to)
{
    AUTO_TWINS new = twins_new(to);
    for (unsigned i = 0; i < from->vnodes->len; i++) {
        if (!twin_vnode(&new, platform_vnode(from, i))) {
            add_whole_vnode(changes, CHANGE_REMOVE, platform_vnode(from, i));
        }
    }
    for (unsigned i = 0; i < from->vnetworks->len; i++) {
        if (!twin_vnetwork(&new, platform_vnetwork(from, i))) {
            add_change(changes, CHANGE_REMOVE, "vnetwork", platform_vnetwork(from, i)->name, NULL);
        }
    }
}

/* What comes or changes. */
static void find_present(GPtrArray *changes, const struct platform *from, const struct platform *to)
{
    AUTO_TWINS old = twins_new(from);
    g_autoptr(GHashTable) compared = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    const struct sides sides = {from, to, compared};
    g_autoptr(GString) detail = g_string_new(NULL);
    for (unsigned i = 0; i < to->vnetworks->len; i++) {
        const struct vnetwork *vnetwork = platform_vnetwork(to, i), *twin = twin_vnetwork(&old, vnetwork);
        if (twin) {
            note_vnetwork(detail, twin, vnetwork);
            add_modified(changes, "vnetwork", vnetwork->name, detail);
        } else {
            add_change(changes, CHANGE_ADD, "vnetwork", vnetwork->name, NULL);
        }
    }
    for (unsigned i = 0; i < to->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(to, i), *twin = twin_vnode(&old, vnode);
        if (twin) {
            diff_vnodes(changes, &sides, twin, vnode);
        } else {
            add_whole_vnode(changes, CHANGE_ADD, vnode);
        }
    }
}

static bool groups_equal(const struct matrix *old, const struct matrix *new)
{
    bool equal = old->groups == new->groups;
    for (unsigned i = 0; equal && i < old->groups; i++) {
        equal = !strcmp(old->group[i].selector, new->group[i].selector);
    }
    return equal;
}

/* Notes "3 values, seed 0 -> 7", or that it comes, goes, or gets other groups. */
static void note_matrix(GString *detail, const struct matrix *old, const struct matrix *new)
{
    if (!old != !new) {
        g_string_append(detail, new ? "none -> a new one" : "none any more");
        return;
    }
    if (!old || matrix_equal(old, new)) {
        return;
    }
    if (groups_equal(old, new)) {
        unsigned count = 0;
        for (size_t i = 0; i < (size_t)old->groups * old->groups; i++) {
            const struct matrix_cell *a = &old->cells[i], *b = &new->cells[i];
            count += a->latency != b->latency || a->bandwidth != b->bandwidth || a->loss != b->loss;
        }
        if (count) {
            g_string_append_printf(detail, "%u value%s", count, count == 1 ? "" : "s");
        }
    } else {
        g_string_append(detail, "other groups");
    }
    note_number(detail, "seed", old->seed, new->seed);
}

GPtrArray *plan_diff(const struct platform *from, const struct platform *to)
{
    GPtrArray *changes = g_ptr_array_new_with_free_func(change_free);
    AUTO_PLATFORM none = platform_new("");
    if (!from && to) {
        add_change(changes, CHANGE_ADD, "platform", to->name, NULL);
    } else if (from && !to) {
        add_change(changes, CHANGE_REMOVE, "platform", from->name, NULL);
    } else if (from && to) {
        g_autoptr(GString) detail = g_string_new(NULL);
        note(detail, "name", g_strdup(from->name), g_strdup(to->name));
        note(detail, "routing", g_strdup(routing_name(from->routing)), g_strdup(routing_name(to->routing)));
        add_modified(changes, "platform", to->name, detail);
        note_matrix(detail, from->matrix, to->matrix);
        add_modified(changes, "matrix", to->name, detail);
    }
    from = from ? from : none;
    to = to ? to : none;
    find_removed(changes, from, to);
    find_present(changes, from, to);
    diff_vroutes(changes, from, to);
    diff_playbacks(changes, from, to);
    return changes;
}
