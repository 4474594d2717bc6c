/* SPDX-License-Identifier: Apache-2.0 */
/* distem replan: the same platform for the pnodes that there are. */
#include <config.h>

#include <stdio.h>

#include "changes.h"
#include "options.h"
#include "wait.h"

int cli_replan(struct cli *cli, int argc, char **argv)
{
    bool no_wait = false, move_lost = false;
    const char *timeout = NULL;
    struct wait_limits limits = WAIT_LIMITS_DEFAULT;
    const struct cli_option options[] = {
        {"move-lost", 'm', NULL, &move_lost, "start the vnodes of lost pnodes on others"},
        {"no-wait", 'n', NULL, &no_wait, "return when the daemon has planned, and do not wait until it is real"},
        {"timeout", 't', "TIME", &timeout, "wait for at most so long (\"90s\"), then fail; the daemon goes on"},
        {0},
    };
    const struct cli_usage usage = {
        .name = "replan",
        .arguments = "",
        .text =
            "Plans the platform anew for the pnodes that there are: routes lead around gateways on lost pnodes. Vnodes stay where "
            "they are.",
        .options = options,
    };
    char **arguments;
    int status = cli_parse(cli, &usage, argc, argv, &arguments);
    if (status != CLI_GO_ON) {
        return status;
    }
    if (!wait_parse_time("timeout", timeout, &limits.timeout_ms)) {
        return CLI_USAGE;
    }
    json_t *answer = cli_connect(cli) ? distem_replan(cli->client, move_lost, &cli->error) : NULL;
    if (!answer) {
        return cli->client ? cli_fail(cli) : CLI_FAILED;
    }
    const json_t *changes = json_object_get(answer, "changes");
    if (!cli->json && !cli->quiet) {
        g_autofree char *summary = changes_summary(changes);
        printf("Replanned: %s\n", summary);
        changes_warn_unreachable(json_object_get(answer, "unreachable"), true);
        fflush(stdout);
    }
    const char *done_text = json_array_size(changes) ? "Done" : NULL;
    status = no_wait ? CLI_OK : wait_for_generation(cli, cli_integer(answer, "generation"), &limits, done_text);
    if (cli->json) {
        cli_print_json(json_incref(answer));
    }
    json_decref(answer);
    return status;
}
