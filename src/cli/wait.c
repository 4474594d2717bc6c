/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "wait.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "distem/units.h"
#include "meter.h"
#include "text.h"

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

/* Makes Ctrl-C end the waiting and nothing else. */
static void catch_interrupt(struct sigaction *ret_before)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    interrupted = 0;
    sigaction(SIGINT, &action, ret_before);
}

struct deployment {
    struct meter meter;
    GHashTable *told; /* Errors and losses that were shown, as a set of strings. */
    int64_t total, running, failed, leaving;
    int64_t most_leaving;
    int64_t moved; /* When one of these changed last: monotonic, us. */
    int give_up_ms;
    bool stuck;
};

static void tell_errors(struct deployment *deployment, const json_t *progress)
{
    size_t i;
    json_t *entry;
    json_array_foreach (json_object_get(progress, "errors"), i, entry) {
        char *text = g_strdup_printf("%s: %s", cli_string(entry, "object", "?"), cli_string(entry, "message", "failed"));
        if (g_hash_table_contains(deployment->told, text)) {
            g_free(text);
            continue;
        }
        meter_clear(&deployment->meter);
        cli_complain("%s", text);
        g_hash_table_add(deployment->told, text);
    }
}

/* Warns of each lost pnode once: what is on it is not waited for. */
static void tell_losses(struct deployment *deployment, const json_t *progress)
{
    size_t i;
    json_t *entry;
    json_array_foreach (json_object_get(progress, "lost"), i, entry) {
        const char *pnode = cli_string(entry, "pnode", "?");
        char *key = g_strconcat("lost ", pnode, NULL);
        if (g_hash_table_contains(deployment->told, key)) {
            g_free(key);
            continue;
        }
        g_autofree char *vnodes = text_count(cli_integer(entry, "vnodes"), "vnode");
        meter_clear(&deployment->meter);
        cli_complain("warning: pnode %s is lost, and with it %s", pnode, vnodes);
        g_hash_table_add(deployment->told, key);
    }
}

static bool show_deployment(const json_t *progress, void *aux)
{
    struct deployment *deployment = aux;
    const json_t *vnodes = json_object_get(progress, "vnodes");
    int64_t total = cli_integer(vnodes, "total"), running = cli_integer(vnodes, "running"), failed = cli_integer(vnodes, "failed");
    int64_t leaving = cli_integer(vnodes, "leaving");
    int64_t now = g_get_monotonic_time();
    if (total != deployment->total || running != deployment->running || failed != deployment->failed ||
        leaving != deployment->leaving) {
        deployment->total = total;
        deployment->running = running;
        deployment->failed = failed;
        deployment->leaving = leaving;
        deployment->most_leaving = MAX(deployment->most_leaving, leaving);
        deployment->moved = now;
    }
    deployment->stuck = json_array_size(json_object_get(progress, "errors")) && deployment->give_up_ms >= 0 &&
                        (now - deployment->moved) / 1000 >= deployment->give_up_ms;
    tell_errors(deployment, progress);
    tell_losses(deployment, progress);
    if (total) {
        meter_show(&deployment->meter, running, total, failed);
    } else {
        deployment->meter.done_word = "vnodes removed";
        meter_show(&deployment->meter, deployment->most_leaving - leaving, deployment->most_leaving, 0);
    }
    return !interrupted && !deployment->stuck;
}

/* Returns how far it came, for people; the caller frees. */
static char *describe_deployment(const struct deployment *deployment)
{
    if (deployment->total) {
        return g_strdup_printf("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " vnodes run", MAX(deployment->running, 0),
                               deployment->total);
    }
    g_autofree char *left = text_count(deployment->leaving, "vnode");
    return g_strdup_printf("%s left", left);
}

/* Says why the generation was not reached. Returns the exit code. */
static int explain(struct cli *cli, const struct deployment *deployment)
{
    if (interrupted) {
        cli_complain("stopped waiting; the daemon goes on: see `distem status`");
        return CLI_INTERRUPTED;
    }
    g_autofree char *came_to = describe_deployment(deployment);
    if (deployment->stuck && !strcmp(cli->error.code, "stopped")) {
        cli_complain("nothing has moved for %.1f s (%s); the daemon goes on trying: see `distem status`",
                     deployment->give_up_ms / 1000.0, came_to);
        return CLI_FAILED;
    }
    if (!strcmp(cli->error.code, "timeout")) {
        cli_complain("%s (%s); the daemon goes on: see `distem status`", cli->error.message, came_to);
        return CLI_FAILED;
    }
    return cli_fail(cli);
}

int wait_for_generation(struct cli *cli, int64_t generation, const struct wait_limits *limits, const char *done_text)
{
    bool silent = cli->quiet || cli->json;
    struct deployment deployment = {.running = -1, .give_up_ms = limits->give_up_ms};
    deployment.told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    meter_begin(&deployment.meter, "vnodes running", silent);
    struct sigaction before;
    catch_interrupt(&before);
    bool done = distem_wait(cli->client, generation, limits->timeout_ms, show_deployment, &deployment, &cli->error);
    sigaction(SIGINT, &before, NULL);
    meter_clear(&deployment.meter);
    g_hash_table_unref(deployment.told);
    if (!done) {
        return explain(cli, &deployment);
    }
    if (!silent && done_text) {
        g_autofree char *vnodes = text_count(deployment.running, "vnode");
        printf("%s after %.1f s", done_text, meter_seconds(&deployment.meter));
        if (deployment.running) {
            printf(": %s running", vnodes);
        }
        putchar('\n');
    }
    return CLI_OK;
}

static bool show_verification(const json_t *state, void *aux)
{
    meter_show(aux, cli_integer(state, "done"), cli_integer(state, "total"), 0);
    return !interrupted;
}

json_t *wait_for_verification(struct cli *cli, int64_t id, int timeout_ms, int *ret_status)
{
    struct meter meter;
    meter_begin(&meter, "measurements", cli->quiet || cli->json);
    struct sigaction before;
    catch_interrupt(&before);
    json_t *state = distem_verify_wait(cli->client, id, timeout_ms, show_verification, &meter, &cli->error);
    sigaction(SIGINT, &before, NULL);
    meter_clear(&meter);
    if (!state && interrupted) {
        cli_complain("stopped waiting; the daemon measures on");
        *ret_status = CLI_INTERRUPTED;
    } else if (!state) {
        *ret_status = cli_fail(cli);
    }
    return state;
}

bool wait_parse_time(const char *option, const char *text, int *ret_ms)
{
    int64_t ns;
    g_autoptr(GError) error = NULL;
    if (!text) {
        return true;
    }
    if (!time_parse(text, &ns, &error)) {
        cli_complain("--%s: %s", option, error->message);
        return false;
    }
    *ret_ms = (int)MIN(ns / NS_PER_MS, G_MAXINT);
    return true;
}
