/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP request that becomes a stream. libcurl opens the connection (and speaks TLS); the rest is done here, since libcurl 7
 * cannot upgrade to protocols that it does not know. */
#include <config.h>

#include "internal.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 5000L
#define ANSWER_TIMEOUT_MS 60000
#define HEAD_SIZE_MAX 16384

struct exchange {
    CURL *curl;
    curl_socket_t fd;
    int64_t end; /* Monotonic, us. */
    GString *answer;
};

/* Waits until the connection is ready for 'events'. Returns false when time is up. */
static bool wait_for(const struct exchange *x, short events, struct distem_error *error)
{
    int64_t left_ms = (x->end - g_get_monotonic_time()) / 1000;
    if (left_ms <= 0) {
        return client_fail(error, "unreachable", "the daemon did not answer within %d s", ANSWER_TIMEOUT_MS / 1000);
    }
    struct pollfd pollfd = {.fd = x->fd, .events = events};
    poll(&pollfd, 1, (int)left_ms);
    return true;
}

static bool send_all(const struct exchange *x, const char *data, size_t size, struct distem_error *error)
{
    while (size) {
        size_t n = 0;
        CURLcode code = curl_easy_send(x->curl, data, size, &n);
        if (code != CURLE_OK && code != CURLE_AGAIN) {
            return client_fail(error, "unavailable", "the connection to the daemon broke while sending");
        }
        data += n;
        size -= n;
        if (code == CURLE_AGAIN && !wait_for(x, POLLOUT, error)) {
            return false;
        }
    }
    return true;
}

/* Receives at least a byte, or fails. */
static bool receive_more(const struct exchange *x, struct distem_error *error)
{
    for (;;) {
        char buffer[4096];
        size_t n = 0;
        CURLcode code = curl_easy_recv(x->curl, buffer, sizeof buffer, &n);
        if (code == CURLE_OK && n) {
            g_string_append_len(x->answer, buffer, (gssize)n);
            return true;
        }
        if (code == CURLE_OK) {
            return client_fail(error, "unavailable", "the daemon closed the connection without an answer");
        }
        if (code != CURLE_AGAIN) {
            return client_fail(error, "unavailable", "the connection to the daemon broke");
        }
        if (!wait_for(x, POLLIN, error)) {
            return false;
        }
    }
}

/* Reads the answer's head and, when it is a refusal, its body. What comes behind the head of a 101 goes to 'early'. */
static bool read_answer(const struct exchange *x, GByteArray *early, struct distem_error *error)
{
    const char *end;
    while (!(end = strstr(x->answer->str, "\r\n\r\n"))) {
        if (x->answer->len > HEAD_SIZE_MAX) {
            return client_fail(error, "system", "the server answered with something that is not HTTP: is it distemd?");
        }
        if (!receive_more(x, error)) {
            return false;
        }
    }
    size_t head_size = (size_t)(end - x->answer->str) + 4;
    g_autofree char *head = g_strndup(x->answer->str, head_size);
    long status = strncmp(head, "HTTP/1.", 7) == 0 && head[7] ? strtol(head + 8, NULL, 10) : 0;
    if (status == 101) {
        g_byte_array_append(early, (const guint8 *)x->answer->str + head_size, (guint)(x->answer->len - head_size));
        return true;
    }
    const char *length = strcasestr(head, "\r\nContent-Length:");
    size_t body_size = length ? MIN(strtoul(length + strlen("\r\nContent-Length:"), NULL, 10), 1 << 20) : 0;
    while (x->answer->len < head_size + body_size) {
        if (!receive_more(x, error)) {
            return false;
        }
    }
    return client_fail_answer(error, status, x->answer->str + head_size, x->answer->len - head_size);
}

static bool connect_to(CURL *curl, const char *url, curl_socket_t *ret_fd, struct distem_error *error)
{
    char reason[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    if (code != CURLE_OK || curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, ret_fd) != CURLE_OK) {
        return client_fail_connection(error, url, curl, code, reason);
    }
    return true;
}

bool client_upgrade(CURL *curl, const char *url, const char *path, const char *protocol, const char *body, curl_socket_t *ret_fd,
                    GByteArray *early, struct distem_error *error)
{
    struct exchange x = {.curl = curl};
    if (!connect_to(curl, url, &x.fd, error)) {
        return false;
    }
    const char *host = strstr(url, "://") + 3;
    int host_size = (int)strcspn(host, "/");
    g_autofree char *request = g_strdup_printf("POST %s%s HTTP/1.1\r\nHost: %.*s\r\nConnection: Upgrade\r\n"
                                               "Upgrade: %s\r\nContent-Type: application/json\r\n"
                                               "Content-Length: %zu\r\n\r\n%s",
                                               host + host_size, path, host_size, host, protocol, strlen(body), body);
    g_autoptr(GString) answer = g_string_new(NULL);
    x.end = g_get_monotonic_time() + ANSWER_TIMEOUT_MS * G_GINT64_CONSTANT(1000);
    x.answer = answer;
    *ret_fd = x.fd;
    return send_all(&x, request, strlen(request), error) && read_answer(&x, early, error);
}
