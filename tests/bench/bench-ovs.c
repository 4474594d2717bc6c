/* SPDX-License-Identifier: Apache-2.0 */
/* The database with 100,000 vnodes on 1,000 pnodes, and a switch (dummy datapath) with 1,000 ports. */
#include <config.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "distem/db.h"
#include "distem/plan.h"
#include "distem/poll.h"
#include "distem/vswitch.h"
#include "tests/unit/ovs-sandbox.h"

#define VNODES 100000u
#define PNODES 1000u
#define VNETWORKS 1000u
#define MATRIX 1000u

static gint64 started;
static clock_t cpu_started;

static void start_clock(void)
{
    started = g_get_monotonic_time();
    cpu_started = clock();
}

/* Prints how long what has been done since the last call took, and the memory of this process and another. */
static void lap(const char *what, pid_t other)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)other);
    g_autofree char *own = NULL;
    g_autofree char *others = NULL;
    g_file_get_contents("/proc/self/status", &own, NULL, NULL);
    g_file_get_contents(path, &others, NULL, NULL);
    const char *own_size = own ? strstr(own, "VmRSS:") : NULL;
    const char *others_size = others ? strstr(others, "VmRSS:") : NULL;
    printf("%-45s %7.3f s, here %7.3f s of CPU and %4llu MB, server %4llu MB\n", what,
           (double)(g_get_monotonic_time() - started) / 1e6, (double)(clock() - cpu_started) / CLOCKS_PER_SEC,
           own_size ? (unsigned long long)g_ascii_strtoull(own_size + 6, NULL, 10) / 1000 : 0,
           others_size ? (unsigned long long)g_ascii_strtoull(others_size + 6, NULL, 10) / 1000 : 0);
    start_clock();
}

static struct platform *make_platform(unsigned vnodes, unsigned pnodes)
{
    struct platform *platform = platform_new("large");
    uint32_t id = 0;
    for (unsigned i = 0; i < VNETWORKS; i++) {
        g_autofree char *name = g_strdup_printf("net%u", i);
        struct vnetwork *vnetwork = platform_add_vnetwork(platform, name);
        vnetwork->id = ++id;
        vnetwork->ipv4 =
            (struct ip_prefix){.addr = {.family = 4, .bytes = {10, (uint8_t)(i >> 6), (uint8_t)(i << 2)}}, .length = 22};
    }
    g_autoptr(GArray) routes = g_array_new(FALSE, TRUE, sizeof(struct route));
    struct route route = {.to = {.addr = {.family = 4}}, .via = {.family = 4, .bytes = {10, 0, 0, 1}}};
    g_array_append_val(routes, route);
    for (unsigned i = 0; i < vnodes; i++) {
        g_autofree char *name = g_strdup_printf("n%u", i);
        struct vnode *vnode = platform_add_vnode(platform, name);
        struct vnetwork *vnetwork = platform_vnetwork(platform, i % VNETWORKS);
        vnode->id = ++id;
        vnode->pnode = g_strdup_printf("pnode%u", i % pnodes);
        vnode->routes = g_array_ref(routes);
        struct viface *viface = vnode_add_viface(vnode, "if0", vnetwork);
        viface->id = ++id;
        viface->ipv4 = prefix_host(&vnetwork->ipv4, i / VNETWORKS);
        viface->mac = (struct mac_addr){{2, 0, 0, (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id}};
        viface->input = (struct impairment){.latency = 20000000, .bandwidth = 10000000};
        viface->output = viface->input;
    }
    return platform;
}

/* Returns a matrix of a group for each of MATRIX vnodes, n0 and so on, whose groups are set. */
static struct matrix *make_matrix(const struct platform *platform)
{
    struct matrix *matrix = matrix_new(MATRIX);
    for (unsigned i = 0; i < MATRIX; i++) {
        matrix->group[i].selector = g_strdup(platform_vnode(platform, i)->name);
        platform_vnode(platform, i)->group = i + 1;
    }
    for (size_t i = 0; i < (size_t)MATRIX * MATRIX; i++) {
        matrix->cells[i].latency = 1000000 + (int64_t)i;
    }
    return matrix;
}

static void stored(void *aux, const GError *error)
{
    g_assert_no_error(error);
    *(bool *)aux = true;
}

static void store(struct db *db, const struct platform *platform, uint64_t generation)
{
    bool done = false;
    db_store_platform(db, platform, generation, stored, &done);
    while (db_run(db), !done) {
        db_wait(db);
        poll_block_once();
    }
}

static struct db *open_ready(const struct sandbox *sandbox, const char *pnode)
{
    struct db *db = db_open(sandbox->remote, pnode);
    while (db_run(db), !db_is_ready(db)) {
        db_wait(db);
        poll_block_once();
    }
    return db;
}

static void bench_db(void)
{
    g_autofree char *schema = source_path("ovs/distem.ovsschema");
    struct sandbox *sandbox = sandbox_new(schema);
    struct db *db = open_ready(sandbox, NULL);
    AUTO_PLATFORM platform = make_platform(VNODES, PNODES);
    start_clock();
    store(db, platform, 0);
    lap("100,000 vnodes: store", sandbox->db);
    platform_vnode(platform, 5)->memory = 1 << 20;
    store(db, platform, 1);
    lap("100,000 vnodes: change one", sandbox->db);
    AUTO_PLATFORM read = db_platform(db);
    lap("100,000 vnodes: as structs", sandbox->db);
    struct db *pnode = open_ready(sandbox, "pnode7");
    AUTO_PLATFORM share = db_platform(pnode);
    g_assert_cmpuint(share->vnodes->len, ==, VNODES / PNODES);
    lap("a pnode's first copy of its 100", sandbox->db);
    struct db *second = open_ready(sandbox, NULL);
    lap("a coordinator's first copy", sandbox->db);
    store(db, NULL, 2);
    lap("100,000 vnodes: remove", sandbox->db);
    db_close(second);
    db_close(pnode);
    db_close(db);
    sandbox_free(sandbox);
}

/* A platform of MATRIX vnodes on one pnode, with a latency matrix between all of them or without one, when something else changes.
 */
static void bench_matrix(bool with)
{
    g_autofree char *schema = source_path("ovs/distem.ovsschema");
    struct sandbox *sandbox = sandbox_new(schema);
    struct db *db = open_ready(sandbox, NULL), *pnode = open_ready(sandbox, "pnode0");
    AUTO_PLATFORM platform = make_platform(MATRIX, 1);
    platform->matrix = with ? make_matrix(platform) : NULL;
    const char *name = with ? "1,000 x 1,000" : "no matrix";
    uint64_t generation = 0;
    store(db, platform, generation++);
    for (unsigned round = 0; round < 2; round++) {
        g_autofree char *what = g_strdup_printf("%s: %s", name, round ? "change a viface again" : "change a viface");
        start_clock();
        AUTO_PLATFORM current = db_platform(db);
        AUTO_PLATFORM next = platform_copy(current);
        vnode_viface(platform_vnode(next, 5), 0)->output.latency = 7 + round;
        g_ptr_array_unref(plan_diff(current, next));
        store(db, next, generation++);
        lap(what, sandbox->db);
        while (db_run(pnode), db_generation(pnode) != generation) {
            db_wait(pnode);
            poll_block_once();
        }
        start_clock();
        AUTO_PLATFORM share = db_platform(pnode);
        lap("... read by the pnode", sandbox->db);
    }
    db_close(pnode);
    db_close(db);
    sandbox_free(sandbox);
}

/* Makes 'n_bridges' bridges with 'n_ports' ports each and takes them away. */
static void bench_switch(unsigned n_bridges, unsigned n_ports)
{
    struct sandbox *sandbox = sandbox_new("/usr/share/openvswitch/vswitch.ovsschema");
    g_free(sandbox_command(sandbox, "ovs-vsctl", "--no-wait", "init"));
    sandbox_start_vswitchd(sandbox);
    struct vswitch *vs = vswitch_open(sandbox->remote, sandbox->dir, "dummy", "bench");
    g_autoptr(GArray) bridges = g_array_new(FALSE, TRUE, sizeof(struct vswitch_bridge));
    uint32_t id = 0;
    for (unsigned b = 0; b < n_bridges; b++) {
        struct vswitch_bridge bridge = {.vnetwork_id = b + 1, .ports = g_array_new(FALSE, TRUE, sizeof(struct vswitch_port))};
        vswitch_bridge_name(bridge.vnetwork_id, bridge.name);
        for (unsigned p = 0; p < n_ports; p++) {
            struct vswitch_port port = {.viface_id = ++id,
                                        .ipv4 = {.family = 4, .bytes = {10, 0, (uint8_t)(id >> 8), (uint8_t)id}}};
            port.mac = (struct mac_addr){{2, 0, 0, 0, (uint8_t)(id >> 8), (uint8_t)id}};
            snprintf(port.netdev, sizeof port.netdev, "dv%u", id);
            g_array_append_val(bridge.ports, port);
        }
        g_array_append_val(bridges, bridge);
    }
    start_clock();
    for (unsigned round = 0; round < 3; round++) {
        /* All; one port less; nothing. */
        vswitch_want(vs, bridges);
        while (vswitch_run(vs), !vswitch_is_settled(vs)) {
            vswitch_wait(vs);
            poll_block_once();
        }
        static const char *const steps[] = {"make", "one port less", "remove"};
        g_autofree char *what = g_strdup_printf("%u bridges of %u ports: %s", n_bridges, n_ports, steps[round]);
        lap(what, sandbox->vswitchd);
        if (!round) {
            g_array_set_size(g_array_index(bridges, struct vswitch_bridge, 0).ports, n_ports - 1);
        } else if (round == 1) {
            for (unsigned b = 0; b < n_bridges; b++) {
                g_array_unref(g_array_index(bridges, struct vswitch_bridge, b).ports);
            }
            g_array_set_size(bridges, 0);
        }
    }
    vswitch_close(vs);
    sandbox_free(sandbox);
}

int main(void)
{
    if (!sandbox_is_possible()) {
        return 77;
    }
    bench_matrix(false);
    bench_matrix(true);
    bench_db();
    bench_switch(1, 1000);
    bench_switch(100, 10);
    return 0;
}
