/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "rest-client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "distem/poll.h"

struct rest_client *rest_client_new(struct rest_server *server)
{
    struct rest_client *client = g_new0(struct rest_client, 1);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(rest_server_port(server))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->server = server;
    client->received = g_string_new(NULL);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(client->fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    return client;
}

void rest_client_free(struct rest_client *client)
{
    close(client->fd);
    g_string_free(client->received, TRUE);
    g_free(client);
}

static void receive(struct rest_client *client)
{
    char buffer[65536];
    ssize_t n;
    while (!client->ended && (n = recv(client->fd, buffer, sizeof buffer, MSG_DONTWAIT)) != -1) {
        g_string_append_len(client->received, buffer, n);
        client->ended = n == 0;
    }
    client->ended = client->ended || (errno != EAGAIN && errno != EINTR);
}

void rest_client_turn(struct rest_client *client)
{
    rest_server_wait(client->server);
    poll_wait_fd(client->fd, POLLIN);
    poll_block_once();
    rest_server_run(client->server);
    receive(client);
}

void rest_client_send(struct rest_client *client, const char *data, gsize size)
{
    while (size && !client->ended) {
        ssize_t n = send(client->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) {
            data += n;
            size -= (gsize)n;
            continue;
        }
        if (errno != EAGAIN) {
            return;
        }
        rest_server_run(client->server);
        rest_server_wait(client->server);
        poll_wait_fd(client->fd, POLLOUT);
        poll_block_once();
    }
}

const char *rest_client_finish(struct rest_client *client)
{
    while (!client->ended) {
        rest_client_turn(client);
    }
    return client->received->str;
}

char *rest_exchange(struct rest_server *server, const char *request)
{
    struct rest_client *client = rest_client_new(server);
    g_auto(GStrv) lines = g_strsplit(request, "\n", -1);
    g_autofree char *text = g_strjoinv("\r\n", lines);
    rest_client_send(client, text, strlen(text));
    char *answer = g_strdup(rest_client_finish(client));
    rest_client_free(client);
    return answer;
}
