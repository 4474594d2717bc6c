/* SPDX-License-Identifier: Apache-2.0 */
/* distem down: takes the platform down. */
#include <config.h>

#include "options.h"
#include "wait.h"

int cli_down(struct cli *cli, int argc, char **argv)
{
    bool no_wait = false;
    const char *timeout = NULL;
    struct wait_limits limits = WAIT_LIMITS_DEFAULT;
    const struct cli_option options[] = {
        {"no-wait", 'n', NULL, &no_wait, "return at once and do not wait until all is gone"},
        {"timeout", 't', "TIME", &timeout, "wait for at most so long (\"90s\"), then fail; the daemon goes on"},
        {0},
    };
    const struct cli_usage usage = {
        .name = "down",
        .arguments = "",
        .text =
            "Takes the platform down: stops its vnodes, removes its networks, and waits until all is gone. That there is none is "
            "fine.",
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
    json_t *answer = cli_connect(cli) ? distem_down(cli->client, &cli->error) : NULL;
    if (!answer) {
        return cli->client ? cli_fail(cli) : CLI_FAILED;
    }
    status = no_wait ? CLI_OK : wait_for_generation(cli, cli_integer(answer, "generation"), &limits, "Down");
    if (cli->json) {
        cli_print_json(json_incref(answer));
    }
    json_decref(answer);
    return status;
}
