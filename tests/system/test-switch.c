/* SPDX-License-Identifier: Apache-2.0 */
/* A private switch with real packets, in namespaces of its own: two hosts on one bridge, two on another with the same addresses.
 * With the kernel's datapath where it has one, and with the switch's own. */
#include <config.h>

#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "distem/error.h"
#include "distem/poll.h"
#include "distem/vswitch.h"

#define HOSTS 4u

/* Runs a command line (words between blanks); returns whether it succeeded, its output in '*ret_output' (may be NULL). */
static bool run(char **ret_output, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool run(char **ret_output, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *line = g_strdup_vprintf(format, args);
    va_end(args);
    g_auto(GStrv) argv = g_strsplit(line, " ", -1);
    g_autofree char *output = NULL;
    g_autofree char *errors = NULL;
    int status = 0;
    bool ok = g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, &errors, &status, NULL) && !status;
    if (!ok) {
        g_test_message("%s: %s%s", line, output, errors);
    }
    if (ret_output) {
        *ret_output = g_steal_pointer(&output);
    }
    return ok;
}

/* A switch with its hosts: 0 and 1 on bridge db1, 2 and 3 on db2; hosts 0 and 2 are 10.0.0.1, the others 10.0.0.2. */
struct world {
    char *dir, *remote, *switch_dir;
    struct vswitch *vs;
    GArray *bridges;
};

static void ensure(const struct world *world)
{
    g_autoptr(GError) error = NULL;
    server_ensure_vswitch(world->dir, &error);
    g_assert_no_error(error);
}

/* Makes host 'h', a namespace, and its device on the outside, dv(h + 1). */
static void make_host(unsigned h)
{
    g_assert_true(run(NULL, "ip netns add h%u", h));
    g_assert_true(run(NULL, "ip link add name dv%u type veth peer name eth0 netns h%u address 02:00:00:00:00:0%u", h + 1, h, h));
    g_assert_true(run(NULL, "ip netns exec h%u sysctl -qw net.ipv6.conf.eth0.accept_dad=0", h));
    g_assert_true(run(NULL, "ip -n h%u address add 10.0.0.%u/24 dev eth0", h, h % 2 + 1));
    g_assert_true(run(NULL, "ip -n h%u address add fd00::%u/64 dev eth0 nodad", h, h % 2 + 1));
    g_assert_true(run(NULL, "ip -n h%u link set eth0 up", h));
    g_assert_true(run(NULL, "sysctl -qw net.ipv6.conf.dv%u.disable_ipv6=1", h + 1));
    g_assert_true(run(NULL, "ip link set dv%u up", h + 1));
}

static void bridge_clear(void *data)
{
    struct vswitch_bridge *bridge = data;
    g_array_unref(bridge->ports);
}

static GArray *make_bridges(void)
{
    GArray *bridges = g_array_new(FALSE, TRUE, sizeof(struct vswitch_bridge));
    g_array_set_clear_func(bridges, bridge_clear);
    for (unsigned b = 0; b < HOSTS / 2; b++) {
        struct vswitch_bridge bridge = {.vnetwork_id = b + 1, .ports = g_array_new(FALSE, TRUE, sizeof(struct vswitch_port))};
        vswitch_bridge_name(bridge.vnetwork_id, bridge.name);
        for (unsigned h = 2 * b; h < 2 * b + 2; h++) {
            struct vswitch_port port = {.viface_id = h + 1, .mac = {{2, 0, 0, 0, 0, (uint8_t)h}}};
            snprintf(port.netdev, sizeof port.netdev, "dv%u", h + 1);
            port.ipv4 = (struct ip_addr){.family = 4, .bytes = {10, 0, 0, (uint8_t)(h % 2 + 1)}};
            port.ipv6 = (struct ip_addr){.family = 6, .bytes = {0xfd, [15] = (uint8_t)(h % 2 + 1)}};
            g_array_append_val(bridge.ports, port);
        }
        g_array_append_val(bridges, bridge);
    }
    return bridges;
}

static void settle(struct world *world)
{
    int64_t deadline = poll_now_ms() + 30000;
    while (vswitch_run(world->vs), !vswitch_is_settled(world->vs)) {
        if (poll_now_ms() > deadline) {
            g_error("not settled within 30 s: %s", vswitch_error(world->vs));
        }
        vswitch_wait(world->vs);
        poll_wait_ms(100);
        poll_block_once();
    }
}

static struct world *make_world(const char *datapath_type)
{
    struct world *world = g_new0(struct world, 1);
    world->dir = g_dir_make_tmp("distem-test-XXXXXX", NULL);
    world->switch_dir = g_strdup_printf("%s/ovs", world->dir);
    world->remote = g_strdup_printf("unix:%s/db.sock", world->switch_dir);
    for (unsigned h = 0; h < HOSTS; h++) {
        make_host(h);
    }
    ensure(world);
    world->vs = vswitch_open(world->remote, world->switch_dir, datapath_type, "test");
    world->bridges = make_bridges();
    vswitch_want(world->vs, world->bridges);
    settle(world);
    return world;
}

static void free_world(struct world *world)
{
    g_autoptr(GError) error = NULL;
    vswitch_close(world->vs);
    g_autoptr(GPtrArray) removed = vswitch_purge(world->remote, "test", true, 5000, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(removed->len, ==, HOSTS / 2);
    server_stop_vswitch(world->dir, &error);
    g_assert_no_error(error);
    g_assert_false(run(NULL, "ip link show db1"));
    for (unsigned h = 0; h < HOSTS; h++) {
        g_assert_true(run(NULL, "ip netns delete h%u", h));
    }
    g_assert_true(run(NULL, "rm -rf %s", world->dir));
    g_array_unref(world->bridges);
    g_free(world->remote);
    g_free(world->switch_dir);
    g_free(world->dir);
    g_free(world);
}

/* Fails unless every host reaches its neighbour by both protocols with what it knows of it forgotten. */
static void assert_reach(void)
{
    for (unsigned h = 0; h < HOSTS; h++) {
        run(NULL, "ip -n h%u neighbour flush dev eth0", h);
        g_assert_true(run(NULL, "ip netns exec h%u ping -q -c 3 -i 0.1 -W 5 10.0.0.%u", h, 2 - h % 2));
        g_assert_true(run(NULL, "ip netns exec h%u ping -q -c 3 -i 0.1 -W 5 fd00::%u", h, 2 - h % 2));
        g_autofree char *known = NULL;
        g_assert_true(run(&known, "ip -n h%u neighbour show dev eth0", h));
        g_autofree char *mac = g_strdup_printf("lladdr 02:00:00:00:00:0%u", h ^ 1);
        g_assert_nonnull(strstr(known, mac));
    }
}

/* Returns how many packets the answering rules of db1 have turned round. */
static unsigned count_answers(const struct world *world)
{
    g_autofree char *rules = NULL;
    g_assert_true(run(&rules, "ovs-ofctl -O OpenFlow14 dump-flows %s/db1.mgmt", world->switch_dir));
    unsigned count = 0;
    g_auto(GStrv) lines = g_strsplit(rules, "\n", -1);
    for (unsigned i = 0; lines[i]; i++) {
        const char *packets = strstr(lines[i], "n_packets=");
        if (packets && strstr(lines[i], "IN_PORT")) {
            count += (unsigned)g_ascii_strtoull(packets + strlen("n_packets="), NULL, 10);
        }
    }
    return count;
}

static void test_switch(const void *data)
{
    struct world *world = make_world(data);
    assert_reach();
    /* Both hosts' ARP requests have been answered by the switch. */
    g_assert_cmpuint(count_answers(world), >=, 2);

    /* The switch is killed; packets flow again once it is back, with all its rules. */
    g_autofree char *pid_file = g_strdup_printf("%s/ovs-vswitchd.pid", world->switch_dir);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(pid_file, &text, NULL, NULL));
    g_assert_cmpint(kill((pid_t)g_ascii_strtoll(text, NULL, 10), SIGKILL), ==, 0);
    while (vswitch_is_settled(world->vs)) {
        vswitch_run(world->vs);
        vswitch_wait(world->vs);
        poll_wait_ms(100);
        poll_block_once();
    }
    ensure(world);
    settle(world);
    assert_reach();

    /* A device that goes and comes back is a port again. */
    g_assert_true(run(NULL, "ip link delete dv1"));
    g_assert_true(run(NULL, "ip netns delete h0"));
    make_host(0);
    int64_t deadline = poll_now_ms() + 30000;
    while (!run(NULL, "ip netns exec h0 ping -q -c 1 -W 0.5 10.0.0.2")) {
        g_assert_cmpint(poll_now_ms(), <, deadline);
        settle(world);
    }
    assert_reach();
    free_world(world);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_autofree char *path = g_strdup_printf("%s:/usr/sbin:/sbin", g_getenv("PATH"));
    g_setenv("PATH", path, TRUE);
    /* Everything is made where nobody else sees it, and gone with this process. */
    if (geteuid() || unshare(CLONE_NEWNET | CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        g_mkdir_with_parents("/run/netns", 0755) || mount("tmpfs", "/run/netns", "tmpfs", 0, NULL)) {
        puts("1..0 # SKIP namespaces cannot be made: run it as root");
        return 77;
    }
    if (!run(NULL, "ovs-vswitchd --version")) {
        puts("1..0 # SKIP ovs-vswitchd is missing: install the Debian package openvswitch-switch");
        return 77;
    }
    g_test_add_data_func("/switch/netdev", "netdev", test_switch);
    /* Elsewhere the lab's kernel has it. */
    if (g_file_test("/sys/module/openvswitch", G_FILE_TEST_EXISTS) || run(NULL, "modprobe -q openvswitch")) {
        g_test_add_data_func("/switch/system", "system", test_switch);
    }
    return g_test_run();
}
