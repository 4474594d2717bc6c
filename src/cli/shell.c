/* SPDX-License-Identifier: Apache-2.0 */
/* distem shell: a login shell in a vnode. */
#include <config.h>

#include <unistd.h>

#include "options.h"
#include "session.h"

int cli_shell(struct cli *cli, int argc, char **argv)
{
    const struct cli_usage usage = {
        .name = "shell",
        .arguments = "VNODE",
        .text =
            "Opens a login shell in VNODE: bash, or sh where there is no bash. With a terminal on standard input it gets one, too; "
            "otherwise it reads its commands from there. The exit code is the shell's.",
        .min_arguments = 1,
        .max_arguments = 1,
    };
    char **arguments;
    int status = cli_parse(cli, &usage, argc, argv, &arguments);
    if (status != CLI_GO_ON) {
        return status;
    }
    const char *term = g_getenv("TERM");
    const char *const command[] = {
        "/bin/sh", "-c", "TERM=$1; export TERM; [ -x /bin/bash ] && exec /bin/bash -l; exec /bin/sh -l", "sh", term ? term : "dumb",
        NULL,
    };
    return session_run(cli, arguments[0], command, isatty(STDIN_FILENO));
}
