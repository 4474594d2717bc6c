/* SPDX-License-Identifier: Apache-2.0 */
/* Vnodes' networks on a real kernel: made, changed, mended, removed. What they do to traffic is in test-shaping-live.c. */
#include <config.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "distem/error.h"

#include "link-world.h"
#include "src/link/offload.h"

#define KILL_ROUNDS 20

/* Gives all vifaces a bandwidth, which every kernel can do. */
static void limit_all(struct world *world)
{
    for (unsigned i = 0; i < world->platform->vnodes->len; i++) {
        struct vnode *vnode = platform_vnode(world->platform, i);
        for (unsigned n = 0; n < vnode->vifaces->len; n++) {
            vnode_viface(vnode, n)->input.bandwidth = (10 + i) * UINT64_C(1000000);
            vnode_viface(vnode, n)->output.bandwidth = (20 + i) * UINT64_C(1000000);
        }
    }
}

static void assert_has(struct world *world, const char *words)
{
    g_autofree char *picture = world_picture(world, false);
    if (!strstr(picture, words)) {
        g_error("\"%s\" is not in\n%s", words, picture);
    }
}

static void assert_lacks(struct world *world, const char *words)
{
    g_autofree char *picture = world_picture(world, false);
    if (strstr(picture, words)) {
        g_error("\"%s\" is in\n%s", words, picture);
    }
}

static void print_missing(const char *from, const char *in, const char *sign)
{
    g_auto(GStrv) lines = g_strsplit(from, "\n", 0);
    for (unsigned i = 0; lines[i]; i++) {
        g_autofree char *line = g_strdup_printf("%s\n", lines[i]);
        if (!strstr(in, line)) {
            g_printerr("%s %s", sign, line);
        }
    }
}

/* Compares two pictures; the difference is told line by line. */
static void assert_same(const char *expected, const char *found)
{
    if (strcmp(expected, found) != 0) {
        print_missing(expected, found, "-");
        print_missing(found, expected, "+");
        g_error("not as expected");
    }
}

/* Applies and checks that nothing at all changed. */
static void assert_settled(struct world *world)
{
    g_autofree char *before = world_picture(world, true);
    world_apply(world);
    g_autofree char *after = world_picture(world, true);
    assert_same(before, after);
}

static void test_apply(void)
{
    struct world *world = world_new();
    limit_all(world);
    world_apply(world);
    assert_has(world, "host dv12 0 up=1 mtu=1500 queue=1000 group=53591 distem 2/12 n2:if0\n");
    assert_has(world, "host di13 0 up=1 mtu=1500 queue=1000 group=53591 distem 2/13 n2:if1\n");
    assert_has(world, "redirect dv12 to di12\n");
    assert_has(world, "1 if0 0 up=1 mtu=1500 02:00:00:00:00:0b\n");
    assert_has(world, "1 lo 0 up=1 ");
    assert_has(world, "1 address if0 /24 flags 80 0a010001\n");
    assert_has(world, "1 address if0 /64 flags 82 fd010000000000000000000000000001\n");
    assert_has(world, "1 route table 254 proto 219 if0 0a020000/24 via 0a010002\n");
    assert_has(world, "1 ipv4/ip_forward=0\n");
    assert_has(world, "2 ipv4/ip_forward=1\n");
    assert_has(world, "2 ipv6/conf/all/forwarding=1\n");
    assert_settled(world);
    g_autoptr(GPtrArray) list = link_list(world->manager, NULL);
    g_assert_cmpuint(list->len, ==, 4 + 4 + 3);
    world_free(world);
}

static void test_unshaped(void)
{
    struct world *world = world_new();
    world_apply(world);
    assert_lacks(world, "qdisc");
    assert_lacks(world, "redirect");
    assert_lacks(world, "host di");
    assert_settled(world);
    world_free(world);
}

/* Applies a change and checks that devices that stay are the same ones: their lines of a picture with identities are still there.
 */
static void apply_keeping(struct world *world, const char *const *names)
{
    g_autofree char *before = world_picture(world, true);
    world_apply(world);
    g_autofree char *after = world_picture(world, true);
    for (; *names; names++) {
        g_autofree char *start = g_strdup_printf("host %s ", *names);
        const char *line = strstr(before, start);
        g_assert_nonnull(line);
        g_autofree char *with_index = g_strndup(line, strlen(start) + strcspn(line + strlen(start), " "));
        g_assert_nonnull(strstr(after, with_index));
    }
}

static void test_change(void)
{
    static const char *const all[] = {"dv11", "di11", "dv12", "di12", "dv13", "di13", "dv14", "di14", NULL};
    static const char *const veths[] = {"dv11", "dv12", "dv13", "dv14", NULL};
    struct world *world = world_new();
    struct viface *if0 = vnode_viface(world->n1, 0);
    limit_all(world);
    world_apply(world);

    if0->input.bandwidth = 5000000000 * 8; /* More than 32 bits of bytes. */
    if0->mac.bytes[5] = 0x77;
    if0->vnetwork->mtu = 1400;
    if0->ipv4 = prefix_host(&if0->vnetwork->ipv4, 9);
    apply_keeping(world, all);
    assert_has(world, "1 if0 0 up=1 mtu=1400 02:00:00:00:00:77\n");
    assert_has(world, "host di12 0 up=1 mtu=1400 ");
    assert_has(world, "1 address if0 /24 flags 80 0a01000a\n");
    assert_lacks(world, "1 address if0 /24 flags 80 0a010001\n");
    assert_has(world, "1 route table 254 proto 219 if0 0a020000/24 via 0a010002\n");
    assert_settled(world);

    if0->output.bandwidth = 0;
    g_array_set_size(world->n1->routes, 1);
    g_array_index(world->n1->routes, struct route, 0).via = prefix_host(&if0->vnetwork->ipv4, 3);
    world->n2->forwards = false;
    apply_keeping(world, veths);
    assert_lacks(world, "host di11");
    assert_lacks(world, "redirect dv11");
    assert_has(world, "1 route table 254 proto 219 if0 0a020000/24 via 0a010004\n");
    assert_lacks(world, "via 0a010002\n");
    assert_lacks(world, "1 route table 254 proto 219 if0 fd02");
    assert_has(world, "2 ipv4/ip_forward=0\n");
    assert_settled(world);

    if0->output.bandwidth = 1000000;
    apply_keeping(world, veths);
    assert_has(world, "redirect dv11 to di11\n");
    assert_settled(world);
    world_free(world);
}

static void test_viface_goes_and_comes(void)
{
    static const char *const kept[] = {"dv12", "di12", NULL};
    struct world *world = world_new();
    limit_all(world);
    world_apply(world);
    g_autofree char *whole = world_picture(world, false);
    GPtrArray *vifaces = world->n2->vifaces;
    struct viface *if1 = g_ptr_array_steal_index(vifaces, 1);
    apply_keeping(world, kept);
    assert_lacks(world, "host dv13");
    assert_lacks(world, "host di13");
    assert_lacks(world, "2 if1 ");
    g_ptr_array_add(vifaces, if1);
    apply_keeping(world, kept);
    g_autofree char *again = world_picture(world, false);
    assert_same(whole, again);
    world_free(world);
}

/* Runs a command in the namespace of a vnode, as an experiment would. */
static void run_inside(struct world *world, const struct vnode *vnode, const char *command)
{
    g_autofree char *path = link_netns_path(world->manager, vnode->id);
    g_autofree char *line = g_strdup_printf("nsenter --net=%s %s", path, command);
    int status;
    g_assert_true(g_spawn_command_line_sync(line, NULL, NULL, &status, NULL));
    g_assert_cmpint(status, ==, 0);
}

static void test_meddling(void)
{
    struct world *world = world_new();
    limit_all(world);
    world_apply(world);
    g_autofree char *whole = world_picture(world, false);
    /* Whatever was broken is mended ... */
    run_inside(world, world->n1, "ip link delete if0");
    run_inside(world, world->n2, "ip link set if0 down");
    run_inside(world, world->n2, "ip link set if0 name other");
    run_inside(world, world->n3, "ip address flush dev if0 scope global");
    run_inside(world, world->n3, "ip link set lo down");
    g_spawn_command_line_sync("tc qdisc delete dev dv14 root", NULL, NULL, NULL, NULL);
    g_spawn_command_line_sync("tc qdisc replace dev di13 root handle 7: htb", NULL, NULL, NULL, NULL);
    g_spawn_command_line_sync("tc qdisc delete dev dv13 ingress", NULL, NULL, NULL, NULL);
    g_spawn_command_line_sync("ip link set di14 down alias x mtu 1000", NULL, NULL, NULL, NULL);
    world_apply(world);
    g_autofree char *again = world_picture(world, false);
    assert_same(whole, again);
    /* ... and what an experiment adds of its own stays. */
    run_inside(world, world->n1, "ip address add 10.1.0.99/24 dev if0");
    run_inside(world, world->n1, "ip route add 192.0.2.0/24 via 10.1.0.2");
    vnode_viface(world->n1, 0)->ipv4 = prefix_host(&platform_vnetwork(world->platform, 0)->ipv4, 8);
    world_apply(world);
    assert_has(world, "1 address if0 /24 flags 80 0a010063\n");
    assert_has(world, "1 address if0 /24 flags 81 0a010009\n");
    assert_has(world, "0 c0000200/24 via 0a010002\n");
    world_free(world);
}

/* Applies with a manager of its own until it is killed. */
static void apply_until_killed(struct world *world)
{
    pid_t child = fork();
    if (!child) {
        struct link_manager *manager = link_manager_new(world->run_dir, NULL);
        for (unsigned i = 0; manager && i < world->platform->vnodes->len; i++) {
            link_apply_vnode(manager, platform_vnode(world->platform, i), WORLD_MTU, false, NULL);
        }
        _exit(0);
    }
    g_usleep((unsigned long)g_test_rand_int_range(0, 30000));
    kill(child, SIGKILL);
    g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
}

static void test_kill(void)
{
    struct world *world = world_new();
    limit_all(world);
    world_apply(world);
    g_autofree char *undisturbed = world_picture(world, false);
    for (unsigned round = 0; round < KILL_ROUNDS; round++) {
        for (unsigned id = 1; id <= WORLD_VNODES; id++) {
            g_assert_true(link_remove_vnode(world->manager, id, NULL));
        }
        apply_until_killed(world);
        /* Everything that is there is marked, and can be found so. */
        g_autoptr(GPtrArray) list = link_list(world->manager, NULL);
        for (unsigned i = 0; i < list->len; i++) {
            const struct link_found *found = list->pdata[i];
            g_assert_cmpuint(found->vnode_id, >=, 1);
            g_assert_cmpuint(found->vnode_id, <=, WORLD_VNODES);
        }
        if (round % 2) {
            world_apply(world);
            g_autofree char *mended = world_picture(world, false);
            assert_same(undisturbed, mended);
        }
    }
    world_free(world);
}

static void test_errors(void)
{
    g_autoptr(GError) error = NULL;
    struct world *world = world_new();
    world_apply(world);
    if (!world_has_netem()) {
        vnode_viface(world->n1, 0)->input.latency = 1000000;
        g_assert_false(link_apply_vnode(world->manager, world->n1, WORLD_MTU, false, &error));
        g_assert_error(error, DISTEM_ERROR, DISTEM_ERROR_UNSUPPORTED);
        g_assert_nonnull(strstr(error->message, "sch_netem"));
        g_assert_nonnull(strstr(error->message, "input of n1:if0"));
        g_clear_error(&error);
        vnode_viface(world->n1, 0)->input.latency = 0;
    }
    /* A gateway that is nowhere. */
    struct route bad = g_array_index(world->n1->routes, struct route, 0);
    g_assert_true(prefix_parse("10.9.0.0/16", &bad.to, NULL));
    g_assert_true(ip_addr_parse("172.16.0.1", &bad.via, NULL));
    g_array_append_val(world->n1->routes, bad);
    g_assert_false(link_apply_vnode(world->manager, world->n1, WORLD_MTU, false, &error));
    g_assert_error(error, DISTEM_ERROR, DISTEM_ERROR_SYSTEM);
    g_assert_cmpstr(
        error->message, ==,
        "setting the route of n1 to 10.9.0.0/16 via 172.16.0.1 failed: Nexthop has invalid gateway: Network is unreachable");
    g_array_set_size(world->n1->routes, 2);
    world_apply(world);
    world_free(world);
}

static void run(const char *command)
{
    g_autoptr(GError) error = NULL;
    int status;
    g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, &status, &error));
    g_assert_cmpint(status, ==, 0);
}

/* Says whether a device merges received frames. */
static bool merges(const char *name)
{
    struct offload *offload = offload_new();
    uint32_t on[OFFLOAD_BLOCKS], any = 0;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    g_assert_true(offload_get_merging(offload, fd, name, on, NULL));
    for (unsigned i = 0; i < OFFLOAD_BLOCKS; i++) {
        any |= on[i];
    }
    close(fd);
    offload_free(offload);
    return any;
}

static void unmerge(struct world *world, const char *first, const char *second)
{
    g_autoptr(GError) error = NULL;
    link_unmerge(world->manager, (const char *const[]){first, second, NULL}, &error);
    g_assert_no_error(error);
}

static void test_unmerge(void)
{
    struct world *world = world_new();
    run("ip link add name eth7 type bridge");
    run("ip link add name eth8 type bridge");
    g_assert_true(merges("eth7") && merges("eth8"));
    unmerge(world, "eth7", "eth8");
    unmerge(world, "eth7", "eth8"); /* Does not forget what was before. */
    g_assert_false(merges("eth7") || merges("eth8"));
    unmerge(world, "eth8", "eth9"); /* Which is not there. */
    g_assert_true(merges("eth7") && !merges("eth8"));
    g_autoptr(GPtrArray) noted = link_unmerged(world->manager);
    g_assert_cmpuint(noted->len, ==, 1);
    g_assert_cmpstr(noted->pdata[0], ==, "eth8");
    unmerge(world, NULL, NULL);
    g_assert_true(merges("eth7") && merges("eth8"));
    /* A device that was gone meanwhile. */
    unmerge(world, "eth7", "eth8");
    run("ip link del eth8");
    unmerge(world, NULL, NULL);
    g_autoptr(GPtrArray) none = link_unmerged(world->manager);
    g_assert_cmpuint(none->len, ==, 0);
    run("ip link del eth7");
    world_free(world);
}

static void test_interfaces(void)
{
    struct world *world = world_new();
    world_apply(world);
    run("ip link add name eth7 mtu 1400 type bridge");
    g_autoptr(GError) error = NULL;
    g_autoptr(GHashTable) interfaces = link_interfaces(world->manager, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(GPOINTER_TO_UINT(g_hash_table_lookup(interfaces, "eth7")), ==, 1400);
    g_assert_false(g_hash_table_contains(interfaces, "lo"));
    GHashTableIter iter;
    gpointer name;
    g_hash_table_iter_init(&iter, interfaces);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        g_assert_false(g_str_has_prefix(name, "dv") || g_str_has_prefix(name, "di"));
    }
    run("ip link del eth7");
    world_free(world);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (geteuid() != 0 || !world_isolate()) {
        g_print("1..0 # SKIP only root may make network namespaces\n");
        return 0; /* Automake's TAP driver takes any other status for an error. */
    }
    g_test_add_func("/link/apply", test_apply);
    g_test_add_func("/link/unshaped", test_unshaped);
    g_test_add_func("/link/change", test_change);
    g_test_add_func("/link/viface-goes-and-comes", test_viface_goes_and_comes);
    g_test_add_func("/link/meddling", test_meddling);
    g_test_add_func("/link/kill", test_kill);
    g_test_add_func("/link/errors", test_errors);
    g_test_add_func("/link/unmerge", test_unmerge);
    g_test_add_func("/link/interfaces", test_interfaces);
    return g_test_run();
}
