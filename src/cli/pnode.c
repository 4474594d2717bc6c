/* SPDX-License-Identifier: Apache-2.0 */
/* distem pnode: the machines. */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "distem/topology.h"
#include "options.h"
#include "status.h"
#include "terminal.h"
#include "wait.h"

struct pnode_options {
    const char *label, *max_vnodes, *max_vifaces, *timeout;
    bool force, no_wait;
};

static void print_pnodes(const json_t *pnodes)
{
    struct table *table = table_new("LlrrrlLL", "PNODE|STATE|CORES|MEMORY|VNODES|ADDRESS|LABELS|LACKS");
    size_t i;
    json_t *pnode;
    json_array_foreach (pnodes, i, pnode) {
        const char *state = cli_string(pnode, "state", "unknown");
        table_add(table, cli_string(pnode, "name", "?"));
        table_add(table, state);
        table_color(table, state_color(state));
        table_add_integer(table, pnode, "cores");
        table_add_memory(table, pnode);
        table_add_integer(table, pnode, "vnodes");
        table_add(table, cli_string(pnode, "address", NULL));
        table_add_take(table, cli_labels(pnode));
        table_add(table, cli_string(pnode, "missing", NULL));
    }
    table_print(table, stdout, terminal_width(stdout));
    table_free(table);
    status_print_errors(pnodes, "pnode");
}

static int list(struct cli *cli)
{
    json_t *answer = distem_pnodes(cli->client, &cli->error);
    if (!answer) {
        return cli_fail(cli);
    }
    if (cli->json) {
        return cli_print_json(answer);
    }
    print_pnodes(json_object_get(answer, "pnodes"));
    json_decref(answer);
    return CLI_OK;
}

/* Reads "rack=a,site=nancy" into 'what'. */
static bool put_labels(json_t *what, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    json_t *labels = json_object();
    json_object_set_new(what, "labels", labels);
    for (char **word = words; *word; word++) {
        char *value = strchr(*word, '=');
        if (!value || value == *word) {
            cli_complain("--label: \"%s\": write it like rack=a,site=nancy", *word);
            return false;
        }
        *value = '\0';
        json_object_set_new(labels, *word, json_string(value + 1));
    }
    return true;
}

static bool put_number(json_t *what, const char *option, const char *key, const char *text)
{
    guint64 number;
    if (!g_ascii_string_to_unsigned(text, 10, 1, UINT32_MAX, &number, NULL)) {
        cli_complain("--%s: \"%s\": expected a number of at least 1", option, text);
        return false;
    }
    json_object_set_new(what, key, json_integer((json_int_t)number));
    return true;
}

static int add(struct cli *cli, const char *host, const struct pnode_options *o)
{
    json_t *what = json_object();
    bool usable = (!o->label || put_labels(what, o->label)) &&
                  (!o->max_vnodes || put_number(what, "max-vnodes", "max_vnodes", o->max_vnodes)) &&
                  (!o->max_vifaces || put_number(what, "max-vifaces", "max_vifaces", o->max_vifaces));
    json_t *answer = usable ? distem_pnode_add(cli->client, host, what, &cli->error) : NULL;
    json_decref(what);
    if (!answer) {
        return usable ? cli_fail(cli) : CLI_USAGE;
    }
    if (cli->json) {
        return cli_print_json(answer);
    }
    if (!cli->quiet) {
        printf("Pnode %s is there\n", cli_string(answer, "name", "?"));
    }
    json_decref(answer);
    return CLI_OK;
}

static int remove_pnode(struct cli *cli, const char *name, const struct pnode_options *o)
{
    struct wait_limits limits = WAIT_LIMITS_DEFAULT;
    if (!wait_parse_time("timeout", o->timeout, &limits.timeout_ms)) {
        return CLI_USAGE;
    }
    json_t *answer = distem_pnode_remove(cli->client, name, o->force, &cli->error);
    if (!answer) {
        return cli_fail(cli);
    }
    g_autofree char *done_text = g_strdup_printf("Pnode %s has left", name);
    int status = o->no_wait ? CLI_OK : wait_for_generation(cli, cli_integer(answer, "generation"), &limits, done_text);
    if (cli->json) {
        cli_print_json(json_incref(answer));
    }
    json_decref(answer);
    return status;
}

static int complain_action(const char *word)
{
    const char *const words[] = {"list", "add", "remove", NULL};
    const char *nearest = nearest_word(word, words);
    if (nearest) {
        cli_complain("pnode: there is no \"%s\": did you mean `distem pnode %s`?", word, nearest);
    } else {
        cli_complain("pnode: there is no \"%s\": choose from list, add, remove", word);
    }
    return CLI_USAGE;
}

int cli_pnode(struct cli *cli, int argc, char **argv)
{
    struct pnode_options o = {0};
    const struct cli_option options[] = {
        {"label", 'l', "KEY=VALUE,...", &o.label, "add: what topologies may ask for, beside what the machine says itself"},
        {"max-vnodes", 'm', "N", &o.max_vnodes, "add: place at most so many vnodes there"},
        {"max-vifaces", 'M', "N", &o.max_vifaces, "add: place vnodes with at most so many interfaces in all there"},
        {"force", 'f', NULL, &o.force, "remove: forget it at once, though it may be lost; its vnodes start anew elsewhere"},
        {"no-wait", 'n', NULL, &o.no_wait, "remove: do not wait until its vnodes run elsewhere"},
        {"timeout", 't', "TIME", &o.timeout, "remove: wait for at most so long (\"90s\"), then fail; the daemon goes on"},
        {0},
    };
    const struct cli_usage usage = {
        .name = "pnode",
        .arguments = "[list | add HOST[:PORT] | remove NAME]",
        .text = "Lists the pnodes; takes the machine HOST in, where `distemd --pnode` waits; or removes pnode NAME once its vnodes "
                "have been started anew elsewhere.",
        .options = options,
        .max_arguments = 2,
    };
    char **arguments;
    int status = cli_parse(cli, &usage, argc, argv, &arguments);
    if (status != CLI_GO_ON) {
        return status;
    }
    const char *action = arguments[0] ? arguments[0] : "list";
    const char *what = arguments[0] ? arguments[1] : NULL;
    bool lists = !strcmp(action, "list"), adds = !strcmp(action, "add");
    if (!lists && !adds && strcmp(action, "remove") != 0) {
        return complain_action(action);
    }
    if (lists && what) {
        cli_complain("pnode list: \"%s\" is not expected", what);
        return CLI_USAGE;
    }
    if (!lists && !what) {
        cli_complain("pnode %s: say which %s", action, adds ? "machine" : "pnode");
        return CLI_USAGE;
    }
    if (!cli_connect(cli)) {
        return CLI_FAILED;
    }
    return lists ? list(cli) : adds ? add(cli, what, &o) : remove_pnode(cli, what, &o);
}
