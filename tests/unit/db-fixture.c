/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "db-fixture.h"
#include "distem/delay-table.h"

void db_note(void *aux, const GError *error)
{
    struct outcome *outcome = aux;
    outcome->count++;
    outcome->code = error ? error->code : -1;
    if (error) {
        g_test_message("%s", error->message);
    }
}

struct sandbox *new_db_sandbox(void)
{
    g_autofree char *schema = source_path("ovs/distem.ovsschema");
    return sandbox_new(schema);
}

struct db *db_open_ready(const char *remote, const char *pnode)
{
    struct db *db = db_open(remote, pnode);
    WAIT_DB(db, db_is_ready(db));
    return db;
}

void db_store(struct db *db, const struct platform *platform, uint64_t generation, int code)
{
    struct outcome outcome = {0};
    db_store_platform(db, platform, generation, db_note, &outcome);
    WAIT_DB(db, outcome.count);
    g_assert_cmpint(outcome.code, ==, code);
}

GArray *new_routes(const char *const *texts)
{
    GArray *routes = g_array_new(FALSE, TRUE, sizeof(struct route));
    for (unsigned i = 0; texts[i]; i += 2) {
        struct route route = {.viface = i / 2};
        g_assert_true(prefix_parse(texts[i], &route.to, NULL));
        g_assert_true(ip_addr_parse(texts[i + 1], &route.via, NULL));
        g_array_append_val(routes, route);
    }
    return routes;
}

struct platform *whole_platform(unsigned count)
{
    struct platform *platform = platform_new("everything");
    platform->routing = ROUTING_LATENCY;
    platform->next_id = 3 + 3 * count;
    for (unsigned i = 0; i < 2; i++) {
        struct vnetwork *vnetwork = platform_add_vnetwork(platform, i ? "net-b" : "net-a");
        vnetwork->id = i + 1;
        g_assert_true(prefix_parse(i ? "10.2.0.0/16" : "10.1.0.0/16", &vnetwork->ipv4, NULL));
        g_assert_true(i || prefix_parse("fd00::/64", &vnetwork->ipv6, NULL));
        vnetwork->vni = 4097 + i;
        vnetwork->vlan = i ? 0 : 7;
        vnetwork->mtu = i ? 9000 : 0;
        vnetwork->base_local = i ? 0 : 12345;
        vnetwork->base_remote = i ? 67890 : 0;
    }
    g_autoptr(GArray) shared = new_routes((const char *const[]){"0.0.0.0/0", "10.1.0.1", "::/0", "fd00::1", NULL});
    for (unsigned i = 0; i < count; i++) {
        g_autofree char *name = g_strdup_printf("n%u", i);
        struct vnode *vnode = platform_add_vnode(platform, name);
        vnode->id = 3 + 3 * i;
        vnode->pnode = g_strdup(i % 2 ? "right" : "left");
        vnode->routes = g_array_ref(shared);
        for (unsigned j = 0; j < 2; j++) {
            struct vnetwork *vnetwork = platform_vnetwork(platform, j);
            struct viface *viface = vnode_add_viface(vnode, j ? "eth1" : "eth0", vnetwork);
            viface->id = vnode->id + 2 - j; /* The order of ids is not that of the places. */
            viface->ipv4 = prefix_host(&vnetwork->ipv4, i);
            if (!j) {
                viface->ipv6 = prefix_host(&vnetwork->ipv6, i);
            }
            viface->mac = (struct mac_addr){{2, 0, 0, (uint8_t)j, (uint8_t)(i >> 8), (uint8_t)i}};
        }
    }
    platform->matrix = matrix_new(2);
    platform->matrix->seed = UINT32_MAX;
    platform->matrix->group[0].selector = g_strdup("site=paris");
    platform->matrix->group[1].selector = g_strdup("n2");
    platform->matrix->cells[1] = (struct matrix_cell){.latency = 5, .loss = 6, .bandwidth = 7};
    platform->matrix->cells[2] = (struct matrix_cell){.bandwidth = 8};
    struct vnode *first = platform_vnode(platform, 0);
    first->group = 2;
    first->gateway = TRISTATE_YES;
    first->forwards = true;
    first->cores = 2;
    first->frequency = UINT64_C(2400000000);
    first->memory = UINT64_C(1) << 40;
    vnode_viface(first, 0)->input = (struct impairment){.latency = 20000000,
                                                        .jitter = 1,
                                                        .distribution = delay_table_read("few", "1 2 -3", NULL)->id,
                                                        .keep_order = 1,
                                                        .seed = UINT32_MAX,
                                                        .gilbert_enter = 7,
                                                        .markov_p14 = 8,
                                                        .loss = 5,
                                                        .reordering_gap = 6,
                                                        .burst = UINT64_MAX / 4};
    vnode_viface(first, 1)->output = (struct impairment){.bandwidth = 1,
                                                         .framing = FRAMING_IP,
                                                         .overhead = -7,
                                                         .cell_payload = 48,
                                                         .cell_size = 53,
                                                         .queue = 2,
                                                         .queue_unit = QUEUE_TIME,
                                                         .aqm = AQM_PIE,
                                                         .corruption_correlation = 1000000000};
    vnode_viface(first, 0)->input.compensation = 123;
    vnode_viface(first, 1)->output.compensation = 456;
    g_array_unref(first->routes);
    first->routes = NULL;
    struct vnode *second = platform_vnode(platform, 1);
    second->gateway = TRISTATE_NO;
    second->cpu_ratio = 500000000;
    g_free(second->image);
    second->image = g_strdup("/srv/an image");
    struct vroute *vroute = platform_add_vroute(platform, platform_vnetwork(platform, 0), first);
    vroute->to = platform_vnetwork(platform, 1);
    vroute = platform_add_vroute(platform, platform_vnetwork(platform, 1), first);
    g_assert_true(prefix_parse("192.168.0.0/24", &vroute->prefix, NULL));
    platform_add_playback(platform, "lte.csv", "0 1Mbit/s\n1s 0");
    platform_add_playback(platform, "folder/wifi", "0, 5ms # \"\n2s, 6ms");
    vnode_viface(second, 0)->input =
        (struct impairment){.latency = 5000000, .latency_trace = 2, .bandwidth = 1000000, .bandwidth_trace = 1 | PLAYBACK_PAUSES};
    return platform;
}

static void assert_vifaces_equal(const struct vnode *a, const struct vnode *b)
{
    g_assert_cmpuint(a->vifaces->len, ==, b->vifaces->len);
    for (unsigned i = 0; i < a->vifaces->len; i++) {
        const struct viface *x = vnode_viface(a, i);
        const struct viface *y = vnode_viface(b, i);
        g_assert_cmpstr(x->name, ==, y->name);
        g_assert_cmpuint(x->id, ==, y->id);
        g_assert_cmpuint(x->vnetwork->id, ==, y->vnetwork->id);
        g_assert_true(ip_equal(&x->ipv4, &y->ipv4) && ip_equal(&x->ipv6, &y->ipv6) && mac_equal(&x->mac, &y->mac));
        g_assert_true(impairment_equal(&x->input, &y->input) && impairment_equal(&x->output, &y->output));
        g_assert_true(x->input.compensation == y->input.compensation && x->output.compensation == y->output.compensation);
    }
}

void assert_vnodes_equal(const struct vnode *a, const struct vnode *b)
{
    g_assert_cmpuint(a->group, ==, b->group);
    g_assert_cmpstr(a->name, ==, b->name);
    g_assert_cmpuint(a->id, ==, b->id);
    g_assert_cmpstr(a->pnode, ==, b->pnode);
    g_assert_cmpstr(a->image, ==, b->image);
    g_assert_cmpuint(a->cores, ==, b->cores);
    g_assert_cmpuint(a->frequency, ==, b->frequency);
    g_assert_cmpuint(a->cpu_ratio, ==, b->cpu_ratio);
    g_assert_cmpuint(a->memory, ==, b->memory);
    g_assert_cmpint(a->gateway, ==, b->gateway);
    g_assert_cmpint(a->forwards, ==, b->forwards);
    g_assert_cmpuint(a->routes ? a->routes->len : 0, ==, b->routes ? b->routes->len : 0);
    for (unsigned i = 0; a->routes && i < a->routes->len; i++) {
        const struct route *x = &g_array_index(a->routes, struct route, i);
        const struct route *y = &g_array_index(b->routes, struct route, i);
        g_assert_true(prefix_equal(&x->to, &y->to) && ip_equal(&x->via, &y->via) && x->viface == y->viface);
    }
    assert_vifaces_equal(a, b);
}

void assert_platforms_equal(const struct platform *a, const struct platform *b)
{
    g_assert_cmpstr(a->name, ==, b->name);
    g_assert_cmpint(a->routing, ==, b->routing);
    g_assert_cmpuint(a->next_id, ==, b->next_id);
    g_assert_cmpuint(a->vnetworks->len, ==, b->vnetworks->len);
    for (unsigned i = 0; i < a->vnetworks->len; i++) {
        const struct vnetwork *x = platform_vnetwork(a, i);
        const struct vnetwork *y = platform_vnetwork(b, i);
        g_assert_cmpstr(x->name, ==, y->name);
        g_assert_true(x->id == y->id && x->vni == y->vni && x->vlan == y->vlan && x->mtu == y->mtu);
        g_assert_true(x->base_local == y->base_local && x->base_remote == y->base_remote);
        g_assert_true(prefix_equal(&x->ipv4, &y->ipv4) && prefix_equal(&x->ipv6, &y->ipv6));
    }
    g_assert_true(matrix_equal(a->matrix, b->matrix));
    g_assert_cmpuint(a->vnodes->len, ==, b->vnodes->len);
    for (unsigned i = 0; i < a->vnodes->len; i++) {
        assert_vnodes_equal(platform_vnode(a, i), platform_vnode(b, i));
    }
    g_assert_cmpuint(a->vroutes->len, ==, b->vroutes->len);
    for (unsigned i = 0; i < a->vroutes->len; i++) {
        const struct vroute *x = platform_vroute(a, i);
        const struct vroute *y = platform_vroute(b, i);
        g_assert_cmpuint(x->from->id, ==, y->from->id);
        g_assert_cmpuint(x->to ? x->to->id : 0, ==, y->to ? y->to->id : 0);
        g_assert_cmpuint(x->via->id, ==, y->via->id);
        g_assert_true(prefix_equal(&x->prefix, &y->prefix));
    }
    g_assert_cmpuint(a->playbacks->len, ==, b->playbacks->len);
    for (unsigned i = 0; i < a->playbacks->len; i++) {
        g_assert_cmpstr(platform_playback(a, i)->name, ==, platform_playback(b, i)->name);
        g_assert_cmpstr(platform_playback(a, i)->text, ==, platform_playback(b, i)->text);
    }
}

char *db_last_change(const struct sandbox *sandbox)
{
    g_autofree char *log = sandbox_command(sandbox, "ovsdb-tool", "-mm", "show-log", "conf.db");
    char *last = g_strrstr(log, "\nrecord ");
    g_assert_nonnull(last);
    GString *text = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(last, "\n", -1);
    for (unsigned i = 0; lines[i]; i++) {
        if (g_str_has_prefix(lines[i], "  table ")) {
            g_string_append_printf(text, "%s%s", text->len ? "\n" : "", g_strstrip(lines[i]));
        }
    }
    return g_string_free(text, FALSE);
}
