/* SPDX-License-Identifier: Apache-2.0 */
/* For tests and measurements with real containers: a run and a state folder of their own, namespaces, and commands in vnodes. All
 * waits until it has happened. */
#ifndef TESTS_VNODE_FIXTURE_H
#define TESTS_VNODE_FIXTURE_H 1

#include <glib.h>

#include "distem/exec-protocol.h"
#include "distem/vnode.h"

/* Runs 'tests' in a child process, with a mount namespace and a folder for temporary files of its own, and afterwards removes all
 * that a test has left which did not come to its end. Returns the exit status, 77 after TAP's word for "skipped" where containers
 * cannot be tried. */
int place_main(int *argc, char ***argv, void (*tests)(void));

/* A machine's share of its own. */
struct place {
    char *base, *run_dir, *state_dir, *worker_path;
    unsigned workers;
    struct vnode_runner *runner;
};

struct place *place_new(unsigned workers);
/* Removes all: containers, namespaces, folders. */
void place_free(struct place *);
/* As if the daemon was killed and started again. */
void place_new_runner(struct place *);
/* Returns the path of vnode 'id's namespace, which is made when it is not there; the caller frees it. */
char *place_netns(const struct place *, uint32_t id);
/* Queues the start of vnode 'id', named nID. */
void place_queue_start(struct place *, uint32_t id, const char *image, uint64_t memory);
/* Waits for the next result, which the caller frees. */
struct vnode_result *place_next(struct place *);
/* Start, stop, list; return what the result says. */
pid_t place_start(struct place *, uint32_t id, const char *image, uint64_t memory, GError **error);
void place_stop(struct place *, uint32_t id, unsigned grace_ms, bool forget);
GArray *place_list(struct place *);
/* Returns the names of what vnode_purge() finds, as one text; the caller frees it. */
char *place_purge(const struct place *, bool remove);
/* Calls 'condition' until it holds. */
void wait_for(bool (*condition)(const void *), const void *aux);
/* Says whether the process whose number is at 'pid' has gone. */
bool process_is_gone(const void *pid);

/* A command in a vnode, seen from the client. */
struct client {
    int socket;
    pid_t pid; /* Of the process that carries. */
    struct exec_reader reader;
    GByteArray *out, *err;
    int code;    /* Of its EXEC_EXIT; -1: none yet. */
    char *error; /* Of its EXEC_ERROR. */
};

struct client *client_new(const struct place *, uint32_t id, bool tty, const char *const *argv);
void client_free(struct client *);
/* Sends a frame while taking what comes. */
void client_send(struct client *, enum exec_frame type, const void *payload, size_t length);
/* Takes what comes until the end. */
void client_finish(struct client *);
/* Takes what comes until 'text' is in the output. */
void client_expect(struct client *, const char *text);
/* Runs a shell command and returns its output without the last newline; its exit code has to be 'code'. The caller frees it. */
char *shell_in(const struct place *, uint32_t id, int code, const char *command);

#endif
