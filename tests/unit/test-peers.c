/* SPDX-License-Identifier: Apache-2.0 */
/* The coordinator's relay against a real action server, in one loop. This program plays the server's helpers, too: distem-vnode
 * exec, which runs the command right here, and distem-probe. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "distem/exec-protocol.h"
#include "distem/pnode-server.h"
#include "fake-poll.h"
#include "src/client/frames.h"
#include "src/coordinator/peers.h"
#include "tests/cli/double.h"

#define TIMEOUT_US (30 * (int64_t)G_USEC_PER_SEC)

struct world {
    struct pnode_server *server;
    struct coordinator c;
    struct pnode pnode;
    char *database;
    unsigned joins, max_vnodes;
    const char *refusal; /* Why the next joins fail. */
    json_t *answer;      /* To the last question. */
    GError *error;
    unsigned answers;
};

static bool take_join(void *aux, const struct pnode_join *join, GError **error)
{
    struct world *w = aux;
    if (w->refusal) {
        return fail(error, DISTEM_ERROR_UNAVAILABLE, 0, "%s", w->refusal);
    }
    w->joins++;
    w->max_vnodes = join->max_vnodes;
    g_assert_cmpstr(g_hash_table_lookup(join->labels, "rack"), ==, "a");
    return true;
}

static char *take_trace(void *aux, uint32_t id, const char *flow, GError **error)
{
    (void)aux;
    if (id != 7) {
        fail(error, DISTEM_ERROR_NOT_FOUND, 0, "no bridge");
        return NULL;
    }
    return g_strconcat("traced ", flow, NULL);
}

static char *own_path(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    g_assert_cmpint(n, >, 0);
    return g_strndup(path, (gsize)n);
}

static void world_open(struct world *w)
{
    static char *self, *relay;
    if (!self) {
        self = own_path();
        const char *build = g_getenv("top_builddir");
        relay = g_build_filename(build ? build : ".", "distem-relay", NULL);
    }
    *w = (struct world){.pnode = {.name = (char *)"b"}};
    const struct pnode_server_config config = {
        .address = "127.0.0.3", .name = "b", .run_dir = "/run", .state_dir = "/", .worker_path = self, .probe_path = self};
    const struct pnode_server_calls calls = {take_join, take_trace};
    g_autoptr(GError) error = NULL;
    w->server = pnode_server_new(&config, &calls, w, &error);
    g_assert_no_error(error);
    w->pnode.address = g_strdup_printf("127.0.0.3:%u", pnode_server_port(w->server));
    w->c.config = (struct coordinator_config){.relay_path = relay, .probe_path = self, .run_dir = "/run", .pnode = "a"};
    w->c.questions = peers_new();
}

static void world_close(struct world *w)
{
    g_ptr_array_unref(w->c.questions);
    pnode_server_free(w->server);
    g_free(w->pnode.address);
    json_decref(w->answer);
    g_clear_error(&w->error);
}

static void turn(struct world *w)
{
    pnode_server_run(w->server);
    peers_run(&w->c);
    pnode_server_wait(w->server);
    peers_wait(&w->c);
    poll_wait_ms(20);
    poll_block_once();
}

static void take_answer(void *aux, json_t *answer, const GError *error)
{
    struct world *w = aux;
    json_decref(w->answer);
    g_clear_error(&w->error);
    w->answer = json_incref(answer);
    w->error = error ? g_error_copy(error) : NULL;
    w->answers++;
}

/* Asks and waits for the answer. */
static void ask(struct world *w, const char *address, const char *method, const char *path, json_t *body)
{
    unsigned before = w->answers;
    peer_ask(&w->c, address, method, path, body, take_answer, w);
    for (int64_t end = g_get_monotonic_time() + TIMEOUT_US; w->answers == before;) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        turn(w);
    }
}

static json_t *join_body(const char *database)
{
    return json_pack("{s:s, s:{s:s}, s:i}", "database", database, "labels", "rack", "a", "max_vnodes", 9);
}

static void test_join(void)
{
    struct world w;
    world_open(&w);
    ask(&w, w.pnode.address, "GET", "/", NULL);
    g_assert_no_error(w.error);
    g_assert_true(json_is_true(json_object_get(w.answer, "waiting")));
    w.refusal = "the machine is not ready";
    ask(&w, w.pnode.address, "POST", "/join", join_body("tcp:192.0.2.1:4569"));
    g_assert_error(w.error, DISTEM_ERROR, DISTEM_ERROR_UNAVAILABLE);
    g_assert_cmpstr(w.error->message, ==, w.refusal);
    w.refusal = NULL;
    for (unsigned i = 0; i < 2; i++) {
        ask(&w, w.pnode.address, "POST", "/join", join_body("tcp:192.0.2.1:4569"));
        g_assert_no_error(w.error);
        g_assert_cmpstr(json_string_value(json_object_get(w.answer, "pnode")), ==, "b");
    }
    g_assert_cmpuint(w.joins, ==, 1);
    g_assert_cmpuint(w.max_vnodes, ==, 9);
    ask(&w, w.pnode.address, "POST", "/join", join_body("tcp:192.0.2.2:4569"));
    g_assert_error(w.error, DISTEM_ERROR, DISTEM_ERROR_CONFLICT);
    g_assert_nonnull(strstr(w.error->message, "192.0.2.1"));
    ask(&w, w.pnode.address, "POST", "/join", json_pack("{s:s, s:i}", "database", "tcp:192.0.2.1:4569", "rack", 1));
    g_assert_error(w.error, DISTEM_ERROR, DISTEM_ERROR_INVALID);
    ask(&w, w.pnode.address, "GET", "/", NULL);
    g_assert_cmpstr(json_string_value(json_object_get(w.answer, "database")), ==, "tcp:192.0.2.1:4569");
    world_close(&w);
}

static void test_questions(void)
{
    struct world w;
    world_open(&w);
    ask(&w, w.pnode.address, "POST", "/trace", json_pack("{s:i, s:s}", "vnetwork", 7, "flow", "in_port=1"));
    g_assert_no_error(w.error);
    g_assert_cmpstr(json_string_value(json_object_get(w.answer, "text")), ==, "traced in_port=1");
    ask(&w, w.pnode.address, "POST", "/trace", json_pack("{s:i, s:s}", "vnetwork", 8, "flow", ""));
    g_assert_error(w.error, DISTEM_ERROR, DISTEM_ERROR_NOT_FOUND);
    ask(&w, "127.0.0.1:1", "GET", "/", NULL);
    g_assert_error(w.error, DISTEM_ERROR, DISTEM_ERROR_UNAVAILABLE);
    g_test_message("%s", w.error->message);
    g_assert_nonnull(strstr(w.error->message, "127.0.0.1:1"));
    /* Nobody is told any more once the coordinator is gone. */
    peer_ask(&w.c, w.pnode.address, "GET", "/", NULL, take_answer, &w);
    unsigned answers = w.answers;
    world_close(&w);
    g_assert_cmpuint(w.answers, ==, answers);
}

/* A stream to the pnode. */
struct stream {
    int fd;
    GPid pid;
    struct frame_reader frames;
    GString *out, *err;
    int code;    /* -1: no exit yet. */
    char *error; /* The error frame. */
};

static json_t *exec_body(const char *script, bool tty)
{
    return json_pack("{s:s, s:b, s:[s, s, s]}", "name", "n1", "tty", tty, "argv", "sh", "-c", script);
}

static void stream_open(struct world *w, struct stream *s, const char *path, json_t *body)
{
    g_autoptr(GError) error = NULL;
    *s = (struct stream){.out = g_string_new(NULL), .err = g_string_new(NULL), .code = -1};
    g_assert_true(peer_stream(&w->c, &w->pnode, path, EXEC_PROTOCOL, body, &s->fd, &s->pid, &error));
    json_decref(body);
}

static void stream_close(struct stream *s)
{
    close(s->fd);
    frame_reader_clear(&s->frames);
    g_string_free(s->out, TRUE);
    g_string_free(s->err, TRUE);
    g_free(s->error);
}

static void take_frame(struct stream *s, const struct frame *frame)
{
    const char *payload = (const char *)frame->payload;
    if (frame->type == EXEC_STDOUT || frame->type == EXEC_STDERR) {
        g_string_append_len(frame->type == EXEC_STDOUT ? s->out : s->err, payload, (gssize)frame->size);
    } else if (frame->type == EXEC_EXIT) {
        s->code = frame->payload[0];
    } else if (frame->type == EXEC_ERROR) {
        s->error = g_strndup(payload, frame->size);
    }
}

/* Receives what has come. Returns false at the end. */
static bool stream_receive(struct stream *s)
{
    char buffer[65536];
    ssize_t n;
    while ((n = recv(s->fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
        frame_reader_feed(&s->frames, buffer, (size_t)n);
        struct frame frame;
        while (frame_reader_next(&s->frames, &frame) == 1) {
            take_frame(s, &frame);
        }
    }
    return n < 0 && errno == EAGAIN;
}

/* Sends 'out' and receives until the stream has ended, or 'until' has been printed (NULL: to the end). */
static void stream_run(struct world *w, struct stream *s, GByteArray *out, const char *until)
{
    int64_t end = g_get_monotonic_time() + TIMEOUT_US;
    size_t sent = 0;
    while (stream_receive(s) && !(until && strstr(s->out->str, until))) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        bool sends = out && sent < out->len;
        if (sends) {
            ssize_t n = send(s->fd, out->data + sent, out->len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
            sent += n > 0 ? (size_t)n : 0;
        }
        poll_wait_fd(s->fd, (short)(POLLIN | (sends ? POLLOUT : 0)));
        turn(w);
    }
}

/* Waits until the relay has ended. */
static void stream_reap(struct world *w, struct stream *s)
{
    for (int64_t end = g_get_monotonic_time() + TIMEOUT_US; waitpid(s->pid, NULL, WNOHANG) == 0;) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        turn(w);
    }
}

static void test_exec(void)
{
    struct world w;
    struct stream s;
    world_open(&w);
    stream_open(&w, &s, "/vnodes/3/exec", exec_body("cat; echo wrong >&2; exit 7", false));
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autofree char *large = g_strnfill(3 << 20, 'x');
    frame_append(out, EXEC_STDIN, large, 3 << 20);
    frame_append(out, EXEC_STDIN, NULL, 0);
    stream_run(&w, &s, out, NULL);
    g_assert_cmpstr(s.error, ==, NULL);
    g_assert_cmpint(s.code, ==, 7);
    g_assert_cmpstr(s.err->str, ==, "wrong\n");
    g_assert_true(s.out->len == 3 << 20 && !strcmp(s.out->str, large));
    stream_reap(&w, &s);
    stream_close(&s);

    stream_open(&w, &s, "/vnodes/3/exec", exec_body("echo ready; exec sleep 1000", false));
    stream_run(&w, &s, NULL, "ready");
    g_autoptr(GByteArray) signal = g_byte_array_new();
    frame_append(signal, EXEC_SIGNAL, (const uint8_t[]){SIGTERM}, 1);
    stream_run(&w, &s, signal, NULL);
    g_assert_cmpint(s.code, ==, 128 + SIGTERM);
    stream_reap(&w, &s);
    stream_close(&s);

    stream_open(&w, &s, "/vnodes/3/exec", exec_body("sleep 0.01; stty size", true));
    g_autoptr(GByteArray) resize = g_byte_array_new();
    frame_append(resize, EXEC_RESIZE, (const uint8_t[]){0, 33, 0, 99}, 4);
    stream_run(&w, &s, resize, NULL);
    g_assert_cmpint(s.code, ==, 0);
    stream_reap(&w, &s);
    stream_close(&s);
    world_close(&w);
}

static void test_hang_up(void)
{
    struct world w;
    struct stream s;
    world_open(&w);
    g_autofree char *folder = g_dir_make_tmp("peers-XXXXXX", NULL);
    g_autofree char *mark = g_build_filename(folder, "hung-up", NULL);
    g_autofree char *script = g_strdup_printf("trap 'touch %s; exit' HUP; echo ready; while :; do sleep 0.05; done", mark);
    stream_open(&w, &s, "/vnodes/3/exec", exec_body(script, false));
    stream_run(&w, &s, NULL, "ready");
    shutdown(s.fd, SHUT_WR);
    for (int64_t end = g_get_monotonic_time() + TIMEOUT_US; g_access(mark, F_OK);) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        turn(&w);
    }
    stream_reap(&w, &s);
    stream_close(&s);
    g_assert_cmpint(g_unlink(mark), ==, 0);

    /* Also when input is stuck on its way. */
    stream_open(&w, &s, "/vnodes/3/exec", exec_body("echo ready; exec sleep 1000", false));
    stream_run(&w, &s, NULL, "ready");
    g_autofree char *large = g_strnfill(1 << 20, 'x');
    g_autoptr(GByteArray) out = g_byte_array_new();
    frame_append(out, EXEC_STDIN, large, 1 << 20);
    while (send(s.fd, out->data, out->len, MSG_NOSIGNAL | MSG_DONTWAIT) > 0) {
        turn(&w);
    }
    g_assert_cmpint(errno, ==, EAGAIN);
    close(s.fd);
    s.fd = -1;
    stream_reap(&w, &s);
    stream_close(&s);
    world_close(&w);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

static void test_refused(void)
{
    struct world w;
    struct stream s;
    world_open(&w);
    stream_open(&w, &s, "/vnodes/3/exec", json_pack("{s:s, s:[]}", "name", "n1", "argv"));
    stream_run(&w, &s, NULL, NULL);
    g_assert_nonnull(strstr(s.error, "argv"));
    stream_reap(&w, &s);
    stream_close(&s);
    g_free(w.pnode.address);
    w.pnode.address = g_strdup("127.0.0.1:1");
    stream_open(&w, &s, "/vnodes/3/exec", exec_body("true", false));
    stream_run(&w, &s, NULL, NULL);
    g_test_message("%s", s.error);
    g_assert_nonnull(strstr(s.error, "no answer from http://127.0.0.1:1"));
    stream_reap(&w, &s);
    stream_close(&s);
    world_close(&w);
}

/* Starts a prober on 'pnode', sends it 'input' and the end of it, and returns the first line that it says. */
static char *probe(struct world *w, const char *pnode, const char *input, int *ret_fd, GPid *ret_pid)
{
    g_autoptr(GError) error = NULL;
    struct pnode p = w->pnode;
    p.name = (char *)pnode;
    g_assert_true(peer_stream(&w->c, &p, "/probe", PROBE_PROTOCOL, NULL, ret_fd, ret_pid, &error));
    g_assert_cmpint(send(*ret_fd, input, strlen(input), 0), ==, (ssize_t)strlen(input));
    shutdown(*ret_fd, SHUT_WR);
    g_autoptr(GString) line = g_string_new(NULL);
    for (int64_t end = g_get_monotonic_time() + TIMEOUT_US; !strchr(line->str, '\n');) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        char buffer[100];
        ssize_t n = recv(*ret_fd, buffer, sizeof buffer, MSG_DONTWAIT);
        g_assert_true(n > 0 || (n < 0 && errno == EAGAIN));
        g_string_append_len(line, buffer, MAX(n, 0));
        poll_wait_fd(*ret_fd, POLLIN);
        turn(w);
    }
    return g_strdup(line->str);
}

static void wait_for_end(struct world *w, int fd, GPid pid)
{
    char byte;
    for (int64_t end = g_get_monotonic_time() + TIMEOUT_US; recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        turn(w);
    }
    close(fd);
    g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
}

static void test_probe(void)
{
    static const char *const pnodes[] = {"a", "b"};
    struct world w;
    int fd;
    GPid pid;
    world_open(&w);
    for (unsigned i = 0; i < G_N_ELEMENTS(pnodes); i++) {
        g_autofree char *line = probe(&w, pnodes[i], "work", &fd, &pid);
        g_assert_true(g_str_has_suffix(line, " work\n"));
        wait_for_end(&w, fd, pid);
    }
    /* A prober that nobody waits for any more is ended. */
    g_autofree char *line = probe(&w, "b", "stay", &fd, &pid);
    pid_t prober = atoi(line);
    g_assert_cmpint(kill(prober, 0), ==, 0);
    kill(pid, SIGKILL);
    g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
    for (int64_t end = g_get_monotonic_time() + TIMEOUT_US; kill(prober, 0) == 0;) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        turn(&w);
    }
    close(fd);
    world_close(&w);
}

/* Plays distem-probe: says its pid and its input; after "stay" it does not end. */
static int play_prober(void)
{
    char input[100];
    size_t n = fread(input, 1, sizeof input - 1, stdin);
    input[n] = '\0';
    printf("%d %s\n", (int)getpid(), input);
    fflush(stdout);
    if (!strcmp(input, "stay")) {
        pause();
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "--netns") && !strcmp(argv[2], "/run/netns")) {
        return play_prober();
    }
    if (argc > 6 && !strcmp(argv[1], "exec")) {
        double_exec(3, (const char *const *)argv + 6, !strcmp(argv[5], "tty"));
        return 0;
    }
    g_setenv("TEST_PEERS_HELPER", "yes", TRUE);
    /* Not to be used, though 127.0.0.3 is not among the usual exceptions. */
    g_setenv("http_proxy", "http://127.0.0.1:1", TRUE);
    g_setenv("ALL_PROXY", "http://127.0.0.1:1", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/peers/join", test_join);
    g_test_add_func("/peers/questions", test_questions);
    g_test_add_func("/peers/exec", test_exec);
    g_test_add_func("/peers/hang-up", test_hang_up);
    g_test_add_func("/peers/refused", test_refused);
    g_test_add_func("/peers/probe", test_probe);
    return g_test_run();
}
