/* SPDX-License-Identifier: Apache-2.0 */
/* A command in a vnode: an HTTP request that becomes a stream of frames. libcurl opens the connection (and speaks TLS); the rest is
 * done here, since libcurl 7 cannot upgrade to protocols that it does not know. */
#include <config.h>

#include "internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "distem/exec-protocol.h"
#include "frames.h"

#define CONNECT_TIMEOUT_MS 5000L
#define ANSWER_TIMEOUT_MS 60000
#define HEAD_SIZE_MAX 16384

struct distem_exec {
    CURL *curl;
    curl_socket_t fd;
    struct frame_reader in;
    GByteArray *out;
    bool ended; /* The last frame was handed out. */
};

/* Sends what waits, as far as possible. */
static bool flush(struct distem_exec *exec, struct distem_error *error)
{
    size_t sent = 0;
    while (sent < exec->out->len) {
        size_t n = 0;
        CURLcode code = curl_easy_send(exec->curl, exec->out->data + sent, exec->out->len - sent, &n);
        if (code == CURLE_AGAIN) {
            break;
        }
        if (code != CURLE_OK) {
            return client_fail(error, "unavailable", "the connection to the vnode broke while sending");
        }
        sent += n;
    }
    if (sent) {
        g_byte_array_remove_range(exec->out, 0, (guint)sent);
    }
    return true;
}

/* Receives into 'buffer'. Returns the number of bytes, 0 at the end, -1 with an error, -2 when there is nothing now. */
static ssize_t receive(struct distem_exec *exec, void *buffer, size_t size, struct distem_error *error)
{
    size_t n = 0;
    CURLcode code = curl_easy_recv(exec->curl, buffer, size, &n);
    if (code == CURLE_AGAIN) {
        return -2;
    }
    if (code != CURLE_OK) {
        client_fail(error, "unavailable", "the connection to the vnode broke");
        return -1;
    }
    return (ssize_t)n;
}

/* Sends what waits and receives at least a byte into 'answer', or fails. */
static bool exchange(struct distem_exec *exec, GString *answer, struct distem_error *error)
{
    int64_t end = g_get_monotonic_time() + ANSWER_TIMEOUT_MS * G_GINT64_CONSTANT(1000);
    for (;;) {
        char buffer[4096];
        if (!flush(exec, error)) {
            return false;
        }
        ssize_t n = receive(exec, buffer, sizeof buffer, error);
        if (n > 0) {
            g_string_append_len(answer, buffer, n);
            return true;
        }
        if (n == 0) {
            return client_fail(error, "unavailable", "the daemon closed the connection without an answer");
        }
        if (n == -1) {
            return false;
        }
        int64_t left_ms = (end - g_get_monotonic_time()) / 1000;
        if (left_ms <= 0) {
            return client_fail(error, "unreachable", "the daemon did not answer within %d s", ANSWER_TIMEOUT_MS / 1000);
        }
        struct pollfd pollfd = {.fd = exec->fd, .events = distem_exec_events(exec)};
        poll(&pollfd, 1, (int)left_ms);
    }
}

/* Reads the answer's head and, when it is a refusal, its body. What comes behind the head of a 101 are frames. */
static bool read_answer(struct distem_exec *exec, struct distem_error *error)
{
    g_autoptr(GString) answer = g_string_new(NULL);
    const char *end;
    while (!(end = strstr(answer->str, "\r\n\r\n"))) {
        if (answer->len > HEAD_SIZE_MAX) {
            return client_fail(error, "system", "the server answered with something that is not HTTP: is it distemd?");
        }
        if (!exchange(exec, answer, error)) {
            return false;
        }
    }
    size_t head_size = (size_t)(end - answer->str) + 4;
    g_autofree char *head = g_strndup(answer->str, head_size);
    long status = strncmp(head, "HTTP/1.", 7) == 0 && head[7] ? strtol(head + 8, NULL, 10) : 0;
    if (status == 101) {
        frame_reader_feed(&exec->in, answer->str + head_size, answer->len - head_size);
        return true;
    }
    const char *length = strcasestr(head, "\r\nContent-Length:");
    size_t body_size = length ? MIN(strtoul(length + strlen("\r\nContent-Length:"), NULL, 10), 1 << 20) : 0;
    while (answer->len < head_size + body_size) {
        if (!exchange(exec, answer, error)) {
            return false;
        }
    }
    return client_fail_answer(error, status, answer->str + head_size, answer->len - head_size);
}

/* Puts the request into 'exec->out'. The path and the host of 'url' go into it. */
static void write_request(struct distem_exec *exec, const char *url, const char *vnode, const char *const *argv, bool tty)
{
    json_t *words = json_array();
    for (const char *const *word = argv; *word; word++) {
        json_array_append_new(words, json_string(*word));
    }
    json_t *value = json_pack("{so, sb}", "argv", words, "tty", tty);
    g_autofree char *body = json_dumps(value, JSON_COMPACT);
    json_decref(value);
    g_autofree char *name = client_encode(vnode);
    const char *host = strstr(url, "://") + 3;
    int host_size = (int)strcspn(host, "/");
    g_autofree char *head = g_strdup_printf("POST %s/vnodes/%s/exec HTTP/1.1\r\nHost: %.*s\r\nConnection: Upgrade\r\n"
                                            "Upgrade: " EXEC_PROTOCOL "\r\nContent-Type: application/json\r\n"
                                            "Content-Length: %zu\r\n\r\n",
                                            host + host_size, name, host_size, host, strlen(body));
    g_byte_array_append(exec->out, (const guint8 *)head, (guint)strlen(head));
    g_byte_array_append(exec->out, (const guint8 *)body, (guint)strlen(body));
}

static bool connect_to(struct distem_exec *exec, const char *url, struct distem_error *error)
{
    char reason[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(exec->curl, CURLOPT_URL, url);
    curl_easy_setopt(exec->curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(exec->curl, CURLOPT_ERRORBUFFER, reason);
    curl_easy_setopt(exec->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(exec->curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
    curl_easy_setopt(exec->curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    CURLcode code = curl_easy_perform(exec->curl);
    curl_easy_setopt(exec->curl, CURLOPT_ERRORBUFFER, NULL);
    if (code != CURLE_OK || curl_easy_getinfo(exec->curl, CURLINFO_ACTIVESOCKET, &exec->fd) != CURLE_OK) {
        return client_fail_connection(error, url, exec->curl, code, reason);
    }
    return true;
}

struct distem_exec *distem_exec(struct distem *client, const char *vnode, const char *const *argv, bool tty,
                                struct distem_error *error)
{
    for (const char *const *word = argv; *word; word++) {
        if (!g_utf8_validate(*word, -1, NULL)) {
            client_fail(error, "invalid", "word %d of the command is not UTF-8", (int)(word - argv) + 1);
            return NULL;
        }
    }
    struct distem_exec *exec = g_new0(struct distem_exec, 1);
    exec->curl = curl_easy_init();
    g_assert(exec->curl);
    exec->out = g_byte_array_new();
    write_request(exec, client->url, vnode, argv, tty);
    if (!connect_to(exec, client->url, error) || !read_answer(exec, error)) {
        distem_exec_close(exec);
        return NULL;
    }
    return exec;
}

void distem_exec_close(struct distem_exec *exec)
{
    if (exec) {
        curl_easy_cleanup(exec->curl);
        frame_reader_clear(&exec->in);
        g_byte_array_unref(exec->out);
        g_free(exec);
    }
}

int distem_exec_fd(const struct distem_exec *exec)
{
    return exec->fd;
}

short distem_exec_events(const struct distem_exec *exec)
{
    return exec->out->len ? POLLIN | POLLOUT : POLLIN;
}

/* Receives once. Returns false with an error, also at the end, which must not come before the last frame. */
static bool receive_frames(struct distem_exec *exec, bool *ret_more, struct distem_error *error)
{
    uint8_t buffer[EXEC_PAYLOAD_MAX];
    ssize_t n = receive(exec, buffer, sizeof buffer, error);
    if (n == 0) {
        return client_fail(error, "unavailable", "the connection to the vnode ended before the command did");
    }
    if (n > 0) {
        frame_reader_feed(&exec->in, buffer, (size_t)n);
    }
    *ret_more = n > 0;
    return n != -1;
}

enum distem_exec_event distem_exec_next(struct distem_exec *exec, const void **ret_data, size_t *ret_size, int *ret_exit_code,
                                        struct distem_error *error)
{
    struct distem_error send_error = {0};
    bool can_send = exec->ended || flush(exec, &send_error);
    enum distem_exec_event event = DISTEM_EXEC_NONE;
    for (bool more = true; more && event == DISTEM_EXEC_NONE && !exec->ended;) {
        struct frame frame;
        int got = frame_reader_next(&exec->in, &frame);
        if (got == 0) {
            if (!receive_frames(exec, &more, error)) {
                event = DISTEM_EXEC_ERROR;
            }
        } else if (got < 0) {
            client_fail(error, "system", "the vnode's answer is garbled: a frame is larger than %d bytes", EXEC_PAYLOAD_MAX);
            event = DISTEM_EXEC_ERROR;
        } else if (frame.type == EXEC_STDOUT || frame.type == EXEC_STDERR) {
            *ret_data = frame.payload;
            *ret_size = frame.size;
            event = frame.type == EXEC_STDOUT ? DISTEM_EXEC_STDOUT : DISTEM_EXEC_STDERR;
        } else if (frame.type == EXEC_EXIT && frame.size == 1) {
            *ret_exit_code = frame.payload[0];
            exec->ended = true;
            event = DISTEM_EXEC_EXIT;
        } else if (frame.type == EXEC_ERROR) {
            client_fail(error, "system", "%.*s", (int)frame.size, (const char *)frame.payload);
            exec->ended = true;
            event = DISTEM_EXEC_ERROR;
        }
    }
    /* The vnode's last words may have come before it closed; only then a failure to send counts. */
    if (event == DISTEM_EXEC_NONE && !can_send) {
        client_fail(error, send_error.code, "%s", send_error.message);
        event = DISTEM_EXEC_ERROR;
    }
    distem_error_clear(&send_error);
    return event;
}

void distem_exec_write(struct distem_exec *exec, const void *data, size_t size)
{
    frame_append(exec->out, EXEC_STDIN, data, size);
}

void distem_exec_signal(struct distem_exec *exec, int signal_number)
{
    uint8_t byte = (uint8_t)signal_number;
    frame_append(exec->out, EXEC_SIGNAL, &byte, 1);
}

void distem_exec_resize(struct distem_exec *exec, unsigned rows, unsigned columns)
{
    const uint8_t size[] = {(uint8_t)(rows >> 8), (uint8_t)rows, (uint8_t)(columns >> 8), (uint8_t)columns};
    frame_append(exec->out, EXEC_RESIZE, size, sizeof size);
}

size_t distem_exec_pending(const struct distem_exec *exec)
{
    return exec->out->len;
}
