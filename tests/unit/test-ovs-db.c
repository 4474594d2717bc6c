/* SPDX-License-Identifier: Apache-2.0 */
/* The Distem database: round trip, differences, conflicts, a killed server, conditional monitoring. */
#include <config.h>

#include "distem/db.h"

#include <string.h>

#include "distem/error.h"
#include "distem/poll.h"
#include "ovs-sandbox.h"

#define WAIT_DB(DB, CONDITION) WAIT_UNTIL(CONDITION, db_run(DB), db_wait(DB))

/* How a transaction ended. */
struct outcome {
    unsigned count;
    int code; /* -1: success. */
};

static void note(void *aux, const GError *error)
{
    struct outcome *outcome = aux;
    outcome->count++;
    outcome->code = error ? error->code : -1;
    if (error) {
        g_test_message("%s", error->message);
    }
}

static struct sandbox *new_sandbox(void)
{
    g_autofree char *schema = source_path("ovs/distem.ovsschema");
    return sandbox_new(schema);
}

static struct db *open_ready(const struct sandbox *sandbox, const char *pnode)
{
    struct db *db = db_open(sandbox->remote, pnode);
    WAIT_DB(db, db_is_ready(db));
    return db;
}

/* Stores and waits for the end, which must be 'code' (-1: success). */
static void store(struct db *db, const struct platform *platform, uint64_t generation, int code)
{
    struct outcome outcome = {0};
    db_store_platform(db, platform, generation, note, &outcome);
    WAIT_DB(db, outcome.count);
    g_assert_cmpint(outcome.code, ==, code);
}

static GArray *new_routes(const char *const *texts)
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

/* Makes a platform with everything in it: 'count' vnodes on two vnetworks and two pnodes. */
static struct platform *make_platform(unsigned count)
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
    struct vnode *first = platform_vnode(platform, 0);
    first->gateway = TRISTATE_YES;
    first->forwards = true;
    first->cores = 2;
    first->frequency = UINT64_C(2400000000);
    first->memory = UINT64_C(1) << 40;
    vnode_viface(first, 0)->input = (struct impairment){.latency = 20000000,
                                                        .jitter = 1,
                                                        .distribution = DISTRIBUTION_PARETO,
                                                        .keep_order = 1,
                                                        .loss = 5,
                                                        .seed = UINT32_MAX,
                                                        .gilbert_enter = 7,
                                                        .markov_p14 = 8,
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
    }
}

static void assert_vnodes_equal(const struct vnode *a, const struct vnode *b)
{
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

static void assert_platforms_equal(const struct platform *a, const struct platform *b)
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
        g_assert_true(prefix_equal(&x->ipv4, &y->ipv4) && prefix_equal(&x->ipv6, &y->ipv6));
    }
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
}

static void test_round_trip(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct sandbox *sandbox = new_sandbox();
    struct db *db = open_ready(sandbox, NULL);
    g_assert_null(db_platform(db));
    g_assert_cmpuint(db_generation(db), ==, 0);

    AUTO_PLATFORM wanted = make_platform(7);
    store(db, wanted, 0, -1);
    g_assert_cmpuint(db_generation(db), ==, 1);
    AUTO_PLATFORM stored = db_platform(db);
    assert_platforms_equal(wanted, stored);
    /* What was shared is shared again, per pnode. */
    g_assert_true(platform_vnode(stored, 1)->routes == platform_vnode(stored, 3)->routes);

    /* A reader that comes later sees the same; taking it down leaves the generation. */
    struct db *reader = open_ready(sandbox, NULL);
    AUTO_PLATFORM seen = db_platform(reader);
    assert_platforms_equal(wanted, seen);
    store(db, NULL, 1, -1);
    g_assert_null(db_platform(db));
    g_assert_cmpuint(db_generation(db), ==, 2);
    WAIT_DB(reader, db_generation(reader) == 2);
    g_autofree char *rest =
        sandbox_command(sandbox, "ovsdb-client", "--format=list", "--no-headings", "dump", sandbox->remote, "Vnode");
    g_assert_null(strstr(rest, "_uuid"));
    db_close(reader);
    db_close(db);
    sandbox_free(sandbox);
}

/* Returns how many rows the last transaction in the database's file touched, by table, as "Vnode:1 Platform:1". */
static char *last_change(const struct sandbox *sandbox)
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

static void test_only_differences(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct sandbox *sandbox = new_sandbox();
    struct db *db = open_ready(sandbox, NULL);
    AUTO_PLATFORM wanted = make_platform(50);
    store(db, wanted, 0, -1);
    platform_vnode(wanted, 10)->memory = 4096;
    store(db, wanted, 1, -1);
    g_autofree char *change = last_change(sandbox);
    g_test_message("%s", change);
    g_auto(GStrv) rows = g_strsplit(change, "\n", -1);
    g_assert_cmpuint(g_strv_length(rows), ==, 2);
    g_assert_nonnull(strstr(change, "table Vnode "));
    g_assert_nonnull(strstr(change, "table Platform "));

    /* Other routes for one vnode make one route table. */
    struct vnode *vnode = platform_vnode(wanted, 11);
    g_array_unref(vnode->routes);
    vnode->routes = new_routes((const char *const[]){"0.0.0.0/0", "10.1.0.9", NULL});
    store(db, wanted, 2, -1);
    g_autofree char *routes_change = last_change(sandbox);
    g_auto(GStrv) routes_rows = g_strsplit(routes_change, "\n", -1);
    g_assert_cmpuint(g_strv_length(routes_rows), ==, 3);
    AUTO_PLATFORM stored = db_platform(db);
    assert_platforms_equal(wanted, stored);
    db_close(db);
    sandbox_free(sandbox);
}

static void test_conflict(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct sandbox *sandbox = new_sandbox();
    struct db *one = open_ready(sandbox, NULL);
    struct db *two = open_ready(sandbox, NULL);
    AUTO_PLATFORM wanted = make_platform(2);
    store(one, wanted, 0, -1);
    /* Found out at once, from the copy. */
    store(one, wanted, 0, DISTEM_ERROR_CONFLICT);
    /* Found out by the server: both write on top of what both know. */
    WAIT_DB(two, db_generation(two) == 1);
    struct outcome first = {0};
    struct outcome second = {0};
    db_store_platform(one, wanted, 1, note, &first);
    db_store_platform(two, wanted, 1, note, &second);
    db_run(one);
    db_run(two);
    WAIT_DB(one, first.count);
    WAIT_DB(two, second.count);
    /* Which of the two the server looks at first is its own affair. */
    const struct outcome *won = first.code == -1 ? &first : &second, *lost = first.code == -1 ? &second : &first;
    g_assert_cmpint(won->code, ==, -1);
    g_assert_cmpint(lost->code, ==, DISTEM_ERROR_CONFLICT);
    g_assert_cmpuint(first.count + second.count, ==, 2);
    db_close(one);
    db_close(two);
    sandbox_free(sandbox);
}

static void test_killed_server(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct sandbox *sandbox = new_sandbox();
    struct db *db = open_ready(sandbox, NULL);
    AUTO_PLATFORM wanted = make_platform(20);
    store(db, wanted, 0, -1);
    sandbox_kill_db(sandbox);
    WAIT_DB(db, !db_is_connected(db));
    /* The copy stays; what is asked for waits, also when it was on its way. */
    g_assert_true(db_is_ready(db));
    struct outcome waiting = {0};
    db_store_platform(db, NULL, 1, note, &waiting);
    db_run(db);
    g_assert_cmpuint(waiting.count, ==, 0);
    sandbox_start_db(sandbox);
    WAIT_DB(db, waiting.count);
    g_assert_cmpint(waiting.code, ==, -1);

    /* Killed with a transaction in the air: it is done exactly once. */
    struct outcome flying = {0};
    db_store_platform(db, wanted, 2, note, &flying);
    db_run(db);
    sandbox_kill_db(sandbox);
    sandbox_start_db(sandbox);
    WAIT_DB(db, flying.count);
    g_assert_cmpint(flying.code, ==, -1);
    g_assert_cmpuint(db_generation(db), ==, 3);
    AUTO_PLATFORM stored = db_platform(db);
    assert_platforms_equal(wanted, stored);
    db_close(db);
    sandbox_free(sandbox);
}

static unsigned count_pnodes(const struct db *db)
{
    g_autoptr(GPtrArray) pnodes = db_pnodes(db);
    return pnodes->len;
}

/* Returns the state of the 'i'-th vnode in the database. */
static enum vnode_state vnode_state(struct db *db, unsigned i)
{
    AUTO_PLATFORM platform = db_platform(db);
    return platform_vnode(platform, i)->state;
}

static void test_pnode(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct sandbox *sandbox = new_sandbox();
    struct db *coordinator = open_ready(sandbox, NULL);
    struct db *pnode = open_ready(sandbox, "left");
    AUTO_PLATFORM wanted = make_platform(7);
    store(coordinator, wanted, 0, -1);
    WAIT_DB(pnode, db_generation(pnode) == 1);
    AUTO_PLATFORM share = db_platform(pnode);
    g_assert_cmpuint(share->vnetworks->len, ==, 2);
    g_assert_cmpuint(share->vnodes->len, ==, 4);
    g_assert_cmpuint(share->vroutes->len, ==, 0);
    for (unsigned i = 0; i < share->vnodes->len; i++) {
        assert_vnodes_equal(platform_vnode(share, i), platform_vnode(wanted, 2 * i));
    }

    /* It reports itself and its vnodes; strangers are passed over. */
    struct outcome outcome = {0};
    struct pnode *self = pnode_new("left");
    self->cores = 4;
    self->memory = 1 << 30;
    self->leaving = 3;
    self->generation = 1;
    self->missing = g_strdup("netem: kernel module sch_netem");
    self->error = g_strdup("no room");
    db_introduce_pnode(pnode, self, note, &outcome);
    pnode_free(self); /* What was handed over is a copy. */
    struct vnode *reported = platform_vnode(share, 1);
    reported->state = VNODE_STATE_FAILED;
    reported->error = g_strdup("it broke");
    reported->pid = 42;
    struct vnode stranger = {.id = 9999};
    g_autoptr(GPtrArray) reports = g_ptr_array_new();
    g_ptr_array_add(reports, reported);
    g_ptr_array_add(reports, &stranger);
    db_report_vnodes(pnode, reports, note, &outcome);
    WAIT_DB(pnode, outcome.count == 2);
    g_assert_cmpint(outcome.code, ==, -1);
    WAIT_DB(coordinator, count_pnodes(coordinator) == 1 && vnode_state(coordinator, 2) != VNODE_STATE_UNKNOWN);
    g_autoptr(GPtrArray) registered = db_pnodes(coordinator);
    const struct pnode *left = registered->pdata[0];
    g_assert_cmpstr(left->missing, ==, "netem: kernel module sch_netem");
    g_assert_cmpstr(left->error, ==, "no room");
    g_assert_cmpuint(left->leaving, ==, 3);

    AUTO_PLATFORM observed = db_platform(coordinator);
    g_assert_cmpint(platform_vnode(observed, 2)->state, ==, VNODE_STATE_FAILED);
    g_assert_cmpstr(platform_vnode(observed, 2)->error, ==, "it broke");
    g_assert_cmpint(platform_vnode(observed, 2)->pid, ==, 42);
    g_assert_cmpint(platform_vnode(observed, 1)->state, ==, VNODE_STATE_UNKNOWN);
    /* Storing the plan again leaves what was observed, except for a vnode that moves. */
    store(coordinator, wanted, 1, -1);
    AUTO_PLATFORM kept = db_platform(coordinator);
    g_assert_cmpint(platform_vnode(kept, 2)->pid, ==, 42);
    g_free(platform_vnode(wanted, 2)->pnode);
    platform_vnode(wanted, 2)->pnode = g_strdup("right");
    store(coordinator, wanted, 2, -1);
    AUTO_PLATFORM moved = db_platform(coordinator);
    g_assert_cmpint(platform_vnode(moved, 2)->pid, ==, 0);
    g_assert_null(platform_vnode(moved, 2)->error);
    WAIT_DB(pnode, db_generation(pnode) == 3);
    AUTO_PLATFORM smaller = db_platform(pnode);
    g_assert_cmpuint(smaller->vnodes->len, ==, 3);

    db_remove_pnode(coordinator, "left", note, &outcome);
    WAIT_DB(coordinator, outcome.count == 3);
    g_assert_cmpuint(count_pnodes(coordinator), ==, 0);
    db_close(pnode);
    db_close(coordinator);
    sandbox_free(sandbox);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ovs/db/round-trip", test_round_trip);
    g_test_add_func("/ovs/db/only-differences", test_only_differences);
    g_test_add_func("/ovs/db/conflict", test_conflict);
    g_test_add_func("/ovs/db/killed-server", test_killed_server);
    g_test_add_func("/ovs/db/pnode", test_pnode);
    return g_test_run();
}
