/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "serve.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "distem/error.h"
#include "measure.h"

#define LINE_MAX_SIZE (256 << 20)

struct server {
    struct watch input;
    struct prober *prober;
    GByteArray *text; /* Read, but not a whole line yet. */
    bool closed;
    GError *error; /* Why it cannot go on. */
};

static void start_round(struct prober *prober, const GPtrArray *round)
{
    for (unsigned i = 0; i < round->len; i++) {
        prober_start(prober, round->pdata[i], (double)i / round->len);
    }
}

static bool take_line(struct prober *prober, const char *text, size_t size, GError **error)
{
    struct probe_line line;
    if (!probe_line_parse(text, size, &line, error)) {
        return false;
    }
    if (line.round) {
        start_round(prober, line.round);
    } else {
        prober_deliver(prober, line.id, line.message);
    }
    probe_line_clear(&line);
    return true;
}

/* Takes the lines that are whole. 'searched' bytes are known to have no end of a line. */
static bool take_lines(struct server *s, size_t searched, GError **error)
{
    size_t begin = 0;
    const guint8 *newline;
    while ((newline = memchr(s->text->data + searched, '\n', s->text->len - searched))) {
        size_t end = (size_t)(newline - s->text->data);
        if (!take_line(s->prober, (const char *)s->text->data + begin, end - begin, error)) {
            return false;
        }
        begin = searched = end + 1;
    }
    g_byte_array_remove_range(s->text, 0, (guint)begin);
    return s->text->len <= LINE_MAX_SIZE ||
           fail(error, DISTEM_ERROR_TOO_LARGE, 0, "a line of input has more than %d MiB", LINE_MAX_SIZE >> 20);
}

static void input_ready(struct watch *watch, uint32_t events)
{
    struct server *s = G_STRUCT_MEMBER_P(watch, -(glong)offsetof(struct server, input));
    (void)events;
    guint8 buffer[65536];
    ssize_t n = read(watch->fd, buffer, sizeof buffer);
    if (n < 0 && errno != EINTR && errno != EAGAIN) {
        fail(&s->error, DISTEM_ERROR_SYSTEM, errno, "cannot read the input");
    } else if (n == 0 && s->text->len) {
        fail(&s->error, DISTEM_ERROR_INVALID, 0, "the input ends within a line");
    } else if (n == 0) {
        s->closed = true;
    } else if (n > 0) {
        size_t before = s->text->len;
        g_byte_array_append(s->text, buffer, (guint)n);
        (void)take_lines(s, before, &s->error);
    }
}

bool probe_serve(const char *netns, int input, FILE *output, GError **error)
{
    struct server s = {.input = {.ready = input_ready, .fd = input}};
    s.prober = prober_new(netns, output, error);
    if (!s.prober) {
        return false;
    }
    s.text = g_byte_array_new();
    bool ok = loop_watch(s.prober->loop, &s.input, EPOLLIN, error);
    while (ok && !s.closed) {
        ok = loop_turn(s.prober->loop, error);
        prober_settle(s.prober);
        if (ok && s.error) {
            g_propagate_error(error, s.error);
            ok = false;
        } else if (ok && ferror(output)) {
            ok = fail(error, DISTEM_ERROR_SYSTEM, 0, "the results could not be written");
        }
    }
    prober_free(s.prober);
    g_byte_array_unref(s.text);
    return ok;
}
