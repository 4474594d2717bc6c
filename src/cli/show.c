/* SPDX-License-Identifier: Apache-2.0 */
/* distem show: what vifaces, or the latency matrix, do to frames. */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "options.h"
#include "status.h"

/* Adds the vifaces that 'pattern' (NULL: all) means to 'ret'. */
static bool collect(struct cli *cli, const char *pattern, json_t *ret)
{
    json_t *answer = distem_vifaces(cli->client, pattern, &cli->error);
    json_array_extend(ret, json_object_get(answer, "vifaces"));
    json_decref(answer);
    return answer;
}

static void print_vifaces(const json_t *vifaces)
{
    struct table *table = status_properties_table();
    size_t i;
    json_t *viface;
    json_array_foreach (vifaces, i, viface) {
        g_autofree char *name = g_strdup_printf("%s:%s", cli_string(viface, "vnode", "?"), cli_string(viface, "name", "?"));
        status_add_properties(table, name, viface);
    }
    table_print(table, stdout, terminal_width(stdout));
    table_free(table);
}

static const char *const quantities[] = {"latency", "loss", "bandwidth"};

/* Returns line 'number' of a table in 'answer', cut into words; NULL when there is none. The caller frees it. */
static char **split_line(const json_t *answer, const char *quantity, size_t number)
{
    const char *line = json_string_value(json_array_get(json_object_get(answer, quantity), number));
    return line ? g_strsplit(line, ", ", -1) : NULL;
}

/* Adds a row for each group that frames from the group of line 'number' go to, if they meet anything or 'all' is set. */
static void add_line(struct table *table, const json_t *answer, char **groups, size_t number, bool all)
{
    char **words[G_N_ELEMENTS(quantities)];
    bool there[G_N_ELEMENTS(quantities)];
    unsigned count = g_strv_length(groups);
    for (unsigned q = 0; q < G_N_ELEMENTS(quantities); q++) {
        words[q] = split_line(answer, quantities[q], number);
        there[q] = words[q] && g_strv_length(words[q]) == count;
    }
    for (unsigned to = 1; to < count; to++) {
        const char *values[G_N_ELEMENTS(quantities)];
        bool any = all;
        for (unsigned q = 0; q < G_N_ELEMENTS(quantities); q++) {
            values[q] = there[q] && strcmp(words[q][to], "0") != 0 ? words[q][to] : NULL;
            any |= values[q] != NULL;
        }
        if (any) {
            table_add(table, there[0] ? words[0][0] : "?");
            table_add(table, groups[to]);
            for (unsigned q = 0; q < G_N_ELEMENTS(quantities); q++) {
                table_add(table, values[q]);
            }
        }
    }
    for (unsigned q = 0; q < G_N_ELEMENTS(quantities); q++) {
        g_strfreev(words[q]);
    }
}

/* Shows what the matrix has from 'from' to 'to' (NULL: all). Returns the exit code. */
static int show_matrix(struct cli *cli, const char *from, const char *to)
{
    json_t *answer = distem_get_matrix(cli->client, from, to, &cli->error);
    if (!answer) {
        return cli_fail(cli);
    }
    if (cli->json) {
        return cli_print_json(answer);
    }
    size_t lines = json_array_size(json_object_get(answer, quantities[0]));
    g_auto(GStrv) groups = split_line(answer, quantities[0], 0);
    struct table *table = table_new("LLrrr", "FROM|TO|LATENCY|LOSS|BANDWIDTH");
    for (size_t i = 1; groups && i < lines; i++) {
        add_line(table, answer, groups, i, to);
    }
    table_print(table, stdout, terminal_width(stdout));
    table_free(table);
    json_decref(answer);
    return CLI_OK;
}

int cli_show(struct cli *cli, int argc, char **argv)
{
    bool matrix = false;
    const struct cli_option options[] = {
        {"matrix", 'm', NULL, &matrix, "show the latency matrix, all or from one group (and to another)"},
        {0},
    };
    const struct cli_usage usage = {
        .name = "show",
        .arguments = "[VIFACE]...",
        .text =
            "Shows what vifaces do to frames, input and output seen from the vnode. VIFACE is n1:if0, n1 (all of that vnode), "
            "site=paris (all with that label) or a pattern such as \"client*:if0\" or \"client[1-100]\"; without one, all are "
            "shown.\n\n"
            "`distem show --matrix [FROM [TO]]` shows what frames meet in the latency matrix, between its groups as the topology "
            "names them.",
        .options = options,
        .max_arguments = -1,
    };
    char **arguments;
    int status = cli_parse(cli, &usage, argc, argv, &arguments);
    if (status != CLI_GO_ON) {
        return status;
    }
    if (matrix && g_strv_length(arguments) > 2) {
        cli_complain("show: \"%s\" is not expected: the matrix is shown from one group to another", arguments[2]);
        return CLI_USAGE;
    }
    if (!cli_connect(cli)) {
        return CLI_FAILED;
    }
    if (matrix) {
        return show_matrix(cli, arguments[0], arguments[0] ? arguments[1] : NULL);
    }
    json_t *vifaces = json_array();
    bool ok = *arguments || collect(cli, NULL, vifaces);
    for (char **pattern = arguments; ok && *pattern; pattern++) {
        ok = collect(cli, *pattern, vifaces);
    }
    if (!ok) {
        json_decref(vifaces);
        return cli_fail(cli);
    }
    if (cli->json) {
        return cli_print_json(json_pack("{s:o}", "vifaces", vifaces));
    }
    print_vifaces(vifaces);
    json_decref(vifaces);
    return CLI_OK;
}
