/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold for the plan of any platform. */
#include <config.h>

#include <glib.h>
#include <string.h>

#include "make-platform.h"
#include "random-platform.h"

#define SEEDS 300

/* A planned random platform, or NULL where its vroutes contradict each other. */
static struct platform *plan_random(uint32_t seed, unsigned flags, GPtrArray *unreachable)
{
    AUTO_DIAGNOSTICS problems = {0};
    AUTO_PLATFORM asked = random_platform(seed, flags);
    struct platform *planned = plan(asked, NULL, NULL, &problems, unreachable);
    if (!planned && !(flags & RANDOM_VROUTES)) {
        g_error("seed %u: %s", seed, diagnostics_get(&problems, 0)->message);
    }
    g_assert_true(planned || diagnostics_count(&problems) > 0);
    return planned;
}

/* Calls 'check' with many planned platforms; with RANDOM_VROUTES, enough must have been planned. */
static void for_seeds(unsigned flags, void (*check)(const struct platform *, const struct path_finder *))
{
    unsigned planned = 0;
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        AUTO_PLATFORM platform = plan_random(seed, flags, NULL);
        if (platform) {
            struct path_finder *finder = path_finder_new(platform);
            check(platform, finder);
            path_finder_free(finder);
            planned++;
        }
    }
    g_test_message("%u of %u planned", planned, SEEDS);
    g_assert_cmpuint(planned, >=, SEEDS / 10);
}

static const struct ip_addr *address_of(const struct viface *viface, unsigned family)
{
    return family == 4 ? &viface->ipv4 : &viface->ipv6;
}

static void check_addresses(const struct platform *platform, const struct path_finder *finder)
{
    (void)finder;
    g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        for (unsigned j = 0; j < vnode->vifaces->len; j++) {
            const struct viface *viface = vnode_viface(vnode, j);
            char ipv4[IP_TEXT_SIZE], ipv6[IP_TEXT_SIZE], mac[MAC_TEXT_SIZE];
            const char *texts[] = {ip_format(&viface->ipv4, ipv4), ip_format(&viface->ipv6, ipv6), mac_format(&viface->mac, mac)};
            for (unsigned k = 0; k < G_N_ELEMENTS(texts); k++) {
                g_assert_true(!*texts[k] || g_hash_table_add(taken, g_strdup_printf("%s %s", viface->vnetwork->name, texts[k])));
            }
            g_assert_true(g_hash_table_add(taken, g_strdup_printf("id %u", viface->id)));
            const struct vnetwork *vnetwork = viface->vnetwork;
            g_assert_true(vnetwork->ipv4.addr.family ? prefix_host_number(&vnetwork->ipv4, &viface->ipv4, NULL) : !*ipv4);
            g_assert_true(vnetwork->ipv6.addr.family ? prefix_host_number(&vnetwork->ipv6, &viface->ipv6, NULL) : !*ipv6);
        }
        g_assert_true(g_hash_table_add(taken, g_strdup_printf("id %u", vnode->id)));
    }
}

/* Every next hop is another vnode that forwards, on the vnetwork of the viface; and no route is for what the vnode is attached to.
 */
static void check_next_hops(const struct platform *platform, const struct path_finder *finder)
{
    (void)finder;
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        for (unsigned j = 0; j < vnode->routes->len; j++) {
            const struct route *route = &g_array_index(vnode->routes, struct route, j);
            const struct vnetwork *vnetwork = vnode_viface(vnode, route->viface)->vnetwork;
            bool found = false;
            for (unsigned k = 0; k < vnode->vifaces->len; k++) {
                const struct vnetwork *own = vnode_viface(vnode, k)->vnetwork;
                g_assert_false(prefix_equal(&route->to, &own->ipv4) || prefix_equal(&route->to, &own->ipv6));
            }
            for (unsigned k = 0; k < platform->vnodes->len && !found; k++) {
                const struct vnode *other = platform_vnode(platform, k);
                for (unsigned l = 0; other != vnode && other->forwards && l < other->vifaces->len; l++) {
                    const struct viface *viface = vnode_viface(other, l);
                    found |= viface->vnetwork == vnetwork && ip_equal(address_of(viface, route->via.family), &route->via);
                }
            }
            g_assert_true(found);
        }
    }
}

/* Says whether 'addr' is what a vroute for a prefix is about, and nobody on a vnetwork. */
static bool is_foreign(const struct platform *platform, const struct ip_addr *addr)
{
    bool foreign = false;
    for (unsigned i = 0; i < platform->vroutes->len; i++) {
        foreign |= prefix_contains(&platform_vroute(platform, i)->prefix, addr);
    }
    for (unsigned i = 0; i < platform->vnetworks->len; i++) {
        foreign &= !prefix_contains(&platform_vnetwork(platform, i)->ipv4, addr) &&
                   !prefix_contains(&platform_vnetwork(platform, i)->ipv6, addr);
    }
    return foreign;
}

/* From everywhere, nothing that is for anybody or nobody goes in a circle. */
static void check_circles(const struct platform *platform, const struct path_finder *finder)
{
    g_autoptr(GArray) addresses = g_array_new(FALSE, FALSE, sizeof(struct ip_addr));
    static const char *const nobody[] = {"203.0.113.1", "192.0.2.1", "10.1.0.99", "10.2.0.2",
                                         "10.200.0.1",  "fd99::1",   "fd00:1::99"};
    for (unsigned i = 0; i < G_N_ELEMENTS(nobody); i++) {
        struct ip_addr addr = make_address(nobody[i]);
        g_array_append_val(addresses, addr);
    }
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        for (unsigned j = 0; j < platform_vnode(platform, i)->vifaces->len; j++) {
            for (unsigned family = 4; family <= 6; family += 2) {
                const struct ip_addr *addr = address_of(vnode_viface(platform_vnode(platform, i), j), family);
                g_array_append_vals(addresses, addr, addr->family ? 1 : 0);
            }
        }
    }
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        for (unsigned j = 0; j < addresses->len; j++) {
            const struct ip_addr *addr = &g_array_index(addresses, struct ip_addr, j);
            struct path path;
            g_autoptr(GError) error = NULL;
            if (path_find(finder, platform_vnode(platform, i), addr, &path, &error)) {
                g_array_unref(path.hops);
            } else if (!is_foreign(platform, addr)) {
                g_assert_error(error, DISTEM_ERROR, DISTEM_ERROR_NOT_FOUND);
            }
        }
    }
}

/* Between vnodes with one viface, the way back is the way there turned around. */
static void check_symmetry(const struct platform *platform, const struct path_finder *finder)
{
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        for (unsigned j = 0; j < i; j++) {
            const struct vnode *a = platform_vnode(platform, i), *b = platform_vnode(platform, j);
            struct expectation e;
            if (a->vifaces->len > 1 || b->vifaces->len > 1 || !expect_pair(finder, a, b, &e, NULL)) {
                continue;
            }
            unsigned n = e.there.hops->len;
            g_assert_cmpuint(e.back.hops->len, ==, n);
            for (unsigned k = 0; k < n; k++) {
                const struct hop *there = &g_array_index(e.there.hops, struct hop, k);
                const struct hop *back = &g_array_index(e.back.hops, struct hop, n - 1 - k);
                g_assert_true(there->viface == back->viface && there->output != back->output);
            }
            expectation_clear(&e);
        }
    }
}

/* Says whether viface 'i' is the vnode's first on its vnetwork, the one that it forwards by. */
static bool is_first(const struct vnode *vnode, unsigned i)
{
    for (unsigned j = 0; j < i; j++) {
        if (vnode_viface(vnode, j)->vnetwork == vnode_viface(vnode, i)->vnetwork) {
            return false;
        }
    }
    return true;
}

/* Distances between vnetworks by the slowest and plainest means (Floyd and Warshall). */
static double *all_distances(const struct platform *platform, unsigned family)
{
    unsigned n = platform->vnetworks->len;
    double *d = g_new0(double, (size_t)n *n);
    for (unsigned i = 0; i < n * n; i++) {
        d[i] = i / n == i % n ? 0 : 1e30;
    }
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        for (unsigned j = 0; vnode->forwards && j < vnode->vifaces->len; j++) {
            for (unsigned k = 0; k < vnode->vifaces->len; k++) {
                const struct viface *a = vnode_viface(vnode, j), *b = vnode_viface(vnode, k);
                unsigned x = 0, y = 0;
                g_ptr_array_find(platform->vnetworks, a->vnetwork, &x);
                g_ptr_array_find(platform->vnetworks, b->vnetwork, &y);
                double cost = platform->routing == ROUTING_HOPS
                                  ? 1
                                  : (double)(a->input.latency + a->output.latency + b->input.latency + b->output.latency);
                if (x != y && is_first(vnode, j) && is_first(vnode, k) && address_of(a, family)->family &&
                    address_of(b, family)->family) {
                    d[x * n + y] = MIN(d[x * n + y], cost);
                }
            }
        }
    }
    for (unsigned k = 0; k < n; k++) {
        for (unsigned i = 0; i < n * n; i++) {
            d[i] = MIN(d[i], d[i / n * n + k] + d[k * n + i % n]);
        }
    }
    return d;
}

/* Returns what 'path' costs between its ends' vnetworks. */
static double cost_of(const struct platform *platform, const struct path *path)
{
    double sum = 0;
    for (unsigned i = 1; i + 1 < path->hops->len; i++) {
        const struct viface *viface = g_array_index(path->hops, struct hop, i).viface;
        sum += platform->routing == ROUTING_HOPS ? 0.5 : (double)(viface->input.latency + viface->output.latency);
    }
    return sum;
}

/* From vnodes with one viface, all ways are as short as can be, and there is one wherever there can be. */
static void check_shortest(const struct platform *platform, const struct path_finder *finder)
{
    unsigned n = platform->vnetworks->len;
    for (unsigned family = 4; family <= 6; family += 2) {
        g_autofree double *distances = all_distances(platform, family);
        for (unsigned i = 0; i < platform->vnodes->len * platform->vnodes->len; i++) {
            const struct vnode *from = platform_vnode(platform, i / platform->vnodes->len);
            const struct vnode *to = platform_vnode(platform, i % platform->vnodes->len);
            if (from == to || from->vifaces->len > 1 || to->vifaces->len > 1 ||
                !address_of(vnode_viface(from, 0), family)->family || !address_of(vnode_viface(to, 0), family)->family) {
                continue;
            }
            unsigned x = 0, y = 0;
            g_ptr_array_find(platform->vnetworks, vnode_viface(from, 0)->vnetwork, &x);
            g_ptr_array_find(platform->vnetworks, vnode_viface(to, 0)->vnetwork, &y);
            struct path path;
            bool found = path_find(finder, from, address_of(vnode_viface(to, 0), family), &path, NULL);
            g_assert_cmpint(found, ==, distances[x * n + y] < 1e29);
            if (found) {
                g_assert_cmpfloat_with_epsilon(cost_of(platform, &path), distances[x * n + y], 1e-3);
                g_array_unref(path.hops);
            }
        }
    }
}

static void test_addresses(void)
{
    for_seeds(0, check_addresses);
    for_seeds(RANDOM_OVERLAPS, check_addresses);
}

static void test_next_hops(void)
{
    for_seeds(0, check_next_hops);
    for_seeds(RANDOM_UNEQUAL, check_next_hops);
    for_seeds(RANDOM_OVERLAPS, check_next_hops);
    for_seeds(RANDOM_VROUTES, check_next_hops);
}

static void test_no_circles(void)
{
    for_seeds(0, check_circles);
    for_seeds(RANDOM_UNEQUAL, check_circles);
    for_seeds(RANDOM_OVERLAPS, check_circles);
    for_seeds(RANDOM_OVERLAPS | RANDOM_UNEQUAL, check_circles);
    for_seeds(RANDOM_VROUTES, check_circles);
    for_seeds(RANDOM_VROUTES | RANDOM_OVERLAPS, check_circles);
}

static void test_symmetry(void)
{
    for_seeds(0, check_symmetry);
}

static void test_shortest(void)
{
    for_seeds(0, check_shortest);
}

/* A vnetwork is reported as unreachable from another exactly when a vnode there cannot be reached. With overlaps, being reached
 * means that the way ends on the right vnetwork. */
static void check_unreachable(uint32_t seed, unsigned flags)
{
    g_autoptr(GPtrArray) unreachable = g_ptr_array_new_with_free_func(g_free);
    AUTO_PLATFORM platform = plan_random(seed, flags, unreachable);
    struct path_finder *finder = path_finder_new(platform);
    for (unsigned i = 0; i < platform->vnodes->len * platform->vnodes->len; i++) {
        const struct vnode *from = platform_vnode(platform, i / platform->vnodes->len);
        const struct vnode *to = platform_vnode(platform, i % platform->vnodes->len);
        if (from == to || from->vifaces->len > 1 || to->vifaces->len > 1) {
            continue;
        }
        const struct viface *viface = vnode_viface(to, 0), *first = vnode_viface(from, 0);
        bool reached[2], wanted[2];
        for (unsigned f = 0; f < 2; f++) {
            const struct ip_addr *addr = address_of(viface, f ? 6 : 4);
            struct path path;
            wanted[f] = addr->family && address_of(first, f ? 6 : 4)->family;
            reached[f] = wanted[f] && path_find(finder, from, addr, &path, NULL);
            if (reached[f]) {
                const struct hop *last = path.hops->len ? &g_array_index(path.hops, struct hop, path.hops->len - 1) : NULL;
                reached[f] = last && last->viface == viface;
                g_array_unref(path.hops);
            }
        }
        bool any = reached[0] || reached[1];
        const char *which = !any ? "" : reached[0] ? " (IPv6)" : " (IPv4)";
        g_autofree char *entry = g_strdup_printf("%s -> %s%s", first->vnetwork->name, viface->vnetwork->name, which);
        bool expected = first->vnetwork != viface->vnetwork && (!any || reached[0] != wanted[0] || reached[1] != wanted[1]);
        bool listed = g_ptr_array_find_with_equal_func(unreachable, entry, g_str_equal, NULL);
        /* What is hidden by a vnetwork within it may be found by default routes all the same. */
        g_assert_true(listed == expected || (listed && flags & RANDOM_OVERLAPS));
    }
    path_finder_free(finder);
}

static void test_unreachable(void)
{
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        check_unreachable(seed, 0);
        check_unreachable(seed, RANDOM_OVERLAPS);
    }
}

static void test_determinism(void)
{
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        AUTO_PLATFORM a = plan_random(seed, RANDOM_VROUTES, NULL);
        AUTO_PLATFORM b = plan_random(seed, RANDOM_VROUTES, NULL);
        g_assert_true(!a == !b);
        if (a) {
            g_autofree char *text = dump_platform(a), *again = dump_platform(b);
            g_assert_cmpstr(text, ==, again);
        }
    }
}

/* Returns the lines of dump_platform() about vnode 'name', without its routes. */
static char *dump_vnode(const struct platform *platform, const char *name)
{
    g_autofree char *dump = dump_platform(platform), *head = g_strdup_printf("\nvnode %s ", name);
    char *start = strstr(dump, head);
    g_assert_nonnull(start);
    char *end = start;
    do {
        end = strchr(end + 1, '\n');
    } while (g_str_has_prefix(end + 1, "  "));
    char *forwards = g_strstr_len(start, end - start, " forwards");
    if (forwards) {
        memmove(forwards, forwards + strlen(" forwards"), strlen(forwards + strlen(" forwards")) + 1);
        end -= strlen(" forwards");
    }
    return g_strndup(start, (gsize)(end - start));
}

/* Without one vnode, and with one more, all others keep what they have; and the difference says so. */
static void test_stability(void)
{
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        AUTO_DIAGNOSTICS problems = {0};
        AUTO_PLATFORM before = plan_random(seed, 0, NULL);
        AUTO_PLATFORM asked = random_platform(seed, 0);
        unsigned gone = seed * 7 % asked->vnodes->len;
        g_autofree char *gone_name = g_strdup(platform_vnode(asked, gone)->name);
        unsigned gone_vifaces = platform_vnode(asked, gone)->vifaces->len;
        g_ptr_array_remove_index(asked->vnodes, gone);
        make_vnode(asked, "new", "net1 net0");
        AUTO_PLATFORM after = plan(asked, before, NULL, &problems, NULL);
        g_assert_nonnull(after);
        check_addresses(after, NULL);
        for (unsigned i = 0; i < before->vnodes->len; i++) {
            const char *name = platform_vnode(before, i)->name;
            if (i != gone) {
                g_autofree char *old = dump_vnode(before, name), *new = dump_vnode(after, name);
                g_assert_cmpstr(old, ==, new);
            }
        }
        g_autoptr(GPtrArray) same = plan_diff(after, after), changes = plan_diff(before, after);
        g_assert_cmpuint(same->len, ==, 0);
        unsigned removed = 0, added = 0;
        for (unsigned i = 0; i < changes->len; i++) {
            const struct change *change = changes->pdata[i];
            removed += change->kind == CHANGE_REMOVE;
            added += change->kind == CHANGE_ADD;
            g_assert_true(change->kind == CHANGE_MODIFY || g_str_has_prefix(change->name, gone_name) ||
                          g_str_has_prefix(change->name, "new"));
        }
        g_assert_cmpuint(removed, ==, 1 + gone_vifaces);
        g_assert_cmpuint(added, ==, 3);
        AUTO_PLATFORM again = plan(asked, after, NULL, &problems, NULL);
        g_autofree char *text = dump_platform(after), *again_text = dump_platform(again);
        g_assert_cmpstr(text, ==, again_text);
    }
}

/* Pnodes p0 ... with labels, interfaces, underlays and states by chance; p0 is always open. */
static GPtrArray *random_pnodes(GRand *rand)
{
    GPtrArray *pnodes = g_ptr_array_new_with_free_func((GDestroyNotify)pnode_free);
    unsigned n = (unsigned)g_rand_int_range(rand, 2, 9);
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("p%u", i), *address = g_strdup_printf("192.0.2.%u", i + 1);
        struct pnode *pnode = pnode_new(name);
        pnode->cores = g_rand_boolean(rand) ? 8 : 16;
        pnode->ipv4 = make_address(address);
        pnode->mtu = (uint16_t)g_rand_int_range(rand, 1400, 9001);
        pnode->draining = i && g_rand_int_range(rand, 0, 4) == 0;
        pnode->lost = i && g_rand_int_range(rand, 0, 4) == 0;
        g_hash_table_insert(pnode->labels, g_strdup("site"), g_strdup(i % 2 ? "nancy" : "lyon"));
        g_hash_table_insert(pnode->interfaces, g_strdup("eth1"), GUINT_TO_POINTER(g_rand_int_range(rand, 1400, 9001)));
        g_ptr_array_add(pnodes, pnode);
    }
    return pnodes;
}

/* A random platform whose vnetworks are joined in all ways, and of whose vnodes some want a label. */
static struct platform *random_joined(uint32_t seed, GRand *rand)
{
    struct platform *asked = random_platform(seed, 0);
    for (unsigned i = 0; i < asked->vnetworks->len; i++) {
        struct vnetwork *vnetwork = platform_vnetwork(asked, i);
        vnetwork->transport = (enum transport)g_rand_int_range(rand, 0, TRANSPORT_LOCAL + 1);
        if (vnetwork->transport == TRANSPORT_VLAN) {
            vnetwork->vlan = (uint16_t)(i + 1);
            vnetwork->interface = g_strdup("eth1");
        }
    }
    for (unsigned i = 0; i < asked->vnodes->len; i++) {
        platform_vnode(asked, i)->where = g_rand_int_range(rand, 0, 4) ? NULL : g_strdup("site=lyon");
    }
    return asked;
}

static struct pnode *find_pnode(const GPtrArray *pnodes, const char *name)
{
    for (unsigned i = 0; i < pnodes->len; i++) {
        struct pnode *pnode = pnodes->pdata[i];
        if (!g_strcmp0(pnode->name, name)) {
            return pnode;
        }
    }
    return NULL;
}

/* Nothing drains, is lost or lacks a label where a vnode is that is not on it in 'current'; local vnetworks are in one place; and
 * no MTU is above what its pnodes leave. */
static void check_pnodes(const struct platform *platform, const struct platform *current, const GPtrArray *pnodes)
{
    g_autoptr(GHashTable) first = g_hash_table_new(NULL, NULL), several = g_hash_table_new(NULL, NULL);
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        const struct vnode *old = current ? platform_find_vnode(current, vnode->name) : NULL;
        const struct pnode *pnode = find_pnode(pnodes, vnode->pnode);
        g_assert_true(pnode && !pnode->draining);
        g_assert_true(!pnode->lost || (old && !strcmp(old->pnode, vnode->pnode)));
        g_assert_true(!vnode->where || !g_strcmp0(g_hash_table_lookup(pnode->labels, "site"), "lyon"));
        for (unsigned j = 0; j < vnode->vifaces->len; j++) {
            struct vnetwork *vnetwork = vnode_viface(vnode, j)->vnetwork;
            const struct pnode *other = g_hash_table_lookup(first, vnetwork);
            if (other && other != pnode) {
                g_hash_table_add(several, vnetwork);
            }
            g_hash_table_insert(first, vnetwork, (void *)pnode);
        }
    }
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        for (unsigned j = 0; j < vnode->vifaces->len; j++) {
            const struct vnetwork *vnetwork = vnode_viface(vnode, j)->vnetwork;
            const struct pnode *pnode = find_pnode(pnodes, vnode->pnode);
            unsigned room = vnetwork->transport == TRANSPORT_VLAN ? GPOINTER_TO_UINT(g_hash_table_lookup(pnode->interfaces, "eth1"))
                                                                  : pnode->mtu - 50U;
            g_assert_cmpuint(vnetwork->mtu, >=, 1280);
            if (g_hash_table_contains(several, vnetwork)) {
                g_assert_cmpint(vnetwork->transport, !=, TRANSPORT_LOCAL);
                g_assert_cmpuint(vnetwork->mtu, <=, room);
            } else {
                g_assert_cmpuint(vnetwork->mtu, ==, 1500);
            }
        }
    }
}

/* Any platform on any pnodes; planned again when nothing has changed, and when pnodes have. */
static void test_pnodes(void)
{
    unsigned kept = 0;
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        GRand *rand = g_rand_new_with_seed(seed);
        AUTO_DIAGNOSTICS problems = {0};
        g_autoptr(GPtrArray) pnodes = random_pnodes(rand);
        AUTO_PLATFORM asked = random_joined(seed, rand);
        AUTO_PLATFORM first = plan(asked, NULL, pnodes, &problems, NULL);
        if (!first) {
            g_error("seed %u: %s", seed, diagnostics_get(&problems, 0)->message);
        }
        check_pnodes(first, NULL, pnodes);
        AUTO_PLATFORM open = platform_copy(first);
        platform_reopen(open);
        AUTO_PLATFORM second = plan(open, first, pnodes, &problems, NULL);
        g_assert_nonnull(second);
        g_autoptr(GPtrArray) changes = plan_diff(first, second);
        g_assert_cmpuint(changes->len, ==, 0);
        for (unsigned i = 0; i < first->vnodes->len; i++) {
            g_assert_cmpint(platform_vnode(first, i)->pnode_chosen, ==, platform_vnode(second, i)->pnode_chosen);
        }
        for (unsigned i = 1; i < pnodes->len; i++) {
            struct pnode *pnode = pnodes->pdata[i];
            pnode->draining = g_rand_int_range(rand, 0, 3) == 0;
            pnode->lost = g_rand_int_range(rand, 0, 3) == 0;
        }
        AUTO_PLATFORM third = plan(open, second, pnodes, &problems, NULL);
        g_assert_nonnull(third);
        check_pnodes(third, second, pnodes);
        for (unsigned i = 0; i < third->vnodes->len; i++) {
            bool drains = find_pnode(pnodes, platform_vnode(second, i)->pnode)->draining;
            g_assert_true(drains || !strcmp(platform_vnode(second, i)->pnode, platform_vnode(third, i)->pnode));
            kept += !drains;
        }
        g_rand_free(rand);
    }
    g_assert_cmpuint(kept, >, SEEDS);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/properties/addresses", test_addresses);
    g_test_add_func("/plan/properties/next-hops", test_next_hops);
    g_test_add_func("/plan/properties/no-circles", test_no_circles);
    g_test_add_func("/plan/properties/symmetry", test_symmetry);
    g_test_add_func("/plan/properties/shortest", test_shortest);
    g_test_add_func("/plan/properties/unreachable", test_unreachable);
    g_test_add_func("/plan/properties/determinism", test_determinism);
    g_test_add_func("/plan/properties/stability", test_stability);
    g_test_add_func("/plan/properties/pnodes", test_pnodes);
    return g_test_run();
}
