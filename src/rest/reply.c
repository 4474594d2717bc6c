/* SPDX-License-Identifier: Apache-2.0 */
/* Replies: JSON, errors, and the change to another protocol. */
#include <config.h>

#include "internal.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Hands the reply over: MHD takes it when the request's callback returns, or is called again because it was suspended. */
static void finish(struct rest_request *request, unsigned status, struct MHD_Response *response)
{
    g_assert(request->state != REQUEST_REPLIED && request->state != REQUEST_DRAINING);
    enum request_state before = request->state;
    request->response = response;
    request->status = status;
    request->state = REQUEST_REPLIED;
    if (before == REQUEST_SUSPENDED) {
        request_resume(request);
    }
}

/* Returns 'body' as a line of text, to be freed. Consumes it. */
static char *dump(json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    g_assert(text);
    size_t size = strlen(text);
    text = g_realloc(text, size + 2);
    memcpy(text + size, "\n", 2);
    return text;
}

static struct MHD_Response *json_response(json_t *body)
{
    char *text = dump(body);
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    return response;
}

/* Strings of users may hold bytes that JSON cannot. */
static json_t *text_value(const char *text)
{
    if (!text) {
        return json_null();
    }
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    return json_string(valid);
}

static json_t *error_body(int code, const char *message, const struct diagnostics *problems)
{
    json_t *details = json_array();
    for (unsigned i = 0; problems && i < diagnostics_count(problems); i++) {
        const struct diagnostic *d = diagnostics_get(problems, i);
        json_array_append_new(details, json_pack("{so, so, so, so}", "file", text_value(d->file), "line",
                                                 d->line ? json_integer(d->line) : json_null(), "pointer", text_value(d->pointer),
                                                 "message", text_value(d->message)));
    }
    return json_pack("{s{ss, so, so}}", "error", "code", distem_error_name(code), "message", text_value(message), "details",
                     details);
}

void rest_reply(struct rest_request *request, unsigned status, json_t *body)
{
    if (!body) {
        status = MHD_HTTP_INTERNAL_SERVER_ERROR;
        body = error_body(DISTEM_ERROR_SYSTEM, "the answer could not be written as JSON", NULL);
    }
    finish(request, status, json_response(body));
}

void rest_reply_error(struct rest_request *request, GError *error, const struct diagnostics *problems)
{
    int code = error->domain == DISTEM_ERROR ? error->code : DISTEM_ERROR_SYSTEM;
    rest_reply(request, distem_error_http_status(code), error_body(code, error->message, problems));
    g_error_free(error);
}

void reply_failure(struct rest_request *request, unsigned status, int code, const char *message, const char *allow)
{
    struct MHD_Response *response = json_response(error_body(code, message, NULL));
    if (allow) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
    }
    finish(request, status, response);
}

void reply_too_large_midway(struct rest_request *request)
{
    g_autofree char *message = g_strdup_printf("the body is larger than %zu bytes, the most that this route takes",
                                               request->route->body_limit ? request->route->body_limit : REST_BODY_LIMIT);
    g_autofree char *body = dump(error_body(DISTEM_ERROR_TOO_LARGE, message, NULL));
    g_autofree char *answer = g_strdup_printf("HTTP/1.1 413 Content Too Large\r\nContent-Type: application/json\r\n"
                                              "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                                              strlen(body), body);
    int fd = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    /* Nothing was sent on this connection for a while, so this little always fits; when the client is gone nobody misses it. */
    (void)!send(fd, answer, strlen(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    request->status = MHD_HTTP_CONTENT_TOO_LARGE;
    request->state = REQUEST_DRAINING;
    g_string_set_size(request->body, 0);
}

/* MHD calls this when the answer 101 has been sent. */
static void upgraded(void *aux, struct MHD_Connection *connection, void *request_aux, const char *extra, size_t extra_size, int fd,
                     struct MHD_UpgradeResponseHandle *handle)
{
    (void)connection;
    (void)request_aux;
    struct rest_request *request = aux;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy >= 0) {
        int on = 1, off = 0;
        setsockopt(copy, IPPROTO_TCP, TCP_CORK, &off, sizeof off);
        setsockopt(copy, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        int flags = fcntl(copy, F_GETFL);
        fcntl(copy, F_SETFL, flags & ~O_NONBLOCK);
    }
    rest_upgraded *ready = g_steal_pointer(&request->ready);
    ready(copy, extra, extra_size, request->ready_aux);
    /* MHD has no part in this connection any more; in its next run it closes its own descriptor, without shutting the socket down.
     */
    request->server->resumed = true;
    MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}

void rest_upgrade(struct rest_request *request, const char *protocol, rest_upgraded *ready, void *aux)
{
    const char *asked = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_UPGRADE);
    struct MHD_Response *response =
        asked && !g_ascii_strcasecmp(asked, protocol) ? MHD_create_response_for_upgrade(upgraded, request) : NULL;
    if (!response) {
        g_autofree char *message = g_strdup_printf(
            "this takes the connection over: ask for it with \"Connection: Upgrade\" and \"Upgrade: %s\"", protocol);
        reply_failure(request, MHD_HTTP_BAD_REQUEST, DISTEM_ERROR_INVALID, message, NULL);
        ready(-1, NULL, 0, aux);
        return;
    }
    request->ready = ready;
    request->ready_aux = aux;
    MHD_add_response_header(response, MHD_HTTP_HEADER_UPGRADE, protocol);
    finish(request, MHD_HTTP_SWITCHING_PROTOCOLS, response);
}
