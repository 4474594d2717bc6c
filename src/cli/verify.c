/* SPDX-License-Identifier: Apache-2.0 */
/* distem verify: measures the platform against its specification. */
#include <config.h>

#include <string.h>

#include "distem/units.h"
#include "options.h"
#include "report.h"
#include "wait.h"

/* Reads "n1:n4,n2:n3" into an array of pairs. Returns NULL after a complaint. */
static json_t *parse_pairs(const char *text)
{
    json_t *pairs = json_array();
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    for (char **word = words; *word; word++) {
        g_auto(GStrv) names = g_strsplit(*word, ":", -1);
        if (g_strv_length(names) != 2 || !*names[0] || !*names[1]) {
            cli_complain("--pairs: \"%s\" is no pair of vnodes: write it like n1:n4,n2:n3", *word);
            json_decref(pairs);
            return NULL;
        }
        json_array_append_new(pairs, json_pack("[ss]", names[0], names[1]));
    }
    return pairs;
}

static json_t *parse_kinds(const char *text)
{
    static const char *const kinds[] = {"rtt", "goodput", "loss", NULL};
    json_t *list = json_array();
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    for (char **word = words; *word; word++) {
        if (!g_strv_contains(kinds, *word)) {
            cli_complain("--only: \"%s\" cannot be measured: choose from rtt, goodput and loss", *word);
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, json_string(*word));
    }
    return list;
}

/* Reads one "rtt=1%" into 'tolerance'. */
static bool parse_tolerance_word(const char *word, json_t *tolerance)
{
    const char *value = strchr(word, '=');
    g_autofree char *name = g_strndup(word, value ? (size_t)(value - word) : strlen(word));
    g_autoptr(GError) error = NULL;
    uint32_t ppb;
    int64_t ns;
    if (value && (!strcmp(name, "rtt") || !strcmp(name, "goodput"))) {
        if (percent_parse(value + 1, &ppb, &error)) {
            json_object_set_new(tolerance, name, json_real((double)ppb / PPB_ONE));
            return true;
        }
    } else if (value && !strcmp(name, "rtt-floor")) {
        if (time_parse(value + 1, &ns, &error)) {
            json_object_set_new(tolerance, "rtt_ns", json_integer(ns));
            return true;
        }
    }
    if (error) {
        cli_complain("--tolerance: %s: %s", name, error->message);
    } else {
        cli_complain("--tolerance: \"%s\" is not understood: write it like rtt=1%%,rtt-floor=0.3ms,goodput=3%%", word);
    }
    return false;
}

static json_t *parse_tolerance(const char *text)
{
    json_t *tolerance = json_object();
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    for (char **word = words; *word; word++) {
        if (!parse_tolerance_word(*word, tolerance)) {
            json_decref(tolerance);
            return NULL;
        }
    }
    return tolerance;
}

/* Reads a number of at least 'least'. Returns NULL after a complaint. */
static json_t *parse_number(const char *option, const char *text, uint64_t least)
{
    guint64 number;
    if (!g_ascii_string_to_unsigned(text, 10, least, G_MAXINT64, &number, NULL)) {
        cli_complain("--%s: \"%s\" is not a whole number of at least %" G_GUINT64_FORMAT, option, text, least);
        return NULL;
    }
    return json_integer((json_int_t)number);
}

/* Puts 'value' into 'what' under 'key'. Returns false when there is none, because it was wrong. */
static bool put(json_t *what, const char *key, json_t *value)
{
    return value && json_object_set_new(what, key, value) == 0;
}

/* Starts the verification that 'what' describes, waits for it and prints it. Returns the exit code. */
static int verify(struct cli *cli, json_t *what, int timeout_ms)
{
    if (!cli_connect(cli)) {
        return CLI_FAILED;
    }
    int64_t id = distem_verify(cli->client, what, &cli->error);
    if (id < 0) {
        return cli_fail(cli);
    }
    int status;
    json_t *verification = wait_for_verification(cli, id, timeout_ms, &status);
    if (!verification) {
        return status;
    }
    status = json_is_true(json_object_get(verification, "pass")) ? CLI_OK : CLI_FAILED;
    if (cli->json) {
        return cli_print_json(verification), status;
    }
    report_print(verification, cli->quiet);
    json_decref(verification);
    return status;
}

int cli_verify(struct cli *cli, int argc, char **argv)
{
    const char *pairs = NULL, *sample = NULL, *seed = NULL, *only = NULL, *tolerance = NULL, *timeout = NULL;
    const struct cli_option options[] = {
        {"pairs", 'p', "A:B,...", &pairs, "measure only between these vnodes"},
        {"sample", 's', "N", &sample, "measure at most N pairs, chosen at random, on a large platform"},
        {"seed", 0, "N", &seed, "choose them by this number: the same one, the same pairs"},
        {"only", 'o', "KIND,...", &only, "measure only rtt, goodput, loss"},
        {"tolerance", 'T', "LIST", &tolerance,
         "by how much a figure may differ: rtt=1%,rtt-floor=0.3ms,goodput=3% (the defaults); for an RTT the larger of its two "
         "counts"},
        {"timeout", 't', "TIME", &timeout, "wait for at most so long (\"90s\"), then fail"},
        {0},
    };
    const struct cli_usage usage = {
        .name = "verify",
        .arguments = "",
        .text =
            "Measures the running platform and compares it with what its topology promises: for each pair of vnodes the round-trip "
            "time, the TCP goodput in both directions, and the loss. Exits with 1 when a figure is outside its tolerance.",
        .options = options,
    };
    char **arguments;
    int timeout_ms = -1;
    int status = cli_parse(cli, &usage, argc, argv, &arguments);
    if (status != CLI_GO_ON) {
        return status;
    }
    json_t *what = json_object();
    bool ok = wait_parse_time("timeout", timeout, &timeout_ms);
    ok = ok && (!pairs || put(what, "pairs", parse_pairs(pairs)));
    ok = ok && (!sample || put(what, "sample", parse_number("sample", sample, 1)));
    ok = ok && (!seed || put(what, "seed", parse_number("seed", seed, 0)));
    ok = ok && (!only || put(what, "kinds", parse_kinds(only)));
    ok = ok && (!tolerance || put(what, "tolerance", parse_tolerance(tolerance)));
    status = ok ? verify(cli, what, timeout_ms) : CLI_USAGE;
    json_decref(what);
    return status;
}
