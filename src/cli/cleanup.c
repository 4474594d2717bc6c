/* SPDX-License-Identifier: Apache-2.0 */
/* distem cleanup: removes what distem left behind. */
#include <config.h>

#include "daemon.h"
#include "options.h"

int cli_cleanup(struct cli *cli, int argc, char **argv)
{
    bool dry_run = false;
    const struct cli_option options[] = {
        {"dry-run", 'n', NULL, &dry_run, "only list what would be removed"},
        {0},
    };
    const struct cli_usage usage = {
        .name = "cleanup",
        .arguments = "",
        .text = "Removes from this machine exactly what is marked as distem's, after a crash or a kill: containers, bridges, "
                "interfaces, "
                "namespaces, files. Stop the daemon first. Needs root.",
        .options = options,
    };
    char **arguments;
    int status = cli_parse(cli, &usage, argc, argv, &arguments);
    if (status != CLI_GO_ON) {
        return status;
    }
    const char *command[4] = {"--cleanup"};
    unsigned n = 1;
    if (dry_run) {
        command[n++] = "--dry-run";
    }
    if (cli->json) {
        command[n++] = "--json";
    }
    return daemon_exec(command);
}
