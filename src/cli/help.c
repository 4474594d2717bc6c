/* SPDX-License-Identifier: Apache-2.0 */
/* distem help: the list of commands, or one command's help. */
#include <config.h>

#include "options.h"

int cli_help(struct cli *cli, int argc, char **argv)
{
    const struct cli_usage usage = {
        .name = "help",
        .arguments = "[COMMAND]",
        .text = "Explains COMMAND and its options, or lists the commands.",
        .max_arguments = 1,
    };
    char **arguments;
    int status = cli_parse(cli, &usage, argc, argv, &arguments);
    if (status != CLI_GO_ON) {
        return status;
    }
    if (!arguments[0]) {
        cli_print_commands();
        return CLI_OK;
    }
    const struct cli_command *command = cli_find_command(arguments[0]);
    char help[] = "--help";
    char *command_line[] = {arguments[0], help, NULL};
    return command ? command->run(cli, 2, command_line) : cli_unknown_command(arguments[0]);
}
