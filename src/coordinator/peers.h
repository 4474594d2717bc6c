/* SPDX-License-Identifier: Apache-2.0 */
/* What the coordinator asks of the pnodes' action servers (include/distem/pnode-server.h): a process per action, so that nothing
 * blocks the loop. */
#ifndef COORDINATOR_PEERS_H
#define COORDINATOR_PEERS_H 1

#include "internal.h"

/* Returns what peer_ask() keeps in 'questions', to be unreffed: who still waits then is never told. */
GPtrArray *peers_new(void);
void peers_run(struct coordinator *);
void peers_wait(struct coordinator *);

/* Says whether 'pnode' is the coordinator's own machine. */
bool pnode_is_own(const struct coordinator *, const char *pnode);

/* Joins the connected socket 'fd' (which is duplicated) to the upgrade of POST 'path' on 'pnode', another machine, with 'body'
 * (borrowed; NULL: none), in a process of its own that ends with it. When that fails, the exec protocol's last frame says why;
 * with other protocols a sentence goes to the log, and the stream ends. Returns the process's pid, to be reaped, or -1 with an
 * error. */
pid_t peer_relay(struct coordinator *, const struct pnode *pnode, const char *path, const char *protocol, const json_t *body,
                 int fd, GError **error);

/* The same with a new socket, '*ret_fd', non-blocking, the caller's. On the coordinator's own machine the program that 'protocol'
 * (PROBE_PROTOCOL) stands for is started instead. shutdown(SHUT_WR) ends that program's input; killing '*ret_pid' ends the
 * program, there too. The caller reaps it. */
bool peer_stream(struct coordinator *, const struct pnode *pnode, const char *path, const char *protocol, const json_t *body,
                 int *ret_fd, GPid *ret_pid, GError **error);

/* Told once how a question ended, not before peers_run() unless it could not even be asked: 'answer' (borrowed), or NULL and
 * 'error'. */
typedef void peer_answer(void *aux, json_t *answer, const GError *error);
/* Sends 'method' 'path' with 'body' (consumed; NULL: none) to the action server at 'address', "192.0.2.1:4568". */
void peer_ask(struct coordinator *, const char *address, const char *method, const char *path, json_t *body, peer_answer *done,
              void *aux);

#endif
