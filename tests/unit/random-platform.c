/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "random-platform.h"

#include "distem/units.h"
#include "make-platform.h"

static void add_vnetworks(struct platform *platform, GRand *rand, unsigned n, unsigned flags)
{
    static const char *const overlapping[] = {"10.0.0.0/16", "10.0.1.0/24",   "10.0.1.0/26",
                                              "10.0.2.0/24", "10.0.1.128/25", "10.9.0.0/24"};
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("net%u", i),
                        *ipv4 = g_strdup_printf("10.%u.0.0/%d", i + 1, g_rand_int_range(rand, 20, 27));
        g_autofree char *ipv6 = g_strdup_printf("fd00:%x::/64", i + 1), *both = g_strdup_printf("%s %s", ipv4, ipv6);
        const char *const choices[] = {ipv4, both, both, both, ipv6};
        make_vnetwork(platform, name,
                      flags & RANDOM_OVERLAPS ? overlapping[g_rand_int_range(rand, 0, G_N_ELEMENTS(overlapping))]
                                              : choices[g_rand_int_range(rand, 0, G_N_ELEMENTS(choices))]);
    }
}

/* Gives all vifaces latencies. A detour takes three vifaces instead of one, so below three times the least it is never faster. */
static void set_latencies(struct vnode *vnode, GRand *rand, unsigned flags)
{
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        int most = flags & RANDOM_UNEQUAL ? 100 : 29;
        make_latency(vnode, i, g_rand_int_range(rand, 10, most) * NS_PER_MS, g_rand_int_range(rand, 10, most) * NS_PER_MS);
    }
}

/* Adds a vnode with 'n' vifaces on different vnetworks. */
static struct vnode *add_vnode(struct platform *platform, GRand *rand, const char *prefix, unsigned number, unsigned n,
                               unsigned flags)
{
    g_autofree char *name = g_strdup_printf("%s%u", prefix, number);
    struct vnode *vnode = platform_add_vnode(platform, name);
    unsigned start = (unsigned)g_rand_int_range(rand, 0, (int)platform->vnetworks->len);
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *viface = g_strdup_printf("if%u", i);
        vnode_add_viface(vnode, viface, platform_vnetwork(platform, start));
        start = (start + (unsigned)g_rand_int_range(rand, 1, 3)) % platform->vnetworks->len;
    }
    set_latencies(vnode, rand, flags);
    return vnode;
}

static void add_vroutes(struct platform *platform, GRand *rand)
{
    static const char *const prefixes[] = {"0.0.0.0/0",    "10.0.0.0/8", "10.1.0.0/20", "10.2.0.0/30",
                                           "192.0.2.0/24", "::/0",       "fd00:1::/64"};
    unsigned n = (unsigned)g_rand_int_range(rand, 1, 6);
    for (unsigned i = 0; i < n; i++) {
        struct vnode *via = platform_vnode(platform, (unsigned)g_rand_int_range(rand, 0, (int)platform->vnodes->len));
        struct viface *viface = vnode_viface(via, (unsigned)g_rand_int_range(rand, 0, (int)via->vifaces->len));
        struct vroute *vroute = platform_add_vroute(platform, viface->vnetwork, via);
        if (g_rand_boolean(rand)) {
            vroute->to = platform_vnetwork(platform, (unsigned)g_rand_int_range(rand, 0, (int)platform->vnetworks->len));
        } else {
            const char *prefix = prefixes[g_rand_int_range(rand, 0, G_N_ELEMENTS(prefixes))];
            g_assert_true(prefix_parse(prefix, &vroute->prefix, NULL));
        }
    }
}

struct platform *random_platform(uint32_t seed, unsigned flags)
{
    GRand *rand = g_rand_new_with_seed(seed);
    struct platform *platform = platform_new("random");
    platform->routing = g_rand_boolean(rand) ? ROUTING_HOPS : ROUTING_LATENCY;
    unsigned vnetworks = (unsigned)g_rand_int_range(rand, 2, 11);
    add_vnetworks(platform, rand, vnetworks, flags);
    unsigned hosts = (unsigned)g_rand_int_range(rand, 2, 20), gateways = (unsigned)g_rand_int_range(rand, 0, 14);
    for (unsigned i = 0; i < hosts; i++) {
        bool several = g_rand_int_range(rand, 0, 5) == 0;
        struct vnode *host = add_vnode(platform, rand, several ? "m" : "h", i, several ? 2 : 1, flags);
        host->gateway = several ? TRISTATE_NO : TRISTATE_AUTO;
    }
    for (unsigned i = 0; i < gateways; i++) {
        struct vnode *gateway = add_vnode(platform, rand, "g", i, (unsigned)g_rand_int_range(rand, 2, 5), flags);
        gateway->gateway = g_rand_boolean(rand) && !(flags & RANDOM_OVERLAPS) ? TRISTATE_YES : TRISTATE_AUTO;
    }
    if (flags & RANDOM_VROUTES) {
        add_vroutes(platform, rand);
        platform->routing = g_rand_int_range(rand, 0, 4) == 0 ? ROUTING_NONE : platform->routing;
    }
    g_rand_free(rand);
    return platform;
}
