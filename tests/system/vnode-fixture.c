/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "vnode-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "distem/poll.h"
#include "src/vnode/tree.h"

/* Returns why containers cannot be tried here, or NULL. */
static const char *find_obstacle(void)
{
    if (geteuid() != 0) {
        return "root is needed";
    }
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
        return "this machine lets even root make no mount namespace";
    }
    return access("/proc/self/ns/net", F_OK) < 0 ? "this kernel has no network namespaces" : NULL;
}

static void remove_places(const char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autoptr(GError) error = NULL;
        g_autofree char *run_dir = g_build_filename(folder, name, "run", NULL);
        g_autofree char *state_dir = g_build_filename(folder, name, "state", NULL);
        g_autoptr(GPtrArray) found = vnode_purge(run_dir, state_dir, true, &error);
        if (!found) {
            g_printerr("%s\n", error->message);
        }
    }
    if (dir) {
        g_dir_close(dir);
    }
    g_autoptr(GError) error = NULL;
    if (!tree_unmount(folder, &error) || !tree_remove(folder, &error)) {
        g_printerr("%s\n", error->message);
    }
}

int place_main(int *argc, char ***argv, void (*tests)(void))
{
    g_test_init(argc, argv, NULL);
    const char *obstacle = find_obstacle();
    if (obstacle) {
        g_print("1..0 # SKIP %s\n", obstacle);
        return 77;
    }
    g_autofree char *folder = g_dir_make_tmp("distem-test-XXXXXX", NULL);
    pid_t child = fork();
    if (child == 0) {
        g_setenv("TMPDIR", folder, TRUE);
        tests();
        exit(g_test_run());
    }
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    remove_places(folder);
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

struct place *place_new(unsigned workers)
{
    struct place *place = g_new0(struct place, 1);
    const char *build = g_getenv("top_builddir");
    /* Not g_dir_make_tmp(), which has looked at TMPDIR long ago. */
    place->base = g_build_filename(g_getenv("TMPDIR"), "place-XXXXXX", NULL);
    g_assert_nonnull(g_mkdtemp(place->base));
    place->run_dir = g_build_filename(place->base, "run", NULL);
    place->state_dir = g_build_filename(place->base, "state", NULL);
    place->worker_path = g_build_filename(build ? build : ".", "distem-vnode", NULL);
    place->workers = workers;
    place_new_runner(place);
    return place;
}

void place_new_runner(struct place *place)
{
    vnode_runner_free(place->runner);
    place->runner = vnode_runner_new(place->run_dir, place->state_dir, place->worker_path, place->workers);
}

void place_free(struct place *place)
{
    g_autoptr(GError) error = NULL;
    vnode_runner_free(place->runner);
    g_free(place_purge(place, true));
    tree_unmount(place->base, &error);
    g_assert_no_error(error);
    tree_remove(place->base, &error);
    g_assert_no_error(error);
    g_free(place->base);
    g_free(place->run_dir);
    g_free(place->state_dir);
    g_free(place->worker_path);
    g_free(place);
}

char *place_netns(const struct place *place, uint32_t id)
{
    g_autofree char *folder = g_build_filename(place->run_dir, "netns", NULL);
    char *path = g_strdup_printf("%s/%u", folder, id);
    if (g_file_test(path, G_FILE_TEST_EXISTS)) {
        return path;
    }
    g_assert_true(tree_make(folder, 0755, NULL));
    close(g_creat(path, 0600));
    pid_t child = fork();
    if (child == 0) {
        /* Keeps the namespace when this process has gone. */
        _exit(unshare(CLONE_NEWNET) < 0 || mount("/proc/self/ns/net", path, NULL, MS_BIND, NULL) < 0);
    }
    int status;
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
    return path;
}

void place_queue_start(struct place *place, uint32_t id, const char *image, uint64_t memory)
{
    g_autofree char *netns = place_netns(place, id);
    g_autofree char *name = g_strdup_printf("n%u", id);
    g_autofree char *image_copy = g_strdup(image);
    struct vnode vnode = {.id = id, .name = name, .image = image_copy, .memory = memory};
    vnode_runner_start(place->runner, &vnode, netns);
}

struct vnode_result *place_next(struct place *place)
{
    struct vnode_result *result;
    for (;;) {
        vnode_runner_run(place->runner);
        if ((result = vnode_runner_next(place->runner))) {
            return result;
        }
        vnode_runner_wait(place->runner);
        poll_block_once();
    }
}

pid_t place_start(struct place *place, uint32_t id, const char *image, uint64_t memory, GError **error)
{
    place_queue_start(place, id, image, memory);
    struct vnode_result *result = place_next(place);
    g_assert_cmpint(result->op, ==, VNODE_OP_START);
    g_assert_cmpuint(result->vnode_id, ==, id);
    pid_t pid = result->pid;
    if (result->error) {
        g_propagate_error(error, g_steal_pointer(&result->error));
        pid = -1;
    }
    vnode_result_free(result);
    return pid;
}

void place_stop(struct place *place, uint32_t id, unsigned grace_ms, bool forget)
{
    vnode_runner_stop(place->runner, id, grace_ms, forget);
    struct vnode_result *result = place_next(place);
    g_assert_cmpint(result->op, ==, VNODE_OP_STOP);
    g_assert_no_error(result->error);
    vnode_result_free(result);
}

GArray *place_list(struct place *place)
{
    vnode_runner_list(place->runner);
    struct vnode_result *result = place_next(place);
    g_assert_cmpint(result->op, ==, VNODE_OP_LIST);
    g_assert_no_error(result->error);
    GArray *running = g_array_ref(result->containers);
    vnode_result_free(result);
    return running;
}

char *place_purge(const struct place *place, bool remove)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) found = vnode_purge(place->run_dir, place->state_dir, remove, &error);
    g_assert_no_error(error);
    g_ptr_array_add(found, NULL);
    return g_strjoinv("\n", (char **)found->pdata);
}

void wait_for(bool (*condition)(const void *), const void *aux)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)60 * G_USEC_PER_SEC;
    while (!condition(aux)) {
        g_assert_cmpint(g_get_monotonic_time(), <, deadline);
        g_usleep(1000);
    }
}

bool process_is_gone(const void *pid)
{
    return kill(*(const pid_t *)pid, 0) < 0 && errno == ESRCH;
}

struct client *client_new(const struct place *place, uint32_t id, bool tty, const char *const *argv)
{
    struct client *client = g_new0(struct client, 1);
    int pair[2];
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
    g_autofree char *name = g_strdup_printf("n%u", id);
    struct vnode vnode = {.id = id, .name = name};
    g_autoptr(GError) error = NULL;
    client->pid = vnode_exec(place->worker_path, place->state_dir, &vnode, argv, tty, pair[1], &error);
    g_assert_no_error(error);
    close(pair[1]);
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    client->socket = pair[0];
    client->out = g_byte_array_new();
    client->err = g_byte_array_new();
    client->code = -1;
    return client;
}

void client_free(struct client *client)
{
    if (client->socket >= 0) {
        close(client->socket);
    }
    g_assert_cmpint(waitpid(client->pid, NULL, 0), ==, client->pid);
    g_byte_array_unref(client->out);
    g_byte_array_unref(client->err);
    g_free(client->error);
    g_free(client);
}

static void take_frame(struct client *client, uint8_t type, const uint8_t *payload, size_t length)
{
    g_assert_cmpint(client->code, ==, -1);
    g_assert_null(client->error);
    if (type == EXEC_STDOUT || type == EXEC_STDERR) {
        g_byte_array_append(type == EXEC_STDOUT ? client->out : client->err, payload, (guint)length);
    } else if (type == EXEC_EXIT) {
        g_assert_cmpuint(length, ==, 1);
        client->code = payload[0];
    } else {
        g_assert_cmpint(type, ==, EXEC_ERROR);
        client->error = g_strndup((const char *)payload, length);
    }
}

/* Takes what is there; returns false at the end of the stream. */
static bool client_take(struct client *client)
{
    size_t space, length;
    uint8_t *to = exec_reader_space(&client->reader, &space);
    ssize_t n = recv(client->socket, to, space, 0);
    if (n <= 0) {
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    }
    exec_reader_added(&client->reader, (size_t)n);
    uint8_t type;
    const uint8_t *payload;
    enum exec_reader_state state;
    while ((state = exec_reader_next(&client->reader, &type, &payload, &length)) == EXEC_READER_FRAME) {
        take_frame(client, type, payload, length);
    }
    g_assert_cmpint(state, ==, EXEC_READER_MORE);
    return true;
}

static short client_poll(const struct client *client, short events)
{
    struct pollfd p = {.fd = client->socket, .events = events};
    g_assert_cmpint(poll(&p, 1, 60000), >, 0);
    return p.revents;
}

void client_send(struct client *client, enum exec_frame type, const void *payload, size_t length)
{
    g_autofree uint8_t *frame = g_malloc(EXEC_HEADER_SIZE + length);
    exec_header_write(frame, type, length);
    memcpy(frame + EXEC_HEADER_SIZE, payload, length);
    for (size_t sent = 0, all = EXEC_HEADER_SIZE + length; sent < all;) {
        short events = client_poll(client, POLLIN | POLLOUT);
        if (events & POLLIN) {
            g_assert_true(client_take(client));
        }
        if (events & POLLOUT) {
            ssize_t n = send(client->socket, frame + sent, all - sent, MSG_NOSIGNAL);
            g_assert_true(n > 0 || errno == EAGAIN);
            sent += (size_t)MAX(n, 0);
        }
    }
}

void client_finish(struct client *client)
{
    do {
        client_poll(client, POLLIN);
    } while (client_take(client));
}

void client_expect(struct client *client, const char *text)
{
    while (!client->out->len || !memmem(client->out->data, client->out->len, text, strlen(text))) {
        client_poll(client, POLLIN);
        g_assert_true(client_take(client));
    }
}

char *shell_in(const struct place *place, uint32_t id, int code, const char *command)
{
    struct client *client = client_new(place, id, false, (const char *const[]){"sh", "-c", command, NULL});
    client_finish(client);
    g_assert_cmpstr(client->error, ==, NULL);
    g_byte_array_append(client->out, (const uint8_t *)"", 1);
    char *text = g_strchomp(g_strdup((const char *)client->out->data));
    if (client->code != code) {
        g_byte_array_append(client->err, (const uint8_t *)"", 1);
        g_error("%s: exit code %d, %d was expected: %s %s", command, client->code, code, text, (const char *)client->err->data);
    }
    client_free(client);
    return text;
}
