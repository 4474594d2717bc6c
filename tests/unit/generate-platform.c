/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "generate-platform.h"

#include <string.h>

#include "distem/units.h"

struct generator {
    const struct generate_options *options;
    GRand *random;
    struct platform *platform;
    unsigned host_bits;  /* Of every IPv4 prefix. */
    uint32_t *next_host; /* Per vnetwork: the next address to give by hand. */
    uint32_t next_mac;
};

/* Returns a number from 0 to n - 1. */
static unsigned any(struct generator *g, unsigned n)
{
    return (unsigned)g_rand_int_range(g->random, 0, (gint32)n);
}

static bool maybe(struct generator *g, bool wanted)
{
    return wanted && any(g, 2);
}

/* Returns a number from 'low' to 'high', as a rule one that a person would write. */
static uint64_t amount(struct generator *g, uint64_t low, uint64_t high)
{
    uint64_t value = low + ((uint64_t)g_rand_int(g->random) << 32 | g_rand_int(g->random)) % (high - low + 1);
    for (uint64_t round = 1; any(g, 4) && round <= value / 1000; round *= 10) {
        value -= value % (round * 10);
    }
    return MAX(value, low);
}

static uint32_t percentage(struct generator *g)
{
    return (uint32_t)amount(g, 1, PPB_ONE);
}

static void generate_loss(struct generator *g, struct impairment *i)
{
    switch (any(g, 4)) {
    case 0:
        i->loss = percentage(g);
        break;
    case 1:
        i->gilbert_enter = percentage(g);
        i->gilbert_leave = percentage(g);
        i->gilbert_bad_loss = any(g, 2) ? percentage(g) : 0;
        i->gilbert_good_loss = any(g, 2) ? percentage(g) : 0;
        break;
    case 2:
        i->markov_p13 = percentage(g) / 2 + 1;
        i->markov_p31 = percentage(g) / 2 + 1;
        i->markov_p32 = any(g, 2) ? percentage(g) / 2 : 0;
        i->markov_p23 = i->markov_p32 ? percentage(g) : 0;
        i->markov_p14 = any(g, 2) ? (PPB_ONE - i->markov_p13) / 2 : 0;
        break;
    default:
        break;
    }
}

/* Has queue and burst of at least a frame of any MTU, in any cells. */
static void generate_bandwidth(struct generator *g, struct impairment *i)
{
    i->bandwidth = 8 * amount(g, 20000, 1250000000); /* A frame of any MTU takes less than a minute. */
    i->framing = any(g, 3);
    i->overhead = any(g, 2) ? (int32_t)any(g, 100) : 0;
    i->cell_payload = any(g, 2) ? 40 + any(g, 100) : 0;
    i->cell_size = i->cell_payload ? i->cell_payload + any(g, 10) : 0;
    i->aqm = any(g, 4);
    if (any(g, 2)) {
        i->queue_unit = i->aqm || any(g, 2) ? QUEUE_PACKETS : QUEUE_BYTES;
        i->queue = i->queue_unit == QUEUE_PACKETS ? 1 + any(g, 1000000) : amount(g, 100000, UINT64_C(1) << 30);
    } else if (i->bandwidth >= 1000000 && !i->aqm) {
        i->queue_unit = QUEUE_TIME;
        i->queue = amount(g, NS_PER_S, 60 * NS_PER_S) * 1000000 / i->bandwidth;
        i->queue = MAX(i->queue, UINT64_C(800000) * NS_PER_S / i->bandwidth);
    }
    i->burst = any(g, 2) ? amount(g, 100000, MIN(i->bandwidth * 7, UINT64_C(1) << 30)) : 0;
}

static void generate_impairment(struct generator *g, struct impairment *i)
{
    if (any(g, 2)) {
        i->latency = (int64_t)amount(g, 1, 3600 * (uint64_t)NS_PER_S);
        i->jitter = any(g, 2) ? (int64_t)amount(g, 1, (uint64_t)i->latency) : 0;
        i->distribution = i->jitter ? any(g, 4) : 0;
        i->latency_correlation = i->jitter && any(g, 2) ? percentage(g) : 0;
        i->reordering = any(g, 2) ? percentage(g) : 0;
        i->reordering_correlation = i->reordering && any(g, 2) ? percentage(g) : 0;
        i->reordering_gap = i->reordering && any(g, 2) ? 1 + any(g, 1000) : 0;
    }
    i->keep_order = i->jitter && !i->reordering && any(g, 2);
    generate_loss(g, i);
    i->loss_correlation = i->loss && any(g, 2) ? percentage(g) : 0;
    i->duplication = any(g, 2) ? percentage(g) : 0;
    i->duplication_correlation = i->duplication && any(g, 2) ? percentage(g) : 0;
    i->corruption = any(g, 2) ? percentage(g) : 0;
    i->corruption_correlation = i->corruption && any(g, 2) ? percentage(g) : 0;
    i->seed = i->loss && any(g, 2) ? 1 + any(g, 1000) : 0;
    if (any(g, 2)) {
        generate_bandwidth(g, i);
    }
}

static void put_number(uint8_t *bytes, uint32_t number)
{
    for (int i = 3; i >= 0; i--, number >>= 8) {
        bytes[i] = (uint8_t)number;
    }
}

/* How the vnetwork's parts are joined: by what is asked for or left open. */
static void generate_wire(struct generator *g, struct vnetwork *vnetwork, unsigned i)
{
    vnetwork->transport = any(g, TRANSPORT_LOCAL + 1);
    if (vnetwork->transport == TRANSPORT_VLAN) {
        vnetwork->vlan = (uint16_t)(1 + i % 4094);
        vnetwork->interface = g_strdup_printf("eth%u", i / 4094);
    } else if (vnetwork->transport == TRANSPORT_VXLAN) {
        vnetwork->vni = any(g, 2) ? 1 + i : 0;
        vnetwork->port = any(g, 2) ? (uint16_t)(1 + any(g, 65535)) : 0;
        vnetwork->underlay = any(g, 2) ? (any(g, 2) ? 4 : 6) : 0;
    }
}

/* The vnetworks lie side by side from 10.0.0.0 and fd00:: on. */
static void generate_vnetwork(struct generator *g, unsigned i)
{
    g_autofree char *name = g_strdup_printf("net%u", i + 1);
    struct vnetwork *vnetwork = platform_add_vnetwork(g->platform, name);
    enum families families = g->options->families;
    if (families == FAMILIES_MIXED) {
        families = any(g, FAMILIES_MIXED);
    }
    if (families != FAMILIES_IPV6) {
        vnetwork->ipv4.addr.family = 4;
        vnetwork->ipv4.length = (uint8_t)(32 - g->host_bits);
        put_number(vnetwork->ipv4.addr.bytes, (UINT32_C(10) << 24) + (i << g->host_bits));
    }
    if (families != FAMILIES_IPV4) {
        vnetwork->ipv6.addr.family = 6;
        vnetwork->ipv6.length = 64;
        vnetwork->ipv6.addr.bytes[0] = 0xfd;
        put_number(vnetwork->ipv6.addr.bytes + 4, i);
    }
    if (g->options->details) {
        generate_wire(g, vnetwork, i);
    }
    vnetwork->mtu = maybe(g, g->options->details) ? (uint16_t)(1280 + any(g, 65535 - 1280)) : 0;
}

static void generate_viface(struct generator *g, struct vnode *vnode, unsigned network)
{
    g_autofree char *name = g_strdup_printf("if%u", vnode->vifaces->len);
    struct vnetwork *vnetwork = platform_vnetwork(g->platform, network);
    struct viface *viface = vnode_add_viface(vnode, name, vnetwork);
    if (g->options->impairments) {
        generate_impairment(g, &viface->input);
        generate_impairment(g, &viface->output);
        if (!any(g, 3)) {
            viface->output = viface->input;
        }
    }
    if (maybe(g, g->options->addresses) && g->next_host[network] < (UINT32_C(1) << g->host_bits) - 4) {
        uint32_t host = g->next_host[network] += 1 + any(g, 2);
        if (vnetwork->ipv4.addr.family) {
            viface->ipv4 = prefix_host(&vnetwork->ipv4, host);
        }
        if (vnetwork->ipv6.addr.family && any(g, 2)) {
            viface->ipv6 = prefix_host(&vnetwork->ipv6, host);
        }
    }
    if (maybe(g, g->options->addresses)) {
        viface->mac.bytes[0] = 2;
        put_number(viface->mac.bytes + 2, ++g->next_mac);
    }
}

static struct vnode *generate_vnode(struct generator *g, const char *kind, unsigned i)
{
    g_autofree char *name = g_strdup_printf("%s%u", kind, i + 1);
    struct vnode *vnode = platform_add_vnode(g->platform, name);
    if (!g->options->details) {
        return vnode;
    }
    if (any(g, 2)) {
        g_free(vnode->image);
        vnode->image = g_strdup_printf("/srv/images/image %u", any(g, 10));
    }
    vnode->pnode = any(g, 2) ? g_strdup_printf("host%u.example", any(g, 10)) : NULL;
    vnode->where = !any(g, 4) ? g_strdup_printf("rack=r%u,site=a \"b\" %u", any(g, 10), any(g, 3)) : NULL;
    vnode->labels = !any(g, 4) ? g_strdup_printf("role=r%u,site=\"c\":d %u", any(g, 10), any(g, 3)) : NULL;
    vnode->cores = any(g, 2) ? 1 + any(g, 4096) : 0;
    switch (any(g, 3)) {
    case 0:
        vnode->frequency = amount(g, 1000000, 1000000000000);
        break;
    case 1:
        vnode->cpu_ratio = percentage(g);
        break;
    default:
        break;
    }
    vnode->memory = any(g, 2) ? amount(g, UINT64_C(4) << 20, UINT64_C(1) << 50) : 0;
    return vnode;
}

static void generate_gateway(struct generator *g, const char *kind, unsigned i, unsigned first, unsigned second)
{
    struct vnode *vnode = generate_vnode(g, kind, i);
    vnode->gateway = maybe(g, g->options->details) ? TRISTATE_AUTO : TRISTATE_YES;
    generate_viface(g, vnode, first);
    generate_viface(g, vnode, second);
}

static void generate_vnodes(struct generator *g)
{
    const struct generate_options *options = g->options;
    for (unsigned i = 1; i < options->vnetworks; i++) {
        generate_gateway(g, "gateway", i - 1, i, any(g, i));
    }
    for (unsigned i = 0; i < options->extra_gateways; i++) {
        unsigned first = any(g, options->vnetworks), second = any(g, options->vnetworks - 1);
        generate_gateway(g, "extra", i, first, second + (second >= first));
    }
    for (unsigned i = 0; i < options->vnodes; i++) {
        struct vnode *vnode = generate_vnode(g, "vnode", i);
        unsigned network = any(g, options->vnetworks);
        unsigned shape = options->details ? any(g, 20) : 2;
        vnode->gateway = options->details ? any(g, 3) : TRISTATE_AUTO;
        if (shape > 0) {
            generate_viface(g, vnode, network);
        }
        if (shape == 1 && options->vnetworks > 1) {
            generate_viface(g, vnode, (network + 1) % options->vnetworks);
        }
    }
}

/* Tries to add a way through a gateway to its other vnetwork, or to addresses beyond. */
static void generate_vroute(struct generator *g, unsigned i, GHashTable *ways)
{
    struct vnode *via = platform_vnode(g->platform, any(g, g->options->vnetworks - 1));
    unsigned side = any(g, 2);
    struct vnetwork *from = vnode_viface(via, side)->vnetwork, *to = vnode_viface(via, !side)->vnetwork;
    if (any(g, 2) && from->ipv4.addr.family) {
        struct vroute *vroute = platform_add_vroute(g->platform, from, via);
        vroute->prefix = (struct ip_prefix){{4, {172, 16}}, 24};
        put_number(vroute->prefix.addr.bytes, (UINT32_C(172) << 24) + (i << 8));
        return;
    }
    bool common = (from->ipv4.addr.family && to->ipv4.addr.family) || (from->ipv6.addr.family && to->ipv6.addr.family);
    if (common && g_hash_table_add(ways, g_strdup_printf("%s %s", from->name, to->name))) {
        platform_add_vroute(g->platform, from, via)->to = to;
    }
}

struct platform *generate_platform(const struct generate_options *options)
{
    struct generator g = {
        .options = options,
        .random = g_rand_new_with_seed(options->seed),
        .platform = platform_new("generated"),
        .next_host = g_new0(uint32_t, options->vnetworks),
    };
    /* Four times what a vnetwork has on average, so that no random choice overfills one. */
    unsigned vnodes = options->vnodes + options->extra_gateways + 2 * options->vnetworks;
    g.host_bits = g_bit_storage(4 * vnodes / options->vnetworks + 64);
    g.platform->routing = any(&g, 3);
    for (unsigned i = 0; i < options->vnetworks; i++) {
        generate_vnetwork(&g, i);
    }
    generate_vnodes(&g);
    g_autoptr(GHashTable) ways = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (unsigned i = 0; options->vnetworks > 1 && i < options->vroutes; i++) {
        generate_vroute(&g, i, ways);
    }
    g_rand_free(g.random);
    g_free(g.next_host);
    return g.platform;
}
