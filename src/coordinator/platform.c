/* SPDX-License-Identifier: Apache-2.0 */
/* The platform as a whole: up, down, look, progress. */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "distem/log.h"
#include "distem/plan.h"
#include "distem/topology.h"
#include "internal.h"

/* A change that is on its way into the database, and who waits for it. */
struct change_request {
    struct rest_request *request;
    json_t *answer; /* Once it is stored. */
};

static void store_done(void *aux, const GError *error)
{
    struct change_request *change = aux;
    if (error) {
        log_warning("coordinator", "a change was not stored", "error=\"%s\"", error->message);
        rest_reply_error(change->request, g_error_copy(error), NULL);
        json_decref(change->answer);
    } else {
        rest_reply(change->request, 200, change->answer);
    }
    g_free(change);
}

static void reply_problems(struct rest_request *request, struct diagnostics *problems)
{
    unsigned count = diagnostics_count(problems);
    rest_reply_error(request,
                     g_error_new(DISTEM_ERROR, DISTEM_ERROR_INVALID, "the topology has %u error%s", count, count == 1 ? "" : "s"),
                     problems);
}

/* What a vnode asks of its pnode's kernel. */
struct demand {
    bool shaping, seeds, matrix;
    const struct viface *paused; /* One with a direction that follows a trace with blackouts; NULL: none. */
    uint32_t pausing;            /* That trace, as in struct impairment. */
};

static struct demand demand_of(const struct vnode *vnode)
{
    struct demand demand = {.matrix = vnode->group};
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        const struct viface *viface = vnode_viface(vnode, i);
        demand.shaping |= !impairment_is_zero(&viface->input) || !impairment_is_zero(&viface->output);
        demand.seeds |= viface->input.seed || viface->output.seed;
        uint32_t trace = viface->input.bandwidth_trace;
        trace = trace & PLAYBACK_PAUSES ? trace : viface->output.bandwidth_trace;
        if (trace & PLAYBACK_PAUSES) {
            demand.paused = viface;
            demand.pausing = trace;
        }
    }
    return demand;
}

/* Checks that 'pnode' can emulate 'vnode'; see check_features(). */
static bool check_vnode(const struct platform *platform, const struct vnode *vnode, const struct pnode *pnode, GError **error)
{
    struct demand demand = demand_of(vnode);
    if (demand.shaping && pnode->missing) {
        return fail(error, DISTEM_ERROR_UNSUPPORTED, 0, "pnode %s cannot shape what vnode %s asks for: its kernel lacks %s",
                    pnode->name, vnode->name, pnode->missing);
    }
    if (demand.matrix && pnode->no_matrix) {
        return fail(error, DISTEM_ERROR_UNSUPPORTED, 0, "pnode %s cannot have vnode %s in a latency matrix: its kernel lacks %s",
                    pnode->name, vnode->name, pnode->no_matrix);
    }
    if (demand.paused && pnode->no_blackouts) {
        return fail(error, DISTEM_ERROR_UNSUPPORTED, 0,
                    "pnode %s cannot play the trace %s for %s:%s, of which the bandwidth is 0 at times: its kernel lacks %s",
                    pnode->name, platform_playback(platform, (demand.pausing & PLAYBACK_PLACE) - 1)->name, vnode->name,
                    demand.paused->name, pnode->no_blackouts);
    }
    if (demand.seeds && !pnode->seeds) {
        return fail(error, DISTEM_ERROR_UNSUPPORTED, 0,
                    "pnode %s cannot give vnode %s a seed: its kernel, %s, has a netem that takes none (Linux 6.6 and later do)",
                    pnode->name, vnode->name, pnode->kernel ? pnode->kernel : "which is not known");
    }
    return true;
}

/* Checks that the pnodes can emulate what the planned 'platform' has there. DISTEM_ERROR_UNSUPPORTED names what is missing. */
static bool check_features(const struct platform *platform, const GPtrArray *pnodes, GError **error)
{
    g_autoptr(GHashTable) lacking = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; i < pnodes->len; i++) {
        struct pnode *pnode = pnodes->pdata[i];
        if (pnode->missing || pnode->no_matrix || pnode->no_blackouts || !pnode->seeds) {
            g_hash_table_insert(lacking, pnode->name, pnode);
        }
    }
    for (unsigned i = 0; g_hash_table_size(lacking) && i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        const struct pnode *pnode = g_hash_table_lookup(lacking, vnode->pnode);
        if (pnode && !check_vnode(platform, vnode, pnode, error)) {
            return false;
        }
    }
    return true;
}

static json_t *json_changes(const GPtrArray *changes)
{
    static const char *const kinds[] = {[CHANGE_ADD] = "add", [CHANGE_REMOVE] = "remove", [CHANGE_MODIFY] = "modify"};
    json_t *list = json_array();
    for (unsigned i = 0; i < changes->len; i++) {
        const struct change *change = changes->pdata[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s?}", "kind", kinds[change->kind], "object", change->object,
                                              "name", change->name, "detail", change->detail));
    }
    return list;
}

static json_t *json_strings(const GPtrArray *strings)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < strings->len; i++) {
        json_array_append_new(list, json_string(strings->pdata[i]));
    }
    return list;
}

void platform_commit(struct coordinator *c, struct rest_request *request, const struct platform *current,
                     const struct platform *next, const GPtrArray *pnodes, const GPtrArray *unreachable, bool dry_run)
{
    GError *error = NULL;
    if (!check_features(next, pnodes, &error)) {
        rest_reply_error(request, error, NULL);
        return;
    }
    g_autoptr(GPtrArray) changes = plan_diff(current, next);
    uint64_t generation = db_generation(c->db);
    bool store = changes->len && !dry_run;
    json_t *answer = json_pack("{s:I, s:o, s:o}", "generation", (json_int_t)(generation + store), "changes", json_changes(changes),
                               "unreachable", json_strings(unreachable));
    if (!store) {
        rest_reply(request, 200, answer);
        return;
    }
    log_info("coordinator", "platform changed", "name=%s generation=%" PRIu64 " changes=%u", next->name, generation + 1,
             changes->len);
    struct change_request *change = g_new0(struct change_request, 1);
    change->request = request;
    change->answer = answer;
    db_store_platform(c->db, next, generation, store_done, change);
}

/* Says whether the request's query has 'key' with the value yes. */
static bool query_says(struct rest_request *request, const char *key)
{
    const char *value = rest_request_query(request, key);
    return value && !strcmp(value, "yes");
}

/* Reads a file of a bundle, {"file": "a.json", "text": "..."}; false when 'object' is none. */
static bool read_text(const json_t *object, struct topology_text *ret)
{
    const json_t *text = json_object_get(object, "text");
    *ret = (struct topology_text){json_string_value(text), json_string_length(text),
                                  json_string_value(json_object_get(object, "file"))};
    return ret->text;
}

/* Reads the topology in the body: a topology file, or with bundle=yes one and its layout. Else replies and returns NULL. */
static struct platform *read_topology(struct rest_request *request)
{
    AUTO_DIAGNOSTICS problems = {0};
    struct topology_text topology, layout;
    bool is_bundle = query_says(request, "bundle");
    json_t *bundle = is_bundle ? rest_request_json(request) : NULL;
    if (is_bundle && !bundle) {
        return NULL;
    }
    topology.text = rest_request_body(request, &topology.size);
    topology.file = rest_request_query(request, "file");
    if (is_bundle &&
        (!read_text(json_object_get(bundle, "topology"), &topology) || !read_text(json_object_get(bundle, "layout"), &layout))) {
        rest_reply_error(request,
                         g_error_new(DISTEM_ERROR, DISTEM_ERROR_INVALID,
                                     "a bundle is {\"topology\": {\"file\": \"a.json\", \"text\": \"...\"}, \"layout\": "
                                     "{\"file\": \"l.json\", \"text\": \"...\"}}"),
                         NULL);
        json_decref(bundle);
        return NULL;
    }
    struct platform *asked = topology_parse_with_layout(&topology, is_bundle ? &layout : NULL, &problems);
    json_decref(bundle);
    if (!asked) {
        reply_problems(request, &problems);
    }
    return asked;
}

/* Keeps the bases of the vnetworks of 'current' (NULL: none) for those with the same names. */
static void keep_bases(struct platform *asked, const struct platform *current)
{
    g_autoptr(GHashTable) before = current ? platform_index_vnetworks(current) : NULL;
    for (unsigned i = 0; before && i < asked->vnetworks->len; i++) {
        struct vnetwork *vnetwork = platform_vnetwork(asked, i);
        const struct vnetwork *old = g_hash_table_lookup(before, vnetwork->name);
        vnetwork->base_local = old ? old->base_local : 0;
        vnetwork->base_remote = old ? old->base_remote : 0;
    }
}

void platform_put(struct rest_request *request, void *context)
{
    struct coordinator *c = context;
    if (!require_database(c, request)) {
        return;
    }
    AUTO_DIAGNOSTICS problems = {0};
    AUTO_PLATFORM asked = read_topology(request);
    if (!asked) {
        return;
    }
    g_autoptr(GPtrArray) pnodes = coordinator_pnodes(c);
    g_autoptr(GError) error = NULL;
    if (!pnodes->len) {
        fail(&error, DISTEM_ERROR_UNAVAILABLE, 0, "no pnode has registered yet: try again");
        rest_reply_error(request, g_steal_pointer(&error), NULL);
        return;
    }
    AUTO_PLATFORM current = db_platform(c->db);
    if (query_says(request, "compensate")) {
        keep_bases(asked, current);
    }
    g_autoptr(GPtrArray) unreachable = g_ptr_array_new_with_free_func(g_free);
    AUTO_PLATFORM next = plan(asked, current, pnodes, &problems, unreachable);
    if (!next) {
        reply_problems(request, &problems);
        return;
    }
    platform_commit(c, request, current, next, pnodes, unreachable, query_says(request, "dry_run"));
}

void topology_check(struct rest_request *request, void *context G_GNUC_UNUSED)
{
    AUTO_DIAGNOSTICS problems = {0};
    AUTO_PLATFORM asked = read_topology(request);
    if (!asked) {
        return;
    }
    unsigned vifaces = 0;
    for (unsigned i = 0; i < asked->vnodes->len; i++) {
        vifaces += platform_vnode(asked, i)->vifaces->len;
    }
    g_autoptr(GPtrArray) unreachable = g_ptr_array_new_with_free_func(g_free);
    AUTO_PLATFORM planned = plan(asked, NULL, NULL, &problems, unreachable);
    if (!planned) {
        reply_problems(request, &problems);
        return;
    }
    rest_reply(request, 200,
               json_pack("{s:I, s:I, s:I, s:o}", "vnetworks", (json_int_t)asked->vnetworks->len, "vnodes",
                         (json_int_t)asked->vnodes->len, "vifaces", (json_int_t)vifaces, "unreachable", json_strings(unreachable)));
}

void platform_get(struct rest_request *request, void *context)
{
    struct coordinator *c = context;
    AUTO_PLATFORM platform = require_platform(c, request);
    if (platform) {
        g_autoptr(GPtrArray) pnodes = coordinator_pnodes(c);
        rest_reply(request, 200, json_platform(platform, db_generation(c->db), db_playback_start(c->db), pnodes));
    }
}

void platform_topology(struct rest_request *request, void *context)
{
    AUTO_PLATFORM platform = require_platform(context, request);
    if (platform) {
        g_autofree char *text = topology_write(platform);
        rest_reply(request, 200, json_loads(text, 0, NULL));
    }
}

void platform_delete(struct rest_request *request, void *context)
{
    struct coordinator *c = context;
    if (!require_database(c, request)) {
        return;
    }
    AUTO_PLATFORM platform = db_platform(c->db);
    uint64_t generation = db_generation(c->db);
    json_t *answer = json_pack("{s:I}", "generation", (json_int_t)(generation + (platform != NULL)));
    if (!platform) {
        rest_reply(request, 200, answer);
        return;
    }
    log_info("coordinator", "platform taken down", "name=%s", platform->name);
    struct change_request *change = g_new0(struct change_request, 1);
    change->request = request;
    change->answer = answer;
    db_store_platform(c->db, NULL, generation, store_done, change);
}

static void add_error(json_t *errors, const char *kind, const char *name, const char *message)
{
    json_array_append_new(errors, json_pack("{s:o, s:s}", "object", json_sprintf("%s %s", kind, name), "message", message));
}

void platform_progress(struct rest_request *request, void *context)
{
    struct coordinator *c = context;
    if (!require_database(c, request)) {
        return;
    }
    AUTO_PLATFORM platform = db_platform(c->db);
    g_autoptr(GPtrArray) pnodes = coordinator_pnodes(c);
    g_autoptr(GHashTable) lost = lost_pnodes(pnodes);
    unsigned counts[VNODE_STATE_FAILED + 1] = {0}, lost_vnodes = 0;
    unsigned total = platform ? platform->vnodes->len : 0;
    uint64_t leaving = 0;
    json_t *errors = json_array();
    for (unsigned i = 0; i < pnodes->len; i++) {
        const struct pnode *pnode = pnodes->pdata[i];
        leaving += pnode->lost ? 0 : pnode->leaving;
        if (pnode->error && !pnode->lost) {
            add_error(errors, "pnode", pnode->name, pnode->error);
        }
    }
    for (unsigned i = 0; i < total; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        if (g_hash_table_contains(lost, vnode->pnode)) {
            lost_vnodes++;
            continue;
        }
        counts[vnode->state]++;
        if (vnode->error) {
            add_error(errors, "vnode", vnode->name, vnode->error);
        }
    }
    uint64_t generation = db_generation(c->db);
    json_t *vnodes =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "total", (json_int_t)total, "running", (json_int_t)counts[VNODE_STATE_RUNNING],
                  "waiting", (json_int_t)(counts[VNODE_STATE_UNKNOWN] + counts[VNODE_STATE_WAITING]), "failed",
                  (json_int_t)counts[VNODE_STATE_FAILED], "leaving", (json_int_t)leaving, "lost", (json_int_t)lost_vnodes);
    rest_reply(request, 200,
               json_pack("{s:I, s:I, s:o, s:o, s:o}", "generation", (json_int_t)generation, "realised",
                         (json_int_t)realised_generation(pnodes, generation), "vnodes", vnodes, "errors", errors, "lost",
                         json_lost(pnodes, platform)));
}
