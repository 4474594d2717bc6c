/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "exec.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lxc/lxccontainer.h>

#include "command.h"
#include "container.h"
#include "distem/error.h"
#include "layout.h"
#include "pump.h"

#define SOCKET 3

static bool start(const char *state_dir, const char *id_text, const char *name, bool tty, char **argv, struct command *ret,
                  GError **error)
{
    uint32_t id;
    if (!layout_parse_id(id_text, &id)) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\" is no vnode's id", id_text);
    }
    int log = command_catch_log();
    struct lxc_container *container = container_open(state_dir, id, error);
    if (!container) {
        return false;
    }
    const char *state = container->state(container);
    bool ok;
    if (g_strcmp0(state, "RUNNING")) {
        ok = fail(error, DISTEM_ERROR_CONFLICT, 0, "vnode %s is not running", name);
    } else {
        ok = command_start(container, log, argv, tty, ret, error);
    }
    lxc_container_put(container);
    return ok;
}

int exec_main(char **arguments)
{
    syscall(SYS_close_range, SOCKET + 1, ~0U, 0);
    if (fcntl(SOCKET, F_SETFD, FD_CLOEXEC) < 0 || fcntl(SOCKET, F_SETFL, O_RDWR | O_NONBLOCK) < 0) {
        return EXIT_FAILURE;
    }
    struct command command;
    g_autoptr(GError) error = NULL;
    if (!start(arguments[0], arguments[1], arguments[2], !strcmp(arguments[3], "tty"), arguments + 4, &command, &error)) {
        pump_send_error(SOCKET, error->message);
        return EXIT_FAILURE;
    }
    pump_run(SOCKET, &command);
    return EXIT_SUCCESS;
}
