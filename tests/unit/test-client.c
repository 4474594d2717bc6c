/* SPDX-License-Identifier: Apache-2.0 */
/* The client library: frames, and what it makes of what servers answer. */
#include <config.h>

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "distem/client.h"
#include "distem/exec-protocol.h"
#include "src/client/frames.h"

static void test_frames(void)
{
    g_autoptr(GByteArray) stream = g_byte_array_new();
    g_autofree char *large = g_strnfill(EXEC_PAYLOAD_MAX + 1, 'x');
    frame_append(stream, EXEC_STDOUT, "hello", 5);
    frame_append(stream, EXEC_STDIN, NULL, 0);
    frame_append(stream, EXEC_STDERR, large, EXEC_PAYLOAD_MAX + 1);
    g_assert_cmpuint(stream->len, ==, 4 * EXEC_HEADER_SIZE + 5 + EXEC_PAYLOAD_MAX + 1);
    const struct frame expected[] = {
        {.type = EXEC_STDOUT, .size = 5},
        {.type = EXEC_STDIN, .size = 0},
        {.type = EXEC_STDERR, .size = EXEC_PAYLOAD_MAX},
        {.type = EXEC_STDERR, .size = 1},
    };
    /* However the stream is cut, the same frames come out. */
    for (unsigned step = 1; step <= stream->len; step = step * 3 + 1) {
        struct frame_reader reader = {0};
        struct frame frame;
        unsigned n = 0;
        for (unsigned at = 0; at < stream->len; at += step) {
            frame_reader_feed(&reader, stream->data + at, MIN(step, stream->len - at));
            for (int got; (got = frame_reader_next(&reader, &frame)) != 0; n++) {
                g_assert_cmpint(got, ==, 1);
                g_assert_cmpuint(n, <, G_N_ELEMENTS(expected));
                g_assert_cmpuint(frame.type, ==, expected[n].type);
                g_assert_cmpuint(frame.size, ==, expected[n].size);
                g_assert_true(n != 0 || !memcmp(frame.payload, "hello", 5));
            }
        }
        g_assert_cmpuint(n, ==, G_N_ELEMENTS(expected));
        frame_reader_clear(&reader);
    }
}

static void test_frame_too_large(void)
{
    struct frame_reader reader = {0};
    struct frame frame;
    frame_reader_feed(&reader, "o\x00\x01\x00\x01", 5);
    g_assert_cmpint(frame_reader_next(&reader, &frame), ==, -1);
    frame_reader_clear(&reader);
    frame_reader_clear(&reader);
}

/* Serves one connection: reads until the end of the request's head and answers 'answer'. */
static void *serve_once(void *aux)
{
    const char *const *answer = aux;
    int listener = GPOINTER_TO_INT(answer[1]), fd = accept(listener, NULL, NULL);
    g_autoptr(GString) request = g_string_new(NULL);
    char buffer[1000];
    ssize_t n;
    while (!strstr(request->str, "\r\n\r\n") && (n = recv(fd, buffer, sizeof buffer, 0)) > 0) {
        g_string_append_len(request, buffer, n);
    }
    g_assert_cmpint(send(fd, answer[0], strlen(answer[0]), MSG_NOSIGNAL), ==, strlen(answer[0]));
    shutdown(fd, SHUT_WR);
    while (recv(fd, buffer, sizeof buffer, 0) > 0) {
    }
    close(fd);
    return NULL;
}

/* Asks for the platform (or, with 'exec', runs a command) a server that answers 'answer', and checks the error. */
static void check_answer(const char *answer, bool exec, const char *code, const char *message)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_true(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 1) == 0);
    g_assert_cmpint(getsockname(listener, (struct sockaddr *)&address, &size), ==, 0);
    const char *const aux[] = {answer, GINT_TO_POINTER(listener)};
    GThread *server = g_thread_new("server", serve_once, (gpointer)aux);
    g_autofree char *url = g_strdup_printf("http://127.0.0.1:%u/", ntohs(address.sin_port));
    struct distem_error error = {0};
    struct distem *client = distem_open(url, &error);
    g_assert_nonnull(client);
    const char *const argv[] = {"true", NULL};
    if (exec) {
        g_assert_null(distem_exec(client, "n1", argv, false, &error));
    } else {
        g_assert_null(distem_platform(client, &error));
    }
    g_test_message("%s: %s", error.code, error.message);
    g_assert_cmpstr(error.code, ==, code);
    g_assert_nonnull(strstr(error.message, message));
    distem_error_clear(&error);
    distem_close(client);
    g_thread_join(server);
    close(listener);
}

static void test_answers(void)
{
    check_answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, "system", "not JSON");
    check_answer("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello", false, "system", "HTTP status 404");
    check_answer("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 2\r\n\r\n{}", false, "system", "HTTP status 302");
    check_answer("HTTP/1.1 409 Conflict\r\nContent-Length: 46\r\n\r\n"
                 "{\"error\":{\"code\":\"conflict\",\"message\":\"busy\"}}",
                 false, "conflict", "busy");
    check_answer("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", false, "unreachable", "no answer from");
    check_answer("nonsense\r\n\r\n", false, "unreachable", "no answer from");
}

static void test_exec_answers(void)
{
    check_answer("HTTP/1.1 409 Conflict\r\nContent-Length: 46\r\n\r\n"
                 "{\"error\":{\"code\":\"conflict\",\"message\":\"busy\"}}",
                 true, "conflict", "busy");
    check_answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", true, "system", "HTTP status 200");
    check_answer("HTTP/1.1 404 Not Found\r\n\r\n", true, "system", "HTTP status 404");
    check_answer("HTTP/1.1 101 Sw", true, "unavailable", "without an answer");
    check_answer("nonsense\r\n\r\n", true, "system", "HTTP status 0");
    g_autofree char *endless = g_strnfill(100000, 'x');
    check_answer(endless, true, "system", "not HTTP");
}

static void test_urls(void)
{
    struct distem_error error = {0};
    g_setenv("DISTEM_URL", "http://127.0.0.1:2///", TRUE);
    struct distem *client = distem_open(NULL, &error);
    g_assert_cmpstr(distem_url(client), ==, "http://127.0.0.1:2");
    distem_close(client);
    client = distem_open("http://[::1]:3", NULL);
    g_assert_cmpstr(distem_url(client), ==, "http://[::1]:3");
    distem_close(client);
    g_unsetenv("DISTEM_URL");
    client = distem_open(NULL, NULL);
    g_assert_cmpstr(distem_url(client), ==, DISTEM_DEFAULT_URL);
    distem_close(client);
    g_assert_null(distem_open("localhost:4567", &error));
    g_assert_cmpstr(error.code, ==, "invalid");
    distem_error_clear(&error);
    g_assert_null(error.message);
    g_assert_null(distem_open("ftp://x", NULL));
    distem_close(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/client/frames", test_frames);
    g_test_add_func("/client/frame-too-large", test_frame_too_large);
    g_test_add_func("/client/answers", test_answers);
    g_test_add_func("/client/exec-answers", test_exec_answers);
    g_test_add_func("/client/urls", test_urls);
    return g_test_run();
}
