/* SPDX-License-Identifier: Apache-2.0 */
/* distem up: makes the platform what a file says. */
#include <config.h>

#include <stdio.h>

#include "changes.h"
#include "distem/units.h"
#include "options.h"
#include "wait.h"

/* Prints what the file changes; how much depends on the options. */
static void print_answer(const struct cli *cli, const char *file, const json_t *answer, bool verbose)
{
    const json_t *changes = json_object_get(answer, "changes");
    g_autofree char *summary = changes_summary(changes);
    if (!cli->quiet) {
        printf("%s: %s\n", file, summary);
    }
    if (verbose) {
        changes_print(changes);
    }
    if (!cli->quiet) {
        changes_warn_unreachable(json_object_get(answer, "unreachable"), verbose);
    }
    fflush(stdout);
}

/* Prints what is compensated on each vnetwork. */
static void print_bases(const json_t *bases)
{
    size_t i;
    json_t *base;
    json_array_foreach (bases, i, base) {
        g_autofree char *local = time_format(cli_integer(base, "base_local_ns"));
        g_autofree char *remote = time_format(cli_integer(base, "base_remote_ns"));
        bool has_local = json_is_integer(json_object_get(base, "base_local_ns"));
        bool has_remote = json_is_integer(json_object_get(base, "base_remote_ns"));
        printf("%s: ", cli_string(base, "vnetwork", "?"));
        if (!has_local && !has_remote) {
            puts("base latency not known, not compensated");
            continue;
        }
        printf("base latency %s%s%s%s%s one way\n", has_local ? local : "", has_local ? " on a pnode" : "",
               has_local && has_remote ? ", " : "", has_remote ? remote : "", has_remote ? " between pnodes" : "");
    }
}

/* Warns of pairs that could not be measured, and of what makes the figures doubtful. */
static void warn_unmeasured(const json_t *state)
{
    size_t i;
    json_t *result, *doubt;
    json_array_foreach (json_object_get(state, "results"), i, result) {
        const char *problem = cli_string(json_object_get(result, "rtt"), "problem", NULL);
        if (problem) {
            cli_complain("warning: the base latency from %s to %s could not be measured: %s", cli_string(result, "from", "?"),
                         cli_string(result, "to", "?"), problem);
        }
    }
    json_array_foreach (json_object_get(state, "doubts"), i, doubt) {
        cli_complain("warning: the base latencies are not to be trusted: %s", json_string_value(doubt));
    }
}

/* Measures the base latencies, and waits until they are compensated. Returns the exit code. */
static int compensate(struct cli *cli, const struct wait_limits *limits)
{
    int status;
    int64_t id = distem_calibrate(cli->client, &cli->error);
    if (id < 0) {
        return cli_fail(cli);
    }
    json_t *state = wait_for_verification(cli, id, limits->timeout_ms, &status);
    if (!state) {
        return status;
    }
    const json_t *calibration = json_object_get(state, "calibration");
    const char *problem = cli_string(calibration, "problem", NULL);
    if (problem) {
        cli_complain("the base latency is not compensated: %s", problem);
        status = CLI_FAILED;
    } else {
        status = wait_for_generation(cli, cli_integer(calibration, "generation"), limits, NULL);
    }
    warn_unmeasured(state);
    if (status == CLI_OK && !cli->quiet && !cli->json) {
        print_bases(json_object_get(calibration, "bases"));
    }
    json_decref(state);
    return status;
}

int cli_up(struct cli *cli, int argc, char **argv)
{
    bool no_wait = false, verbose = false, compensates = false;
    const char *timeout = NULL, *give_up = NULL, *layout = NULL;
    struct wait_limits limits = WAIT_LIMITS_DEFAULT;
    const struct cli_option options[] = {
        CLI_LAYOUT_OPTION(&layout),
        {"compensate", 'c', NULL, &compensates,
         "then measure the base latency of every vnetwork, and take it off the latencies that are emulated"},
        {"no-wait", 'n', NULL, &no_wait, "return when the daemon has taken the topology, and do not wait until it is real"},
        {"timeout", 't', "TIME", &timeout, "wait for at most so long (\"90s\"), then fail; the daemon goes on"},
        {"give-up", 'g', "TIME", &give_up,
         "fail when something has failed and nothing has moved for so long [20s]; the daemon goes on"},
        {"verbose", 'v', NULL, &verbose, "list every change"},
        {0},
    };
    const struct cli_usage usage = {
        "up",
        "FILE|-",
        "Makes the platform what the topology FILE says (\"-\": standard input) and waits until all of it runs. Given again "
        "with a changed file, only the difference is applied.",
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
    if (!wait_parse_time("timeout", timeout, &limits.timeout_ms) || !wait_parse_time("give-up", give_up, &limits.give_up_ms)) {
        return CLI_USAGE;
    }
    if (no_wait && compensates) {
        cli_complain("--compensate measures what runs: it cannot be given with --no-wait");
        return CLI_USAGE;
    }
    if (!cli_read_files(arguments[0], layout, &files)) {
        return CLI_FAILED;
    }
    json_t *answer = cli_connect(cli) ? distem_up(cli->client, &files.topology, cli_files_layout(&files),
                                                  compensates ? DISTEM_UP_COMPENSATE : 0, &cli->error)
                                      : NULL;
    if (!answer) {
        return cli->client ? cli_fail(cli) : CLI_FAILED;
    }
    if (!cli->json) {
        print_answer(cli, arguments[0], answer, verbose);
    }
    if (!no_wait) {
        /* What there is may still be on its way. */
        const char *done_text = json_array_size(json_object_get(answer, "changes")) ? "Up" : NULL;
        status = wait_for_generation(cli, cli_integer(answer, "generation"), &limits, done_text);
        status = status == CLI_OK && compensates ? compensate(cli, &limits) : status;
    } else {
        status = CLI_OK;
    }
    if (cli->json) {
        cli_print_json(json_incref(answer));
    }
    json_decref(answer);
    return status;
}
