/* SPDX-License-Identifier: Apache-2.0 */
/* Vnodes: look, and run commands. */
#include <config.h>

#include <sys/wait.h>
#include <unistd.h>

#include "distem/exec-protocol.h"
#include "distem/exec-request.h"
#include "distem/log.h"
#include "distem/vnode.h"
#include "internal.h"
#include "peers.h"

void vnodes_list(struct rest_request *request, void *context)
{
    AUTO_PLATFORM platform = require_platform(context, request);
    if (!platform) {
        return;
    }
    g_autoptr(GPtrArray) pnodes = coordinator_pnodes(context);
    g_autoptr(GHashTable) lost = lost_pnodes(pnodes);
    json_t *list = json_array();
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        json_array_append_new(list, json_vnode(platform_vnode(platform, i), platform, lost));
    }
    rest_reply(request, 200, json_pack("{s:o}", "vnodes", list));
}

/* Returns the vnode that the path names; else replies with 404 and returns NULL. */
static const struct vnode *require_vnode(const struct platform *platform, struct rest_request *request)
{
    const char *name = rest_request_param(request, "vnode");
    const struct vnode *vnode = platform_find_vnode(platform, name);
    if (!vnode) {
        rest_reply_error(
            request,
            g_error_new(DISTEM_ERROR, DISTEM_ERROR_NOT_FOUND, "there is no vnode \"%s\" in platform %s", name, platform->name),
            NULL);
    }
    return vnode;
}

void vnode_get(struct rest_request *request, void *context)
{
    AUTO_PLATFORM platform = require_platform(context, request);
    const struct vnode *vnode = platform ? require_vnode(platform, request) : NULL;
    if (vnode) {
        g_autoptr(GPtrArray) pnodes = coordinator_pnodes(context);
        g_autoptr(GHashTable) lost = lost_pnodes(pnodes);
        rest_reply(request, 200, json_vnode(vnode, platform, lost));
    }
}

/* A command that waits for its connection to be upgraded. */
struct command {
    struct coordinator *c;
    struct platform *platform;
    const struct vnode *vnode;
    json_t *body; /* Keeps the strings of 'argv'. */
    const char **argv;
    bool tty;
};

static void command_free(struct command *command)
{
    platform_free(command->platform);
    json_decref(command->body);
    g_free(command->argv);
    g_free(command);
}

/* Hands 'fd' to a process that runs the command, here or on the vnode's pnode. Returns its pid, or -1 with an error. */
static pid_t start_command(const struct command *command, int fd, GError **error)
{
    struct coordinator *c = command->c;
    const struct vnode *vnode = command->vnode;
    if (pnode_is_own(c, vnode->pnode)) {
        return vnode_exec(c->config.worker_path, c->config.state_dir, vnode, command->argv, command->tty, fd, error);
    }
    g_autoptr(GPtrArray) pnodes = coordinator_pnodes(c);
    const struct pnode *pnode = find_pnode(pnodes, vnode->pnode);
    if (!pnode) {
        fail(error, DISTEM_ERROR_UNAVAILABLE, 0, "pnode %s, which vnode %s runs on, has left", vnode->pnode, vnode->name);
        return -1;
    }
    json_object_set_new(command->body, "name", json_string(vnode->name));
    g_autofree char *path = g_strdup_printf("/vnodes/%u/exec", vnode->id);
    return peer_relay(c, pnode, path, EXEC_PROTOCOL, command->body, fd, error);
}

static void run_command(int fd, const void *early G_GNUC_UNUSED, size_t early_size, void *aux)
{
    struct command *command = aux;
    if (fd < 0 || early_size) {
        /* The client is gone, or does not speak the protocol, in which the answer 101 comes before anything else. */
        if (fd >= 0) {
            close(fd);
        }
        command_free(command);
        return;
    }
    g_autoptr(GError) error = NULL;
    pid_t pid = start_command(command, fd, &error);
    if (pid > 0) {
        g_array_append_val(command->c->children, pid);
    } else {
        log_warning("coordinator", "cannot run a command", "vnode=%s error=\"%s\"", command->vnode->name, error->message);
    }
    close(fd);
    command_free(command);
}

/* Checks that commands can be run in 'vnode'. */
static bool is_running(struct coordinator *c, const struct vnode *vnode, GError **error)
{
    g_autoptr(GPtrArray) pnodes = coordinator_pnodes(c);
    const struct pnode *pnode = find_pnode(pnodes, vnode->pnode);
    if (pnode && pnode->lost) {
        return fail(error, DISTEM_ERROR_UNAVAILABLE, 0, "vnode %s cannot be reached: its pnode %s is lost", vnode->name,
                    vnode->pnode);
    }
    if (vnode->state != VNODE_STATE_RUNNING) {
        return fail(error, DISTEM_ERROR_CONFLICT, 0, "vnode %s does not run: it is %s", vnode->name,
                    vnode_state_name(vnode->state));
    }
    return true;
}

void vnode_run(struct rest_request *request, void *context)
{
    AUTO_PLATFORM platform = require_platform(context, request);
    const struct vnode *vnode = platform ? require_vnode(platform, request) : NULL;
    json_t *body = vnode ? rest_request_json(request) : NULL;
    if (!body) {
        return;
    }
    GError *error = NULL;
    g_autofree const char **argv = NULL;
    bool tty = false;
    if (!exec_request_parse(body, &argv, &tty, &error) || !is_running(context, vnode, &error)) {
        rest_reply_error(request, error, NULL);
        json_decref(body);
        return;
    }
    struct command *command = g_new0(struct command, 1);
    command->c = context;
    command->vnode = vnode;
    command->platform = g_steal_pointer(&platform);
    command->body = body;
    command->tty = tty;
    command->argv = g_steal_pointer(&argv);
    rest_upgrade(request, EXEC_PROTOCOL, run_command, command);
}

void vnodes_reap(struct coordinator *c)
{
    for (unsigned i = c->children->len; i-- > 0;) {
        if (waitpid(g_array_index(c->children, pid_t, i), NULL, WNOHANG)) {
            g_array_remove_index_fast(c->children, i);
        }
    }
}
