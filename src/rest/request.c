/* SPDX-License-Identifier: Apache-2.0 */
/* A request from its first line to its handler. */
#include <config.h>

#include "internal.h"

#include <string.h>

/* How much of a refused body is read and thrown away before the connection is cut: enough for a client that sends first and
 * reads afterwards to see the answer. */
#define DRAIN_LIMIT ((size_t)64 << 20)

static const char *header(const struct rest_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* Refuses what a web page of somebody else can make a browser send: a page's requests carry its Origin, and a page whose own name
 * was pointed to 127.0.0.1 (DNS rebinding) names that in Host. */
static bool check_sender(struct rest_request *request)
{
    const char *host = header(request, MHD_HTTP_HEADER_HOST);
    const char *origin = header(request, MHD_HTTP_HEADER_ORIGIN);
    if (request->server->loopback && host && !host_is_loopback(host)) {
        g_autofree char *message = g_strdup_printf(
            "the daemon listens on a loopback address only and does not answer for \"%.200s\": ask for 127.0.0.1 or localhost",
            host);
        reply_failure(request, MHD_HTTP_FORBIDDEN, DISTEM_ERROR_INVALID, message, NULL);
        return false;
    }
    if (origin && !origin_is_host(origin, host ? host : "")) {
        g_autofree char *message = g_strdup_printf("requests of web pages of another site (%.200s) are not answered", origin);
        reply_failure(request, MHD_HTTP_FORBIDDEN, DISTEM_ERROR_INVALID, message, NULL);
        return false;
    }
    return true;
}

static bool find_route(struct rest_request *request)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *allow = NULL;
    request->route = route_find(request->server->routes, request->method, request->path, &request->params, &allow, &error);
    if (request->route) {
        return true;
    }
    if (allow) {
        reply_failure(request, MHD_HTTP_METHOD_NOT_ALLOWED, DISTEM_ERROR_INVALID, error->message, allow);
    } else {
        rest_reply_error(request, g_steal_pointer(&error), NULL);
    }
    return false;
}

struct query_reader {
    GHashTable *queries;
    GError *error;
};

static enum MHD_Result read_query(void *aux, enum MHD_ValueKind kind, const char *key, size_t key_size, const char *value,
                                  size_t value_size)
{
    (void)kind;
    struct query_reader *reader = aux;
    char *name = percent_decode(key, key_size, &reader->error);
    if (!name) {
        return MHD_NO;
    }
    char *text = percent_decode(value ? value : "", value_size, &reader->error);
    if (!text) {
        g_free(name);
        return MHD_NO;
    }
    g_hash_table_insert(reader->queries, name, text);
    return MHD_YES;
}

static bool read_queries(struct rest_request *request)
{
    struct query_reader reader = {.queries = request->queries};
    MHD_get_connection_values_n(request->connection, MHD_GET_ARGUMENT_KIND, read_query, &reader);
    if (reader.error) {
        rest_reply_error(request, reader.error, NULL);
        return false;
    }
    return true;
}

static size_t body_limit(const struct rest_request *request)
{
    return request->route->body_limit ? request->route->body_limit : REST_BODY_LIMIT;
}

static bool check_size(struct rest_request *request)
{
    const char *length = header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (length && g_ascii_strtoull(length, NULL, 10) > body_limit(request)) {
        /* A client that does not ask before it sends (Expect: 100-continue) would lose the answer to a reset connection. */
        if (header(request, MHD_HTTP_HEADER_EXPECT)) {
            g_autoptr(GError) error = NULL;
            fail(&error, DISTEM_ERROR_TOO_LARGE, 0, "the body has %s bytes, but may have at most %zu", length, body_limit(request));
            rest_reply_error(request, g_steal_pointer(&error), NULL);
        } else {
            reply_too_large_midway(request);
        }
        return false;
    }
    return true;
}

struct rest_request *request_new(struct rest_server *server, struct MHD_Connection *connection, const char *method,
                                 const char *path)
{
    struct rest_request *request = g_new0(struct rest_request, 1);
    request->server = server;
    request->connection = connection;
    request->method = g_strdup(method);
    request->path = g_strdup(path);
    request->start = g_get_monotonic_time();
    request->queries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    request->body = g_string_new(NULL);
    g_hash_table_add(server->requests, request);
    if (check_sender(request) && find_route(request) && read_queries(request)) {
        check_size(request);
    }
    return request;
}

void request_free(struct rest_request *request)
{
    g_hash_table_remove(request->server->requests, request);
    if (request->ready) {
        request->ready(-1, NULL, 0, request->ready_aux);
    }
    if (request->response) {
        MHD_destroy_response(request->response);
    }
    if (request->params) {
        g_hash_table_unref(request->params);
    }
    g_hash_table_unref(request->queries);
    g_string_free(request->body, TRUE);
    g_free(request->method);
    g_free(request->path);
    g_free(request);
}

bool request_append(struct rest_request *request, const char *data, size_t size)
{
    if (request->state == REQUEST_READING) {
        if (size <= body_limit(request) - request->body->len) {
            g_string_append_len(request->body, data, (gssize)size);
            return true;
        }
        reply_too_large_midway(request);
    }
    request->drained += size;
    return request->drained <= DRAIN_LIMIT;
}

void request_handle(struct rest_request *request)
{
    request->state = REQUEST_HANDLING;
    request->route->handler(request, request->server->context);
    if (request->state == REQUEST_HANDLING) {
        request->state = REQUEST_SUSPENDED;
        MHD_suspend_connection(request->connection);
    }
}

void request_resume(struct rest_request *request)
{
    MHD_resume_connection(request->connection);
    request->server->resumed = true;
}

const char *rest_request_param(const struct rest_request *request, const char *name)
{
    return g_hash_table_lookup(request->params, name);
}

const char *rest_request_query(const struct rest_request *request, const char *name)
{
    return g_hash_table_lookup(request->queries, name);
}

const char *rest_request_body(const struct rest_request *request, size_t *ret_size)
{
    if (ret_size) {
        *ret_size = request->body->len;
    }
    return request->body->str;
}

json_t *rest_request_json(struct rest_request *request)
{
    json_error_t problem;
    json_t *body = json_loadb(request->body->str, request->body->len, JSON_REJECT_DUPLICATES, &problem);
    GError *error = NULL;
    if (!body) {
        fail(&error, DISTEM_ERROR_INVALID, 0, "the body is not JSON: line %d, column %d: %s", problem.line, problem.column,
             problem.text);
    } else if (!json_is_object(body)) {
        fail(&error, DISTEM_ERROR_INVALID, 0, "the body must be a JSON object");
        json_decref(body);
        body = NULL;
    }
    if (error) {
        rest_reply_error(request, error, NULL);
    }
    return body;
}
