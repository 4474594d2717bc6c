/* SPDX-License-Identifier: Apache-2.0 */
/* distem status VNODE. */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "status.h"
#include "text.h"

static void print_field(const char *name, const char *value)
{
    if (value) {
        printf("  %-9s %s\n", name, value);
    }
}

static void print_head(const json_t *vnode)
{
    const char *state = cli_string(vnode, "state", "unknown");
    printf("%sVnode %s%s is %s%s%s on pnode %s", terminal_color(stdout, COLOR_BOLD), cli_string(vnode, "name", "?"),
           terminal_plain(stdout), terminal_color(stdout, state_color(state)), state, terminal_plain(stdout),
           cli_string(vnode, "pnode", "?"));
    int64_t pid = cli_integer(vnode, "pid");
    if (pid) {
        printf(", its init is process %" G_GINT64_FORMAT, pid);
    }
    putchar('\n');
    print_field("error", cli_string(vnode, "error", NULL));
    print_field("image", cli_string(vnode, "image", NULL));
    g_autofree char *cores = cli_integer(vnode, "cores") ? text_count(cli_integer(vnode, "cores"), "core") : NULL;
    g_autofree char *labels = cli_labels(vnode);
    print_field("labels", *labels ? labels : NULL);
    print_field("cpu", cores);
    print_field("frequency", cli_string(vnode, "frequency", NULL));
    print_field("memory", cli_string(vnode, "memory", NULL));
    print_field("gateway", json_is_true(json_object_get(vnode, "forwards")) ? "yes" : "no");
}

static void print_vifaces(const json_t *vifaces)
{
    struct table *table = table_new("llllL", "VIFACE|VNETWORK|IPV4|MAC|IPV6");
    size_t i;
    json_t *viface;
    json_array_foreach (vifaces, i, viface) {
        table_add(table, cli_string(viface, "name", "?"));
        table_add(table, cli_string(viface, "vnetwork", "?"));
        table_add(table, cli_string(viface, "ipv4", NULL));
        table_add(table, cli_string(viface, "mac", NULL));
        table_add(table, cli_string(viface, "ipv6", NULL));
    }
    table_print(table, stdout, terminal_width(stdout));
    table_free(table);
}

/* Returns the properties that have no column of their own, as "corruption 1%, queue 64kB"; NULL: none. */
static char *other_properties(const json_t *properties)
{
    static const char *const columns[] = {"latency", "jitter", "bandwidth", "loss"};
    GString *text = g_string_new(NULL);
    void *i;
    for (i = json_object_iter((json_t *)properties); i; i = json_object_iter_next((json_t *)properties, i)) {
        const char *key = json_object_iter_key(i);
        const json_t *value = json_object_iter_value(i);
        bool has_column = false;
        for (unsigned k = 0; k < G_N_ELEMENTS(columns); k++) {
            has_column = has_column || !strcmp(key, columns[k]);
        }
        if (has_column) {
            continue;
        }
        g_string_append_printf(text, "%s%s ", text->len ? ", " : "", key);
        char *other = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        g_string_append(text, other ? other : json_string_value(value));
        g_free(other);
    }
    return g_string_free(text, !text->len);
}

/* Adds a property that has a column: a value, or the trace that it follows. */
static void add_property(struct table *table, const json_t *properties, const char *key)
{
    const json_t *value = json_object_get(properties, key);
    const char *trace = json_is_object(value) ? cli_string(value, "trace", "?") : NULL;
    table_add_take(table,
                   trace ? g_strdup_printf("%s%s", trace, json_is_true(json_object_get(value, "loop")) ? ", again and again" : "")
                         : g_strdup(cli_string(properties, key, NULL)));
}

static void add_direction(struct table *table, const char *name, const json_t *viface, const char *direction)
{
    const json_t *properties = json_object_get(viface, direction);
    table_add(table, name);
    table_add(table, direction);
    add_property(table, properties, "latency");
    table_add(table, cli_string(properties, "jitter", NULL));
    add_property(table, properties, "bandwidth");
    add_property(table, properties, "loss");
    table_add_take(table, other_properties(properties));
}

struct table *status_properties_table(void)
{
    return table_new("llrrrrL", "VIFACE|DIRECTION|LATENCY|JITTER|BANDWIDTH|LOSS|MORE");
}

void status_add_properties(struct table *table, const char *name, const json_t *viface)
{
    add_direction(table, name, viface, "output");
    add_direction(table, name, viface, "input");
}

static void print_properties(const json_t *vifaces)
{
    struct table *table = status_properties_table();
    size_t i;
    json_t *viface;
    json_array_foreach (vifaces, i, viface) {
        status_add_properties(table, cli_string(viface, "name", "?"), viface);
    }
    table_print(table, stdout, terminal_width(stdout));
    table_free(table);
}

static void print_routes(const json_t *routes)
{
    struct table *table = table_new("Lll", "ROUTE TO|VIA|VIFACE");
    size_t i;
    json_t *route;
    json_array_foreach (routes, i, route) {
        table_add(table, cli_string(route, "to", "?"));
        table_add(table, cli_string(route, "via", NULL));
        table_add(table, cli_string(route, "viface", "?"));
    }
    table_print(table, stdout, terminal_width(stdout));
    table_free(table);
}

void status_print_vnode(const json_t *vnode)
{
    const json_t *vifaces = json_object_get(vnode, "vifaces"), *routes = json_object_get(vnode, "routes");
    print_head(vnode);
    if (json_array_size(vifaces)) {
        putchar('\n');
        print_vifaces(vifaces);
        putchar('\n');
        print_properties(vifaces);
    }
    if (json_array_size(routes)) {
        putchar('\n');
        print_routes(routes);
    }
}
