/* SPDX-License-Identifier: Apache-2.0 */
/* What vifaces and the latency matrix do to frames: look, and change while they run. A request changes all that it names at once,
 * or nothing. */
#include <config.h>

#include <string.h>

#include "distem/plan.h"
#include "distem/select.h"
#include "distem/topology.h"
#include "internal.h"

/* Vifaces and patterns that a request may name in all: one for each viface of a large platform. */
#define PATTERNS_MOST 100000

/* A request to change vifaces while it is worked out. */
struct update {
    struct coordinator *c;
    struct rest_request *request;
    struct platform *current, *next; /* 'next' starts as a copy. */
    struct playbacks *traces;        /* Of 'next'. */
    GHashTable *emptied;             /* PUT, where what is not named is ended: the vifaces that have been. NULL: PATCH. */
    size_t patterns;                 /* Named so far. */
    struct diagnostics problems;
};

static bool update_init(struct update *update, struct rest_request *request, void *context, bool replaces)
{
    *update = (struct update){.c = context, .request = request};
    update->current = require_platform(context, request);
    update->next = update->current ? platform_copy(update->current) : NULL;
    update->traces = update->next ? playbacks_new(update->next) : NULL;
    update->emptied = update->next && replaces ? g_hash_table_new(NULL, NULL) : NULL;
    return update->next;
}

static void update_clear(struct update *update)
{
    playbacks_free(update->traces);
    platform_free(update->current);
    platform_free(update->next);
    g_clear_pointer(&update->emptied, g_hash_table_unref);
    diagnostics_clear(&update->problems);
}

/* Changes one direction of 'selected' by what the keys 'name' and "both" of 'change', which stands at 'pointer', say. */
static bool update_direction(struct update *update, const struct selected *selected, const char *name, struct impairment *direction,
                             const json_t *change, const char *pointer)
{
    const char *const keys[] = {"both", name};
    g_autofree char *where = g_strdup_printf("%s of %s:%s", name, selected->vnode->name, selected->viface->name);
    struct impairment shape = *direction;
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        const json_t *patch = json_object_get(change, keys[i]);
        g_autofree char *place = g_strdup_printf("%s/%s", pointer, keys[i]);
        if (patch &&
            !impairment_merge(&shape, patch, selected->viface->vnetwork->mtu, update->traces, where, place, &update->problems)) {
            return false;
        }
    }
    *direction = shape;
    return true;
}

/* Checks that 'change', an object at 'pointer', has no other keys than directions and, if 'selects', "vifaces". */
static bool check_keys(const json_t *change, const char *pointer, bool selects, GError **error)
{
    const char *key;
    json_t *member;
    json_object_foreach ((json_t *)change, key, member) {
        if (strcmp(key, "input") != 0 && strcmp(key, "output") != 0 && strcmp(key, "both") != 0 &&
            (!selects || strcmp(key, "vifaces") != 0)) {
            return fail(error, DISTEM_ERROR_INVALID, 0, "unknown key %s/%s: expected %sinput, output or both", pointer, key,
                        selects ? "vifaces, " : "");
        }
    }
    return true;
}

/* Changes all of 'vifaces', an array of struct selected. Returns false with problems. */
static bool update_vifaces(struct update *update, const GArray *vifaces, const json_t *change, const char *pointer)
{
    for (unsigned i = 0; i < vifaces->len; i++) {
        const struct selected *selected = &g_array_index(vifaces, struct selected, i);
        if (update->emptied && g_hash_table_add(update->emptied, selected->viface)) {
            selected->viface->input = selected->viface->output = (struct impairment){0};
        }
        if (!update_direction(update, selected, "input", &selected->viface->input, change, pointer) ||
            !update_direction(update, selected, "output", &selected->viface->output, change, pointer)) {
            return false;
        }
    }
    return true;
}

/* Makes one of the changes of a request, {"vifaces": ["n1", "client*:if0"], "output": {"latency": "20ms"}}. */
static bool update_many(struct update *update, const json_t *change, const char *pointer, GError **error)
{
    const json_t *patterns = json_object_get(change, "vifaces");
    if (!json_is_object(change) || !json_array_size(patterns)) {
        return fail(error, DISTEM_ERROR_INVALID, 0,
                    "%s is no change: expected {\"vifaces\": [\"n1:if0\", \"client*\"], \"output\": {\"latency\": \"20ms\"}}",
                    pointer);
    }
    if (!check_keys(change, pointer, true, error)) {
        return false;
    }
    update->patterns += json_array_size(patterns);
    if (update->patterns > PATTERNS_MOST) {
        return fail(
            error, DISTEM_ERROR_INVALID, 0,
            "%s: up to here, more than %d vifaces and patterns are named: expected fewer in one request, such as a pattern or "
            "a label for many vifaces",
            pointer, PATTERNS_MOST);
    }
    g_autoptr(GArray) vifaces = g_array_new(FALSE, FALSE, sizeof(struct selected));
    g_autoptr(GHashTable) taken = g_hash_table_new(NULL, NULL); /* Whatever is named twice is changed once. */
    for (size_t i = 0; i < json_array_size(patterns); i++) {
        const char *pattern = json_string_value(json_array_get(patterns, i));
        if (!pattern) {
            return fail(error, DISTEM_ERROR_INVALID, 0, "%s/vifaces/%zu is no text: expected a viface or a pattern of some",
                        pointer, i);
        }
        if (!select_more(update->next, pattern, taken, vifaces, error)) {
            return false;
        }
    }
    return update_vifaces(update, vifaces, change, pointer);
}

/* Plans and stores what has been changed, and replies. */
static void update_commit(struct update *update)
{
    struct coordinator *c = update->c;
    g_autoptr(GPtrArray) pnodes = coordinator_pnodes(c), unreachable = g_ptr_array_new_with_free_func(g_free);
    AUTO_PLATFORM planned = plan(update->next, update->current, pnodes, &update->problems, unreachable);
    if (planned) {
        platform_commit(c, update->request, update->current, planned, pnodes, unreachable, false);
        return;
    }
    rest_reply_error(update->request,
                     g_error_new(DISTEM_ERROR, DISTEM_ERROR_CONFLICT, "the pnodes that there are cannot carry platform %s",
                                 update->current->name),
                     &update->problems);
}

/* Ends an update with 'error' (consumed), with problems of 'what', or by storing it. */
static void update_finish(struct update *update, GError *error, const char *what)
{
    if (error) {
        rest_reply_error(update->request, error, NULL);
    } else if (diagnostics_count(&update->problems)) {
        rest_reply_error(update->request,
                         g_error_new(DISTEM_ERROR, DISTEM_ERROR_INVALID, "nothing was changed: %s cannot be so", what),
                         &update->problems);
    } else {
        update_commit(update);
    }
    update_clear(update);
}

/* Begins an update by a list of changes, beside which the key 'other' (NULL: none) may stand. Returns the request's body, or NULL
 * when it has been answered; '*error' is set when the body is no such list. */
static json_t *update_begin_list(struct update *update, struct rest_request *request, void *context, bool replaces,
                                 const char *other, GError **error)
{
    if (!update_init(update, request, context, replaces)) {
        return NULL;
    }
    json_t *body = rest_request_json(request);
    if (!body) {
        update_clear(update);
    } else if (json_object_size(body) != (other && json_object_get(body, other) ? 2 : 1) ||
               !json_array_size(json_object_get(body, "changes"))) {
        fail(error, DISTEM_ERROR_INVALID, 0, "the body is {\"changes\": [...]}, with at least one change");
    }
    return body;
}

static void change_many(struct rest_request *request, void *context, bool replaces)
{
    struct update update;
    GError *error = NULL;
    json_t *body = update_begin_list(&update, request, context, replaces, "traces", &error);
    if (!body) {
        return;
    }
    const json_t *changes = json_object_get(body, "changes"), *traces = json_object_get(body, "traces");
    bool ok = !error && (!traces || playbacks_add(update.traces, traces, "/traces", &update.problems));
    for (size_t i = 0; ok && i < json_array_size(changes); i++) {
        g_autofree char *pointer = g_strdup_printf("/changes/%zu", i);
        if (!update_many(&update, json_array_get(changes, i), pointer, &error)) {
            break;
        }
    }
    json_decref(body);
    update_finish(&update, error, "a viface");
}

void vifaces_patch(struct rest_request *request, void *context)
{
    change_many(request, context, false);
}

void vifaces_put(struct rest_request *request, void *context)
{
    change_many(request, context, true);
}

static bool require_matrix(const struct platform *platform, GError **error)
{
    return platform->matrix || fail(error, DISTEM_ERROR_NOT_FOUND, 0, "platform %s has no latency matrix", platform->name);
}

/* Finds the group that the query names by 'key'; 0: the query does not. */
static bool find_group(struct rest_request *request, const struct matrix *matrix, const char *key, uint32_t *ret, GError **error)
{
    const char *name = rest_request_query(request, key);
    *ret = name ? matrix_find(matrix, name) : 0;
    return *ret || !name ||
           fail(error, DISTEM_ERROR_NOT_FOUND, 0, "the matrix has no group \"%s\": expected one as the topology names it", name);
}

void matrix_get(struct rest_request *request, void *context)
{
    AUTO_PLATFORM platform = require_platform(context, request);
    GError *error = NULL;
    uint32_t from, to;
    if (!platform) {
        return;
    }
    if (!require_matrix(platform, &error) || !find_group(request, platform->matrix, "from", &from, &error) ||
        !find_group(request, platform->matrix, "to", &to, &error)) {
        rest_reply_error(request, error, NULL);
        return;
    }
    rest_reply(request, 200, matrix_to_json(platform->matrix, from, to));
}

void matrix_patch(struct rest_request *request, void *context)
{
    struct update update;
    GError *error = NULL;
    json_t *body = update_begin_list(&update, request, context, false, NULL, &error);
    if (!body) {
        return;
    }
    const json_t *changes = json_object_get(body, "changes");
    if (!error && require_matrix(update.next, &error)) {
        struct matrix *matrix = matrix_revised(update.next->matrix, changes, "/changes", &update.problems);
        if (matrix) {
            matrix_unref(update.next->matrix);
            update.next->matrix = matrix;
            g_autofree char *problem = matrix_problem(update.next);
            if (problem) {
                diagnostics_add(&update.problems, NULL, 0, "/changes", "%s", problem);
            }
        }
    }
    json_decref(body);
    update_finish(&update, error, "the matrix");
}

/* Finds the viface that the path names in 'platform'; else replies with 404 and returns false. */
static bool require_viface(struct platform *platform, struct rest_request *request, struct selected *ret)
{
    const char *vnode = rest_request_param(request, "vnode"), *viface = rest_request_param(request, "viface");
    ret->vnode = platform_find_vnode(platform, vnode);
    ret->viface = ret->vnode ? vnode_find_viface(ret->vnode, viface) : NULL;
    if (!ret->viface) {
        rest_reply_error(request,
                         g_error_new(DISTEM_ERROR, DISTEM_ERROR_NOT_FOUND, "there is no viface \"%s:%s\" in platform %s", vnode,
                                     viface, platform->name),
                         NULL);
    }
    return ret->viface;
}

static void change_one(struct rest_request *request, void *context, bool replaces)
{
    struct update update;
    struct selected selected;
    if (!update_init(&update, request, context, replaces)) {
        return;
    }
    json_t *body = require_viface(update.next, request, &selected) ? rest_request_json(request) : NULL;
    if (!body) {
        update_clear(&update);
        return;
    }
    GError *error = NULL;
    g_autoptr(GArray) vifaces = g_array_new(FALSE, FALSE, sizeof(struct selected));
    g_array_append_val(vifaces, selected);
    if (check_keys(body, "", false, &error)) {
        (void)update_vifaces(&update, vifaces, body, ""); /* Its problems tell. */
    }
    json_decref(body);
    update_finish(&update, error, "a viface");
}

void viface_patch(struct rest_request *request, void *context)
{
    change_one(request, context, false);
}

void viface_put(struct rest_request *request, void *context)
{
    change_one(request, context, true);
}

void viface_get(struct rest_request *request, void *context)
{
    AUTO_PLATFORM platform = require_platform(context, request);
    struct selected selected;
    if (platform && require_viface(platform, request, &selected)) {
        rest_reply(request, 200, json_viface(selected.viface, platform));
    }
}

void vifaces_list(struct rest_request *request, void *context)
{
    AUTO_PLATFORM platform = require_platform(context, request);
    const char *pattern = rest_request_query(request, "select");
    g_autoptr(GArray) vifaces = g_array_new(FALSE, FALSE, sizeof(struct selected));
    GError *error = NULL;
    if (!platform) {
        return;
    }
    if (!select_vifaces(platform, pattern ? pattern : "*", vifaces, &error) && pattern) {
        rest_reply_error(request, error, NULL);
        return;
    }
    g_clear_error(&error); /* All of none. */
    json_t *list = json_array();
    for (unsigned i = 0; i < vifaces->len; i++) {
        const struct selected *selected = &g_array_index(vifaces, struct selected, i);
        json_t *viface = json_viface(selected->viface, platform);
        json_object_set_new(viface, "vnode", json_string(selected->vnode->name));
        json_array_append_new(list, viface);
    }
    rest_reply(request, 200, json_pack("{s:o}", "vifaces", list));
}
