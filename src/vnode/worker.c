/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "container.h"
#include "remains.h"
#include "request.h"

static void perform(const struct vnode_request *request, struct vnode_result *result)
{
    result->op = request->op;
    result->vnode_id = request->id;
    AUTO_CGROUPS cgroups = cgroups_open(&result->error);
    if (!cgroups) {
        return;
    }
    switch (request->op) {
    case VNODE_OP_START:
        result->pid = container_start(cgroups, request, &result->error);
        break;
    case VNODE_OP_STOP:
        container_stop(cgroups, request, &result->error);
        break;
    case VNODE_OP_LIST:
        result->containers = container_list(request->run_dir, request->state_dir, &result->error);
        break;
    }
}

/* Writes all of 'line'. */
static bool answer(int fd, const char *line)
{
    for (size_t left = strlen(line); left;) {
        ssize_t n = write(fd, line, left);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        line += MAX(n, 0);
        left -= (size_t)MAX(n, 0);
    }
    return true;
}

/* Keeps standard output for the answers: what a library prints there goes nowhere. Returns the descriptor, or -1. */
static int take_output(void)
{
    int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0 || null < 0 || dup2(null, STDOUT_FILENO) < 0) {
        return -1;
    }
    close(null);
    return fd;
}

int worker_main(void)
{
    int output = take_output();
    if (output < 0) {
        return EXIT_FAILURE;
    }
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    AUTO_REQUEST last = {0};
    bool ok = true;
    while (ok && (length = getline(&line, &size, stdin)) > 0) {
        struct vnode_result result = {0};
        AUTO_REQUEST request = {0};
        if (vnode_request_parse(line, (size_t)length, &request, &result.error)) {
            perform(&request, &result);
            vnode_request_clear(&last);
            last = request;
            request = (struct vnode_request){0};
        }
        g_autofree char *text = vnode_answer_format(&result);
        vnode_result_clear(&result);
        ok = answer(output, text);
    }
    free(line);
    if (last.run_dir) {
        AUTO_CGROUPS cgroups = cgroups_open(NULL);
        if (cgroups) {
            remains_remove_roots(cgroups, last.run_dir, last.state_dir);
        }
    }
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
