/* SPDX-License-Identifier: Apache-2.0 */
/* distem version: of the client and, where one answers, of the daemon. */
#include <config.h>

#include <stdio.h>

#include "options.h"

int cli_version(struct cli *cli, int argc, char **argv)
{
    const struct cli_usage usage = {
        .name = "version",
        .arguments = "",
        .text = "Prints the version of distem and, when it answers, of the daemon.",
    };
    char **arguments;
    int status = cli_parse(cli, &usage, argc, argv, &arguments);
    if (status != CLI_GO_ON) {
        return status;
    }
    if (!cli_connect(cli)) {
        return CLI_FAILED;
    }
    json_t *server = distem_server(cli->client, &cli->error);
    const char *version = cli_string(server, "version", NULL);
    if (cli->json) {
        cli_print_json(json_pack("{ss, ss?, ss}", "client", distem_version(), "daemon", version, "url", distem_url(cli->client)));
    } else {
        printf("distem %s\n", distem_version());
        if (version) {
            printf("distemd %s at %s\n", version, distem_url(cli->client));
        } else {
            printf("no daemon: %s\n", cli->error.message);
        }
    }
    json_decref(server);
    return CLI_OK;
}
