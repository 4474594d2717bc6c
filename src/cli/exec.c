/* SPDX-License-Identifier: Apache-2.0 */
/* distem exec: runs a command in a vnode. */
#include <config.h>

#include "options.h"
#include "session.h"

int cli_exec(struct cli *cli, int argc, char **argv)
{
    bool tty = false;
    const struct cli_option options[] = {
        {"tty", 't', NULL, &tty, "run it on a terminal of its own, as interactive programs need it"},
        {0},
    };
    const struct cli_usage usage = {
        "exec",
        "VNODE [--] COMMAND [ARGUMENT]...",
        "Runs COMMAND in VNODE. Standard input, output and error are passed on, and so are the signals INT, TERM, QUIT and HUP. "
        "The exit code is the command's (128 + n after signal n), or 125 when distem itself failed.",
        options,
        2,
        -1,
        true,
    };
    char **arguments;
    int status = cli_parse(cli, &usage, argc, argv, &arguments);
    if (status != CLI_GO_ON) {
        return status;
    }
    char **command = arguments + 1;
    if (!g_strcmp0(*command, "--")) {
        command++;
    }
    if (!*command) {
        cli_complain("exec: something is missing: the command to run in %s", arguments[0]);
        return CLI_USAGE;
    }
    return session_run(cli, arguments[0], (const char *const *)command, tty);
}
