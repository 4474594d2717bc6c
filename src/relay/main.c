/* SPDX-License-Identifier: Apache-2.0 */
/* distem-relay: one action of a pnode for the coordinator, whose loop it keeps from waiting. Started by distemd, not by hand. */
#include <config.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "distem/exec-protocol.h"
#include "pump.h"
#include "src/client/internal.h"

#define SOCKET 3
#define ASK_TIMEOUT_S 30
/* A machine that vanishes without a word is given up after 15 s + 3 times 5 s. */
#define KEEPALIVE_IDLE_S 15
#define KEEPALIVE_INTERVAL_S 5
#define KEEPALIVE_COUNT 3

/* Reads standard input to its end. */
static char *read_body(size_t *ret_size)
{
    GString *text = g_string_new(NULL);
    char buffer[16384];
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, stdin)) > 0;) {
        g_string_append_len(text, buffer, (gssize)n);
    }
    *ret_size = text->len;
    return g_string_free(text, FALSE);
}

/* However this process ends, also killed, the pnode is to see that it is over, and not that no more input comes. */
static void prepare_socket(int fd)
{
    int on = 1, idle = KEEPALIVE_IDLE_S, interval = KEEPALIVE_INTERVAL_S, count = KEEPALIVE_COUNT;
    struct linger linger = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* Says why there is no stream in the way that whoever waits for it understands. */
static int fail_stream(const char *address, const char *path, bool exec, const struct distem_error *error)
{
    if (!exec) {
        fprintf(stderr, "distem-relay: %s%s: %s\n", address, path, error->message);
        return EXIT_FAILURE;
    }
    uint8_t header[EXEC_HEADER_SIZE];
    size_t length = MIN(strlen(error->message), EXEC_PAYLOAD_MAX);
    exec_header_write(header, EXEC_ERROR, length);
    bool sent = send(SOCKET, header, sizeof header, MSG_NOSIGNAL) == (ssize_t)sizeof header &&
                send(SOCKET, error->message, length, MSG_NOSIGNAL) == (ssize_t)length;
    return sent ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int stream(const char *address, const char *path, const char *protocol)
{
    g_autofree char *url = g_strconcat("http://", address, NULL);
    bool exec = !strcmp(protocol, EXEC_PROTOCOL);
    struct distem_error error = {0};
    g_autoptr(GByteArray) early = g_byte_array_new();
    size_t size;
    g_autofree char *body = read_body(&size);
    CURL *curl = curl_easy_init();
    g_assert(curl);
    curl_socket_t far;
    int status = EXIT_SUCCESS;
    if (client_upgrade(curl, url, path, protocol, body, &far, early, &error)) {
        prepare_socket(far);
        g_assert(early->len <= RELAY_EARLY_MAX);
        relay_pump(SOCKET, far, exec, early->data ? early->data : (const guint8 *)"", early->len);
    } else {
        status = fail_stream(address, path, exec, &error);
    }
    distem_error_clear(&error);
    curl_easy_cleanup(curl);
    return status;
}

/* Prints {"answer": ...}, or {"error": {"code", "message", "details"}}. */
static int ask(const char *method, const char *address, const char *path)
{
    alarm(ASK_TIMEOUT_S);
    g_autofree char *url = g_strconcat("http://", address, NULL);
    struct distem_error error = {0};
    size_t size;
    g_autofree char *body = read_body(&size);
    struct distem *client = distem_open(url, &error);
    json_t *answer = client ? client_request(client, method, path, size ? body : NULL, size, &error) : NULL;
    json_t *said =
        answer ? json_pack("{so}", "answer", answer)
               : json_pack("{s{ss, ss, sO?}}", "error", "code", error.code, "message", error.message, "details", error.details);
    int status = said && json_dumpf(said, stdout, JSON_COMPACT) == 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    json_decref(said);
    distem_close(client);
    distem_error_clear(&error);
    return status;
}

int main(int argc, char **argv)
{
    /* Pnodes are near; a proxy that somebody has set for other things does not know them. */
    static const char *const proxies[] = {"http_proxy", "all_proxy", "ALL_PROXY"};
    for (unsigned i = 0; i < G_N_ELEMENTS(proxies); i++) {
        unsetenv(proxies[i]);
    }
    if (argc == 5 && !strcmp(argv[1], "stream")) {
        return stream(argv[2], argv[3], argv[4]);
    }
    if (argc == 5 && !strcmp(argv[1], "ask")) {
        return ask(argv[2], argv[3], argv[4]);
    }
    fprintf(stderr, "usage: distem-relay stream HOST:PORT PATH PROTOCOL   (with the socket as descriptor 3)\n"
                    "       distem-relay ask METHOD HOST:PORT PATH\n"
                    "The request's body is read from standard input.\n");
    return EXIT_FAILURE;
}
