/* SPDX-License-Identifier: Apache-2.0 */
/* Containers: what a vnode is like from inside, what it leaves, and what survives which death. */
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "distem/error.h"
#include "src/vnode/layout.h"
#include "vnode-fixture.h"

static void set_up(struct place **place, gconstpointer data G_GNUC_UNUSED)
{
    *place = place_new(3);
}

static void tear_down(struct place **place, gconstpointer data G_GNUC_UNUSED)
{
    place_free(*place);
}

static pid_t start(struct place *place, uint32_t id)
{
    g_autoptr(GError) error = NULL;
    pid_t pid = place_start(place, id, "host", 0, &error);
    g_assert_no_error(error);
    g_assert_cmpint(kill(pid, 0), ==, 0);
    return pid;
}

static void assert_says(const struct place *place, uint32_t id, const char *command, const char *expected)
{
    g_autofree char *text = shell_in(place, id, 0, command);
    g_assert_cmpstr(text, ==, expected);
}

/* Only vnode folders may be left. */
static void assert_nothing_runs(const struct place *place)
{
    g_autofree char *found = place_purge(place, false);
    g_auto(GStrv) lines = g_strsplit(found, "\n", -1);
    for (unsigned i = 0; lines[i]; i++) {
        if (strstr(lines[i], "vnode") && !strstr(lines[i], ": folder ")) {
            g_error("left: %s", lines[i]);
        }
    }
    g_autofree char *mounts = NULL;
    g_assert_true(g_file_get_contents("/proc/self/mountinfo", &mounts, NULL, NULL));
    g_assert_null(strstr(mounts, place->state_dir));
}

static void test_inside(struct place **fixture, gconstpointer data G_GNUC_UNUSED)
{
    struct place *place = *fixture;
    for (uint32_t id = 1; id <= 3; id++) {
        place_queue_start(place, id, "host", 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        struct vnode_result *result = place_next(place);
        g_assert_no_error(result->error);
        g_assert_cmpint(result->pid, >, 0);
        vnode_result_free(result);
    }
    for (uint32_t id = 1; id <= 3; id++) {
        g_autofree char *name = g_strdup_printf("n%u", id);
        g_autofree char *netns = place_netns(place, id);
        struct stat st;
        g_assert_cmpint(stat(netns, &st), ==, 0);
        g_autofree char *net = g_strdup_printf("net:[%lu]", (unsigned long)st.st_ino);
        assert_says(place, id, "hostname", name);
        assert_says(place, id, "cat /etc/hostname", name);
        assert_says(place, id, "readlink /proc/self/ns/net", net);
        assert_says(place, id, "ls /sys/class/net", "lo");
        assert_says(place, id, "grep -c . /proc/net/dev", "3");
        assert_says(place, id, "cat /proc/1/comm", ".distem-init");
    }
    assert_says(place, 1, "pwd; echo $HOME; id -u; echo ${TERM-none}; cd; pwd", "/\n/root\n0\nnone\n/root");
    assert_says(place, 1, "awk '/n1$/ { print $1 }' /etc/hosts", "127.0.1.1");
    /* New at each start, and the machine's own is not seen. */
    assert_says(place, 1, "ls /tmp; ls /run; stat -c %a /tmp /dev/shm", "lock\nshm\nsshd\n1777\n1777");
    assert_says(place, 1, "echo x > /dev/null; head -c 3 /dev/zero | wc -c; test -c /dev/ptmx; test -d /dev/pts && echo dev",
                "3\ndev");
}

static void test_limits(struct place **fixture, gconstpointer data G_GNUC_UNUSED)
{
    struct place *place = *fixture;
    pid_t pid = start(place, 1);
    assert_says(place, 1, "echo 1 > /proc/sys/net/ipv4/ip_forward && cat /proc/sys/net/ipv4/ip_forward", "1");
    static const char *const forbidden[] = {
        "echo 1 > /proc/sys/kernel/panic",      "echo 1 > /proc/sysrq-trigger",       "date -s 2001-01-01",
        "mknod /disk b 7 0 && head -c 1 /disk", "mknod /mem c 1 1 && head -c 1 /mem", "ip link set eth0 netns 1",
        "cat /sys/fs/cgroup/cgroup.procs",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(forbidden); i++) {
        g_autofree char *command = g_strdup_printf("(%s) >/dev/null 2>&1 || echo refused", forbidden[i]);
        g_autofree char *text = shell_in(place, 1, 0, command);
        if (strcmp(text, "refused") != 0) {
            g_error("%s: was not refused", forbidden[i]);
        }
    }
    /* It inherits nothing of ours: no descriptor but the first three, no session, no environment. */
    g_autofree char *fds = g_strdup_printf("/proc/%d/fd", (int)pid);
    g_autoptr(GDir) dir = g_dir_open(fds, 0, NULL);
    g_assert_nonnull(dir);
    const char *name;
    while ((name = g_dir_read_name(dir))) {
        g_assert_cmpint(atoi(name), <=, 2);
    }
    g_assert_cmpint(getsid(pid), ==, pid);
    g_autofree char *environment = NULL;
    g_autofree char *file = g_strdup_printf("/proc/%d/environ", (int)pid);
    g_assert_true(g_file_get_contents(file, &environment, NULL, NULL));
    g_assert_cmpstr(environment, ==, "container=lxc");
}

static void test_memory(struct place **fixture, gconstpointer data G_GNUC_UNUSED)
{
    struct place *place = *fixture;
    g_autoptr(GError) error = NULL;
    place_start(place, 1, "host", 64 << 20, &error);
    if (g_error_matches(error, DISTEM_ERROR, DISTEM_ERROR_UNSUPPORTED)) {
        g_test_skip(error->message);
        return;
    }
    g_assert_no_error(error);
    g_free(shell_in(place, 1, 0, "dd if=/dev/zero of=/dev/null bs=16M count=1"));
    g_free(shell_in(place, 1, 137, "exec dd if=/dev/zero of=/dev/null bs=256M count=1"));
    assert_says(place, 1, "echo still here", "still here");
}

static void test_files(struct place **fixture, gconstpointer data G_GNUC_UNUSED)
{
    struct place *place = *fixture;
    g_autofree char *name = g_path_get_basename(place->base);
    g_autofree char *write = g_strdup_printf("echo mine > /%s; rm -r /etc/default; echo x > /tmp/x", name);
    g_autofree char *read = g_strdup_printf("cat /%s; ls -d /etc/default 2>/dev/null; ls /tmp", name);
    g_autofree char *outside = g_strdup_printf("/%s", name);
    start(place, 1);
    start(place, 2);
    g_free(shell_in(place, 1, 0, write));
    assert_says(place, 1, read, "mine\nx");
    g_free(shell_in(place, 2, 0, "test -d /etc/default"));
    g_assert_cmpint(access(outside, F_OK), <, 0);
    g_assert_cmpint(access("/etc/default", F_OK), ==, 0);
    place_stop(place, 1, 10000, false);
    start(place, 1);
    assert_says(place, 1, read, "mine");
    place_stop(place, 1, 10000, true);
    g_autofree char *folder = layout_container(place->state_dir, 1);
    g_assert_cmpint(access(folder, F_OK), <, 0);
    start(place, 1);
    g_free(shell_in(place, 1, 0, "test -d /etc/default"));
}

static void test_folder_image(struct place **fixture, gconstpointer data G_GNUC_UNUSED)
{
    struct place *place = *fixture;
    g_autoptr(GError) error = NULL;
    g_autofree char *image = g_build_filename(place->base, "image", NULL);
    g_autofree char *file = g_build_filename(image, "file", NULL);
    g_assert_cmpint(g_mkdir(image, 0755), ==, 0);
    g_assert_true(g_file_set_contents(file, "image\n", -1, NULL));
    /* There is nothing else in it, no program either. */
    pid_t pid = place_start(place, 1, image, 0, &error);
    g_assert_no_error(error);
    g_autofree char *seen = g_strdup_printf("/proc/%d/root/file", (int)pid);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(seen, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "image\n");
    struct client *client = client_new(place, 1, false, (const char *const[]){"sh", NULL});
    client_finish(client);
    g_assert_cmpint(client->code, ==, 127);
    client_free(client);
    place_stop(place, 1, 10000, true);
    g_assert_cmpint(access(file, F_OK), ==, 0);
}

static void test_bad_start(struct place **fixture, gconstpointer data G_GNUC_UNUSED)
{
    struct place *place = *fixture;
    static const struct {
        const char *image, *part;
    } cases[] = {{"/nonexistent", "image \"/nonexistent\""}, {"relative", "image \"relative\""}, {"/a:/b", "colon"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_cmpint(place_start(place, 1, cases[i].image, 0, &error), ==, -1);
        g_assert_error(error, DISTEM_ERROR, DISTEM_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, cases[i].part));
    }
    char name[] = "n9", image[] = "host";
    struct vnode vnode = {.id = 9, .name = name, .image = image};
    vnode_runner_start(place->runner, &vnode, "/nonexistent");
    struct vnode_result *result = place_next(place);
    g_assert_error(result->error, DISTEM_ERROR, DISTEM_ERROR_NOT_FOUND);
    vnode_result_free(result);
    /* The least memory there is: init cannot be started. Lxc's own words come through. */
    g_autoptr(GError) error = NULL;
    place_start(place, 1, "host", 4096, &error);
    g_assert_nonnull(error);
    g_assert_nonnull(strchr(error->message, ':'));
    assert_nothing_runs(place);
    start(place, 1);
}

static void test_stop(struct place **fixture, gconstpointer data G_GNUC_UNUSED)
{
    struct place *place = *fixture;
    pid_t pid = start(place, 1);
    g_free(shell_in(place, 1, 0, "setsid sleep 1000 </dev/null >/dev/null 2>&1 &"));
    gint64 begin = g_get_monotonic_time();
    place_stop(place, 1, 30000, false);
    g_assert_cmpint(g_get_monotonic_time() - begin, <, (gint64)20 * G_USEC_PER_SEC);
    wait_for(process_is_gone, &pid);
    assert_nothing_runs(place);
    /* Again, and what never ran: no error. */
    place_stop(place, 1, 0, false);
    place_stop(place, 77, 0, true);
    /* Something that does not want to end. */
    pid = start(place, 1);
    g_free(shell_in(place, 1, 0, "(trap '' TERM HUP; setsid sleep 1000) </dev/null >/dev/null 2>&1 &"));
    place_stop(place, 1, 100, false);
    wait_for(process_is_gone, &pid);
    assert_nothing_runs(place);
    g_autofree char *locks = layout_lxc_locks(place->state_dir);
    vnode_runner_free(g_steal_pointer(&place->runner));
    g_assert_cmpint(access(locks, F_OK), <, 0);
    g_autofree char *found = place_purge(place, true);
    g_assert_nonnull(strstr(found, "vnode 1: folder"));
    g_assert_null(strstr(found, "cgroup"));
    place_new_runner(place);
}

static void test_adoption(struct place **fixture, gconstpointer data G_GNUC_UNUSED)
{
    struct place *place = *fixture;
    pid_t pids[4];
    for (uint32_t id = 1; id <= 3; id++) {
        pids[id] = start(place, id);
    }
    place_new_runner(place);
    g_autoptr(GArray) running = place_list(place);
    g_assert_cmpuint(running->len, ==, 3);
    for (unsigned i = 0; i < 3; i++) {
        const struct vnode_container *r = &g_array_index(running, struct vnode_container, i);
        g_assert_cmpint(r->pid, ==, pids[r->vnode_id]);
    }
    g_assert_cmpint(start(place, 2), ==, pids[2]);
}

/* Returns the one process in the monitor's cgroup. */
static pid_t monitor_of(pid_t init)
{
    g_autofree char *file = g_strdup_printf("/proc/%d/stat", (int)init);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
    int parent;
    g_assert_cmpint(sscanf(strrchr(text, ')'), ") %*c %d", &parent), ==, 1);
    return parent;
}

static bool none_runs(const void *place)
{
    g_autoptr(GArray) containers = place_list((struct place *)place);
    for (unsigned i = 0; i < containers->len; i++) {
        if (g_array_index(containers, struct vnode_container, i).pid) {
            return false;
        }
    }
    return true;
}

static void test_killed(struct place **fixture, gconstpointer data G_GNUC_UNUSED)
{
    struct place *place = *fixture;
    for (unsigned who = 1; who <= 3; who++) {
        pid_t init = start(place, 1);
        pid_t monitor = monitor_of(init);
        if (who & 1) {
            kill(monitor, SIGKILL);
        }
        if (who & 2) {
            kill(init, SIGKILL);
        }
        wait_for(process_is_gone, &init);
        wait_for(none_runs, place);
        pid_t again = start(place, 1);
        g_assert_cmpint(again, !=, init);
        assert_says(place, 1, "hostname", "n1");
        /* Once more, and then it is only stopped, or purged. */
        kill(monitor_of(again), SIGKILL);
        kill(again, SIGKILL);
        if (who == 2) {
            g_autofree char *found = place_purge(place, true);
            g_assert_nonnull(strstr(found, "vnode 1: cgroup distem-"));
            g_autofree char *nothing = place_purge(place, false);
            g_assert_cmpstr(nothing, ==, "");
        } else {
            place_stop(place, 1, 1000, false);
        }
        assert_nothing_runs(place);
    }
}

/* Returns a child of ours, or 0. */
static pid_t a_child(void)
{
    g_autofree char *file = g_strdup_printf("/proc/self/task/%d/children", (int)getpid());
    g_autofree char *text = NULL;
    return g_file_get_contents(file, &text, NULL, NULL) ? atoi(text) : 0;
}

/* The worker is killed at any moment of a start; then it is started again, or stopped, by another. */
static void test_worker_killed(struct place **fixture, gconstpointer data G_GNUC_UNUSED)
{
    struct place *place = *fixture;
    place->workers = 1;
    place_new_runner(place);
    for (unsigned i = 0; i < 40; i++) {
        place_queue_start(place, 1, "host", 0);
        vnode_runner_run(place->runner);
        g_usleep((gulong)i * 1500);
        pid_t worker = a_child();
        g_assert_cmpint(worker, >, 0);
        kill(worker, SIGKILL);
        g_assert_cmpint(waitid(P_PID, (id_t)worker, &(siginfo_t){0}, WEXITED | WNOWAIT), ==, 0);
        struct vnode_result *result = place_next(place);
        vnode_result_free(result);
        if (i % 3 == 0) {
            place_stop(place, 1, 1000, i % 2);
            assert_nothing_runs(place);
        } else {
            start(place, 1);
            assert_says(place, 1, "hostname", "n1");
            place_stop(place, 1, 10000, false);
        }
    }
}

/* Another one's container with the same number, in other folders, is never touched. */
static void test_foreign(struct place **fixture, gconstpointer data G_GNUC_UNUSED)
{
    struct place *place = *fixture, *other = place_new(1);
    pid_t mine = start(place, 1);
    pid_t foreign = start(other, 1);
    g_autoptr(GArray) running = place_list(place);
    g_assert_cmpuint(running->len, ==, 1);
    g_assert_cmpint(g_array_index(running, struct vnode_container, 0).pid, ==, mine);
    g_autofree char *found = place_purge(place, true);
    wait_for(process_is_gone, &mine);
    g_assert_false(process_is_gone(&foreign));
    assert_says(other, 1, "hostname", "n1");
    place_stop(place, 1, 0, true);
    assert_says(other, 1, "hostname", "n1");
    place_free(other);
    wait_for(process_is_gone, &foreign);
}

static void add_tests(void)
{
    static const struct {
        const char *name;
        void (*run)(struct place **, gconstpointer);
    } tests[] = {
        {"/vnode/inside", test_inside},
        {"/vnode/limits", test_limits},
        {"/vnode/memory", test_memory},
        {"/vnode/files", test_files},
        {"/vnode/folder-image", test_folder_image},
        {"/vnode/bad-start", test_bad_start},
        {"/vnode/stop", test_stop},
        {"/vnode/adoption", test_adoption},
        {"/vnode/killed", test_killed},
        {"/vnode/worker-killed", test_worker_killed},
        {"/vnode/foreign", test_foreign},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_test_add(tests[i].name, struct place *, NULL, set_up, tests[i].run, tear_down);
    }
}

int main(int argc, char **argv)
{
    return place_main(&argc, &argv, add_tests);
}
