/* SPDX-License-Identifier: Apache-2.0 */
/* One function per route. */
#include <config.h>

#include "internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Between two looks at something that is waited for: short at first, so that a small change is not slowed down. */
#define POLL_MS_MIN 20
#define POLL_MS_MAX 250

static json_t *get(struct distem *client, const char *path, struct distem_error *error)
{
    return client_request(client, "GET", path, NULL, 0, error);
}

static json_t *json_file(const struct distem_file *file)
{
    return json_pack("{s:s, s:s%}", "file", file->name ? file->name : "-", "text", file->text, file->size);
}

/* Sends a topology, and its layout unless that is NULL, to 'path', which gets 'file' and 'more' ("&dry_run=yes", or "") as query.
 */
static json_t *send_files(struct distem *client, const char *method, const char *path, const struct distem_file *topology,
                          const struct distem_file *layout, const char *more, struct distem_error *error)
{
    if (!layout) {
        g_autofree char *name = client_encode(topology->name ? topology->name : "-");
        g_autofree char *target = g_strdup_printf("%s?file=%s%s", path, name, more);
        return client_request(client, method, target, topology->text, topology->size, error);
    }
    g_autofree char *target = g_strdup_printf("%s?bundle=yes%s", path, more);
    json_t *bundle = json_pack("{s:o, s:o}", "topology", json_file(topology), "layout", json_file(layout));
    g_autofree char *body = bundle ? json_dumps(bundle, JSON_COMPACT) : NULL;
    json_decref(bundle);
    if (!body) {
        client_fail(error, "invalid", "the files are not UTF-8");
        return NULL;
    }
    return client_request(client, method, target, body, strlen(body), error);
}

json_t *distem_server(struct distem *client, struct distem_error *error)
{
    return get(client, "/", error);
}

json_t *distem_up(struct distem *client, const struct distem_file *topology, const struct distem_file *layout, unsigned flags,
                  struct distem_error *error)
{
    g_autofree char *more =
        g_strconcat(flags & DISTEM_UP_DRY_RUN ? "&dry_run=yes" : "", flags & DISTEM_UP_COMPENSATE ? "&compensate=yes" : "", NULL);
    return send_files(client, "PUT", "/platform", topology, layout, more, error);
}

json_t *distem_down(struct distem *client, struct distem_error *error)
{
    return client_request(client, "DELETE", "/platform", NULL, 0, error);
}

json_t *distem_check(struct distem *client, const struct distem_file *topology, const struct distem_file *layout,
                     struct distem_error *error)
{
    return send_files(client, "POST", "/topology/check", topology, layout, "", error);
}

json_t *distem_platform(struct distem *client, struct distem_error *error)
{
    return get(client, "/platform", error);
}

json_t *distem_topology(struct distem *client, struct distem_error *error)
{
    return get(client, "/platform/topology", error);
}

json_t *distem_progress(struct distem *client, struct distem_error *error)
{
    return get(client, "/platform/progress", error);
}

json_t *distem_vnode(struct distem *client, const char *name, struct distem_error *error)
{
    g_autofree char *encoded = client_encode(name);
    g_autofree char *path = g_strconcat("/vnodes/", encoded, NULL);
    return get(client, path, error);
}

json_t *distem_vnodes(struct distem *client, struct distem_error *error)
{
    return get(client, "/vnodes", error);
}

json_t *distem_pnodes(struct distem *client, struct distem_error *error)
{
    return get(client, "/pnodes", error);
}

json_t *distem_vifaces(struct distem *client, const char *pattern, struct distem_error *error)
{
    g_autofree char *encoded = pattern ? client_encode(pattern) : NULL;
    g_autofree char *path = g_strconcat("/vifaces", encoded ? "?select=" : NULL, encoded, NULL);
    return get(client, path, error);
}

static json_t *send_changes(struct distem *client, const char *method, const char *path, json_t *changes, json_t *traces,
                            struct distem_error *error)
{
    json_t *body = json_pack("{s:O}", "changes", changes);
    if (json_object_size(traces)) {
        json_object_set(body, "traces", traces);
    }
    g_autofree char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return client_request(client, method, path, text, strlen(text), error);
}

json_t *distem_set(struct distem *client, json_t *changes, json_t *traces, bool replace, struct distem_error *error)
{
    return send_changes(client, replace ? "PUT" : "PATCH", "/vifaces", changes, traces, error);
}

json_t *distem_get_matrix(struct distem *client, const char *from, const char *to, struct distem_error *error)
{
    g_autofree char *row = from ? client_encode(from) : NULL;
    g_autofree char *column = to ? client_encode(to) : NULL;
    g_autofree char *path = g_strconcat("/platform/matrix", row || column ? "?" : "", row ? "from=" : "", row ? row : "",
                                        row && column ? "&" : "", column ? "to=" : "", column, NULL);
    return get(client, path, error);
}

json_t *distem_set_matrix(struct distem *client, json_t *changes, struct distem_error *error)
{
    return send_changes(client, "PATCH", "/platform/matrix", changes, NULL, error);
}

json_t *distem_pnode_add(struct distem *client, const char *address, const json_t *what, struct distem_error *error)
{
    json_t *body = what ? json_copy((json_t *)what) : json_object();
    json_object_set_new(body, "address", json_string(address));
    g_autofree char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return client_request(client, "POST", "/pnodes", text, strlen(text), error);
}

json_t *distem_pnode_remove(struct distem *client, const char *name, bool force, struct distem_error *error)
{
    g_autofree char *encoded = client_encode(name);
    g_autofree char *path = g_strdup_printf("/pnodes/%s%s", encoded, force ? "?force=yes" : "");
    return client_request(client, "DELETE", path, NULL, 0, error);
}

json_t *distem_replan(struct distem *client, bool move_lost, struct distem_error *error)
{
    const char *path = move_lost ? "/platform/replan?move_lost=yes" : "/platform/replan";
    return client_request(client, "POST", path, "", 0, error);
}

/* Sends 'body' to 'path', which starts a verification. Returns its number, or -1. */
static int64_t start_verification(struct distem *client, const char *path, const char *body, struct distem_error *error)
{
    json_t *answer = client_request(client, "POST", path, body, strlen(body), error);
    json_int_t id = -1;
    if (answer && json_unpack(answer, "{sI}", "id", &id) < 0) {
        client_fail(error, "system", "the daemon answered without the verification's id");
    }
    json_decref(answer);
    return id;
}

int64_t distem_verify(struct distem *client, json_t *what, struct distem_error *error)
{
    g_autofree char *body = what ? json_dumps(what, JSON_COMPACT) : g_strdup("{}");
    return start_verification(client, "/verifications", body, error);
}

int64_t distem_calibrate(struct distem *client, struct distem_error *error)
{
    return start_verification(client, "/platform/calibration", "", error);
}

json_t *distem_trace(struct distem *client, const char *from, const char *to, struct distem_error *error)
{
    json_t *what = json_pack("{s:s, s:s}", "from", from, "to", to);
    g_autofree char *body = what ? json_dumps(what, JSON_COMPACT) : NULL;
    json_decref(what);
    if (!body) {
        client_fail(error, "invalid", "\"%s\" or \"%s\" is not UTF-8", from, to);
        return NULL;
    }
    return client_request(client, "POST", "/traces", body, strlen(body), error);
}

json_t *distem_verification(struct distem *client, int64_t id, struct distem_error *error)
{
    g_autofree char *path = g_strdup_printf("/verifications/%" PRId64, id);
    return get(client, path, error);
}

/* Something that is waited for. */
struct wait {
    json_t *(*look)(struct distem *, int64_t, struct distem_error *);
    bool (*is_done)(const json_t *, int64_t);
    int64_t number;
    const char *what;
};

/* Looks again and again until it is done; returns the last state or NULL with an error. */
static json_t *wait_for(struct distem *client, const struct wait *wait, int timeout_ms, distem_progress_fn *progress, void *aux,
                        struct distem_error *error)
{
    int64_t start = g_get_monotonic_time();
    for (int pause = POLL_MS_MIN;; pause = MIN(pause * 3 / 2, POLL_MS_MAX)) {
        json_t *state = wait->look(client, wait->number, error);
        if (!state) {
            return NULL;
        }
        bool go_on = !progress || progress(state, aux);
        if (wait->is_done(state, wait->number)) {
            return state;
        }
        json_decref(state);
        if (!go_on) {
            client_fail(error, "stopped", "stopped waiting for %s", wait->what);
            return NULL;
        }
        int64_t waited_ms = (g_get_monotonic_time() - start) / 1000;
        if (timeout_ms >= 0 && waited_ms >= timeout_ms) {
            client_fail(error, "timeout", "%s is not done after %.1f s", wait->what, (double)waited_ms / 1000);
            return NULL;
        }
        if (timeout_ms >= 0) {
            pause = (int)MIN(pause, timeout_ms - waited_ms);
        }
        /* Ends early on a signal, after which the caller will want to look around. */
        nanosleep(&(struct timespec){.tv_nsec = pause * 1000000L}, NULL);
    }
}

static json_t *look_progress(struct distem *client, int64_t generation, struct distem_error *error)
{
    (void)generation;
    return distem_progress(client, error);
}

static bool is_realised(const json_t *state, int64_t generation)
{
    return json_integer_value(json_object_get(state, "realised")) >= generation;
}

static bool is_measured(const json_t *state, int64_t id)
{
    (void)id;
    return g_strcmp0(json_string_value(json_object_get(state, "state")), "running") != 0;
}

bool distem_wait(struct distem *client, int64_t generation, int timeout_ms, distem_progress_fn *progress, void *aux,
                 struct distem_error *error)
{
    const struct wait wait = {look_progress, is_realised, generation, "the platform"};
    json_t *state = wait_for(client, &wait, timeout_ms, progress, aux, error);
    json_decref(state);
    return state;
}

json_t *distem_verify_wait(struct distem *client, int64_t id, int timeout_ms, distem_progress_fn *progress, void *aux,
                           struct distem_error *error)
{
    const struct wait wait = {distem_verification, is_measured, id, "the verification"};
    return wait_for(client, &wait, timeout_ms, progress, aux, error);
}
