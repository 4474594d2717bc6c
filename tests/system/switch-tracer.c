/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "switch-tracer.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib.h>
#include <jansson.h>

struct tracer {
    int fd;
    json_int_t id;
};

/* What a trace says about the packet so far. */
struct progress {
    char tunnel[64], arp_sha[32], arp_spa[32], eth_src[32], arp_op[8];
};

struct tracer *tracer_open(const char *ctl)
{
    struct tracer *tracer = g_new0(struct tracer, 1);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_assert_cmpuint(g_strlcpy(address.sun_path, ctl, sizeof address.sun_path), <, sizeof address.sun_path);
    tracer->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(tracer->fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    return tracer;
}

void tracer_close(struct tracer *tracer)
{
    if (tracer) {
        close(tracer->fd);
        g_free(tracer);
    }
}

static size_t read_some(void *buffer, size_t size, void *aux)
{
    const struct tracer *tracer = aux;
    ssize_t n;
    do {
        n = read(tracer->fd, buffer, size);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? (size_t)-1 : (size_t)n;
}

/* Returns what the switch answers. */
static char *call(struct tracer *tracer, const char *bridge, const char *flow)
{
    json_t *request =
        json_pack("{s:s, s:[s,s,s], s:I}", "method", "ofproto/trace", "params", "--names", bridge, flow, "id", ++tracer->id);
    g_autofree char *text = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    g_assert_cmpint(write(tracer->fd, text, strlen(text)), ==, (ssize_t)strlen(text));
    json_error_t error;
    json_t *reply = json_load_callback(read_some, tracer, JSON_DISABLE_EOF_CHECK, &error);
    const char *result = json_string_value(json_object_get(reply, "result"));
    if (!result) {
        g_error("%s %s: %s", bridge, flow, reply ? json_string_value(json_object_get(reply, "error")) : error.text);
    }
    char *copy = g_strdup(result);
    json_decref(reply);
    return copy;
}

/* Notes "set_field:VALUE->FIELD". */
static void note_field(struct progress *p, const char *line)
{
    const char *arrow = strstr(line, "->");
    if (!arrow) {
        return;
    }
    g_autofree char *value = g_strndup(line, (size_t)(arrow - line));
    const char *field = arrow + 2;
    if (g_str_equal(field, "tun_dst") || g_str_equal(field, "tun_ipv6_dst")) {
        g_strlcpy(p->tunnel, value, sizeof p->tunnel);
    } else if (g_str_equal(field, "arp_sha")) {
        g_strlcpy(p->arp_sha, value, sizeof p->arp_sha);
    } else if (g_str_equal(field, "arp_spa")) {
        g_strlcpy(p->arp_spa, value, sizeof p->arp_spa);
    } else if (g_str_equal(field, "eth_src")) {
        g_strlcpy(p->eth_src, value, sizeof p->eth_src);
    } else if (g_str_equal(field, "arp_op")) {
        g_strlcpy(p->arp_op, value, sizeof p->arp_op);
    }
}

static char *arp_reply(const struct progress *p)
{
    bool sound = g_str_equal(p->arp_op, "2") && g_str_equal(p->arp_sha, p->eth_src);
    return sound ? g_strdup_printf("IN_PORT(%s %s)", p->arp_sha, p->arp_spa) : g_strdup("IN_PORT");
}

static gint compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char *tracer_ask(struct tracer *tracer, const char *bridge, const char *flow)
{
    g_autofree char *text = call(tracer, bridge, flow);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GPtrArray) outputs = g_ptr_array_new_with_free_func(g_free);
    struct progress progress = {0};
    for (unsigned i = 0; lines[i]; i++) {
        const char *line = g_strstrip(lines[i]);
        if (g_str_has_prefix(line, "set_field:")) {
            note_field(&progress, line + strlen("set_field:"));
        } else if (g_str_has_prefix(line, "output:")) {
            const char *port = line + strlen("output:");
            g_ptr_array_add(outputs,
                            g_str_has_prefix(port, "dt") ? g_strdup_printf("%s>%s", port, progress.tunnel) : g_strdup(port));
        } else if (g_str_equal(line, "IN_PORT")) {
            g_ptr_array_add(outputs, arp_reply(&progress));
        } else if (strstr(line, "skipping output to input port")) {
            g_ptr_array_set_size(outputs, (gint)outputs->len - 1);
        }
    }
    g_ptr_array_sort(outputs, compare_texts);
    g_ptr_array_add(outputs, NULL);
    return g_strjoinv(" ", (char **)outputs->pdata);
}
