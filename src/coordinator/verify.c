/* SPDX-License-Identifier: Apache-2.0 */
/* Verifications: run the prober and collect what it says. */
#include <config.h>

#include "verify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "distem/log.h"
#include "distem/poll.h"
#include "internal.h"

struct verification {
    unsigned id;
    struct verify_options options; /* Its 'pairs' are not used any more. */
    struct platform *platform;
    struct verify_plan plan;
    GPid pid;        /* Of the prober; 0: it has ended. */
    int in, out;     /* Pipes to and from it; -1: closed. */
    GString *input;  /* What is still to be written. */
    GString *output; /* What has been read of a line. */
    unsigned done;
    bool pass;
    char *error; /* Why it failed as a whole; NULL: it did not. */
};

static char *vnode_netns(const struct vnode *vnode, void *aux)
{
    const struct coordinator *c = aux;
    return g_strdup_printf("%s/netns/%u", c->config.run_dir, vnode->id);
}

static void close_pipe(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

void verification_free(struct verification *v)
{
    if (!v) {
        return;
    }
    close_pipe(&v->in);
    close_pipe(&v->out);
    if (v->pid) {
        kill(v->pid, SIGKILL);
        waitpid(v->pid, NULL, 0);
    }
    verify_plan_clear(&v->plan);
    platform_free(v->platform);
    g_string_free(v->input, TRUE);
    g_string_free(v->output, TRUE);
    g_free(v->error);
    g_free(v);
}

static bool start_prober(const struct coordinator *c, struct verification *v, GError **error)
{
    const char *argv[] = {c->config.probe_path, NULL};
    g_autoptr(GError) problem = NULL;
    if (!g_spawn_async_with_pipes(NULL, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CLOEXEC_PIPES, NULL, NULL, &v->pid,
                                  &v->in, &v->out, NULL, &problem)) {
        return fail(error, DISTEM_ERROR_SYSTEM, 0, "cannot start %s: %s", argv[0], problem->message);
    }
    fcntl(v->in, F_SETFL, O_NONBLOCK);
    fcntl(v->out, F_SETFL, O_NONBLOCK);
    g_autofree char *text = json_dumps(v->plan.input, JSON_COMPACT);
    g_string_append(v->input, text);
    return true;
}

/* Checks that what would be measured is what is described. */
static bool is_measurable(struct coordinator *c, GError **error)
{
    g_autoptr(GPtrArray) pnodes = db_pnodes(c->db);
    uint64_t generation = db_generation(c->db);
    if (realised_generation(pnodes, generation) != generation) {
        return fail(error, DISTEM_ERROR_CONFLICT, 0,
                    "the platform is still changing: wait until `distem status` says that it is ready");
    }
    if (c->verification && c->verification->pid) {
        return fail(error, DISTEM_ERROR_CONFLICT, 0, "verification %u is still measuring, and two would disturb each other",
                    c->verification->id);
    }
    return true;
}

void verification_start(struct rest_request *request, void *context)
{
    struct coordinator *c = context;
    AUTO_PLATFORM platform = require_platform(c, request);
    json_t *body = platform ? rest_request_json(request) : NULL;
    if (!body) {
        return;
    }
    struct verification *v = g_new0(struct verification, 1);
    v->in = v->out = -1;
    v->pass = true;
    v->input = g_string_new(NULL);
    v->output = g_string_new(NULL);
    GError *error = NULL;
    if (!is_measurable(c, &error) || !verify_options_parse(body, &v->options, &error) ||
        !verify_plan_make(platform, &v->options, vnode_netns, c, &v->plan, &error)) {
        rest_reply_error(request, error, NULL);
        verification_free(v);
        json_decref(body);
        return;
    }
    v->options.pairs = NULL;
    json_decref(body);
    v->platform = g_steal_pointer(&platform);
    v->pass = !v->plan.unreachable;
    if (!start_prober(c, v, &error)) {
        rest_reply_error(request, error, NULL);
        verification_free(v);
        return;
    }
    verification_free(c->verification);
    v->id = ++c->verifications;
    c->verification = v;
    log_info("coordinator", "verification started", "id=%u measurements=%u", v->id, v->plan.measurements->len);
    rest_reply(request, 201, json_pack("{s:I}", "id", (json_int_t)v->id));
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
    const char *state = v->pid ? "running" : v->error ? "failed" : "done";
    /* A copy: the results go on changing while the answer is sent. */
    rest_reply(request, 200,
               json_pack("{s:I, s:s, s:I, s:I, s:o, s:b, s:s?}", "id", (json_int_t)v->id, "state", state, "done",
                         (json_int_t)v->done, "total", (json_int_t)v->plan.measurements->len, "results",
                         json_deep_copy(v->plan.results), "pass", v->pass && !v->error, "error", v->error));
}

static void take_answer(struct verification *v, const char *line)
{
    json_t *answer = json_loads(line, 0, NULL);
    json_int_t id = json_integer_value(json_object_get(answer, "id"));
    if (answer && id >= 0 && id < (json_int_t)v->plan.measurements->len) {
        v->pass &= verify_judge(&v->options, &g_array_index(v->plan.measurements, struct measurement, id), answer);
        v->done++;
    } else {
        log_warning("coordinator", "the prober said something unexpected", "line=\"%s\"", line);
    }
    json_decref(answer);
}

/* Takes the lines that have come whole. */
static void take_output(struct verification *v)
{
    for (char *end; (end = strchr(v->output->str, '\n'));) {
        *end = '\0';
        take_answer(v, v->output->str);
        g_string_erase(v->output, 0, end - v->output->str + 1);
    }
}

/* The prober has closed its output: it has ended, or is about to. */
static void finish(struct verification *v)
{
    int status;
    waitpid(v->pid, &status, 0);
    v->pid = 0;
    close_pipe(&v->in);
    close_pipe(&v->out);
    if (!WIFEXITED(status) || WEXITSTATUS(status) || v->done < v->plan.measurements->len) {
        v->error = g_strdup_printf("the prober ended with status %d after %u of %u measurements; see distemd's log", status,
                                   v->done, v->plan.measurements->len);
    }
    log_info("coordinator", "verification ended", "id=%u pass=%d error=\"%s\"", v->id, v->pass && !v->error,
             v->error ? v->error : "");
}

void verify_run(struct coordinator *c)
{
    struct verification *v = c->verification;
    if (!v || !v->pid) {
        return;
    }
    if (v->in >= 0) {
        ssize_t n = write(v->in, v->input->str, v->input->len);
        if (n > 0) {
            g_string_erase(v->input, 0, n);
        }
        if (!v->input->len || (n < 0 && errno != EAGAIN)) {
            close_pipe(&v->in);
        }
    }
    char buffer[4096];
    ssize_t n;
    while ((n = read(v->out, buffer, sizeof buffer)) > 0) {
        g_string_append_len(v->output, buffer, n);
    }
    take_output(v);
    if (n == 0) {
        finish(v);
    }
}

void verify_wait(struct coordinator *c)
{
    const struct verification *v = c->verification;
    if (v && v->pid) {
        poll_wait_fd(v->out, POLLIN);
        if (v->in >= 0) {
            poll_wait_fd(v->in, POLLOUT);
        }
    }
}
