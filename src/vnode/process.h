/* SPDX-License-Identifier: Apache-2.0 */
/* Processes by descriptor, so that a number that was given away again is never signalled. */
#ifndef VNODE_PROCESS_H
#define VNODE_PROCESS_H 1

#include <stdbool.h>
#include <sys/types.h>

/* Returns a descriptor (close-on-exec) for process 'pid', or -1 with errno. */
int process_open(pid_t pid);
/* Sends a signal; a process that has ended is no error. */
void process_signal(int pidfd, int signal_number);
/* Waits for the end of the process, at most 'timeout_ms'. Returns whether it has ended. */
bool process_wait(int pidfd, int timeout_ms);

#endif
