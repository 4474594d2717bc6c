/* SPDX-License-Identifier: Apache-2.0 */
/* distem trace: the way of a packet, switch by switch and rule by rule. */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "options.h"
#include "terminal.h"
#include "text.h"

/* Names of the tables of a vnetwork's bridge, as ovs/forwarding.h has them. */
static const char *const tables[] = {"admission", "answers", "forwarding", "arrivals", "delivery"};

/* Where standard output is no terminal. */
#define PRINT_WIDTH 80

/* Prints 'text' behind 'indent' blanks, wrapped to the terminal. */
static void print_indented(const char *text, unsigned indent)
{
    unsigned width = terminal_width(stdout) ? terminal_width(stdout) : PRINT_WIDTH;
    g_autofree char *wrapped = width > indent + 20 ? text_wrap(text, width - indent - 2, 2) : g_strdup(text);
    g_auto(GStrv) lines = g_strsplit(wrapped, "\n", -1);
    for (char **line = lines; *line; line++) {
        printf("%*s%s\n", (int)indent, "", *line);
    }
}

static void print_step(const json_t *step)
{
    size_t table = (size_t)cli_integer(step, "table"), i;
    const char *bridge = cli_string(step, "bridge", "?");
    bool is_vnetwork = g_str_has_prefix(bridge, "db") && table < G_N_ELEMENTS(tables);
    printf("    %s table %zu%s%s\n", bridge, table, is_vnetwork ? " " : "", is_vnetwork ? tables[table] : "");
    print_indented(cli_string(step, "rule", "?"), 6);
    g_autoptr(GString) actions = g_string_new(NULL);
    json_t *action;
    json_array_foreach (json_object_get(step, "actions"), i, action) {
        g_string_append_printf(actions, "%s%s", i ? ", " : "-> ", json_string_value(action));
    }
    print_indented(actions->str, 6);
}

static void print_station(const json_t *station)
{
    const char *error = cli_string(station, "error", NULL);
    printf("  pnode %s, in by %s\n", cli_string(station, "pnode", "?"), cli_string(station, "port", "?"));
    if (error) {
        printf("    %s%s%s\n", terminal_color(stdout, COLOR_RED), error, terminal_plain(stdout));
        return;
    }
    size_t i;
    json_t *step;
    json_array_foreach (json_object_get(station, "steps"), i, step) {
        print_step(step);
    }
    /* With places to break it. */
    g_auto(GStrv) parts = g_strsplit(cli_string(station, "result", "?"), ",", -1);
    g_autofree char *result = g_strjoinv(", ", parts);
    g_autofree char *out = g_strconcat("out by ", result, NULL);
    print_indented(out, 4);
}

static void print_leg(const json_t *leg)
{
    g_autofree char *transport = g_strdup(cli_string(leg, "transport", ""));
    const json_t *vni = json_object_get(leg, "vni"), *vlan = json_object_get(leg, "vlan");
    const json_t *number = json_is_integer(vni) ? vni : vlan;
    if (json_is_integer(number)) {
        g_free(transport);
        transport = g_strdup_printf("%s %" JSON_INTEGER_FORMAT, number == vni ? "VNI" : "VLAN", json_integer_value(number));
    }
    printf("%s%s to %s, vnetwork %s (%s)%s\n", terminal_color(stdout, COLOR_BOLD), cli_string(leg, "from", "?"),
           cli_string(leg, "to", "all"), cli_string(leg, "vnetwork", "?"), transport, terminal_plain(stdout));
    size_t i;
    json_t *station;
    json_array_foreach (json_object_get(leg, "stations"), i, station) {
        print_station(station);
    }
}

/* Says whether every switch has answered. */
static bool is_whole(const json_t *answer)
{
    size_t i, k;
    json_t *leg, *station;
    json_array_foreach (json_object_get(answer, "legs"), i, leg) {
        json_array_foreach (json_object_get(leg, "stations"), k, station) {
            if (json_object_get(station, "error")) {
                return false;
            }
        }
    }
    return true;
}

int cli_trace(struct cli *cli, int argc, char **argv)
{
    const struct cli_usage usage = {
        .name = "trace",
        .arguments = "VNODE[:VIFACE] DESTINATION",
        .text =
            "Shows how a packet travels from a vnode to DESTINATION, another vnode (n4 or n4:if0), an address, or `broadcast`: for "
            "each vnetwork that it crosses, what the switch of each pnode on its way does with it, naming bridge, table and "
            "rule. It asks the switches themselves; no packet is sent.",
        .min_arguments = 2,
        .max_arguments = 2,
    };
    char **arguments;
    int status = cli_parse(cli, &usage, argc, argv, &arguments);
    if (status != CLI_GO_ON) {
        return status;
    }
    json_t *answer = cli_connect(cli) ? distem_trace(cli->client, arguments[0], arguments[1], &cli->error) : NULL;
    if (!answer) {
        return cli->client ? cli_fail(cli) : CLI_FAILED;
    }
    status = is_whole(answer) ? CLI_OK : CLI_FAILED;
    if (cli->json) {
        cli_print_json(json_incref(answer));
    } else {
        size_t i;
        json_t *leg;
        json_array_foreach (json_object_get(answer, "legs"), i, leg) {
            printf("%s", i ? "\n" : "");
            print_leg(leg);
        }
    }
    json_decref(answer);
    return status;
}
