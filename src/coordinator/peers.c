/* SPDX-License-Identifier: Apache-2.0 */
/* Other machines, reached through a process per action: distem-relay. */
#include <config.h>

#include "peers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "distem/pnode-server.h"
#include "distem/poll.h"
#include "distem/spawn.h"

/* A question that waits for its answer. */
struct question {
    pid_t pid;
    int fd; /* The relay's output. */
    GString *output;
    char *address;
    peer_answer *done;
    void *aux;
};

static void question_free(void *pointer)
{
    struct question *q = pointer;
    close(q->fd);
    if (q->pid) {
        kill(q->pid, SIGKILL);
        waitpid(q->pid, NULL, 0);
    }
    g_string_free(q->output, TRUE);
    g_free(q->address);
    g_free(q);
}

GPtrArray *peers_new(void)
{
    return g_ptr_array_new_with_free_func(question_free);
}

bool pnode_is_own(const struct coordinator *c, const char *pnode)
{
    return !g_strcmp0(c->config.pnode, pnode);
}

/* Returns a file with 'body' to be read from its start, or -1 with an error. NULL: an empty one. */
static int body_file(const json_t *body, GError **error)
{
    int fd = memfd_create("distem-body", MFD_CLOEXEC);
    if (fd < 0 || (body && json_dumpfd(body, fd, JSON_COMPACT) < 0) || lseek(fd, 0, SEEK_SET) < 0) {
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot write a request's body");
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

pid_t peer_relay(struct coordinator *c, const struct pnode *pnode, const char *path, const char *protocol, const json_t *body,
                 int fd, GError **error)
{
    if (!pnode->address) {
        fail(error, DISTEM_ERROR_UNAVAILABLE, 0, "pnode %s does not say where it can be reached", pnode->name);
        return -1;
    }
    int input = body_file(body, error);
    int null = input < 0 ? -1 : open("/dev/null", O_RDWR | O_CLOEXEC);
    pid_t pid = -1;
    if (null >= 0) {
        const char *argv[] = {c->config.relay_path, "stream", pnode->address, path, protocol, NULL};
        pid = spawn_process(argv[0], argv, (int[]){input, null, STDERR_FILENO, fd}, 4, error);
        close(null);
    } else if (input >= 0) {
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot open /dev/null");
    }
    if (input >= 0) {
        close(input);
    }
    return pid;
}

bool peer_stream(struct coordinator *c, const struct pnode *pnode, const char *path, const char *protocol, const json_t *body,
                 int *ret_fd, GPid *ret_pid, GError **error)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot make a pair of sockets");
    }
    pid_t pid;
    if (pnode_is_own(c, pnode->name)) {
        g_assert(!strcmp(protocol, PROBE_PROTOCOL));
        g_autofree char *netns = g_strconcat(c->config.run_dir, "/netns", NULL);
        const char *argv[] = {c->config.probe_path, "--netns", netns, NULL};
        pid = spawn_process(argv[0], argv, (int[]){pair[1], pair[1], STDERR_FILENO}, 3, error);
    } else {
        pid = peer_relay(c, pnode, path, protocol, body, pair[1], error);
    }
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return false;
    }
    fcntl(pair[0], F_SETFL, O_RDWR | O_NONBLOCK);
    *ret_fd = pair[0];
    *ret_pid = pid;
    return true;
}

static bool start_question(struct coordinator *c, struct question *q, const char *method, const char *path, const json_t *body,
                           GError **error)
{
    int input = body_file(body, error), output[2];
    if (input < 0) {
        return false;
    }
    if (pipe2(output, O_CLOEXEC) < 0) {
        close(input);
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot make a pipe");
    }
    const char *argv[] = {c->config.relay_path, "ask", method, q->address, path, NULL};
    q->pid = spawn_process(argv[0], argv, (int[]){input, output[1], STDERR_FILENO}, 3, error);
    close(input);
    close(output[1]);
    if (q->pid < 0) {
        close(output[0]);
        return false;
    }
    fcntl(output[0], F_SETFL, O_NONBLOCK);
    q->fd = output[0];
    return true;
}

void peer_ask(struct coordinator *c, const char *address, const char *method, const char *path, json_t *body, peer_answer *done,
              void *aux)
{
    g_autoptr(GError) error = NULL;
    struct question *q = g_new0(struct question, 1);
    q->address = g_strdup(address);
    bool ok = start_question(c, q, method, path, body, &error);
    json_decref(body);
    if (!ok) {
        done(aux, NULL, error);
        g_free(q->address);
        g_free(q);
        return;
    }
    q->output = g_string_new(NULL);
    q->done = done;
    q->aux = aux;
    g_ptr_array_add(c->questions, q);
}

/* The relay has said all: passes it on. */
static void answer(struct question *q, int status)
{
    g_autoptr(GError) error = NULL;
    json_t *said = json_loadb(q->output->str, q->output->len, 0, NULL);
    json_t *value = json_object_get(said, "answer");
    const char *code = NULL, *message = NULL;
    if (!value && json_unpack(said, "{s{ss, ss}}", "error", "code", &code, "message", &message) == 0) {
        bool unreachable = !strcmp(code, "unreachable");
        fail(&error, unreachable ? DISTEM_ERROR_UNAVAILABLE : distem_error_from_name(code), 0, "%s", message);
    } else if (!value && WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        fail(&error, DISTEM_ERROR_UNAVAILABLE, 0, "%s did not answer in time", q->address);
    } else if (!value) {
        fail(&error, DISTEM_ERROR_SYSTEM, 0, "asking %s failed: distem-relay ended with status %d", q->address, status);
    }
    q->done(q->aux, value, error);
    json_decref(said);
}

void peers_run(struct coordinator *c)
{
    for (unsigned i = c->questions->len; i-- > 0;) {
        struct question *q = c->questions->pdata[i];
        char buffer[4096];
        ssize_t n;
        while ((n = read(q->fd, buffer, sizeof buffer)) > 0) {
            g_string_append_len(q->output, buffer, n);
        }
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            int status = 0;
            waitpid(q->pid, &status, 0);
            q->pid = 0;
            /* Out of the list first: whoever is told may ask again. */
            g_ptr_array_steal_index_fast(c->questions, i);
            answer(q, status);
            question_free(q);
        }
    }
}

void peers_wait(struct coordinator *c)
{
    for (unsigned i = 0; i < c->questions->len; i++) {
        poll_wait_fd(((struct question *)c->questions->pdata[i])->fd, POLLIN);
    }
}
