/* SPDX-License-Identifier: Apache-2.0 */
/* Verifications: one at a time, each with probers of its own. */
#include <config.h>

#include "calibrate.h"

#include <inttypes.h>

#include "distem/log.h"
#include "distem/plan.h"
#include "distem/pnode-server.h"
#include "distem/poll.h"
#include "peers.h"

#define CHECK_INTERVAL_MS 1000 /* Between looks for lost pnodes. */

struct verification {
    unsigned id;
    struct verify_options options; /* Its 'pairs' are not used any more. */
    struct platform *platform;
    struct verify_plan plan;
    struct verify_run *run;
    int64_t next_check;
    bool ended;
    bool calibrates;        /* What is measured is stored as bases. */
    bool storing;           /* That is under way. */
    uint64_t generation;    /* Of 'platform'; with 'calibrates', in the end that with the bases. */
    json_t *bases;          /* What was stored; NULL: nothing yet. */
    char *problem;          /* Why it could not be; NULL: nothing. */
    GHashTable *heartbeats; /* Name of a pnode -> its heartbeat (as a guint) when this began. */
    json_t *doubts;         /* Object: "pnode b: sentence" -> true, noticed since then. */
};

void verification_free(struct verification *v)
{
    if (v) {
        verify_run_free(v->run);
        verify_plan_clear(&v->plan);
        platform_free(v->platform);
        g_hash_table_unref(v->heartbeats);
        json_decref(v->doubts);
        json_decref(v->bases);
        g_free(v->problem);
        g_free(v);
    }
}

static struct verification *verification_new(struct coordinator *c)
{
    struct verification *v = g_new0(struct verification, 1);
    v->heartbeats = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    v->doubts = json_object();
    g_autoptr(GPtrArray) pnodes = coordinator_pnodes(c);
    for (unsigned i = 0; i < pnodes->len; i++) {
        const struct pnode *pnode = pnodes->pdata[i];
        g_hash_table_insert(v->heartbeats, g_strdup(pnode->name), GUINT_TO_POINTER((guint)pnode->heartbeat));
    }
    return v;
}

/* Notes what 'pnode' has noticed about itself since the verification began, or at its last look before. */
static void note_doubts(struct verification *v, const struct pnode *pnode)
{
    guint start = GPOINTER_TO_UINT(g_hash_table_lookup(v->heartbeats, pnode->name));
    GHashTableIter iter;
    gpointer sentence, heartbeat;
    g_hash_table_iter_init(&iter, pnode->doubts);
    while (g_hash_table_iter_next(&iter, &sentence, &heartbeat)) {
        if (GPOINTER_TO_UINT(heartbeat) >= start) { /* Just before counts: the next look may come too late. */
            g_autofree char *doubt = g_strdup_printf("pnode %s: %s", pnode->name, (const char *)sentence);
            json_object_set_new(v->doubts, doubt, json_true());
        }
    }
}

/* Returns the sentences as an array. */
static json_t *json_doubts(const struct verification *v)
{
    json_t *list = json_array(), *value;
    const char *doubt;
    json_object_foreach (v->doubts, doubt, value) {
        json_array_append_new(list, json_string(doubt));
    }
    return list;
}

static void lose_pnode(struct verification *v, const char *pnode)
{
    g_autofree char *problem = g_strdup_printf("pnode %s has not been heard of for long", pnode);
    verify_run_lose(v->run, pnode, problem);
}

/* Starts the probers. Fails when all pnodes that could measure refuse; what only one of them lacks becomes a problem of its
 * measurements. */
static bool start_probers(struct coordinator *c, struct verification *v, GError **error)
{
    g_autoptr(GPtrArray) pnodes = coordinator_pnodes(c);
    g_autoptr(GPtrArray) names = verify_run_pnodes(v->run);
    g_autoptr(GError) problem = NULL;
    bool started = false;
    for (unsigned i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        const struct pnode *pnode = find_pnode(pnodes, name);
        int fd;
        GPid pid;
        if (!pnode || pnode->lost) {
            lose_pnode(v, name);
            continue;
        }
        g_clear_error(&problem);
        if (peer_stream(c, pnode, "/probe", PROBE_PROTOCOL, NULL, &fd, &pid, &problem)) {
            verify_run_add(v->run, name, fd, pid);
            started = true;
        } else {
            verify_run_lose(v->run, name, problem->message);
        }
    }
    if (!started && problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    return true;
}

/* Checks that what would be measured is what is described, as far as it can be. */
static bool is_measurable(struct coordinator *c, GError **error)
{
    g_autoptr(GPtrArray) pnodes = coordinator_pnodes(c);
    if (realised_generation(pnodes, db_generation(c->db)) != db_generation(c->db)) {
        return fail(error, DISTEM_ERROR_CONFLICT, 0,
                    "the platform is still changing: wait until `distem status` says that it is ready");
    }
    if (c->verification && !c->verification->ended) {
        return fail(error, DISTEM_ERROR_CONFLICT, 0, "verification %u is still measuring, and two would disturb each other",
                    c->verification->id);
    }
    return true;
}

/* Ends the start of 'v', whose plan is made unless 'ok' is false with 'error' (consumed), and replies. */
static void start(struct coordinator *c, struct rest_request *request, struct verification *v, bool ok, GError *error)
{
    if (ok) {
        v->run = verify_run_new(&v->options, &v->plan);
        ok = start_probers(c, v, &error);
    }
    if (!ok) {
        rest_reply_error(request, error, NULL);
        verification_free(v);
        return;
    }
    verification_free(c->verification);
    v->id = ++c->verifications;
    c->verification = v;
    log_info("coordinator", v->calibrates ? "calibration started" : "verification started", "id=%u measurements=%u", v->id,
             v->plan.measurements->len);
    rest_reply(request, 201, json_pack("{s:I}", "id", (json_int_t)v->id));
}

void verification_start(struct rest_request *request, void *context)
{
    struct coordinator *c = context;
    AUTO_PLATFORM platform = require_platform(c, request);
    json_t *body = platform ? rest_request_json(request) : NULL;
    if (!body) {
        return;
    }
    struct verification *v = verification_new(c);
    GError *error = NULL;
    bool ok = is_measurable(c, &error) && verify_options_parse(body, &v->options, &error) &&
              verify_plan_make(platform, &v->options, &v->plan, &error);
    v->options.pairs = NULL;
    json_decref(body);
    v->platform = g_steal_pointer(&platform);
    start(c, request, v, ok, error);
}

void calibration_start(struct rest_request *request, void *context)
{
    struct coordinator *c = context;
    AUTO_PLATFORM platform = require_platform(c, request);
    if (!platform) {
        return;
    }
    struct verification *v = verification_new(c);
    GError *error = NULL;
    bool ok = is_measurable(c, &error);
    if (ok) {
        calibrate_plan(platform, &v->plan);
    }
    v->options.rtt_absolute = INT64_MAX; /* Whatever is measured passes. */
    v->calibrates = true;
    v->generation = db_generation(c->db);
    v->platform = g_steal_pointer(&platform);
    start(c, request, v, ok, error);
}

void verification_get(struct rest_request *request, void *context)
{
    struct coordinator *c = context;
    const struct verification *v = c->verification;
    guint64 id;
    if (!g_ascii_string_to_unsigned(rest_request_param(request, "id"), 10, 1, G_MAXUINT, &id, NULL) || !v || v->id != id) {
        rest_reply_error(request,
                         g_error_new(DISTEM_ERROR, DISTEM_ERROR_NOT_FOUND, "there is no verification %s: only the last one is kept",
                                     rest_request_param(request, "id")),
                         NULL);
        return;
    }
    /* Copies: the results go on changing while the answer is sent. */
    json_t *answer =
        json_pack("{s:I, s:s, s:I, s:I, s:o, s:O, s:O, s:o, s:b}", "id", (json_int_t)v->id, "state", v->ended ? "done" : "running",
                  "done", (json_int_t)verify_run_answered(v->run), "total", (json_int_t)v->plan.measurements->len, "results",
                  json_deep_copy(v->plan.results), "no_way", v->plan.no_way, "following", v->plan.following, "doubts",
                  json_doubts(v), "pass", verify_run_passes(v->run));
    if (v->ended && v->calibrates) {
        json_t *calibration = json_pack("{s:I, s:O?, s:o}", "generation", (json_int_t)v->generation, "bases", v->bases, "problem",
                                        text_or_null(v->problem));
        json_object_set_new(answer, "calibration", calibration);
    }
    rest_reply(request, 200, answer);
}

/* Told when the bases are stored. */
static void bases_stored(void *aux, const GError *error)
{
    struct verification *v = aux;
    v->ended = true;
    if (error) {
        v->problem = g_strdup(error->message);
        g_clear_pointer(&v->bases, json_decref);
    } else {
        v->generation++;
    }
    log_info("coordinator", "calibration ended", "id=%u generation=%" PRIu64 " problem=\"%s\"", v->id, v->generation,
             v->problem ? v->problem : "");
}

/* Plans the platform with the bases that were measured, and stores it. */
static void store_bases(struct coordinator *c, struct verification *v)
{
    AUTO_DIAGNOSTICS problems = {0};
    AUTO_PLATFORM asked = platform_copy(v->platform);
    calibrate_enter(&v->plan, asked);
    g_autoptr(GPtrArray) pnodes = coordinator_pnodes(c);
    AUTO_PLATFORM next = plan(asked, v->platform, pnodes, &problems, NULL);
    v->storing = true;
    if (!next) {
        g_autoptr(GError) error = NULL;
        fail(&error, DISTEM_ERROR_CONFLICT, 0, "the pnodes that there are cannot carry platform %s any more: %s", asked->name,
             diagnostics_get(&problems, 0)->message);
        bases_stored(v, error);
        return;
    }
    v->bases = calibrate_json(next);
    db_store_platform(c->db, next, v->generation, bases_stored, v);
}

/* A machine that has gone silent does not close its connections. */
static void check_pnodes(struct coordinator *c, struct verification *v)
{
    if (poll_now_ms() < v->next_check && !verify_run_done(v->run)) {
        return;
    }
    v->next_check = poll_now_ms() + CHECK_INTERVAL_MS;
    g_autoptr(GPtrArray) pnodes = coordinator_pnodes(c);
    for (unsigned i = 0; i < pnodes->len; i++) {
        const struct pnode *pnode = pnodes->pdata[i];
        note_doubts(v, pnode);
        if (pnode->lost) {
            lose_pnode(v, pnode->name);
        }
    }
}

void verify_run(struct coordinator *c)
{
    struct verification *v = c->verification;
    if (!v || v->ended || v->storing) {
        return;
    }
    verify_run_run(v->run);
    check_pnodes(c, v);
    if (verify_run_done(v->run) && v->calibrates) {
        store_bases(c, v);
    } else if (verify_run_done(v->run)) {
        v->ended = true;
        log_info("coordinator", "verification ended", "id=%u pass=%d", v->id, verify_run_passes(v->run));
    }
}

void verify_wait(struct coordinator *c)
{
    const struct verification *v = c->verification;
    if (v && !v->ended && !v->storing) {
        verify_run_wait(v->run);
        poll_wait_until(v->next_check);
    }
}
