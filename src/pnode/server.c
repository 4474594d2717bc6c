/* SPDX-License-Identifier: Apache-2.0 */
/* The actions of one machine. */
#include <config.h>

#include "distem/pnode-server.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "distem/exec-protocol.h"
#include "distem/exec-request.h"
#include "distem/log.h"
#include "distem/poll.h"
#include "distem/rest.h"
#include "distem/spawn.h"
#include "distem/vnode.h"

/* A process that serves a connection. */
struct child {
    pid_t pid;
    int pidfd;  /* Tells of its end. */
    int socket; /* A prober's connection, which it does not watch itself; -1: none. */
};

struct pnode_server {
    struct pnode_server_config config; /* Its strings are ours. */
    struct pnode_server_calls calls;
    void *aux;
    char *database; /* NULL: waits for a coordinator. */
    struct rest_server *rest;
    GArray *children; /* Of struct child. */
};

static void root_get(struct rest_request *request, void *context)
{
    const struct pnode_server *s = context;
    rest_reply(request, 200,
               json_pack("{s:s, s:s, s:s, s:s, s:b, s:s?}", "name", "distem", "version", PACKAGE_VERSION, "role", "pnode", "pnode",
                         s->config.name, "waiting", !s->database, "database", s->database));
}

/* Adopts the child 'pid', of which 'socket' (-1: none) is watched. */
static void watch_child(struct pnode_server *s, pid_t pid, int socket)
{
    struct child child = {.pid = pid, .pidfd = (int)syscall(SYS_pidfd_open, pid, 0), .socket = socket};
    if (child.pidfd >= 0) {
        g_array_append_val(s->children, child);
        return;
    }
    /* Out of descriptors: then this one must not stay. */
    log_warning("pnode", "a process for an action cannot be watched, and was ended", "pid=%d", (int)pid);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    if (socket >= 0) {
        close(socket);
    }
}

/* join */

static bool read_labels(const json_t *labels, GHashTable *ret, GError **error)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)labels, key, value) {
        if (!json_is_string(value)) {
            return fail(error, DISTEM_ERROR_INVALID, 0, "label \"%s\" must be a text", key);
        }
        g_hash_table_insert(ret, g_strdup(key), g_strdup(json_string_value(value)));
    }
    return true;
}

static bool join(struct pnode_server *s, const json_t *body, GError **error)
{
    g_autoptr(GHashTable) labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    const char *database = NULL;
    const json_t *said_labels = NULL;
    json_int_t max_vnodes = 0, max_vifaces = 0;
    json_error_t problem;
    if (json_unpack_ex((json_t *)body, &problem, 0, "{s:s, s?o, s?I, s?I !}", "database", &database, "labels", &said_labels,
                       "max_vnodes", &max_vnodes, "max_vifaces", &max_vifaces) < 0) {
        return fail(error, DISTEM_ERROR_INVALID, 0,
                    "expected {\"database\": \"tcp:HOST:PORT\", \"labels\": {}, \"max_vnodes\": n, \"max_vifaces\": n}: %s",
                    problem.text);
    }
    if (max_vnodes < 0 || max_vnodes > UINT32_MAX || max_vifaces < 0 || max_vifaces > UINT32_MAX) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "the limits must be from 0 to %u", UINT32_MAX);
    }
    if (!read_labels(said_labels, labels, error)) {
        return false;
    }
    if (s->database) {
        return g_str_equal(s->database, database) ||
               fail(error, DISTEM_ERROR_CONFLICT, 0,
                    "pnode %s belongs to another coordinator, whose database is at %s: remove it there, and start its distemd anew",
                    s->config.name, s->database);
    }
    const struct pnode_join said = {
        .database = database, .labels = labels, .max_vnodes = (uint32_t)max_vnodes, .max_vifaces = (uint32_t)max_vifaces};
    if (!s->calls.join(s->aux, &said, error)) {
        return false;
    }
    log_info("pnode", "joined a coordinator", "database=%s", database);
    pnode_server_set_database(s, database);
    return true;
}

static void join_post(struct rest_request *request, void *context)
{
    struct pnode_server *s = context;
    json_t *body = rest_request_json(request);
    if (!body) {
        return;
    }
    GError *error = NULL;
    if (join(s, body, &error)) {
        rest_reply(request, 200, json_pack("{s:s}", "pnode", s->config.name));
    } else {
        rest_reply_error(request, error, NULL);
    }
    json_decref(body);
}

/* exec */

/* A command that waits for its connection to be upgraded. */
struct command {
    struct pnode_server *s;
    json_t *body; /* Keeps the strings. */
    struct vnode vnode;
    const char **argv;
    bool tty;
};

static void run_command(int fd, const void *early G_GNUC_UNUSED, size_t early_size, void *aux)
{
    struct command *command = aux;
    const struct pnode_server_config *config = &command->s->config;
    g_autoptr(GError) error = NULL;
    /* What comes before the answer is not the protocol. */
    if (fd >= 0 && !early_size) {
        pid_t pid = vnode_exec(config->worker_path, config->state_dir, &command->vnode, command->argv, command->tty, fd, &error);
        if (pid > 0) {
            watch_child(command->s, pid, -1);
        } else {
            log_warning("pnode", "cannot run a command", "vnode=%s error=\"%s\"", command->vnode.name, error->message);
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    json_decref(command->body);
    g_free(command->argv);
    g_free(command);
}

static void exec_post(struct rest_request *request, void *context)
{
    json_t *body = rest_request_json(request);
    if (!body) {
        return;
    }
    guint64 id;
    GError *error = NULL;
    g_autofree const char **argv = NULL;
    bool tty = false;
    json_t *name = json_object_get(body, "name");
    if (!json_is_string(name) || !g_ascii_string_to_unsigned(rest_request_param(request, "id"), 10, 1, UINT32_MAX, &id, NULL)) {
        fail(&error, DISTEM_ERROR_INVALID, 0, "expected the vnode's id in the path, and its \"name\"");
    }
    if (error || !exec_request_parse(body, &argv, &tty, &error)) {
        rest_reply_error(request, error, NULL);
        json_decref(body);
        return;
    }
    struct command *command = g_new0(struct command, 1);
    *command = (struct command){.s = context,
                                .body = body,
                                .vnode = {.id = (uint32_t)id, .name = (char *)json_string_value(name)},
                                .argv = g_steal_pointer(&argv),
                                .tty = tty};
    rest_upgrade(request, EXEC_PROTOCOL, run_command, command);
}

/* probe */

static void run_prober(int fd, const void *early G_GNUC_UNUSED, size_t early_size, void *aux)
{
    struct pnode_server *s = aux;
    if (fd < 0) {
        return;
    }
    g_autofree char *netns = g_strconcat(s->config.run_dir, "/netns", NULL);
    const char *argv[] = {s->config.probe_path, "--netns", netns, NULL};
    g_autoptr(GError) error = NULL;
    pid_t pid = early_size ? -1 : spawn_process(argv[0], argv, (int[]){fd, fd, STDERR_FILENO}, 3, &error);
    if (pid > 0) {
        watch_child(s, pid, fd);
        return;
    }
    log_warning("pnode", "cannot start the prober", "error=\"%s\"", error ? error->message : "it got input too early");
    close(fd);
}

static void probe_post(struct rest_request *request, void *context)
{
    rest_upgrade(request, PROBE_PROTOCOL, run_prober, context);
}

/* trace */

static void trace_post(struct rest_request *request, void *context)
{
    struct pnode_server *s = context;
    json_t *body = rest_request_json(request);
    if (!body) {
        return;
    }
    json_int_t id = 0;
    const char *flow = NULL;
    GError *error = NULL;
    g_autofree char *text = NULL;
    if (json_unpack(body, "{s:I, s:s}", "vnetwork", &id, "flow", &flow) < 0 || id < 1 || id > UINT32_MAX) {
        fail(&error, DISTEM_ERROR_INVALID, 0, "expected {\"vnetwork\": ID, \"flow\": \"...\"}");
    } else if (!s->calls.trace) {
        fail(&error, DISTEM_ERROR_UNSUPPORTED, 0, "this pnode cannot trace packets");
    } else {
        text = s->calls.trace(s->aux, (uint32_t)id, flow, &error);
    }
    if (text) {
        rest_reply(request, 200, json_pack("{s:s}", "text", text));
    } else {
        rest_reply_error(request, error, NULL);
    }
    json_decref(body);
}

static const struct rest_route routes[] = {
    {"GET", "/", root_get, 0},         {"POST", "/join", join_post, 0},   {"POST", "/vnodes/:id/exec", exec_post, 0},
    {"POST", "/probe", probe_post, 0}, {"POST", "/trace", trace_post, 0}, {0},
};

struct pnode_server *pnode_server_new(const struct pnode_server_config *config, const struct pnode_server_calls *calls, void *aux,
                                      GError **error)
{
    struct pnode_server *s = g_new0(struct pnode_server, 1);
    s->config = (struct pnode_server_config){
        .address = g_strdup(config->address),
        .port = config->port,
        .name = g_strdup(config->name),
        .run_dir = g_strdup(config->run_dir),
        .state_dir = g_strdup(config->state_dir),
        .worker_path = g_strdup(config->worker_path),
        .probe_path = g_strdup(config->probe_path),
    };
    s->calls = *calls;
    s->aux = aux;
    s->children = g_array_new(FALSE, FALSE, sizeof(struct child));
    s->rest = rest_server_new(config->address, config->port, routes, s, error);
    if (!s->rest) {
        pnode_server_free(s);
        return NULL;
    }
    return s;
}

void pnode_server_set_database(struct pnode_server *s, const char *database)
{
    g_free(s->database);
    s->database = g_strdup(database);
}

void pnode_server_free(struct pnode_server *s)
{
    if (!s) {
        return;
    }
    rest_server_free(s->rest);
    for (unsigned i = 0; i < s->children->len; i++) {
        const struct child *child = &g_array_index(s->children, struct child, i);
        close(child->pidfd);
        if (child->socket >= 0) {
            kill(child->pid, SIGKILL);
            waitpid(child->pid, NULL, 0);
            close(child->socket);
        }
    }
    g_array_unref(s->children);
    g_free(s->database);
    g_free((char *)s->config.address);
    g_free((char *)s->config.name);
    g_free((char *)s->config.run_dir);
    g_free((char *)s->config.state_dir);
    g_free((char *)s->config.worker_path);
    g_free((char *)s->config.probe_path);
    g_free(s);
}

/* A prober whose connection broke measures for nobody, and disturbs what others measure. */
static void end_forsaken(const struct child *child)
{
    struct pollfd fd = {.fd = child->socket};
    if (child->socket >= 0 && poll(&fd, 1, 0) > 0 && fd.revents & (POLLHUP | POLLERR)) {
        kill(child->pid, SIGKILL);
    }
}

void pnode_server_run(struct pnode_server *s)
{
    rest_server_run(s->rest);
    for (unsigned i = s->children->len; i-- > 0;) {
        const struct child *child = &g_array_index(s->children, struct child, i);
        end_forsaken(child);
        if (waitpid(child->pid, NULL, WNOHANG)) {
            close(child->pidfd);
            if (child->socket >= 0) {
                close(child->socket);
            }
            g_array_remove_index_fast(s->children, i);
        }
    }
}

void pnode_server_wait(struct pnode_server *s)
{
    rest_server_wait(s->rest);
    for (unsigned i = 0; i < s->children->len; i++) {
        const struct child *child = &g_array_index(s->children, struct child, i);
        poll_wait_fd(child->pidfd, POLLIN);
        if (child->socket >= 0) {
            poll_wait_fd(child->socket, 0);
        }
    }
}

uint16_t pnode_server_port(const struct pnode_server *s)
{
    return rest_server_port(s->rest);
}
