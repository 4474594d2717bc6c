/* SPDX-License-Identifier: Apache-2.0 */
/* A command in a vnode: an HTTP request that becomes a stream of frames. */
#include <config.h>

#include "internal.h"

#include <poll.h>

#include "distem/exec-protocol.h"
#include "frames.h"

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

/* Returns the request's body, to be freed. */
static char *request_body(const char *const *argv, bool tty)
{
    json_t *words = json_array();
    for (const char *const *word = argv; *word; word++) {
        json_array_append_new(words, json_string(*word));
    }
    json_t *value = json_pack("{so, sb}", "argv", words, "tty", tty);
    char *body = json_dumps(value, JSON_COMPACT);
    json_decref(value);
    return body;
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
    g_autofree char *name = client_encode(vnode);
    g_autofree char *path = g_strdup_printf("/vnodes/%s/exec", name);
    g_autofree char *body = request_body(argv, tty);
    g_autoptr(GByteArray) early = g_byte_array_new();
    if (!client_upgrade(exec->curl, client->url, path, EXEC_PROTOCOL, body, &exec->fd, early, error)) {
        distem_exec_close(exec);
        return NULL;
    }
    frame_reader_feed(&exec->in, early->data, early->len);
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
