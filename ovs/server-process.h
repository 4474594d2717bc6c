/* SPDX-License-Identifier: Apache-2.0 */
/* Daemons of Open vSwitch as processes: started without a shell, found again by the lock on their pid file, spoken to through their
 * control sockets. */
#ifndef OVS_SERVER_PROCESS_H
#define OVS_SERVER_PROCESS_H 1

#include <stdbool.h>
#include <sys/types.h>

#include <glib.h>

/* Runs the program argv[0] (in PATH or where Debian keeps it) to its end, or until it has gone to the background by itself; 'dir'
 * is OVS's run, log and database directory for it. Returns its standard output, which the caller frees; NULL with an error that
 * quotes its last words, and those in 'log' (may be NULL), for any other exit code than 0. */
char *process_run(const char *const *argv, const char *dir, const char *log, GError **error);

/* Returns the pid of the process that holds the lock on the pid file, or 0. */
pid_t process_running(const char *pid_file);

/* Sends a JSON-RPC request with at most one parameter ('parameter' may be NULL) to a Unix socket of ovsdb-server or a control
 * socket. Returns whether anything was answered within 'timeout_ms'. */
bool process_ask(const char *socket_path, const char *method, const char *parameter, int timeout_ms);

/* Ends the process that holds 'pid_file': waits 5 s for it to go, for the signal (0: it was told otherwise), then kills it. No
 * error when there is none. Removes the pid file. */
bool process_stop(const char *pid_file, int signal, GError **error);

#endif
