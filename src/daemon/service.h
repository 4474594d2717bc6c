/* SPDX-License-Identifier: Apache-2.0 */
/* distemd as a service: one at a time, in the background or under systemd, ended by a signal. */
#ifndef DAEMON_SERVICE_H
#define DAEMON_SERVICE_H 1

#include <stdbool.h>

#include <glib.h>

/* Says whether a distemd with 'run_dir' runs; its pid in '*ret_pid' (0: not known). */
bool service_is_running(const char *run_dir, int *ret_pid);

/* Makes this process the one distemd of 'run_dir', by a lock on run_dir/distemd.pid that goes with the process. */
bool service_lock(const char *run_dir, GError **error);

/* Goes to the background: returns in the child only, with standard error on 'log_file'. The parent waits until the child calls
 * service_ready() and exits with 0; or with 1 when that has a reason, which it tells, or when the child ends before, after it has
 * shown what the child wrote to the log. */
bool service_detach(const char *log_file, GError **error);

/* Tells the waiting parent, or systemd (sd_notify(3)'s protocol), that requests are answered from now on. 'reason' (NULL: none)
 * says what keeps this machine from being of use yet. */
void service_ready(const char *reason);

/* SIGTERM and SIGINT end the loop: after service_catch_signals(), service_fd() is readable once one has come. */
void service_catch_signals(void);
int service_fd(void);

#endif
