/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VNODE_EXEC_H
#define VNODE_EXEC_H 1

/* `distem-vnode exec`: runs a command in a container and speaks the exec protocol on descriptor 3. 'arguments' are the state
 * folder, the vnode's id and name, "tty" or "pipe", and the command, NULL-terminated. Returns the exit status. */
int exec_main(char **arguments);

#endif
