/* SPDX-License-Identifier: Apache-2.0 */
/* A pnode's watch over itself, with files of /proc and /sys that the test writes. */
#include <config.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "src/pnode/health.h"
#include "src/pnode/lateness.h"

#define CLOCK "/sys/devices/system/clocksource/clocksource0/current_clocksource"

static char *root;

static void write_file(const char *name, const char *text)
{
    g_autofree char *path = g_strconcat(root, name, NULL), *folder = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* A machine with so many ticks of each kind behind it, and so many frames dropped on its second core. */
static void write_machine(unsigned busy, unsigned idle, unsigned stolen, unsigned dropped)
{
    g_autofree char *stat = g_strdup_printf("cpu  %u 0 0 %u 0 0 0 %u 0 0\ncpu0 1 2 3\n", busy, idle, stolen);
    g_autofree char *softnet = g_strdup_printf("0000ffff 00000000 00000001 0\n0000ffff %08x 00000001 0\n", dropped);
    write_file("/proc/stat", stat);
    write_file("/proc/net/softnet_stat", softnet);
}

/* Returns "SENTENCE@HEARTBEAT; ..." in the alphabet's order. */
static char *doubts(const struct health *health)
{
    g_autoptr(GHashTable) found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    health_tell(health, found);
    GString *text = g_string_new(NULL);
    g_autoptr(GList) sentences = g_list_sort(g_hash_table_get_keys(found), (GCompareFunc)strcmp);
    for (const GList *i = sentences; i; i = i->next) {
        g_string_append_printf(text, "%s%s@%u", text->len ? "; " : "", (const char *)i->data,
                               GPOINTER_TO_UINT(g_hash_table_lookup(found, i->data)));
    }
    return g_string_free(text, FALSE);
}

#define assert_doubts(HEALTH, EXPECTED)                                                                                            \
    do {                                                                                                                           \
        g_autofree char *found_ = doubts(HEALTH);                                                                                  \
        g_assert_cmpstr(found_, ==, EXPECTED);                                                                                     \
    } while (0)

static void test_healthy(void)
{
    struct health *health = health_new(root);
    write_file(CLOCK, "tsc\n");
    write_machine(1000000, 10, 5, 7);
    health_look(health, true, 1);
    write_machine(1000960, 50, 5, 7);
    health_look(health, true, 2);
    health_drops(health, 8, 100, "output of n1:if0", 2);
    health_drops(health, 8, 100, "output of n1:if0", 3);
    assert_doubts(health, "");
    health_free(health);
}

static void test_cpu(void)
{
    struct health *health = health_new(root);
    write_machine(1000, 1000, 0, 0);
    health_look(health, true, 1);
    write_machine(1990, 1010, 0, 0);
    health_look(health, true, 2);
    assert_doubts(health, "its CPUs had no idle time for seconds@2");
    write_machine(2000, 2000, 20, 0);
    health_look(health, true, 3);
    assert_doubts(health, "its CPUs had no idle time for seconds@2; other virtual machines took CPU time from it@3");
    health_clear(health);
    assert_doubts(health, "");
    health_free(health);
}

/* Building vnodes may take what it wants, also when that ended or began within the interval. */
static void test_not_settled(void)
{
    struct health *health = health_new(root);
    const bool settled[] = {false, true, false, false};
    for (unsigned i = 0; i < G_N_ELEMENTS(settled); i++) {
        write_machine(1000 * i, 0, 0, 5 * i);
        health_look(health, settled[i], i);
    }
    assert_doubts(health, "");
    health_free(health);
}

static void test_backlog(void)
{
    struct health *health = health_new(root);
    for (unsigned i = 0; i < 4; i++) {
        write_machine(0, 1000 * i, 0, i < 3 ? 0x10 : 0x11);
        health_look(health, true, i);
    }
    assert_doubts(health, "its kernel dropped frames between devices, with no time to take them@3");
    health_free(health);
}

static void test_upcalls(void)
{
    struct health *health = health_new(root);
    const struct {
        bool settled;
        uint64_t lost;
    } looks[] = {{true, 5}, {true, 5}, {false, 6}, {true, 7}, {true, 7}};
    for (unsigned i = 0; i < G_N_ELEMENTS(looks); i++) {
        health_look(health, looks[i].settled, i);
        health_upcalls(health, looks[i].lost, i);
    }
    assert_doubts(health, "");
    health_look(health, true, 9);
    health_upcalls(health, 8, 9);
    assert_doubts(health, "Open vSwitch dropped frames of new flows, with no time to find their ways@9");
    health_free(health);
}

static void test_late_timers(void)
{
    struct health *health = health_new(root);
    const struct {
        bool settled;
        uint32_t late;
    } looks[] = {{true, 9}, {true, 1}, {false, 9}, {true, 9}, {true, 0}};
    for (unsigned i = 0; i < G_N_ELEMENTS(looks); i++) {
        health_look(health, looks[i].settled, i);
        health_late_timers(health, looks[i].late, i);
    }
    assert_doubts(health, "");
    health_look(health, true, 9);
    health_late_timers(health, 2, 9);
    assert_doubts(health, "its timers were more than 1 ms late@9");
    health_free(health);
}

/* Stops this process for 20 ms. */
static void stop_for_a_while(void)
{
    pid_t tested = getpid(), child = fork();
    if (child == 0) {
        kill(tested, SIGSTOP);
        g_usleep(20000);
        kill(tested, SIGCONT);
        _exit(0);
    }
    g_assert_cmpint(child, >, 0);
    g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
}

static void test_lateness(void)
{
    g_autoptr(GError) error = NULL;
    struct lateness *lateness = lateness_new(1000000, &error);
    if (!lateness) {
        g_assert_nonnull(strstr(error->message, "real-time priority"));
        g_test_skip(error->message);
        return;
    }
    lateness_take(lateness);
    stop_for_a_while();
    uint32_t late = 0;
    while (!late) { /* The watch may get to its count after we have. */
        late = lateness_take(lateness);
    }
    lateness_free(lateness);
}

static void test_clock(void)
{
    struct health *health = health_new(root);
    write_file(CLOCK, "tsc\n");
    health_look(health, true, 1);
    write_file(CLOCK, "hpet\n");
    health_look(health, true, 2);
    assert_doubts(health, "its clock source changed from tsc to hpet@2");
    health_free(health);
    health = health_new(root);
    health_look(health, true, 1);
    assert_doubts(health, "its clock source is hpet, which is slow@1");
    health_free(health);
}

static void test_drops(void)
{
    struct health *health = health_new(root);
    health_drops(health, 8, 100, "output of n1:if0", 1);
    health_drops(health, 9, 0, "output of n2:if0", 1);
    health_drops(health, 8, 0, "output of n1:if0", 2); /* Its netem is a new one. */
    assert_doubts(health, "");
    health_drops(health, 9, 1, "output of n2:if0", 3);
    assert_doubts(health, "netem dropped frames, with too many in flight, at the output of n2:if0@3");
    health_clear(health);
    health_forget_drops(health, 9);
    health_drops(health, 9, 50, "output of n2:if0", 4);
    assert_doubts(health, "");
    health_free(health);
}

static void test_no_files(void)
{
    struct health *health = health_new("/nowhere");
    health_look(health, true, 1);
    health_look(health, true, 2);
    assert_doubts(health, "");
    health_free(health);
}

static void remove_files(void)
{
    static const char *const names[] = {
        "/proc/stat",
        "/proc/net/softnet_stat",
        "/proc/net",
        "/proc",
        CLOCK,
        "/sys/devices/system/clocksource/clocksource0",
        "/sys/devices/system/clocksource",
        "/sys/devices/system",
        "/sys/devices",
        "/sys",
        "",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_strconcat(root, names[i], NULL);
        g_remove(path);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    root = g_dir_make_tmp("test-health-XXXXXX", NULL);
    g_test_add_func("/health/healthy", test_healthy);
    g_test_add_func("/health/cpu", test_cpu);
    g_test_add_func("/health/not-settled", test_not_settled);
    g_test_add_func("/health/backlog", test_backlog);
    g_test_add_func("/health/upcalls", test_upcalls);
    g_test_add_func("/health/late-timers", test_late_timers);
    g_test_add_func("/health/lateness", test_lateness);
    g_test_add_func("/health/clock", test_clock);
    g_test_add_func("/health/drops", test_drops);
    g_test_add_func("/health/no-files", test_no_files);
    int result = g_test_run();
    remove_files();
    g_free(root);
    return result;
}
