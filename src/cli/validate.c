/* SPDX-License-Identifier: Apache-2.0 */
/* distem validate: checks a topology file. */
#include <config.h>

#include <stdio.h>

#include "changes.h"
#include "options.h"
#include "text.h"

int cli_validate(struct cli *cli, int argc, char **argv)
{
    const struct cli_usage usage = {
        .name = "validate",
        .arguments = "FILE|-",
        .text = "Checks the topology FILE (\"-\": standard input) without touching the platform, and prints all its problems with "
                "file, line and "
                "JSON pointer.",
        .min_arguments = 1,
        .max_arguments = 1,
    };
    char **arguments, *text;
    size_t size;
    int status = cli_parse(cli, &usage, argc, argv, &arguments);
    if (status != CLI_GO_ON) {
        return status;
    }
    if (!cli_read_file(arguments[0], &text, &size)) {
        return CLI_FAILED;
    }
    json_t *answer = cli_connect(cli) ? distem_check(cli->client, text, size, arguments[0], &cli->error) : NULL;
    g_free(text);
    if (!answer) {
        return cli->client ? cli_fail(cli) : CLI_FAILED;
    }
    if (cli->json) {
        return cli_print_json(answer);
    }
    if (!cli->quiet) {
        g_autofree char *vnetworks = text_count(cli_integer(answer, "vnetworks"), "vnetwork");
        g_autofree char *vnodes = text_count(cli_integer(answer, "vnodes"), "vnode");
        g_autofree char *vifaces = text_count(cli_integer(answer, "vifaces"), "viface");
        printf("%s: ok: %s, %s, %s\n", arguments[0], vnetworks, vnodes, vifaces);
        changes_warn_unreachable(json_object_get(answer, "unreachable"), true);
    }
    json_decref(answer);
    return CLI_OK;
}
