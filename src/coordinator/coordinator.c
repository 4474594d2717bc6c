/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "internal.h"
#include "peers.h"

#define TOPOLOGY_LIMIT ((size_t)256 << 20)
#define CHANGES_LIMIT ((size_t)64 << 20)

static void root_get(struct rest_request *request, void *context G_GNUC_UNUSED)
{
    rest_reply(request, 200, json_pack("{s:s, s:s}", "name", "distem", "version", PACKAGE_VERSION));
}

static const struct rest_route routes[] = {
    {"GET", "/", root_get, 0},
    {"PUT", "/platform", platform_put, TOPOLOGY_LIMIT},
    {"GET", "/platform", platform_get, 0},
    {"DELETE", "/platform", platform_delete, 0},
    {"GET", "/platform/topology", platform_topology, 0},
    {"GET", "/platform/progress", platform_progress, 0},
    {"POST", "/platform/calibration", calibration_start, 0},
    {"POST", "/topology/check", topology_check, TOPOLOGY_LIMIT},
    {"GET", "/vnodes", vnodes_list, 0},
    {"GET", "/vnodes/:vnode", vnode_get, 0},
    {"POST", "/vnodes/:vnode/exec", vnode_run, 0},
    {"GET", "/vnodes/:vnode/vifaces/:viface", viface_get, 0},
    {"PATCH", "/vnodes/:vnode/vifaces/:viface", viface_patch, 0},
    {"PUT", "/vnodes/:vnode/vifaces/:viface", viface_put, 0},
    {"GET", "/vifaces", vifaces_list, 0},
    {"PATCH", "/vifaces", vifaces_patch, CHANGES_LIMIT},
    {"PUT", "/vifaces", vifaces_put, CHANGES_LIMIT},
    {"GET", "/platform/matrix", matrix_get, 0},
    {"PATCH", "/platform/matrix", matrix_patch, CHANGES_LIMIT},
    {"POST", "/platform/replan", platform_replan, 0},
    {"GET", "/pnodes", pnodes_list, 0},
    {"POST", "/pnodes", pnodes_post, 0},
    {"DELETE", "/pnodes/:pnode", pnode_delete, 0},
    {"POST", "/traces", trace_start, 0},
    {"POST", "/verifications", verification_start, 0},
    {"GET", "/verifications/:id", verification_get, 0},
    {0},
};

struct coordinator *coordinator_new(const struct coordinator_config *config, struct db *db, GError **error)
{
    struct coordinator *c = g_new0(struct coordinator, 1);
    c->config = (struct coordinator_config){
        .address = g_strdup(config->address),
        .port = config->port,
        .run_dir = g_strdup(config->run_dir),
        .state_dir = g_strdup(config->state_dir),
        .worker_path = g_strdup(config->worker_path),
        .probe_path = g_strdup(config->probe_path),
        .relay_path = g_strdup(config->relay_path),
        .pnode = g_strdup(config->pnode),
        .database = g_strdup(config->database),
        .trace = config->trace,
        .trace_aux = config->trace_aux,
    };
    c->db = db;
    c->children = g_array_new(FALSE, FALSE, sizeof(pid_t));
    c->questions = peers_new();
    c->signs = watch_new();
    c->joins = joins_new();
    c->server = rest_server_new(config->address, config->port, routes, c, error);
    if (!c->server) {
        coordinator_free(c);
        return NULL;
    }
    return c;
}

void coordinator_free(struct coordinator *c)
{
    if (c) {
        rest_server_free(c->server);
        verification_free(c->verification);
        g_array_unref(c->children);
        g_ptr_array_unref(c->questions);
        g_hash_table_unref(c->signs);
        g_ptr_array_unref(c->joins);
        g_free((char *)c->config.address);
        g_free((char *)c->config.run_dir);
        g_free((char *)c->config.state_dir);
        g_free((char *)c->config.worker_path);
        g_free((char *)c->config.probe_path);
        g_free((char *)c->config.relay_path);
        g_free((char *)c->config.pnode);
        g_free((char *)c->config.database);
        g_free(c);
    }
}

void coordinator_run(struct coordinator *c)
{
    rest_server_run(c->server);
    vnodes_reap(c);
    peers_run(c);
    watch_run(c);
    joins_run(c);
    playbacks_run(c);
    verify_run(c);
}

void coordinator_wait(struct coordinator *c)
{
    rest_server_wait(c->server);
    peers_wait(c);
    watch_wait(c);
    joins_wait(c);
    verify_wait(c);
}

bool require_database(struct coordinator *c, struct rest_request *request)
{
    if (db_is_ready(c->db)) {
        return true;
    }
    rest_reply_error(
        request, g_error_new(DISTEM_ERROR, DISTEM_ERROR_UNAVAILABLE, "the Distem database has not answered yet: try again"), NULL);
    return false;
}

struct platform *require_platform(struct coordinator *c, struct rest_request *request)
{
    if (!require_database(c, request)) {
        return NULL;
    }
    struct platform *platform = db_platform(c->db);
    if (!platform) {
        rest_reply_error(
            request, g_error_new(DISTEM_ERROR, DISTEM_ERROR_NOT_FOUND, "there is no platform: bring one up with `distem up FILE`"),
            NULL);
    }
    return platform;
}
