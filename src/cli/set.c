/* SPDX-License-Identifier: Apache-2.0 */
/* distem set, distem unset: changes vifaces, or the latency matrix, while they run. */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "changes.h"
#include "options.h"
#include "wait.h"

/* What is made of the arguments: one change. */
struct words {
    const char *command;
    bool ends; /* unset: keys without values. */
    json_t *change;
};

static bool is_direction(const char *word)
{
    return !strcmp(word, "input") || !strcmp(word, "output") || !strcmp(word, "both");
}

#define TRACE "trace:"
#define LOOP ",loop"

/* Returns 'text' as it would stand in a topology file: true, false and whole numbers as such, trace:NAME and trace:NAME,loop as an
 * object. */
static json_t *value_of(const char *text)
{
    guint64 number;
    if (g_str_has_prefix(text, TRACE)) {
        bool loop = g_str_has_suffix(text, LOOP);
        g_autofree char *name = g_strndup(text + strlen(TRACE), strlen(text) - strlen(TRACE) - (loop ? strlen(LOOP) : 0));
        return json_pack("{s:s, s:b}", "trace", name, "loop", loop);
    }
    if (!strcmp(text, "true") || !strcmp(text, "false")) {
        return json_boolean(*text == 't');
    }
    if (g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT32, &number, NULL)) {
        return json_integer((json_int_t)number);
    }
    return json_string(text);
}

/* Takes the patterns in front of the first direction. Returns how many words that were, 0 after a complaint. */
static int take_patterns(struct words *words, char **arguments)
{
    json_t *patterns = json_array();
    int count = 0;
    for (; arguments[count] && !is_direction(arguments[count]); count++) {
        json_array_append_new(patterns, json_string(arguments[count]));
    }
    json_object_set_new(words->change, "vifaces", patterns);
    if (!count || !arguments[count]) {
        cli_complain("%s: %s is missing: expected, for example, `distem %s n1:if0 output %s`", words->command,
                     count ? "a direction (input, output or both)" : "a viface", words->command,
                     words->ends ? "latency" : "latency=20ms");
        return 0;
    }
    return count;
}

/* Takes a word that is a property, for 'patch'. Returns false after a complaint. */
static bool take_property(const struct words *words, json_t *patch, const char *word)
{
    const char *equals = strchr(word, '=');
    if (words->ends && equals) {
        cli_complain("unset: \"%s\" has a value: expected only a property's name, such as %.*s", word, (int)(equals - word), word);
        return false;
    }
    if (!words->ends && !equals) {
        cli_complain("set: \"%s\" has no value: expected a property such as latency=20ms", word);
        return false;
    }
    g_autofree char *key = equals ? g_strndup(word, (size_t)(equals - word)) : g_strdup(word);
    json_object_set_new(patch, key, equals ? value_of(equals + 1) : json_null());
    return true;
}

/* Takes a direction, the first word, and what follows up to the next. Returns how many words that were, 0 after a complaint. */
static int take_direction(struct words *words, char **arguments)
{
    json_t *patch = json_object_get(words->change, arguments[0]);
    int count = 1;
    if (!patch) {
        patch = json_object();
        json_object_set_new(words->change, arguments[0], patch);
    }
    for (; arguments[count] && !is_direction(arguments[count]); count++) {
        if (!take_property(words, patch, arguments[count])) {
            return 0;
        }
    }
    if (count == 1 && !words->ends) {
        cli_complain("set: %s what? expected a property such as latency=20ms after it", arguments[0]);
        return 0;
    }
    if (count == 1) {
        json_object_set_new(words->change, arguments[0], json_null());
    }
    return count;
}

/* Reads all arguments. Returns false after a complaint. */
static bool take_all(struct words *words, char **arguments)
{
    int i = take_patterns(words, arguments), count = i;
    while (count && arguments[i]) {
        count = take_direction(words, arguments + i);
        i += count;
    }
    return count;
}

/* Reads two groups of the matrix and what changes between them; 'replace': all else ends. Returns false after a complaint. */
static bool take_pair(struct words *words, char **arguments, bool replace)
{
    static const char *const properties[] = {"latency", "loss", "bandwidth"};
    if (!arguments[1] || (!words->ends && !arguments[2])) {
        cli_complain("%s: something is missing: expected, for example, `distem %s --matrix paris-1 site=tokyo %s`", words->command,
                     words->command, words->ends ? "latency" : "latency=20ms");
        return false;
    }
    json_object_set_new(words->change, "from", json_string(arguments[0]));
    json_object_set_new(words->change, "to", json_string(arguments[1]));
    for (unsigned i = 0; (replace || !arguments[2]) && i < G_N_ELEMENTS(properties); i++) {
        json_object_set_new(words->change, properties[i], json_null());
    }
    bool ok = true;
    for (char **word = arguments + 2; ok && *word; word++) {
        ok = take_property(words, words->change, *word);
    }
    return ok;
}

static void print_changes(const struct cli *cli, const json_t *changes, bool verbose)
{
    g_autofree char *summary = changes_summary(changes);
    if (!cli->quiet) {
        printf("%c%s\n", g_ascii_toupper(*summary), summary + 1);
    }
    if (verbose) {
        changes_print(changes);
    }
    fflush(stdout);
}

/* How to apply a change. */
struct manner {
    bool no_wait, verbose, replace, matrix;
    struct wait_limits limits;
};

/* Has the daemon make 'change' and waits until it is real. Returns the exit code. */
static int apply(struct cli *cli, json_t *change, const struct manner *manner)
{
    json_t *traces = cli_traces_here(change);
    if (!traces) {
        return CLI_FAILED;
    }
    json_t *list = json_pack("[O]", change);
    json_t *answer = !cli_connect(cli) ? NULL
                     : manner->matrix  ? distem_set_matrix(cli->client, list, &cli->error)
                                       : distem_set(cli->client, list, traces, manner->replace, &cli->error);
    json_decref(list);
    json_decref(traces);
    if (!answer) {
        return cli->client ? cli_fail(cli) : CLI_FAILED;
    }
    if (!cli->json) {
        print_changes(cli, json_object_get(answer, "changes"), manner->verbose);
    }
    int status = manner->no_wait ? CLI_OK : wait_for_generation(cli, cli_integer(answer, "generation"), &manner->limits, NULL);
    if (cli->json) {
        cli_print_json(json_incref(answer));
    }
    json_decref(answer);
    return status;
}

/* Runs the command that 'what' describes but for its options; 'ends': it is unset. */
static int run(struct cli *cli, int argc, char **argv, const struct cli_usage *what, bool ends)
{
    struct manner manner = {.limits = WAIT_LIMITS_DEFAULT};
    const char *timeout = NULL;
    struct cli_option options[] = {
        {"no-wait", 'n', NULL, &manner.no_wait, "return when the daemon has taken the change, and do not wait until it is real"},
        {"timeout", 't', "TIME", &timeout, "wait for at most so long (\"90s\"), then fail; the daemon goes on"},
        {"verbose", 'v', NULL, &manner.verbose, "list every change"},
        {"matrix", 'm', NULL, &manner.matrix, "change the latency matrix, from one of its groups to another"},
        {"replace", 'r', NULL, &manner.replace, "end everything else that is done there"},
        {0},
    };
    if (ends) {
        options[4] = options[5];
    }
    struct cli_usage usage = *what;
    usage.options = options;
    char **arguments;
    int status = cli_parse(cli, &usage, argc, argv, &arguments);
    if (status != CLI_GO_ON) {
        return status;
    }
    struct words words = {.command = what->name, .ends = ends, .change = json_object()};
    bool ok = wait_parse_time("timeout", timeout, &manner.limits.timeout_ms) &&
              (manner.matrix ? take_pair(&words, arguments, manner.replace) : take_all(&words, arguments));
    status = ok ? apply(cli, words.change, &manner) : CLI_USAGE;
    json_decref(words.change);
    return status;
}

int cli_set(struct cli *cli, int argc, char **argv)
{
    const struct cli_usage what = {
        .name = "set",
        .arguments = "VIFACE... input|output|both PROPERTY=VALUE...",
        .text =
            "Changes what vifaces do to frames, while they run: all at once or, when anything is wrong, nothing. Properties that "
            "are not named stay. VIFACE is n1:if0, n1 (all of that vnode), site=paris (all with that label) or a pattern such as "
            "\"client*:if0\" or \"client[1-100]\". Properties and values are those of the topology file; latency, loss and "
            "bandwidth follow a trace with trace:FILE, and again and again with trace:FILE,loop.\n\n"
            "`distem set --matrix FROM TO PROPERTY=VALUE...` changes latency, loss or bandwidth in the latency matrix, from one of "
            "its groups, as the topology names them, to another; not back.",
        .min_arguments = 1,
        .max_arguments = -1,
    };
    return run(cli, argc, argv, &what, false);
}

int cli_unset(struct cli *cli, int argc, char **argv)
{
    const struct cli_usage what = {
        .name = "unset",
        .arguments = "VIFACE... input|output|both [PROPERTY]...",
        .text =
            "Ends properties of vifaces, and with them those that need them; without PROPERTY, all of that direction. VIFACE "
            "is as for `distem set`.\n\n"
            "`distem unset --matrix FROM TO [PROPERTY]...` does so in the latency matrix, from one of its groups, as the topology "
            "names them, to another.",
        .min_arguments = 1,
        .max_arguments = -1,
    };
    return run(cli, argc, argv, &what, true);
}
