/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "trace-text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <glib.h>

#define RESULT "Datapath actions: "
/* A bridge whose rules may still come. */
struct open_bridge {
    size_t indent;
    char *name;
};

/* A rule whose actions may still come: those of a patch port's other end are told in their middle. */
struct open_step {
    size_t indent;
    json_t *actions; /* Borrowed. */
};

static void open_bridge_clear(void *data)
{
    g_free(((struct open_bridge *)data)->name);
}

/* Returns the bridge that a rule at 'indent' is of: the last one told of that lies less deep. NULL: none. */
static const char *bridge_at(GArray *bridges, size_t indent)
{
    while (bridges->len && g_array_index(bridges, struct open_bridge, bridges->len - 1).indent >= indent) {
        g_array_set_size(bridges, bridges->len - 1);
    }
    return bridges->len ? g_array_index(bridges, struct open_bridge, bridges->len - 1).name : NULL;
}

/* Reads " 2. dl_dst=..., priority 100, cookie 0x...". Returns false when the line is another. */
static bool read_step(const char *line, size_t indent, GArray *bridges, json_t *steps, GArray *open)
{
    char *end;
    guint64 table = g_ascii_strtoull(line, &end, 10);
    if (end == line || strncmp(end, ". ", 2) != 0) {
        return false;
    }
    const char *cookie = strstr(end, ", cookie ");
    size_t length = cookie ? (size_t)(cookie - end) - 2 : strlen(end) - 2;
    const char *bridge = bridge_at(bridges, indent);
    json_t *actions = json_array();
    json_array_append_new(steps, json_pack("{s:s?, s:I, s:s%, s:o}", "bridge", bridge, "table", (json_int_t)table, "rule", end + 2,
                                           length, "actions", actions));
    while (open->len && g_array_index(open, struct open_step, open->len - 1).indent >= indent) {
        g_array_set_size(open, open->len - 1);
    }
    struct open_step step = {indent, actions};
    g_array_append_val(open, step);
    return true;
}

json_t *trace_text_steps(const char *text)
{
    json_t *steps = json_array();
    g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(struct open_step));
    g_autoptr(GArray) bridges = g_array_new(FALSE, FALSE, sizeof(struct open_bridge));
    g_array_set_clear_func(bridges, open_bridge_clear);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line && !g_str_has_prefix(*line, "Final flow:"); line++) {
        size_t indent = strspn(*line, " ");
        const char *rest = *line + indent;
        if (g_str_has_prefix(rest, "bridge(\"")) {
            const char *name = rest + strlen("bridge(\"");
            struct open_bridge bridge = {indent, g_strndup(name, strcspn(name, "\""))};
            g_array_append_val(bridges, bridge);
            continue;
        }
        if (!*rest || *rest == '-' || !bridges->len || read_step(rest, indent, bridges, steps, open)) {
            continue;
        }
        while (open->len && g_array_index(open, struct open_step, open->len - 1).indent >= indent) {
            g_array_set_size(open, open->len - 1);
        }
        if (open->len && strncmp(rest, "->", 2) != 0 && strncmp(rest, ">>", 2) != 0) {
            json_array_append_new(g_array_index(open, struct open_step, open->len - 1).actions, json_string(rest));
        }
    }
    return steps;
}

char *trace_text_result(const char *text)
{
    const char *line = strstr(text, RESULT);
    return line ? g_strndup(line + strlen(RESULT), strcspn(line + strlen(RESULT), "\n")) : NULL;
}
