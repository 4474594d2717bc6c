/* SPDX-License-Identifier: Apache-2.0 */
/* distem validate: checks a topology file, without a daemon. */
#include <config.h>

#include <stdio.h>

#include "changes.h"
#include "distem/plan.h"
#include "distem/topology.h"
#include "options.h"
#include "text.h"

static int complain_problems(const struct diagnostics *problems)
{
    unsigned count = diagnostics_count(problems);
    cli_complain("the topology has %u error%s", count, count == 1 ? "" : "s");
    for (unsigned i = 0; i < count; i++) {
        g_autofree char *text = diagnostic_format(diagnostics_get(problems, i));
        fprintf(stderr, "%s\n", text);
    }
    return CLI_FAILED;
}

/* Prints what 'platform' holds, as POST /topology/check has it. */
static void print_platform(const struct cli *cli, const char *file, const struct platform *platform, const GPtrArray *unreachable)
{
    unsigned vifaces = 0;
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        vifaces += platform_vnode(platform, i)->vifaces->len;
    }
    json_t *pairs = json_array();
    for (unsigned i = 0; i < unreachable->len; i++) {
        json_array_append_new(pairs, json_string(unreachable->pdata[i]));
    }
    if (cli->json) {
        cli_print_json(json_pack("{s:I, s:I, s:I, s:o}", "vnetworks", (json_int_t)platform->vnetworks->len, "vnodes",
                                 (json_int_t)platform->vnodes->len, "vifaces", (json_int_t)vifaces, "unreachable", pairs));
        return;
    }
    if (!cli->quiet) {
        g_autofree char *vnetworks_text = text_count(platform->vnetworks->len, "vnetwork");
        g_autofree char *vnodes_text = text_count(platform->vnodes->len, "vnode");
        g_autofree char *vifaces_text = text_count(vifaces, "viface");
        printf("%s: ok: %s, %s, %s\n", file, vnetworks_text, vnodes_text, vifaces_text);
        changes_warn_unreachable(pairs, true);
    }
    json_decref(pairs);
}

int cli_validate(struct cli *cli, int argc, char **argv)
{
    const char *layout = NULL;
    const struct cli_option options[] = {CLI_LAYOUT_OPTION(&layout), {0}};
    const struct cli_usage usage = {
        .name = "validate",
        .arguments = "FILE|-",
        .text =
            "Checks the topology FILE (\"-\": standard input) without a daemon, and prints all its problems with file, line and "
            "JSON pointer. Whether the machines have room for it is not checked: `distem diff` does that.",
        .options = options,
        .min_arguments = 1,
        .max_arguments = 1,
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
    AUTO_DIAGNOSTICS problems = {0};
    g_autoptr(GPtrArray) unreachable = g_ptr_array_new_with_free_func(g_free);
    const struct topology_text topology = {files.topology.text, files.topology.size, files.topology.name};
    const struct topology_text site = {files.layout.text, files.layout.size, files.layout.name};
    AUTO_PLATFORM asked = topology_parse_with_layout(&topology, layout ? &site : NULL, &problems);
    AUTO_PLATFORM planned = asked ? plan(asked, NULL, NULL, &problems, unreachable) : NULL;
    if (!planned) {
        return complain_problems(&problems);
    }
    print_platform(cli, arguments[0], asked, unreachable);
    return CLI_OK;
}
