/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server: requests on raw sockets, in the same loop. */
#include <config.h>

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rest-client.h"
#include "src/rest/internal.h"

#define SMALL_LIMIT 1000
#define HOST "Host: localhost\nConnection: close\n"

/* What the handlers leave for the tests. */
struct seen {
    struct rest_request *kept;
    int fd;
    unsigned ready_calls;
    char *early;
};

static void get_thing(struct rest_request *request, void *context)
{
    (void)context;
    rest_reply(request, 200,
               json_pack("{ss?, ss?, ss?}", "name", rest_request_param(request, "name"), "q", rest_request_query(request, "q"),
                         "other", rest_request_query(request, "other")));
}

static void put_thing(struct rest_request *request, void *context)
{
    (void)context;
    size_t size;
    const char *body = rest_request_body(request, &size);
    g_assert_cmpuint(strlen(body), ==, size);
    rest_reply(request, 201, json_pack("{sI}", "size", (json_int_t)size));
}

static void post_json(struct rest_request *request, void *context)
{
    (void)context;
    json_t *body = rest_request_json(request);
    if (body) {
        rest_reply(request, 200, body);
    }
}

static void get_failure(struct rest_request *request, void *context)
{
    (void)context;
    AUTO_DIAGNOSTICS problems = {0};
    diagnostics_add(&problems, "a.json", 7, "/x", "bad \"x\"");
    diagnostics_add(&problems, NULL, 0, NULL, "worse \xff");
    rest_reply_error(request, g_error_new(DISTEM_ERROR, DISTEM_ERROR_CAPACITY, "no room"), &problems);
}

static void get_later(struct rest_request *request, void *context)
{
    struct seen *seen = context;
    seen->kept = request;
}

static void upgraded(int fd, const void *early, size_t early_size, void *aux)
{
    struct seen *seen = aux;
    seen->fd = fd;
    seen->ready_calls++;
    g_free(seen->early);
    seen->early = early_size ? g_strndup(early, early_size) : NULL;
}

static void post_upgrade(struct rest_request *request, void *context)
{
    rest_upgrade(request, "test-protocol", upgraded, context);
}

static const struct rest_route routes[] = {
    {"GET", "/", get_thing, 0},           {"GET", "/things/:name", get_thing, 0}, {"PUT", "/things/:name", put_thing, SMALL_LIMIT},
    {"PUT", "/big", put_thing, 64 << 20}, {"POST", "/json", post_json, 0},        {"GET", "/failure", get_failure, 0},
    {"GET", "/later", get_later, 0},      {"POST", "/upgrade", post_upgrade, 0},  {0},
};

static struct seen seen;

static struct rest_server *start(void)
{
    GError *error = NULL;
    seen = (struct seen){.fd = -1};
    struct rest_server *server = rest_server_new("127.0.0.1", 0, routes, &seen, &error);
    g_assert_no_error(error);
    return server;
}

/* Sends 'request' to a server of its own and checks the answer's status and that 'text' (may be NULL) is in it. */
static void check(const char *request, unsigned status, const char *text)
{
    struct rest_server *server = start();
    g_autofree char *answer = rest_exchange(server, request);
    g_autofree char *expected = g_strdup_printf("HTTP/1.1 %u ", status);
    if (!g_str_has_prefix(answer, expected) || (text && !strstr(answer, text))) {
        g_error("%s\n... expected %u with \"%s\", but the answer was\n%s", request, status, text ? text : "", answer);
    }
    rest_server_free(server);
}

static void test_routes(void)
{
    check("GET / HTTP/1.1\n" HOST "\n", 200, "{\"name\":null,\"q\":null,\"other\":null}\n");
    check("GET /things/a HTTP/1.1\n" HOST "\n", 200, "\"name\":\"a\"");
    check("GET /things/a%2Fb%20%C3%A9?q=1%262&other HTTP/1.1\n" HOST "\n", 200,
          "{\"name\":\"a/b \xc3\xa9\",\"q\":\"1&2\",\"other\":\"\"}");
    check("GET /things/a?q=b+c%2Bd HTTP/1.1\n" HOST "\n", 200, "\"q\":\"b c+d\"");
    check("GET /%74hings/a HTTP/1.1\n" HOST "\n", 200, "\"name\":\"a\"");
    check("GET /things HTTP/1.1\n" HOST "\n", 404, "\"code\":\"not-found\"");
    check("GET /things/ HTTP/1.1\n" HOST "\n", 404, NULL);
    check("GET /things/a/ HTTP/1.1\n" HOST "\n", 404, NULL);
    check("GET /things/a/b HTTP/1.1\n" HOST "\n", 404, NULL);
    check("GET /things%2Fa HTTP/1.1\n" HOST "\n", 404, NULL);
    check("DELETE /things/a HTTP/1.1\n" HOST "\n", 405, "Allow: GET, HEAD, PUT\r\n");
    check("BREW /json HTTP/1.1\n" HOST "\n", 405, "Allow: POST\r\n");
    check("HEAD /things/a HTTP/1.1\n" HOST "\n", 200, "Content-Length: 35\r\n");
    check("HEAD /json HTTP/1.1\n" HOST "\n", 405, NULL);
}

static void test_malformed(void)
{
    check("GET /things/%zz HTTP/1.1\n" HOST "\n", 400, "two hexadecimal digits");
    check("GET /things/a% HTTP/1.1\n" HOST "\n", 400, NULL);
    check("GET /things/%00 HTTP/1.1\n" HOST "\n", 400, "UTF-8");
    check("GET /things/%ff HTTP/1.1\n" HOST "\n", 400, "UTF-8");
    check("GET /things/a?q=%f HTTP/1.1\n" HOST "\n", 400, "\"code\":\"invalid\"");
    check("GET /things/a?%zz=1 HTTP/1.1\n" HOST "\n", 400, NULL);
    check("GET things HTTP/1.1\n" HOST "\n", 404, NULL);
    check("PUT /things/a HTTP/1.1\n" HOST "Content-Length: x\n\n", 400, NULL);
    check("PUT /things/a HTTP/1.1\n" HOST "Transfer-Encoding: chunked\n\nxyz\n", 400, NULL);
    check("GET / HTTP/1.1\nConnection: close\n\n", 400, NULL);
}

static void test_senders(void)
{
    check("GET / HTTP/1.1\nHost: 127.0.0.1:4567\nConnection: close\n\n", 200, NULL);
    check("GET / HTTP/1.1\nHost: [::1]:80\nConnection: close\n\n", 200, NULL);
    check("GET / HTTP/1.1\nHost: LOCALHOST:80\nConnection: close\n\n", 200, NULL);
    check("GET / HTTP/1.1\nHost: evil.example\nConnection: close\n\n", 403, "\"code\":\"invalid\"");
    check("GET / HTTP/1.1\nHost: 127.0.0.1.evil.example\nConnection: close\n\n", 403, NULL);
    check("GET / HTTP/1.1\nHost: 127.0.0.1:x\nConnection: close\n\n", 403, NULL);
    check("GET / HTTP/1.1\nHost: [::1\nConnection: close\n\n", 403, NULL);
    check("GET / HTTP/1.1\nHost: 10.0.0.1\nConnection: close\n\n", 403, NULL);
    check("GET / HTTP/1.1\n" HOST "Origin: http://localhost\n\n", 200, NULL);
    check("GET / HTTP/1.1\n" HOST "Origin: http://evil.example\n\n", 403, "\"code\":\"invalid\"");
    check("GET / HTTP/1.1\n" HOST "Origin: null\n\n", 403, NULL);
    check("PUT /things/a HTTP/1.1\n" HOST "Origin: null\nContent-Length: 2\n\n{}", 403, NULL);
}

static void test_json(void)
{
    check("POST /json HTTP/1.1\n" HOST "Content-Length: 9\n\n{\"a\": 1 }", 200, "{\"a\":1}\n");
    check("POST /json HTTP/1.1\n" HOST "Content-Length: 2\n\n[]", 400, "must be a JSON object");
    check("POST /json HTTP/1.1\n" HOST "Content-Length: 2\n\n{a", 400, "line 1, column 2");
    check("POST /json HTTP/1.1\n" HOST "Content-Length: 0\n\n", 400, "not JSON");
    check("POST /json HTTP/1.1\n" HOST "Content-Length: 13\n\n{\"a\":1,\"a\":2}", 400, "duplicate");
    check("GET /failure HTTP/1.1\n" HOST "\n", 507,
          "{\"error\":{\"code\":\"capacity\",\"message\":\"no room\",\"details\":["
          "{\"file\":\"a.json\",\"line\":7,\"pointer\":\"/x\",\"message\":\"bad \\\"x\\\"\"},"
          "{\"file\":null,\"line\":null,\"pointer\":null,\"message\":\"worse \xef\xbf\xbd\"}]}}\n");
}

/* Sends a body of 'size' bytes in chunks, or with its length announced. Returns the answer. */
static char *send_body(struct rest_server *server, const char *path, gsize size, gboolean chunked, const char *headers)
{
    struct rest_client *client = rest_client_new(server);
    g_autofree char *length =
        chunked ? g_strdup("Transfer-Encoding: chunked") : g_strdup_printf("Content-Length: %" G_GSIZE_FORMAT, size);
    g_autofree char *head =
        g_strdup_printf("PUT %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s%s\r\n\r\n", path, headers, length);
    rest_client_send(client, head, strlen(head));
    g_autofree char *piece = g_strnfill(10000, 'x');
    for (gsize sent = 0; sent < size && !*headers;) {
        gsize n = MIN(size - sent, 10000);
        if (chunked) {
            g_autofree char *chunk = g_strdup_printf("%" G_GSIZE_MODIFIER "x\r\n%.*s\r\n", n, (int)n, piece);
            rest_client_send(client, chunk, strlen(chunk));
        } else {
            rest_client_send(client, piece, n);
        }
        sent += n;
    }
    if (chunked) {
        rest_client_send(client, "0\r\n\r\n", 5);
    }
    char *answer = g_strdup(rest_client_finish(client));
    rest_client_free(client);
    return answer;
}

static void test_body_limits(void)
{
    const struct {
        const char *path;
        gsize size;
        const char *answer;
    } cases[] = {
        {"/things/a", SMALL_LIMIT, "HTTP/1.1 201 "}, {"/things/a", SMALL_LIMIT + 1, "HTTP/1.1 413 "},
        {"/things/a", 5 << 20, "HTTP/1.1 413 "},     {"/things/a", 40 << 20, "HTTP/1.1 413 "},
        {"/big", 64 << 20, "HTTP/1.1 201 "},         {"/big", (64 << 20) + 1, "HTTP/1.1 413 "},
        {"/nowhere", 100, "HTTP/1.1 404 "},
    };
    struct rest_server *server = start();
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (int chunked = 0; chunked <= 1; chunked++) {
            g_autofree char *answer = send_body(server, cases[i].path, cases[i].size, chunked, "");
            g_test_message("%s %zu chunked=%d", cases[i].path, cases[i].size, chunked);
            g_assert_true(g_str_has_prefix(answer, cases[i].answer));
        }
    }
    /* Who asks before sending is told without having sent. */
    g_autofree char *answer = send_body(server, "/things/a", 1 << 30, FALSE, "Expect: 100-continue\r\n");
    g_assert_true(g_str_has_prefix(answer, "HTTP/1.1 413 "));
    g_assert_nonnull(strstr(answer, "\"code\":\"too-large\""));
    /* Who never stops is cut off. */
    g_autofree char *last = send_body(server, "/things/a", (gsize)200 << 20, TRUE, "");
    g_assert_true(g_str_has_prefix(last, "HTTP/1.1 413 ") || !*last);
    rest_server_free(server);
}

static void test_keep_alive(void)
{
    struct rest_server *server = start();
    struct rest_client *client = rest_client_new(server);
    const char *request = "GET /things/a HTTP/1.1\r\nHost: localhost\r\n\r\nGET /things/b HTTP/1.1\r\nHost: localhost\r\n"
                          "Connection: close\r\n\r\n";
    rest_client_send(client, request, strlen(request));
    const char *answer = rest_client_finish(client);
    g_assert_nonnull(strstr(answer, "\"name\":\"a\""));
    g_assert_nonnull(strstr(answer, "\"name\":\"b\""));
    rest_client_free(client);
    rest_server_free(server);
}

/* Runs until a handler has kept its request. */
static struct rest_client *start_suspended(struct rest_server *server)
{
    const char *request = "GET /later HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    struct rest_client *client = rest_client_new(server);
    rest_client_send(client, request, strlen(request));
    seen.kept = NULL;
    while (!seen.kept) {
        rest_client_turn(client);
    }
    return client;
}

static void test_suspended(void)
{
    struct rest_server *server = start();
    struct rest_client *client = start_suspended(server);
    struct rest_request *first = seen.kept;
    struct rest_client *second = start_suspended(server);
    g_autofree char *between = rest_exchange(server, "GET / HTTP/1.1\n" HOST "\n");
    g_assert_true(g_str_has_prefix(between, "HTTP/1.1 200 "));
    g_assert_cmpuint(client->received->len, ==, 0);
    rest_reply(seen.kept, 202, json_pack("{sb}", "second", true));
    g_assert_nonnull(strstr(rest_client_finish(second), "{\"second\":true}"));
    rest_reply(first, 200, NULL);
    g_assert_true(g_str_has_prefix(rest_client_finish(client), "HTTP/1.1 500 "));
    rest_client_free(client);
    rest_client_free(second);

    /* The client goes away; the request stays valid until the reply. */
    rest_client_free(start_suspended(server));
    rest_server_run(server);
    rest_reply_error(seen.kept, g_error_new(DISTEM_ERROR, DISTEM_ERROR_CONFLICT, "too late"), NULL);
    rest_server_run(server);

    /* The server goes away. */
    client = start_suspended(server);
    rest_server_free(server);
    rest_client_free(client);
}

static void test_full(void)
{
    struct rlimit files;
    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &files), ==, 0);
    files.rlim_cur = MIN(files.rlim_max, 4096);
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &files), ==, 0);
    struct rest_server *server = start();
    struct rest_client *idle[REST_CONNECTION_LIMIT];
    for (unsigned i = 0; i < G_N_ELEMENTS(idle); i++) {
        idle[i] = rest_client_new(server);
        rest_client_turn(idle[i]);
    }
    /* One more is served when another one has gone, and not before. */
    struct rest_client *last = rest_client_new(server);
    const char *request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    rest_client_send(last, request, strlen(request));
    for (unsigned i = 0; i < 10; i++) {
        rest_server_run(server);
    }
    g_assert_cmpint(recv(last->fd, &(char){0}, 1, MSG_DONTWAIT), ==, -1);
    rest_client_free(idle[0]);
    g_assert_true(g_str_has_prefix(rest_client_finish(last), "HTTP/1.1 200 "));
    rest_client_free(last);
    for (unsigned i = 1; i < G_N_ELEMENTS(idle); i++) {
        rest_client_free(idle[i]);
    }
    rest_server_free(server);
}

static const char upgrade_request[] = "POST /upgrade HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                                      "Upgrade: test-protocol\r\nContent-Length: 2\r\n\r\n{}";

static struct rest_client *upgrade(struct rest_server *server, const char *early)
{
    struct rest_client *client = rest_client_new(server);
    g_autofree char *all = g_strconcat(upgrade_request, early, NULL);
    rest_client_send(client, all, strlen(all));
    while (!seen.ready_calls) {
        rest_client_turn(client);
    }
    return client;
}

static void test_upgrade(void)
{
    struct rest_server *server = start();
    struct rest_client *client = upgrade(server, "");
    g_assert_cmpint(seen.fd, >=, 0);
    g_assert_null(seen.early);
    g_assert_cmpint(fcntl(seen.fd, F_GETFL) & O_NONBLOCK, ==, 0);
    g_assert_cmpint(fcntl(seen.fd, F_GETFD) & FD_CLOEXEC, !=, 0);
    /* The socket works on its own, also without the server. */
    rest_server_run(server);
    rest_server_free(server);
    char buffer[100] = "";
    g_assert_cmpint(send(client->fd, "to server", 9, 0), ==, 9);
    g_assert_cmpint(recv(seen.fd, buffer, sizeof buffer, 0), ==, 9);
    g_assert_cmpstr(buffer, ==, "to server");
    g_assert_cmpint(send(seen.fd, "to client", 9, 0), ==, 9);
    close(seen.fd);
    g_string_truncate(client->received, 0);
    char answer[1000] = "";
    gsize size = 0;
    for (ssize_t n; (n = recv(client->fd, answer + size, sizeof answer - 1 - size, 0)) > 0;) {
        size += (gsize)n;
    }
    g_assert_true(g_str_has_suffix(answer, "to client"));
    rest_client_free(client);
    g_assert_cmpuint(seen.ready_calls, ==, 1);
}

static void test_upgrade_head(void)
{
    struct rest_server *server = start();
    struct rest_client *client = upgrade(server, "");
    close(seen.fd);
    const char *answer = rest_client_finish(client);
    g_assert_true(g_str_has_prefix(answer, "HTTP/1.1 101 "));
    g_assert_nonnull(strstr(answer, "\r\nUpgrade: test-protocol\r\n"));
    g_assert_nonnull(strcasestr(answer, "\r\nConnection: Upgrade\r\n"));
    rest_client_free(client);
    rest_server_free(server);
}

static void test_upgrade_early(void)
{
    struct rest_server *server = start();
    struct rest_client *client = upgrade(server, "too early");
    g_assert_cmpstr(seen.early, ==, "too early");
    g_clear_pointer(&seen.early, g_free);
    close(seen.fd);
    rest_client_free(client);
    rest_server_free(server);
}

static void test_upgrade_refused(void)
{
    check("POST /upgrade HTTP/1.1\n" HOST "Content-Length: 0\n\n", 400, "Upgrade: test-protocol");
    g_assert_cmpuint(seen.ready_calls, ==, 1);
    g_assert_cmpint(seen.fd, ==, -1);
    check("POST /upgrade HTTP/1.1\nHost: localhost\nConnection: close, Upgrade\nUpgrade: other\nContent-Length: 0\n\n", 400, NULL);
    g_assert_cmpuint(seen.ready_calls, ==, 1);
}

static void test_addresses(void)
{
    GError *error = NULL;
    struct rest_server *server = start();
    g_assert_null(rest_server_new("127.0.0.1", rest_server_port(server), routes, &seen, &error));
    g_assert_error(error, DISTEM_ERROR, DISTEM_ERROR_CONFLICT);
    g_assert_nonnull(strstr(error->message, "127.0.0.1 port"));
    g_clear_error(&error);
    rest_server_free(server);
    rest_server_free(NULL);
    g_assert_null(rest_server_new("localhost", 0, routes, &seen, &error));
    g_assert_error(error, DISTEM_ERROR, DISTEM_ERROR_INVALID);
    g_clear_error(&error);
    server = rest_server_new("::1", 0, routes, &seen, &error);
    if (server) {
        g_assert_cmpuint(rest_server_port(server), >, 0);
        rest_server_free(server);
    } else {
        g_clear_error(&error); /* A machine without IPv6. */
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rest/routes", test_routes);
    g_test_add_func("/rest/malformed", test_malformed);
    g_test_add_func("/rest/senders", test_senders);
    g_test_add_func("/rest/json", test_json);
    g_test_add_func("/rest/body-limits", test_body_limits);
    g_test_add_func("/rest/keep-alive", test_keep_alive);
    g_test_add_func("/rest/suspended", test_suspended);
    g_test_add_func("/rest/full", test_full);
    g_test_add_func("/rest/upgrade", test_upgrade);
    g_test_add_func("/rest/upgrade-head", test_upgrade_head);
    g_test_add_func("/rest/upgrade-early", test_upgrade_early);
    g_test_add_func("/rest/upgrade-refused", test_upgrade_refused);
    g_test_add_func("/rest/addresses", test_addresses);
    return g_test_run();
}
