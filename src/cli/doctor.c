/* SPDX-License-Identifier: Apache-2.0 */
/* distem doctor: what this machine lacks. */
#include <config.h>

#include "daemon.h"
#include "options.h"

int cli_doctor(struct cli *cli, int argc, char **argv)
{
    const struct cli_usage usage = {
        .name = "doctor",
        .arguments = "",
        .text =
            "Looks at this machine (not at the daemon of --url) and says what distem needs and does not find, and which package or "
            "kernel module brings it. Exits with 1 when something is missing.",
    };
    char **arguments;
    int status = cli_parse(cli, &usage, argc, argv, &arguments);
    if (status != CLI_GO_ON) {
        return status;
    }
    const char *const command[] = {"--doctor", cli->json ? "--json" : NULL, NULL};
    return daemon_exec(command);
}
