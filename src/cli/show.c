/* SPDX-License-Identifier: Apache-2.0 */
/* distem show: what vifaces do to frames. */
#include <config.h>

#include <stdio.h>

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

int cli_show(struct cli *cli, int argc, char **argv)
{
    const struct cli_usage usage = {
        .name = "show",
        .arguments = "[VIFACE]...",
        .text = "Shows what vifaces do to frames, input and output seen from the vnode. VIFACE is n1:if0, n1 (all of that vnode), "
                "site=paris (all with that label) or a pattern such as \"client*:if0\" or \"client[1-100]\"; without one, all are "
                "shown.",
        .max_arguments = -1,
    };
    char **arguments;
    int status = cli_parse(cli, &usage, argc, argv, &arguments);
    if (status != CLI_GO_ON) {
        return status;
    }
    if (!cli_connect(cli)) {
        return CLI_FAILED;
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
