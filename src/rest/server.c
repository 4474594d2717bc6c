/* SPDX-License-Identifier: Apache-2.0 */
/* The server: libmicrohttpd in epoll mode, run by the daemon's loop. */
#include <config.h>

#include "internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "distem/ip.h"
#include "distem/log.h"
#include "distem/poll.h"

#define IDLE_TIMEOUT 60 /* Seconds until a silent connection is closed; suspended requests do not count. */

static enum MHD_Result on_access(void *server, struct MHD_Connection *connection, const char *path, const char *method,
                                 const char *version, const char *data, size_t *size, void **state)
{
    (void)version;
    struct rest_request *request = *state;
    if (!request) {
        request = *state = request_new(server, connection, method, path);
        if (request->state != REQUEST_REPLIED) {
            return MHD_YES;
        }
    } else if (*size) {
        bool go_on = request_append(request, data, *size);
        *size = 0;
        return go_on ? MHD_YES : MHD_NO;
    } else if (request->state == REQUEST_READING) {
        request_handle(request);
    }
    switch (request->state) {
    case REQUEST_REPLIED:
        return MHD_queue_response(connection, request->status, request->response);
    case REQUEST_SUSPENDED:
        return MHD_YES;
    default:
        return MHD_NO;
    }
}

static void on_completed(void *server, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
    (void)server;
    (void)connection;
    struct rest_request *request = g_steal_pointer(state);
    if (!request) {
        return; /* The first line never came. */
    }
    log_debug("rest", "request", "method=%s path=\"%s\" status=%u us=%" G_GINT64_FORMAT "%s", request->method, request->path,
              request->status, g_get_monotonic_time() - request->start,
              code == MHD_REQUEST_TERMINATED_COMPLETED_OK ? "" : " incomplete=yes");
    request_free(request);
}

static void on_log(void *server, const char *format, va_list args) G_GNUC_PRINTF(2, 0);
static void on_log(void *server, const char *format, va_list args)
{
    (void)server;
    g_autofree char *message = g_strdup_vprintf(format, args);
    log_debug("rest", "http", "message=\"%s\"", g_strchomp(message));
}

/* Leaves paths and queries encoded: a slash or an ampersand in a name must be told from one between names. */
static size_t keep_encoded(void *server, struct MHD_Connection *connection, char *text)
{
    (void)server;
    (void)connection;
    return strlen(text);
}

static socklen_t make_sockaddr(const struct ip_addr *addr, uint16_t port, struct sockaddr_storage *ret)
{
    memset(ret, 0, sizeof *ret);
    if (addr->family == 4) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        memcpy(&v4->sin_addr, addr->bytes, 4);
        return sizeof *v4;
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    memcpy(&v6->sin6_addr, addr->bytes, 16);
    return sizeof *v6;
}

/* Opens the socket here and not in MHD, which would not say why it could not. Returns -1 with an error. */
static int open_listener(const struct ip_addr *addr, uint16_t port, uint16_t *ret_port, GError **error)
{
    struct sockaddr_storage name;
    socklen_t size = make_sockaddr(addr, port, &name);
    char text[IP_TEXT_SIZE];
    int fd = socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 || bind(fd, (struct sockaddr *)&name, size) < 0 ||
        listen(fd, SOMAXCONN) < 0 || getsockname(fd, (struct sockaddr *)&name, &size) < 0) {
        int errnum = errno;
        fail(error, errnum == EADDRINUSE ? DISTEM_ERROR_CONFLICT : DISTEM_ERROR_SYSTEM, errnum, "cannot listen on %s port %u",
             ip_format(addr, text), port);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    *ret_port = ntohs(addr->family == 4 ? ((struct sockaddr_in *)&name)->sin_port : ((struct sockaddr_in6 *)&name)->sin6_port);
    return fd;
}

struct rest_server *rest_server_new(const char *address, uint16_t port, const struct rest_route *routes, void *context,
                                    GError **error)
{
    struct ip_addr addr;
    uint16_t bound;
    if (!ip_addr_parse(address, &addr, error)) {
        return NULL;
    }
    int fd = open_listener(&addr, port, &bound, error);
    if (fd < 0) {
        return NULL;
    }
    struct rest_server *server = g_new0(struct rest_server, 1);
    struct ip_addr v6_loopback = {.family = 6, .bytes[15] = 1};
    server->loopback = addr.family == 4 ? addr.bytes[0] == 127 : ip_equal(&addr, &v6_loopback);
    server->routes = routes;
    server->context = context;
    server->port = bound;
    server->requests = g_hash_table_new(NULL, NULL);
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_access, server,
        MHD_OPTION_EXTERNAL_LOGGER, on_log, server, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_encoded, server, MHD_OPTION_CONNECTION_LIMIT, (unsigned)REST_CONNECTION_LIMIT,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (!server->daemon) {
        fail(error, DISTEM_ERROR_SYSTEM, 0, "cannot start the HTTP server on %s port %u", address, bound);
        close(fd);
        g_hash_table_unref(server->requests);
        g_free(server);
        return NULL;
    }
    return server;
}

void rest_server_free(struct rest_server *server)
{
    if (!server) {
        return;
    }
    /* MHD must not be stopped while it has suspended connections. */
    GHashTableIter i;
    gpointer key;
    g_hash_table_iter_init(&i, server->requests);
    while (g_hash_table_iter_next(&i, &key, NULL)) {
        struct rest_request *request = key;
        if (request->state == REQUEST_SUSPENDED) {
            request_resume(request);
        }
    }
    MHD_stop_daemon(server->daemon);
    g_assert(!g_hash_table_size(server->requests));
    g_hash_table_unref(server->requests);
    g_free(server);
}

void rest_server_run(struct rest_server *server)
{
    server->resumed = false;
    MHD_run(server->daemon);
}

void rest_server_wait(struct rest_server *server)
{
    poll_wait_fd(MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, POLLIN);
    MHD_UNSIGNED_LONG_LONG timeout;
    if (MHD_get_timeout(server->daemon, &timeout) == MHD_YES) {
        poll_wait_ms((int64_t)MIN(timeout, (MHD_UNSIGNED_LONG_LONG)G_MAXINT));
    }
    /* Neither the descriptor nor the timeout tells of connections that were resumed, or that may be accepted again. */
    unsigned connections = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections;
    bool was_full = server->full;
    server->full = connections >= REST_CONNECTION_LIMIT;
    if (server->resumed || (was_full && !server->full)) {
        poll_wake_now();
    }
}

uint16_t rest_server_port(const struct rest_server *server)
{
    return server->port;
}
