/* SPDX-License-Identifier: Apache-2.0 */
/* Prints its port and serves until its standard input ends. What a topology file is called decides what happens:
 *   "figure3"  one more vnode runs each time somebody looks, until all five do;
 *   "failing"  vnode n4 never starts, and verifications fail;
 *   "slow"     nothing ever starts;
 *   "degraded" a pnode is lost.
 * A body that is not JSON is refused with two problems. */
#include <config.h>

#include "double.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "distem/exec-protocol.h"
#include "distem/poll.h"

#define VNODES 5

struct daemon {
    char *text; /* Of the topology file; NULL: no platform. */
    char *name;
    int64_t generation;
    int64_t running;
    int64_t measured;
};

static bool is_named(const struct daemon *d, const char *name)
{
    return !g_strcmp0(d->name, name);
}

static int64_t realised(const struct daemon *d)
{
    int64_t wanted = d->text ? VNODES : 0;
    return d->running == wanted ? d->generation : d->generation - 1;
}

static void get_root(struct rest_request *request, void *context)
{
    (void)context;
    rest_reply(request, 200, json_pack("{ss, ss}", "name", "distem", "version", "9.8.7"));
}

/* Returns the topology in a bundle in place of the bundle, which is consumed; NULL when it has no layout of the site nancy. */
static json_t *unwrap(json_t *bundle)
{
    const char *text = json_string_value(json_object_get(json_object_get(bundle, "topology"), "text"));
    const char *layout = json_string_value(json_object_get(json_object_get(bundle, "layout"), "text"));
    json_t *topology = text && layout && strstr(layout, "nancy") ? json_loads(text, 0, NULL) : NULL;
    json_decref(bundle);
    return topology;
}

/* Reads the name in the topology file that is the body, or in it. Returns NULL after refusing it. */
static char *read_name(struct rest_request *request)
{
    const char *file = rest_request_query(request, "file");
    size_t size;
    const char *text = rest_request_body(request, &size);
    json_t *body = json_loadb(text, size, 0, NULL);
    if (!file) {
        body = unwrap(body);
        file = "bundle";
    }
    const char *name = json_string_value(json_object_get(body, "name"));
    char *copy = g_strdup(name ? name : "unnamed");
    if (!body) {
        AUTO_DIAGNOSTICS problems = {0};
        diagnostics_add(&problems, file, 7, "/vnodes/n1/memry", "unknown key: did you mean memory?");
        diagnostics_add(&problems, file, 9, "", "this is no topology");
        rest_reply_error(request, g_error_new(DISTEM_ERROR, DISTEM_ERROR_INVALID, "the topology has 2 errors"), &problems);
        g_clear_pointer(&copy, g_free);
    }
    json_decref(body);
    return copy;
}

static json_t *changes(const struct daemon *d, const char *text)
{
    if (!d->text) {
        return json_pack("[{ss, ss, ss, sn}, {ss, ss, ss, sn}, {ss, ss, ss, sn}]", "kind", "add", "object", "vnetwork", "name",
                         "net1", "detail", "kind", "add", "object", "vnode", "name", "n1", "detail", "kind", "add", "object",
                         "vnode", "name", "n2", "detail");
    }
    if (!strcmp(d->text, text)) {
        return json_array();
    }
    return json_pack("[{ss, ss, ss, sn}, {ss, ss, ss, ss}]", "kind", "remove", "object", "vnode", "name", "n9", "detail", "kind",
                     "modify", "object", "viface", "name", "n1:if0", "detail", "input.latency 10ms -> 20ms");
}

static void put_platform(struct rest_request *request, void *context)
{
    struct daemon *d = context;
    char *name = read_name(request);
    if (!name) {
        return;
    }
    const char *text = rest_request_body(request, NULL);
    json_t *list = changes(d, text);
    bool store = !rest_request_query(request, "dry_run") && json_array_size(list);
    if (store) {
        g_free(d->text);
        g_free(d->name);
        d->text = g_strdup(text);
        d->name = g_steal_pointer(&name);
        d->generation++;
        d->running = 0;
    }
    g_free(name);
    json_t *unreachable = is_named(d, "figure3") ? json_array() : json_pack("[s]", "net1 -> net2");
    rest_reply(request, 200,
               json_pack("{sI, so, so}", "generation", (json_int_t)d->generation, "changes", list, "unreachable", unreachable));
}

static void check_topology(struct rest_request *request, void *context)
{
    (void)context;
    g_autofree char *name = read_name(request);
    if (name) {
        rest_reply(request, 200, json_pack("{si, si, si, s[]}", "vnetworks", 2, "vnodes", 5, "vifaces", 6, "unreachable"));
    }
}

static void get_platform(struct rest_request *request, void *context)
{
    struct daemon *d = context;
    if (!d->text) {
        rest_reply_error(request, g_error_new(DISTEM_ERROR, DISTEM_ERROR_NOT_FOUND, "there is no platform"), NULL);
        return;
    }
    bool failing = is_named(d, "failing");
    const char *state = failing ? "failed" : realised(d) == d->generation ? "ready" : "changing";
    rest_reply(request, 200, double_platform(d->generation, d->name, state, d->running, failing ? "n4" : NULL));
}

static void delete_platform(struct rest_request *request, void *context)
{
    struct daemon *d = context;
    if (d->text) {
        g_clear_pointer(&d->text, g_free);
        g_clear_pointer(&d->name, g_free);
        d->generation++;
    }
    rest_reply(request, 200, json_pack("{sI}", "generation", (json_int_t)d->generation));
}

static void get_progress(struct rest_request *request, void *context)
{
    struct daemon *d = context;
    bool failing = is_named(d, "failing");
    int64_t wanted = !d->text || is_named(d, "slow") ? 0 : failing ? VNODES - 1 : VNODES;
    d->running += d->running < wanted ? 1 : d->running > wanted ? -1 : 0;
    bool failed = failing && d->running == wanted;
    json_t *errors = json_array();
    if (failed) {
        json_array_append_new(errors, json_pack("{ss, ss}", "object", "vnode n4", "message", "the image is gone"));
    }
    json_t *lost = is_named(d, "degraded") ? json_pack("[{ss, si}]", "pnode", "b", "vnodes", 12) : json_array();
    int64_t total = d->text ? VNODES : 0, running = d->text ? d->running : 0;
    rest_reply(request, 200,
               json_pack("{sI, sI, s{sI, sI, sI, si, sI}, so, so}", "generation", (json_int_t)d->generation, "realised",
                         (json_int_t)realised(d), "vnodes", "total", (json_int_t)total, "running", (json_int_t)running, "waiting",
                         (json_int_t)(total - running - failed), "failed", failed, "leaving",
                         (json_int_t)(d->text ? 0 : d->running), "errors", errors, "lost", lost));
}

static void get_pnodes(struct rest_request *request, void *context)
{
    struct daemon *d = context;
    rest_reply(request, 200, json_pack("{so}", "pnodes", double_pnodes(d->generation, true)));
}

static void post_pnode(struct rest_request *request, void *context)
{
    (void)context;
    json_t *body = rest_request_json(request);
    if (!body) {
        return;
    }
    const char *address = json_string_value(json_object_get(body, "address"));
    if (!g_strcmp0(address, "taken")) {
        rest_reply_error(request, g_error_new(DISTEM_ERROR, DISTEM_ERROR_CONFLICT, "pnode taken belongs to another coordinator"),
                         NULL);
    } else {
        /* What was asked for, to be looked at. */
        rest_reply(request, 201, json_pack("{ss, sO}", "name", "b", "body", body));
    }
    json_decref(body);
}

static void delete_pnode(struct rest_request *request, void *context)
{
    struct daemon *d = context;
    const char *name = rest_request_param(request, "pnode"), *force = rest_request_query(request, "force");
    if (!strcmp(name, "full")) {
        AUTO_DIAGNOSTICS problems = {0};
        diagnostics_add(&problems, NULL, 0, "/vnodes/n1", "no pnode has room for it");
        rest_reply_error(request, g_error_new(DISTEM_ERROR, DISTEM_ERROR_CONFLICT, "pnode full cannot be removed"), &problems);
    } else {
        rest_reply(request, force ? 200 : 202,
                   json_pack("{sI, sb}", "generation", (json_int_t)d->generation, "forced", force != NULL));
    }
}

static void replan_platform(struct rest_request *request, void *context)
{
    struct daemon *d = context;
    bool move_lost = !g_strcmp0(rest_request_query(request, "move_lost"), "yes");
    json_t *changes = move_lost
                          ? json_pack("[{ss, ss, ss, ss}]", "kind", "modify", "object", "vnode", "name", "n5", "detail", "pnode")
                          : json_array();
    d->generation += move_lost;
    rest_reply(request, 200,
               json_pack("{sI, so, s[]}", "generation", (json_int_t)d->generation, "changes", changes, "unreachable"));
}

/* Returns the vnode of that name, or NULL after refusing the request. */
static json_t *find_vnode(struct rest_request *request, const struct daemon *d)
{
    const char *name = rest_request_param(request, "vnode");
    json_t *platform = double_platform(d->generation, "figure3", "ready", VNODES, NULL);
    size_t i;
    json_t *vnode, *found = NULL;
    json_array_foreach (json_object_get(platform, "vnodes"), i, vnode) {
        if (!strcmp(json_string_value(json_object_get(vnode, "name")), name)) {
            found = json_incref(vnode);
        }
    }
    json_decref(platform);
    if (!found) {
        rest_reply_error(request, g_error_new(DISTEM_ERROR, DISTEM_ERROR_NOT_FOUND, "there is no vnode %s", name), NULL);
    }
    return found;
}

static void get_vnode(struct rest_request *request, void *context)
{
    json_t *vnode = find_vnode(request, context);
    if (vnode) {
        rest_reply(request, 200, vnode);
    }
}

static void run_command(int fd, const void *early, size_t early_size, void *aux)
{
    (void)early;
    g_assert_cmpuint(early_size, ==, 0);
    json_t *body = aux, *words = json_object_get(body, "argv");
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    for (size_t i = 0; i < json_array_size(words); i++) {
        g_ptr_array_add(argv, (gpointer)json_string_value(json_array_get(words, i)));
    }
    g_ptr_array_add(argv, NULL);
    if (fd >= 0) {
        double_exec(fd, (const char *const *)argv->pdata, json_is_true(json_object_get(body, "tty")));
        close(fd);
    }
    json_decref(body);
}

static void exec_vnode(struct rest_request *request, void *context)
{
    json_t *vnode = find_vnode(request, context);
    json_t *body = vnode ? rest_request_json(request) : NULL;
    if (body) {
        rest_upgrade(request, EXEC_PROTOCOL, run_command, body);
    }
    json_decref(vnode);
}

static void post_verification(struct rest_request *request, void *context)
{
    struct daemon *d = context;
    json_t *body = rest_request_json(request);
    if (body) {
        /* The request, so that tests can look at it. */
        g_autofree char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(6));
        fprintf(stderr, "verification %s\n", text);
        d->measured = 0;
        rest_reply(request, 201, json_pack("{si}", "id", 1));
        json_decref(body);
    }
}

static void get_verification(struct rest_request *request, void *context)
{
    struct daemon *d = context;
    bool pass = !is_named(d, "failing");
    d->measured = MIN(d->measured + 3, 10);
    json_t *results = d->measured < 10 ? json_array() : double_results(pass);
    json_t *no_way = json_array();
    for (unsigned i = 1; i <= 9 && pass; i++) {
        g_autofree char *apart = g_strdup_printf("apart%u", i);
        json_array_append_new(no_way, json_pack("[ss]", "n1", apart));
    }
    rest_reply(request, 200,
               json_pack("{si, ss, sI, si, so, so, sb}", "id", 1, "state", d->measured < 10 ? "running" : "done", "done",
                         (json_int_t)d->measured, "total", 10, "results", results, "no_way", no_way, "pass", pass));
}

static const struct rest_route routes[] = {
    {"GET", "/", get_root, 0},
    {"PUT", "/platform", put_platform, (size_t)256 << 20},
    {"POST", "/topology/check", check_topology, (size_t)256 << 20},
    {"GET", "/platform", get_platform, 0},
    {"GET", "/platform/progress", get_progress, 0},
    {"DELETE", "/platform", delete_platform, 0},
    {"GET", "/vnodes/:vnode", get_vnode, 0},
    {"GET", "/pnodes", get_pnodes, 0},
    {"POST", "/vnodes/:vnode/exec", exec_vnode, 0},
    {"POST", "/platform/replan", replan_platform, 0},
    {"POST", "/pnodes", post_pnode, 0},
    {"DELETE", "/pnodes/:pnode", delete_pnode, 0},
    {"POST", "/verifications", post_verification, 0},
    {"GET", "/verifications/:id", get_verification, 0},
    {0},
};

int main(void)
{
    struct daemon d = {0};
    GError *error = NULL;
    signal(SIGCHLD, SIG_IGN);
    struct rest_server *server = rest_server_new("127.0.0.1", 0, routes, &d, &error);
    if (!server) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    printf("%u\n", rest_server_port(server));
    fflush(stdout);
    for (struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN}; poll(&input, 1, 0) == 0;) {
        rest_server_run(server);
        rest_server_wait(server);
        poll_wait_fd(STDIN_FILENO, POLLIN);
        poll_block_once();
    }
    rest_server_free(server);
    g_free(d.text);
    g_free(d.name);
    return 0;
}
