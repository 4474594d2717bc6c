/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "wait.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "distem/units.h"
#include "meter.h"
#include "text.h"

/* When nothing moves for so long and all that is missing has failed, it is of no use to wait on. */
#define STUCK_US (10 * G_USEC_PER_SEC)

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
    GHashTable *told; /* Errors that were shown, as a set of strings. */
    int64_t running;  /* What was running when last looked ... */
    int64_t moved;    /* ... and when that changed last: monotonic, us. */
    bool stuck;
    int64_t failed;
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

static bool show_deployment(const json_t *progress, void *aux)
{
    struct deployment *deployment = aux;
    const json_t *vnodes = json_object_get(progress, "vnodes");
    int64_t running = cli_integer(vnodes, "running"), total = cli_integer(vnodes, "total");
    int64_t now = g_get_monotonic_time();
    deployment->failed = cli_integer(vnodes, "failed");
    if (running != deployment->running || running + deployment->failed < total) {
        deployment->running = running;
        deployment->moved = now;
    }
    deployment->stuck = deployment->failed && now - deployment->moved > STUCK_US;
    tell_errors(deployment, progress);
    meter_show(&deployment->meter, running, total, deployment->failed);
    return !interrupted && !deployment->stuck;
}

int wait_for_generation(struct cli *cli, int64_t generation, int timeout_ms, const char *done_text)
{
    struct deployment deployment = {.told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL), .running = -1};
    meter_begin(&deployment.meter, "vnodes running", cli->quiet || cli->json);
    struct sigaction before;
    catch_interrupt(&before);
    bool done = distem_wait(cli->client, generation, timeout_ms, show_deployment, &deployment, &cli->error);
    sigaction(SIGINT, &before, NULL);
    meter_clear(&deployment.meter);
    g_hash_table_unref(deployment.told);
    if (done) {
        if (!cli->quiet && !cli->json) {
            printf("%s after %.1f s\n", done_text, meter_seconds(&deployment.meter));
        }
        return CLI_OK;
    }
    if (interrupted) {
        cli_complain("stopped waiting; the daemon goes on: see `distem status`");
        return CLI_INTERRUPTED;
    }
    if (deployment.stuck) {
        g_autofree char *failed = text_count(deployment.failed, "vnode");
        cli_complain("%s failed; the daemon goes on trying: see `distem status`", failed);
        return CLI_FAILED;
    }
    return cli_fail(cli);
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

bool wait_parse_timeout(const char *text, int *ret_ms)
{
    int64_t ns;
    g_autoptr(GError) error = NULL;
    if (!text) {
        *ret_ms = -1;
        return true;
    }
    if (!time_parse(text, &ns, &error)) {
        cli_complain("--timeout: %s", error->message);
        return false;
    }
    *ret_ms = (int)MIN(ns / NS_PER_MS, G_MAXINT);
    return true;
}
