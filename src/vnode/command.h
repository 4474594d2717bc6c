/* SPDX-License-Identifier: Apache-2.0 */
/* A command that runs in a container. */
#ifndef VNODE_COMMAND_H
#define VNODE_COMMAND_H 1

#include <stdbool.h>
#include <sys/types.h>

#include <glib.h>

struct lxc_container;

struct command {
    bool tty;
    pid_t pid; /* Leader of its session and process group; a child of ours. */
    int pidfd;
    /* Our ends of its standard input, output and error output, not blocking; -1 when closed. On a terminal the first two are its
     * master, and there is no third. */
    int input, output, errors;
};

/* Lets this process's lxc log into memory from now on: what it says about each command does not belong in the container's log.
 * Returns the descriptor. Called before a container is opened, whose log it would else be. */
int command_catch_log(void);

/* Starts 'argv' in 'container'; 'log' is from command_catch_log(). Returns false with an error when it could not come as far as
 * execvp(). */
bool command_start(struct lxc_container *container, int log, char **argv, bool tty, struct command *ret, GError **error);

#endif
