/* SPDX-License-Identifier: Apache-2.0 */
/* Carries a command's input and output over a socket in frames (distem/exec-protocol.h). */
#ifndef VNODE_PUMP_H
#define VNODE_PUMP_H 1

#include "command.h"

/* Runs until 'command' has ended and all has been sent, or the client has hung up and the command was made to end. Reaps it and
 * closes its descriptors, but not 'socket'. */
void pump_run(int socket, struct command *command);

/* Sends the last frame that says why there is no command. */
void pump_send_error(int socket, const char *message);

#endif
