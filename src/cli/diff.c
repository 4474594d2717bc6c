/* SPDX-License-Identifier: Apache-2.0 */
/* distem diff: what `up` would change. */
#include <config.h>

#include "changes.h"
#include "options.h"

int cli_diff(struct cli *cli, int argc, char **argv)
{
    bool exit_code = false, compensates = false;
    const char *layout = NULL;
    const struct cli_option options[] = {
        CLI_LAYOUT_OPTION(&layout),
        {"compensate", 'c', NULL, &compensates, "what `distem up --compensate FILE` would change before it measures"},
        {"exit-code", 'e', NULL, &exit_code, "exit with 1 when there is a difference"},
        {0},
    };
    const struct cli_usage usage = {
        "diff",
        "FILE|-",
        "Shows what `distem up FILE` would change, a line each: + is added, - removed, ~ changed. Nothing is printed when nothing "
        "would.",
        options,
        1,
        1,
        false,
    };
    char **arguments;
    __attribute__((cleanup(cli_files_clear))) struct cli_files files = {0};
    int status = cli_parse(cli, &usage, argc, argv, &arguments);
    if (status != CLI_GO_ON) {
        return status;
    }
    if (!cli_read_files(arguments[0], layout, &files)) {
        return CLI_FAILED;
    }
    unsigned flags = DISTEM_UP_DRY_RUN | (compensates ? DISTEM_UP_COMPENSATE : 0);
    json_t *answer =
        cli_connect(cli) ? distem_up(cli->client, &files.topology, cli_files_layout(&files), flags, &cli->error) : NULL;
    if (!answer) {
        return cli->client ? cli_fail(cli) : CLI_FAILED;
    }
    const json_t *changes = json_object_get(answer, "changes");
    status = exit_code && json_array_size(changes) ? CLI_FAILED : CLI_OK;
    if (cli->json) {
        cli_print_json(json_incref(answer));
    } else {
        changes_print(changes);
    }
    json_decref(answer);
    return status;
}
