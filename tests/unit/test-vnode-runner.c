/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of worker processes, with a script in their place. */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "distem/error.h"
#include "distem/vnode.h"
#include "fake-poll.h"

struct fixture {
    char *log; /* What the workers note. */
    struct vnode_runner *runner;
};

static char *worker_path;

static void set_up(struct fixture *f, gconstpointer data)
{
    const unsigned *workers = data;
    int fd = g_file_open_tmp("distem-test-XXXXXX", &f->log, NULL);
    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_setenv("FAKE_WORKER_LOG", f->log, TRUE);
    f->runner = vnode_runner_new("/run/test", "/var/lib/test", worker_path, *workers);
}

static void tear_down(struct fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    vnode_runner_free(f->runner);
    /* Those that were busy finish, and write to the log. */
    while (waitpid(-1, NULL, 0) > 0) {
    }
    g_unlink(f->log);
    g_free(f->log);
}

/* One turn of the loop. */
static void turn(struct vnode_runner *runner)
{
    vnode_runner_run(runner);
    vnode_runner_wait(runner);
    poll_block_once();
}

static struct vnode_result *next_result(struct vnode_runner *runner)
{
    struct vnode_result *result;
    while (!(result = vnode_runner_next(runner))) {
        turn(runner);
    }
    return result;
}

static void start(struct vnode_runner *runner, uint32_t id, const char *name)
{
    char image[] = "host";
    g_autofree char *copy = g_strdup(name);
    struct vnode vnode = {.id = id, .name = copy, .image = image};
    vnode_runner_start(runner, &vnode, "/run/test/netns/1");
}

static void assert_failed(struct vnode_runner *runner, uint32_t id, int code, const char *part)
{
    struct vnode_result *result = next_result(runner);
    g_assert_cmpuint(result->vnode_id, ==, id);
    g_assert_error(result->error, DISTEM_ERROR, code);
    if (!strstr(result->error->message, part)) {
        g_error("\"%s\" does not say \"%s\"", result->error->message, part);
    }
    vnode_result_free(result);
}

static void assert_started(struct vnode_runner *runner, uint32_t id)
{
    struct vnode_result *result = next_result(runner);
    g_assert_no_error(result->error);
    g_assert_cmpuint(result->vnode_id, ==, id);
    g_assert_cmpint(result->op, ==, VNODE_OP_START);
    g_assert_cmpint(result->pid, ==, 4711);
    vnode_result_free(result);
}

static void test_answers(struct fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    start(f->runner, 1, "fine");
    assert_started(f->runner, 1);
    start(f->runner, 2, "refuse");
    assert_failed(f->runner, 2, DISTEM_ERROR_UNSUPPORTED, "no such thing");
    start(f->runner, 3, "nonsense");
    assert_failed(f->runner, 3, DISTEM_ERROR_SYSTEM, "makes no sense");
    start(f->runner, 4, "no\nname");
    assert_failed(f->runner, 4, DISTEM_ERROR_INVALID, "name");
    vnode_runner_list(f->runner);
    struct vnode_result *result = next_result(f->runner);
    g_assert_no_error(result->error);
    g_assert_cmpuint(result->containers->len, ==, 2);
    g_assert_cmpuint(g_array_index(result->containers, struct vnode_container, 1).vnode_id, ==, 4);
    g_assert_cmpint(g_array_index(result->containers, struct vnode_container, 1).pid, ==, 40);
    vnode_result_free(result);
}

/* Each vnode's requests one after the other and in order, different vnodes at the same time, in no more processes than allowed. */
static void test_order(struct fixture *f, gconstpointer data)
{
    enum { VNODES = 30 };
    for (uint32_t id = 1; id <= VNODES; id++) {
        start(f->runner, id, "fine");
        vnode_runner_stop(f->runner, id, 0, false);
        start(f->runner, id, "fine");
    }
    unsigned seen[VNODES + 1] = {0};
    static const enum vnode_op ops[] = {VNODE_OP_START, VNODE_OP_STOP, VNODE_OP_START};
    for (unsigned i = 0; i < VNODES * 3; i++) {
        struct vnode_result *result = next_result(f->runner);
        g_assert_no_error(result->error);
        g_assert_cmpint(result->op, ==, ops[seen[result->vnode_id]++]);
        vnode_result_free(result);
    }
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(f->log, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
    g_autoptr(GHashTable) pids = g_hash_table_new(g_str_hash, g_str_equal);
    bool busy[VNODES + 1] = {false};
    for (unsigned i = 0; lines[i]; i++) {
        g_auto(GStrv) words = g_strsplit(lines[i], " ", -1);
        unsigned id = (unsigned)atoi(words[2]);
        bool begin = !strcmp(words[0], "begin");
        g_assert_true(busy[id] != begin);
        busy[id] = begin;
        g_hash_table_add(pids, strrchr(lines[i], ' '));
    }
    g_assert_cmpuint(g_hash_table_size(pids), ==, *(const unsigned *)data);
}

static void test_death(struct fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    start(f->runner, 1, "die");
    start(f->runner, 1, "fine");
    assert_failed(f->runner, 1, DISTEM_ERROR_SYSTEM, "killed by signal 9");
    assert_started(f->runner, 1);
    start(f->runner, 2, "leave");
    assert_failed(f->runner, 2, DISTEM_ERROR_SYSTEM, "status 3");
    start(f->runner, 2, "fine");
    assert_started(f->runner, 2);
}

static bool log_has(const struct fixture *f, const char *part)
{
    g_autofree char *text = NULL;
    return g_file_get_contents(f->log, &text, NULL, NULL) && strstr(text, part);
}

static void test_hang(struct fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    start(f->runner, 1, "hang");
    while (!log_has(f, "begin start 1 ")) {
        vnode_runner_run(f->runner);
        g_usleep(1000);
    }
    g_assert_null(vnode_runner_next(f->runner));
    fake_poll_advance(3600000);
    assert_failed(f->runner, 1, DISTEM_ERROR_SYSTEM, "did not answer within");
    start(f->runner, 1, "fine");
    assert_started(f->runner, 1);
}

/* Workers that have nothing to do end, and come again when needed. */
static void test_idle(struct fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    start(f->runner, 1, "fine");
    assert_started(f->runner, 1);
    g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, 0);
    fake_poll_advance(60000);
    vnode_runner_run(f->runner);
    while (waitid(P_ALL, 0, &(siginfo_t){0}, WEXITED | WNOHANG | WNOWAIT) == 0) {
        vnode_runner_wait(f->runner);
        poll_block_once();
        vnode_runner_run(f->runner);
    }
    g_assert_cmpint(errno, ==, ECHILD);
    start(f->runner, 1, "fine");
    assert_started(f->runner, 1);
}

static void test_no_program(void)
{
    struct vnode_runner *runner = vnode_runner_new("/run/test", "/var/lib/test", "/nonexistent/distem-vnode", 2);
    start(runner, 1, "fine");
    start(runner, 2, "fine");
    assert_failed(runner, 1, DISTEM_ERROR_SYSTEM, "cannot start /nonexistent/distem-vnode");
    assert_failed(runner, 2, DISTEM_ERROR_SYSTEM, "cannot start /nonexistent/distem-vnode");
    vnode_runner_free(runner);
}

/* Free with requests that wait and some under way. */
static void test_free(struct fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    for (uint32_t id = 1; id <= 10; id++) {
        start(f->runner, id, "fine");
        vnode_runner_stop(f->runner, id, 0, true);
    }
    vnode_result_free(next_result(f->runner));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    const char *source = g_getenv("top_srcdir");
    worker_path = g_build_filename(source ? source : ".", "tests/unit/fake-worker", NULL);
    static const unsigned one = 1, three = 3;
    g_test_add("/runner/answers", struct fixture, &one, set_up, test_answers, tear_down);
    g_test_add("/runner/order", struct fixture, &three, set_up, test_order, tear_down);
    g_test_add("/runner/order-one", struct fixture, &one, set_up, test_order, tear_down);
    g_test_add("/runner/death", struct fixture, &three, set_up, test_death, tear_down);
    g_test_add("/runner/hang", struct fixture, &one, set_up, test_hang, tear_down);
    g_test_add("/runner/idle", struct fixture, &three, set_up, test_idle, tear_down);
    g_test_add("/runner/free", struct fixture, &three, set_up, test_free, tear_down);
    g_test_add_func("/runner/no-program", test_no_program);
    int status = g_test_run();
    g_free(worker_path);
    return status;
}
