/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "request.h"

#include <string.h>

#include <jansson.h>

static const char *const op_names[] = {[VNODE_OP_START] = "start", [VNODE_OP_STOP] = "stop", [VNODE_OP_LIST] = "list"};

static void json_unref(json_t **json)
{
    json_decref(*json);
}
#define AUTO_JSON __attribute__((cleanup(json_unref))) json_t *

void vnode_request_clear(struct vnode_request *request)
{
    g_free(request->run_dir);
    g_free(request->state_dir);
    g_free(request->name);
    g_free(request->netns);
    g_free(request->image);
    *request = (struct vnode_request){0};
}

void vnode_result_clear(struct vnode_result *result)
{
    g_clear_error(&result->error);
    if (result->containers) {
        g_array_unref(result->containers);
        result->containers = NULL;
    }
}

/* These strings go into lxc's configuration and mount options, where a comma or a colon separates. */
static bool check_path(const char *what, const char *path, GError **error)
{
    if (!path) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "the request has no %s: an absolute path was expected", what);
    }
    if (path[0] != '/' || strlen(path) >= REQUEST_STRING_MAX || strpbrk(path, ",:\\ \t\n\r")) {
        return fail(error, DISTEM_ERROR_INVALID, 0,
                    "%s \"%s\": an absolute path without blank, comma, colon and backslash, shorter than %d bytes, was expected",
                    what, path, REQUEST_STRING_MAX);
    }
    return true;
}

static bool check_name(const char *name, GError **error)
{
    size_t length = name ? strlen(name) : 0;
    if (!length || length > NAME_MAX_LENGTH || name[0] == '-' ||
        strspn(name, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-") != length) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "name \"%s\": 1 to %d letters, digits and inner hyphens were expected",
                    name ? name : "", NAME_MAX_LENGTH);
    }
    return true;
}

static bool request_check(const struct vnode_request *request, GError **error)
{
    if (!check_path("run_dir", request->run_dir, error) || !check_path("state_dir", request->state_dir, error)) {
        return false;
    }
    if (request->op != VNODE_OP_LIST && !request->id) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "the request has no vnode's id");
    }
    if (request->op != VNODE_OP_START) {
        return true;
    }
    if (!check_name(request->name, error) || !check_path("netns", request->netns, error)) {
        return false;
    }
    if (request->memory > INT64_MAX) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "memory: at most 2^63 - 1 bytes were expected");
    }
    return !g_strcmp0(request->image, "host") || check_path("image", request->image, error);
}

/* Returns 'json' as a line; the caller frees it. */
static char *to_line(json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    g_assert(text);
    char *line = g_strconcat(text, "\n", NULL);
    free(text);
    return line;
}

char *vnode_request_format(const struct vnode_request *request, GError **error)
{
    if (!request_check(request, error)) {
        return NULL;
    }
    json_error_t problem;
    AUTO_JSON json = json_pack_ex(&problem, 0, "{s:s, s:I, s:s, s:s}", "op", op_names[request->op], "id", (json_int_t)request->id,
                                  "run_dir", request->run_dir, "state_dir", request->state_dir);
    AUTO_JSON more = NULL;
    if (request->op == VNODE_OP_START) {
        more = json_pack_ex(&problem, 0, "{s:s, s:s, s:s, s:I}", "name", request->name, "netns", request->netns, "image",
                            request->image, "memory", (json_int_t)request->memory);
    } else {
        more = json_pack_ex(&problem, 0, "{s:I, s:b}", "grace_ms", (json_int_t)request->grace_ms, "forget", request->forget);
    }
    if (!json || !more) {
        fail(error, DISTEM_ERROR_INVALID, 0, "vnode %u: paths and names have to be UTF-8 (%s)", request->id, problem.text);
        return NULL;
    }
    json_object_update(json, more);
    return to_line(json);
}

bool vnode_request_parse(const char *line, size_t length, struct vnode_request *ret, GError **error)
{
    json_error_t problem;
    AUTO_JSON json = json_loadb(line, length, JSON_REJECT_DUPLICATES, &problem);
    if (!json) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "the request is no JSON: %s", problem.text);
    }
    const char *op, *run_dir, *state_dir, *name = NULL, *netns = NULL, *image = NULL;
    json_int_t id, memory = 0, grace_ms = 0;
    int forget = 0;
    if (json_unpack_ex(json, &problem, 0, "{s:s, s:I, s:s, s:s, s?s, s?s, s?s, s?I, s?I, s?b!}", "op", &op, "id", &id, "run_dir",
                       &run_dir, "state_dir", &state_dir, "name", &name, "netns", &netns, "image", &image, "memory", &memory,
                       "grace_ms", &grace_ms, "forget", &forget) < 0) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "the request is malformed: %s", problem.text);
    }
    int number = -1;
    for (unsigned i = 0; i < G_N_ELEMENTS(op_names); i++) {
        if (!strcmp(op, op_names[i])) {
            number = (int)i;
        }
    }
    if (number < 0) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "op \"%s\": start, stop or list was expected", op);
    }
    if (id < 0 || id > UINT32_MAX || memory < 0 || grace_ms < 0 || grace_ms > INT32_MAX) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "id, memory or grace_ms is out of range");
    }
    AUTO_REQUEST request = {.op = (enum vnode_op)number,
                            .id = (uint32_t)id,
                            .memory = (uint64_t)memory,
                            .grace_ms = (unsigned)grace_ms,
                            .forget = forget != 0};
    request.run_dir = g_strdup(run_dir);
    request.state_dir = g_strdup(state_dir);
    request.name = g_strdup(name);
    request.netns = g_strdup(netns);
    request.image = g_strdup(image);
    if (!request_check(&request, error)) {
        return false;
    }
    *ret = request;
    request = (struct vnode_request){0};
    return true;
}

char *vnode_answer_format(const struct vnode_result *result)
{
    AUTO_JSON json = json_object();
    if (result->error) {
        g_autofree char *message = g_utf8_make_valid(result->error->message, -1);
        json_object_set_new(json, "error",
                            json_pack("{s:s, s:s}", "code", distem_error_name(result->error->code), "message", message));
    } else if (result->op == VNODE_OP_START) {
        json_object_set_new(json, "pid", json_integer(result->pid));
    } else if (result->op == VNODE_OP_LIST) {
        json_t *containers = json_array();
        for (unsigned i = 0; i < result->containers->len; i++) {
            const struct vnode_container *r = &g_array_index(result->containers, struct vnode_container, i);
            json_array_append_new(containers, json_pack("{s:I, s:I}", "id", (json_int_t)r->vnode_id, "pid", (json_int_t)r->pid));
        }
        json_object_set_new(json, "containers", containers);
    }
    return to_line(json);
}

static bool unpack_containers(json_t *list, GArray *containers)
{
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        json_int_t id, pid;
        if (json_unpack(item, "{s:I, s:I!}", "id", &id, "pid", &pid) < 0 || id < 1 || id > UINT32_MAX || pid < 0 ||
            pid > INT32_MAX) {
            return false;
        }
        struct vnode_container r = {.vnode_id = (uint32_t)id, .pid = (pid_t)pid};
        g_array_append_val(containers, r);
    }
    return true;
}

void vnode_answer_parse(const char *line, size_t length, struct vnode_result *result)
{
    AUTO_JSON json = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
    const char *code, *message;
    if (json_unpack(json, "{s:{s:s, s:s!}!}", "error", "code", &code, "message", &message) == 0) {
        fail(&result->error, distem_error_from_name(code), 0, "%s", message);
        return;
    }
    json_int_t pid;
    json_t *list;
    if (result->op == VNODE_OP_START && json_unpack(json, "{s:I!}", "pid", &pid) == 0 && pid > 0 && pid <= INT32_MAX) {
        result->pid = (pid_t)pid;
        return;
    }
    if (result->op == VNODE_OP_STOP && json_unpack(json, "{!}") == 0) {
        return;
    }
    if (result->op == VNODE_OP_LIST && json_unpack(json, "{s:o!}", "containers", &list) == 0 && json_is_array(list)) {
        g_autoptr(GArray) containers = g_array_new(FALSE, FALSE, sizeof(struct vnode_container));
        if (unpack_containers(list, containers)) {
            result->containers = g_steal_pointer(&containers);
            return;
        }
    }
    fail(&result->error, DISTEM_ERROR_SYSTEM, 0, "a worker process gave an answer that makes no sense: %.*s", (int)MIN(length, 200),
         line);
}
