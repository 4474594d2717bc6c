/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's side: a pool of worker processes, each with one request at a time. Requests wait in lanes, one per vnode, which
 * keeps their order; a lane with something to do and nothing under way is in the queue of those that are ready. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "distem/error.h"
#include "distem/poll.h"
#include "distem/spawn.h"
#include "distem/vnode.h"
#include "process.h"
#include "request.h"

/* Longer than any request takes on a busy machine: then something hangs, and the worker is given up. */
#define ANSWER_TIMEOUT_MS 120000
/* A worker with nothing to do is sent home. */
#define IDLE_TIMEOUT_MS 5000
#define ANSWER_MAX (16u << 20)

/* A request that waits or is under way. */
struct item {
    struct lane *lane;
    enum vnode_op op;
    char *line;
    unsigned timeout_ms;
};

struct lane {
    uint32_t vnode_id; /* 0: lists. */
    GQueue waiting;    /* Of struct item. */
    bool busy;
};

struct worker {
    pid_t pid;
    int pidfd;
    int input, output; /* Its standard input (-1: sent home) and output. */
    struct item *item; /* What it is doing; NULL: nothing. */
    GString *answer;   /* What has come of the line. */
    int64_t deadline;  /* When it is given up, or sent home when idle. */
    bool late;         /* Was given up. */
};

struct vnode_runner {
    char *run_dir, *state_dir, *worker_path;
    unsigned workers_max;
    GPtrArray *workers; /* Of struct worker. */
    GHashTable *lanes;  /* Id -> struct lane: those with items. */
    GQueue ready;       /* Of struct lane. */
    GQueue results;     /* Of struct vnode_result. */
};

static void item_free(struct item *item)
{
    if (item) {
        g_free(item->line);
        g_free(item);
    }
}

static void lane_free(void *data)
{
    struct lane *lane = data;
    struct item *item;
    while ((item = g_queue_pop_head(&lane->waiting))) {
        item_free(item);
    }
    g_free(lane);
}

static void worker_send_home(struct worker *worker)
{
    if (worker->input >= 0) {
        close(worker->input);
        worker->input = -1;
    }
}

static void worker_free(void *data)
{
    struct worker *worker = data;
    worker_send_home(worker);
    close(worker->output);
    close(worker->pidfd);
    item_free(worker->item);
    g_string_free(worker->answer, TRUE);
    g_free(worker);
}

struct vnode_runner *vnode_runner_new(const char *run_dir, const char *state_dir, const char *worker_path, unsigned workers)
{
    struct vnode_runner *runner = g_new0(struct vnode_runner, 1);
    runner->run_dir = g_strdup(run_dir);
    runner->state_dir = g_strdup(state_dir);
    runner->worker_path = g_strdup(worker_path);
    runner->workers_max = MAX(workers, 1);
    runner->workers = g_ptr_array_new_with_free_func(worker_free);
    runner->lanes = g_hash_table_new_full(NULL, NULL, NULL, lane_free);
    return runner;
}

void vnode_runner_free(struct vnode_runner *runner)
{
    if (!runner) {
        return;
    }
    for (unsigned i = 0; i < runner->workers->len; i++) {
        struct worker *worker = runner->workers->pdata[i];
        worker_send_home(worker);
        /* One that is busy finishes its request without us. */
        if (!worker->item) {
            waitpid(worker->pid, NULL, 0);
        }
    }
    g_ptr_array_unref(runner->workers);
    g_queue_clear(&runner->ready);
    g_hash_table_unref(runner->lanes);
    struct vnode_result *result;
    while ((result = vnode_runner_next(runner))) {
        vnode_result_free(result);
    }
    g_free(runner->run_dir);
    g_free(runner->state_dir);
    g_free(runner->worker_path);
    g_free(runner);
}

struct vnode_result *vnode_runner_next(struct vnode_runner *runner)
{
    return g_queue_pop_head(&runner->results);
}

void vnode_result_free(struct vnode_result *result)
{
    if (result) {
        vnode_result_clear(result);
        g_free(result);
    }
}

static struct vnode_result *add_result(struct vnode_runner *runner, enum vnode_op op, uint32_t vnode_id)
{
    struct vnode_result *result = g_new0(struct vnode_result, 1);
    result->op = op;
    result->vnode_id = vnode_id;
    g_queue_push_tail(&runner->results, result);
    return result;
}

/* Puts 'request', whose folders are filled in here, into its lane. */
static void enqueue(struct vnode_runner *runner, struct vnode_request request)
{
    request.run_dir = runner->run_dir;
    request.state_dir = runner->state_dir;
    g_autoptr(GError) error = NULL;
    char *line = vnode_request_format(&request, &error);
    if (!line) {
        add_result(runner, request.op, request.id)->error = g_steal_pointer(&error);
        return;
    }
    struct lane *lane = g_hash_table_lookup(runner->lanes, GUINT_TO_POINTER(request.id));
    if (!lane) {
        lane = g_new0(struct lane, 1);
        lane->vnode_id = request.id;
        g_hash_table_insert(runner->lanes, GUINT_TO_POINTER(request.id), lane);
    }
    if (!lane->busy && g_queue_is_empty(&lane->waiting)) {
        g_queue_push_tail(&runner->ready, lane);
    }
    struct item *item = g_new0(struct item, 1);
    item->lane = lane;
    item->op = request.op;
    item->line = line;
    item->timeout_ms = ANSWER_TIMEOUT_MS + request.grace_ms;
    g_queue_push_tail(&lane->waiting, item);
}

void vnode_runner_start(struct vnode_runner *runner, const struct vnode *vnode, const char *netns)
{
    g_autofree char *netns_copy = g_strdup(netns);
    enqueue(runner, (struct vnode_request){.op = VNODE_OP_START,
                                           .id = vnode->id,
                                           .name = vnode->name,
                                           .netns = netns_copy,
                                           .image = vnode->image,
                                           .memory = vnode->memory});
}

void vnode_runner_stop(struct vnode_runner *runner, uint32_t vnode_id, unsigned grace_ms, bool forget)
{
    enqueue(runner, (struct vnode_request){
                        .op = VNODE_OP_STOP, .id = vnode_id, .grace_ms = MIN(grace_ms, INT32_MAX / 2), .forget = forget});
}

void vnode_runner_list(struct vnode_runner *runner)
{
    enqueue(runner, (struct vnode_request){.op = VNODE_OP_LIST});
}

/* Starts a worker and returns it, or NULL with an error. */
static struct worker *worker_new(struct vnode_runner *runner, GError **error)
{
    int input[2] = {-1, -1}, output[2] = {-1, -1};
    int pidfd = -1;
    pid_t pid = -1;
    if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0) {
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot make a pipe to a worker process");
    } else {
        const char *const argv[] = {runner->worker_path, "worker", NULL};
        pid = spawn_process(runner->worker_path, argv, (int[]){input[0], output[1], STDERR_FILENO}, 3, error);
    }
    if (pid > 0 && (pidfd = process_open(pid)) < 0) {
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot watch the worker process %d", (int)pid);
        /* It ends with its input. */
        close(input[1]);
        input[1] = -1;
        waitpid(pid, NULL, 0);
    }
    const int unused[] = {input[0], output[1], pidfd < 0 ? input[1] : -1, pidfd < 0 ? output[0] : -1};
    for (unsigned i = 0; i < G_N_ELEMENTS(unused); i++) {
        if (unused[i] >= 0) {
            close(unused[i]);
        }
    }
    if (pidfd < 0) {
        return NULL;
    }
    struct worker *worker = g_new0(struct worker, 1);
    fcntl(output[0], F_SETFL, O_NONBLOCK);
    fcntl(input[1], F_SETFL, O_NONBLOCK);
    worker->pid = pid;
    worker->pidfd = pidfd;
    worker->input = input[1];
    worker->output = output[0];
    worker->answer = g_string_new(NULL);
    g_ptr_array_add(runner->workers, worker);
    return worker;
}

/* Returns a worker with nothing to do, or NULL. */
static struct worker *find_idle(const struct vnode_runner *runner)
{
    for (unsigned i = 0; i < runner->workers->len; i++) {
        struct worker *worker = runner->workers->pdata[i];
        if (!worker->item && worker->input >= 0) {
            return worker;
        }
    }
    return NULL;
}

/* The lane's item is done. */
static void finish(struct vnode_runner *runner, struct item *item)
{
    struct lane *lane = item->lane;
    lane->busy = false;
    item_free(item);
    if (g_queue_is_empty(&lane->waiting)) {
        g_hash_table_remove(runner->lanes, GUINT_TO_POINTER(lane->vnode_id));
    } else {
        g_queue_push_tail(&runner->ready, lane);
    }
}

/* Gives waiting requests to workers as long as there are both. */
static void dispatch(struct vnode_runner *runner)
{
    while (!g_queue_is_empty(&runner->ready)) {
        g_autoptr(GError) error = NULL;
        struct worker *worker = find_idle(runner);
        if (!worker && runner->workers->len >= runner->workers_max) {
            return;
        }
        if (!worker) {
            worker = worker_new(runner, &error);
        }
        struct lane *lane = g_queue_pop_head(&runner->ready);
        struct item *item = g_queue_pop_head(&lane->waiting);
        lane->busy = true;
        if (!worker) {
            add_result(runner, item->op, lane->vnode_id)->error = g_steal_pointer(&error);
            finish(runner, item);
            continue;
        }
        worker->item = item;
        worker->deadline = poll_now_ms() + item->timeout_ms;
        /* The pipe is empty and takes a whole request; if it cannot, the worker is dead, which is dealt with below. */
        ssize_t written = write(worker->input, item->line, strlen(item->line));
        (void)written;
    }
}

/* Reads what has come. */
static void receive(struct worker *worker)
{
    char buffer[16384];
    ssize_t n;
    while ((n = read(worker->output, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR)) {
        if (n > 0 && worker->answer->len < ANSWER_MAX) {
            g_string_append_len(worker->answer, buffer, n);
        }
    }
}

static void take_answer(struct vnode_runner *runner, struct worker *worker)
{
    const char *end = memchr(worker->answer->str, '\n', worker->answer->len);
    if (!worker->item || !end) {
        return;
    }
    struct vnode_result *result = add_result(runner, worker->item->op, worker->item->lane->vnode_id);
    vnode_answer_parse(worker->answer->str, (size_t)(end - worker->answer->str), result);
    g_string_truncate(worker->answer, 0);
    finish(runner, g_steal_pointer(&worker->item));
    worker->deadline = poll_now_ms() + IDLE_TIMEOUT_MS;
}

static void bury(struct vnode_runner *runner, struct worker *worker)
{
    int status = 0;
    waitpid(worker->pid, &status, WNOHANG);
    if (worker->item) {
        GError **error = &add_result(runner, worker->item->op, worker->item->lane->vnode_id)->error;
        if (worker->late) {
            fail(error, DISTEM_ERROR_SYSTEM, 0, "a worker process did not answer within %u s and was killed",
                 worker->item->timeout_ms / 1000);
        } else if (WIFSIGNALED(status)) {
            fail(error, DISTEM_ERROR_SYSTEM, 0, "a worker process was killed by signal %d before it answered", WTERMSIG(status));
        } else {
            fail(error, DISTEM_ERROR_SYSTEM, 0, "%s ended with status %d before it answered", runner->worker_path,
                 WEXITSTATUS(status));
        }
        finish(runner, g_steal_pointer(&worker->item));
    }
}

void vnode_runner_run(struct vnode_runner *runner)
{
    for (unsigned i = 0; i < runner->workers->len;) {
        struct worker *worker = runner->workers->pdata[i];
        /* Asked first: whatever it wrote before its end is there then. */
        bool dead = process_wait(worker->pidfd, 0);
        receive(worker);
        take_answer(runner, worker);
        if (dead) {
            bury(runner, worker);
            g_ptr_array_remove_index_fast(runner->workers, i);
            continue;
        }
        if (poll_now_ms() >= worker->deadline) {
            if (worker->item) {
                worker->late = true;
                process_signal(worker->pidfd, SIGKILL);
            } else {
                worker_send_home(worker);
            }
        }
        i++;
    }
    dispatch(runner);
}

void vnode_runner_wait(struct vnode_runner *runner)
{
    for (unsigned i = 0; i < runner->workers->len; i++) {
        const struct worker *worker = runner->workers->pdata[i];
        poll_wait_fd(worker->pidfd, POLLIN);
        if (worker->item) {
            poll_wait_fd(worker->output, POLLIN);
        }
        if (worker->input >= 0 && !worker->late) {
            poll_wait_until(worker->deadline);
        }
    }
    bool can_dispatch = find_idle(runner) || runner->workers->len < runner->workers_max;
    if (!g_queue_is_empty(&runner->results) || (!g_queue_is_empty(&runner->ready) && can_dispatch)) {
        poll_wake_now();
    }
}
