/* SPDX-License-Identifier: Apache-2.0 */
/* distem status: the platform in tables. */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "distem/units.h"
#include "options.h"
#include "status.h"
#include "terminal.h"
#include "text.h"

enum color state_color(const char *state)
{
    return !strcmp(state, "running") || !strcmp(state, "ready") ? COLOR_GREEN
           : !strcmp(state, "failed") || !strcmp(state, "lost") ? COLOR_RED
                                                                : COLOR_YELLOW;
}

/* Returns "10.1.0.3, 10.2.0.1": the addresses of all vifaces, without prefix lengths. */
static char *vnode_addresses(const json_t *vnode)
{
    static const char *const families[] = {"ipv4", "ipv6"};
    GString *text = g_string_new(NULL);
    size_t i;
    json_t *viface;
    json_array_foreach (json_object_get(vnode, "vifaces"), i, viface) {
        for (unsigned k = 0; k < G_N_ELEMENTS(families); k++) {
            const char *address = cli_string(viface, families[k], NULL);
            if (address) {
                g_string_append_printf(text, "%s%.*s", text->len ? ", " : "", (int)strcspn(address, "/"), address);
            }
        }
    }
    return g_string_free(text, FALSE);
}

void table_add_integer(struct table *table, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    table_add_take(table, json_is_integer(value) ? g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value)) : NULL);
}

static void print_vnetworks(const json_t *vnetworks)
{
    struct table *table = table_new("Llllrrrr", "VNETWORK|IPV4|IPV6|JOINED BY|VNI|VLAN|MTU|VIFACES");
    size_t i;
    json_t *vnetwork;
    json_array_foreach (vnetworks, i, vnetwork) {
        table_add(table, cli_string(vnetwork, "name", "?"));
        table_add(table, cli_string(vnetwork, "ipv4", NULL));
        table_add(table, cli_string(vnetwork, "ipv6", NULL));
        table_add(table, cli_string(vnetwork, "transport", NULL));
        table_add_integer(table, vnetwork, "vni");
        table_add_integer(table, vnetwork, "vlan");
        table_add_integer(table, vnetwork, "mtu");
        table_add_integer(table, vnetwork, "vifaces");
    }
    table_print(table, stdout, terminal_width(stdout));
    table_free(table);
}

static void print_vnodes(const json_t *vnodes)
{
    struct table *table = table_new("lllL", "VNODE|STATE|PNODE|ADDRESSES");
    size_t i;
    json_t *vnode;
    json_array_foreach (vnodes, i, vnode) {
        const char *state = cli_string(vnode, "state", "unknown");
        table_add(table, cli_string(vnode, "name", "?"));
        table_add(table, state);
        table_color(table, state_color(state));
        table_add(table, cli_string(vnode, "pnode", NULL));
        table_add_take(table, vnode_addresses(vnode));
    }
    table_print(table, stdout, terminal_width(stdout));
    table_free(table);
}

void table_add_memory(struct table *table, const json_t *pnode)
{
    uint64_t bytes;
    const char *exact = cli_string(pnode, "memory", "");
    table_add_take(table, size_parse(exact, &bytes, NULL) ? text_size(bytes) : g_strdup(exact));
}

static void print_pnodes(const json_t *pnodes)
{
    struct table *table = table_new("LrrrlL", "PNODE|CORES|MEMORY|VNODES|STATE|LACKS");
    size_t i;
    json_t *pnode;
    json_array_foreach (pnodes, i, pnode) {
        const char *state = cli_string(pnode, "state", "unknown");
        table_add(table, cli_string(pnode, "name", "?"));
        table_add_integer(table, pnode, "cores");
        table_add_memory(table, pnode);
        table_add_integer(table, pnode, "vnodes");
        table_add(table, state);
        table_color(table, state_color(state));
        table_add(table, cli_string(pnode, "missing", NULL));
    }
    table_print(table, stdout, terminal_width(stdout));
    table_free(table);
}

void status_print_errors(const json_t *objects, const char *kind)
{
    size_t i;
    json_t *object;
    json_array_foreach (objects, i, object) {
        const char *error = cli_string(object, "error", NULL);
        if (error) {
            printf("\n%s%s %s:%s %s\n", terminal_color(stdout, COLOR_RED), kind, cli_string(object, "name", "?"),
                   terminal_plain(stdout), error);
        }
    }
}

/* Prints why results are not to be trusted. */
static void print_doubts(const json_t *pnodes)
{
    size_t i;
    json_t *pnode, *heartbeat;
    json_array_foreach (pnodes, i, pnode) {
        const char *doubt;
        json_object_foreach (json_object_get(pnode, "doubts"), doubt, heartbeat) {
            bool now = json_integer_value(heartbeat) >= cli_integer(pnode, "heartbeat");
            printf("\n%sNot to be trusted:%s pnode %s: %s%s\n", terminal_color(stdout, COLOR_YELLOW), terminal_plain(stdout),
                   cli_string(pnode, "name", "?"), doubt, now ? ", also now" : "");
        }
    }
}

/* Prints which traces play, and since when. */
static void print_traces(const json_t *traces)
{
    const json_t *names = json_object_get(traces, "names");
    if (!json_array_size(names)) {
        return;
    }
    printf("\nTraces");
    for (size_t i = 0; i < json_array_size(names); i++) {
        printf("%s %s", i ? "," : "", json_string_value(json_array_get(names, i)));
    }
    int64_t start = cli_integer(traces, "start_ns"), since = g_get_real_time() - start / 1000;
    if (!start) {
        puts(": they start when the platform is ready");
    } else {
        printf(": playing for %.1f s\n", (double)MAX(since, 0) / G_USEC_PER_SEC);
    }
}

static void print_platform(const json_t *platform)
{
    const json_t *vnodes = json_object_get(platform, "vnodes"), *pnodes = json_object_get(platform, "pnodes");
    const char *state = cli_string(platform, "state", "unknown");
    size_t i, running = 0;
    json_t *vnode;
    json_array_foreach (vnodes, i, vnode) {
        running += !strcmp(cli_string(vnode, "state", ""), "running");
    }
    g_autofree char *count = text_count((int64_t)json_array_size(vnodes), "vnode");
    printf("%sPlatform %s%s is %s%s%s: %zu of %s running, generation %" G_GINT64_FORMAT ", routes by %s\n\n",
           terminal_color(stdout, COLOR_BOLD), cli_string(platform, "name", "?"), terminal_plain(stdout),
           terminal_color(stdout, state_color(state)), state, terminal_plain(stdout), running, count,
           cli_integer(platform, "generation"), cli_string(platform, "routing", "?"));
    if (json_array_size(json_object_get(platform, "vnetworks"))) {
        print_vnetworks(json_object_get(platform, "vnetworks"));
        putchar('\n');
    }
    if (json_array_size(vnodes)) {
        print_vnodes(vnodes);
        putchar('\n');
    }
    print_pnodes(pnodes);
    print_traces(json_object_get(platform, "traces"));
    print_doubts(pnodes);
    status_print_errors(vnodes, "vnode");
    status_print_errors(pnodes, "pnode");
}

/* There being no platform is an answer, and no failure. */
static int print_no_platform(struct cli *cli)
{
    if (cli->json) {
        return cli_print_json(json_null());
    }
    puts("There is no platform: bring one up with `distem up FILE`.");
    json_t *answer = distem_pnodes(cli->client, &cli->error);
    if (!answer) {
        return cli_fail(cli);
    }
    putchar('\n');
    print_pnodes(json_object_get(answer, "pnodes"));
    status_print_errors(json_object_get(answer, "pnodes"), "pnode");
    json_decref(answer);
    return CLI_OK;
}

int cli_status(struct cli *cli, int argc, char **argv)
{
    const struct cli_usage usage = {
        .name = "status",
        .arguments = "[VNODE]",
        .text = "Shows the platform: its vnetworks, vnodes and the pnodes that carry them; or VNODE with its addresses, what its "
                "interfaces emulate, and its routes.",
        .max_arguments = 1,
    };
    char **arguments;
    int status = cli_parse(cli, &usage, argc, argv, &arguments);
    if (status != CLI_GO_ON) {
        return status;
    }
    if (!cli_connect(cli)) {
        return CLI_FAILED;
    }
    const char *name = arguments[0];
    json_t *answer = name ? distem_vnode(cli->client, name, &cli->error) : distem_platform(cli->client, &cli->error);
    if (!answer && !name && !strcmp(cli->error.code, "not-found")) {
        distem_error_clear(&cli->error);
        return print_no_platform(cli);
    }
    if (!answer) {
        return cli_fail(cli);
    }
    if (cli->json) {
        return cli_print_json(answer);
    }
    if (name) {
        status_print_vnode(answer);
    } else {
        print_platform(answer);
    }
    json_decref(answer);
    return CLI_OK;
}
