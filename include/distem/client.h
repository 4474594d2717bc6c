/* SPDX-License-Identifier: Apache-2.0 */
/* libdistem: what the daemon's REST API offers, as C functions. JSON goes in and out as jansson values, whose form doc/rest.md
 * describes.
 *
 * Functions that fail return NULL, false or -1 and fill 'error', when that is not NULL; on success they leave it alone. A client
 * belongs to one thread at a time; several clients are independent. All text is UTF-8. Running out of memory ends the process.
 *
 *     struct distem_error error = {0};
 *     struct distem *d = distem_open(NULL, &error);
 *     json_t *platform = d ? distem_platform(d, &error) : NULL;
 *     if (!platform) {
 *         fprintf(stderr, "%s\n", error.message);
 *     }
 *     json_decref(platform);
 *     distem_close(d);
 *     distem_error_clear(&error);
 */
#ifndef DISTEM_CLIENT_H
#define DISTEM_CLIENT_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DISTEM_DEFAULT_URL "http://127.0.0.1:4567"

/* Why something failed. Start with {0}. */
struct distem_error {
    char code[16];   /* As in doc/rest.md ("invalid", "not-found" ...); "unreachable": the daemon did not answer. */
    char *message;   /* A sentence, without a full stop. */
    json_t *details; /* An array of {"file", "line", "pointer", "message"}; NULL: none. */
};
/* Frees what 'error' holds, so that it can be used again. */
void distem_error_clear(struct distem_error *error);

/* Returns the version of the library. */
const char *distem_version(void);

/* A connection to one daemon. */
struct distem;

/* Prepares a client for the daemon at 'url'; NULL stands for the environment's DISTEM_URL, or else DISTEM_DEFAULT_URL. Does not
 * connect yet. */
struct distem *distem_open(const char *url, struct distem_error *error);
/* Frees it; NULL is fine. */
void distem_close(struct distem *client);
/* Returns the URL that is used, without a slash at its end; belongs to 'client'. */
const char *distem_url(const struct distem *client);

/* All of these return a new reference to the daemon's answer, or NULL with an error. */

/* The daemon's name and version. */
json_t *distem_server(struct distem *client, struct distem_error *error);
/* A file: 'size' bytes at 'text', which messages call 'name' (may be NULL). */
struct distem_file {
    const char *text;
    size_t size;
    const char *name;
};
enum distem_up_flags {
    DISTEM_UP_DRY_RUN = 1,    /* Only say what would change. */
    DISTEM_UP_COMPENSATE = 2, /* What is known of base latencies stays and is compensated. */
};
/* Makes the platform what the file 'topology' says, joined as the file 'layout' (NULL: none) says; 'flags' are of enum
 * distem_up_flags. Does not wait: see distem_wait(). To be followed, when it is realised and compensated, by distem_calibrate(). */
json_t *distem_up(struct distem *client, const struct distem_file *topology, const struct distem_file *layout, unsigned flags,
                  struct distem_error *error);
/* Takes the platform down. Does not wait. */
json_t *distem_down(struct distem *client, struct distem_error *error);
/* Checks them without looking at the platform. */
json_t *distem_check(struct distem *client, const struct distem_file *topology, const struct distem_file *layout,
                     struct distem_error *error);
/* The whole platform; its topology file; how far its realisation has come. */
json_t *distem_platform(struct distem *client, struct distem_error *error);
json_t *distem_topology(struct distem *client, struct distem_error *error);
json_t *distem_progress(struct distem *client, struct distem_error *error);
/* One vnode; all vnodes; all pnodes. */
json_t *distem_vnode(struct distem *client, const char *name, struct distem_error *error);
json_t *distem_vnodes(struct distem *client, struct distem_error *error);
json_t *distem_pnodes(struct distem *client, struct distem_error *error);

/* The vifaces that 'pattern' means ("client*:if0"; NULL: all), with what their directions do to frames. */
json_t *distem_vifaces(struct distem *client, const char *pattern, struct distem_error *error);
/* Changes vifaces while they run, all of 'changes' (borrowed, the array of PATCH /vifaces) or nothing. 'traces' (borrowed, may be
 * NULL) are some that the platform needs not have yet, as there. With 'replace' a viface does afterwards only what its change
 * names. Does not wait. */
json_t *distem_set(struct distem *client, json_t *changes, json_t *traces, bool replace, struct distem_error *error);

/* What the latency matrix has from group 'from' to group 'to' (NULL: all), as tables of a topology file. */
json_t *distem_get_matrix(struct distem *client, const char *from, const char *to, struct distem_error *error);
/* Changes values of the matrix while frames pass, all of 'changes' (borrowed, the array of PATCH /platform/matrix) or nothing. Does
 * not wait. */
json_t *distem_set_matrix(struct distem *client, json_t *changes, struct distem_error *error);

/* Takes the machine whose distemd waits at 'address', "HOST[:PORT]", in as a pnode, and waits until it has registered. 'what'
 * (borrowed, may be NULL) is the rest of the body of POST /pnodes. */
json_t *distem_pnode_add(struct distem *client, const char *address, const json_t *what, struct distem_error *error);
/* Has pnode 'name' hand over its vnodes and leave, or, with 'force', forgets it at once. Does not wait. */
json_t *distem_pnode_remove(struct distem *client, const char *name, bool force, struct distem_error *error);
/* Plans the platform anew for the pnodes that there are; with 'move_lost', vnodes of lost ones go elsewhere. Does not wait. */
json_t *distem_replan(struct distem *client, bool move_lost, struct distem_error *error);

/* Told how far things are ('progress' as from distem_progress() or distem_verification(), borrowed). Returns false to stop waiting.
 */
typedef bool distem_progress_fn(const json_t *progress, void *aux);

/* Waits until 'generation' (from distem_up() or distem_down()) is realised everywhere, for at most 'timeout_ms' (negative: for
 * ever). 'progress' (may be NULL) is called with each new state. Returns false with an error; its code is "timeout" when time was
 * up and "stopped" when 'progress' returned false. */
bool distem_wait(struct distem *client, int64_t generation, int timeout_ms, distem_progress_fn *progress, void *aux,
                 struct distem_error *error);

/* Starts to measure the platform. 'what' (borrowed, may be NULL) is the body of POST /verifications. Returns the verification's
 * number, or -1. */
int64_t distem_verify(struct distem *client, json_t *what, struct distem_error *error);
/* A verification: its state and, when done, its results. */
json_t *distem_verification(struct distem *client, int64_t id, struct distem_error *error);
/* Waits for the end of verification 'id', as distem_wait() does, and returns it. */
json_t *distem_verify_wait(struct distem *client, int64_t id, int timeout_ms, distem_progress_fn *progress, void *aux,
                           struct distem_error *error);

/* Starts to measure the platform's base latencies, which are then compensated. Returns the number of a verification, or -1; when
 * that is done, its "calibration" tells the generation to wait for, or a "problem". */
int64_t distem_calibrate(struct distem *client, struct distem_error *error);

/* The way of a packet from 'from' ("n1" or "n1:if0") to 'to' (a vnode, an address, or "broadcast"), as POST /traces tells it. */
json_t *distem_trace(struct distem *client, const char *from, const char *to, struct distem_error *error);

/* A command that runs in a vnode. */
struct distem_exec;

enum distem_exec_event {
    DISTEM_EXEC_ERROR = -1, /* The connection broke, or the command could not be run: see the error. */
    DISTEM_EXEC_NONE,       /* Nothing now: poll. */
    DISTEM_EXEC_STDOUT,     /* Data of the command. */
    DISTEM_EXEC_STDERR,
    DISTEM_EXEC_EXIT, /* The command has ended. */
};

/* Runs 'argv' (ends with NULL) in vnode 'vnode'; with 'tty' on a terminal of its own. Returns when it has been started or could not
 * be. The caller ends with distem_exec_close(). */
struct distem_exec *distem_exec(struct distem *client, const char *vnode, const char *const *argv, bool tty,
                                struct distem_error *error);
/* Hangs up, which ends the command if it still runs; NULL is fine. */
void distem_exec_close(struct distem_exec *exec);
/* Return the descriptor to poll and the events (POLLIN, POLLOUT) to poll it for before the next distem_exec_next(). */
int distem_exec_fd(const struct distem_exec *exec);
short distem_exec_events(const struct distem_exec *exec);
/* Sends what waits to be sent and takes the next event, without blocking. Data ('*ret_data', '*ret_size') stays valid until the
 * next call; '*ret_exit_code' is set for DISTEM_EXEC_EXIT: the exit code, or 128 + n for signal n. */
enum distem_exec_event distem_exec_next(struct distem_exec *exec, const void **ret_data, size_t *ret_size, int *ret_exit_code,
                                        struct distem_error *error);
/* Queue data for the command's standard input (size 0 closes it), a signal for the command, the terminal's new size. They are sent
 * by distem_exec_next(). */
void distem_exec_write(struct distem_exec *exec, const void *data, size_t size);
void distem_exec_signal(struct distem_exec *exec, int signal_number);
void distem_exec_resize(struct distem_exec *exec, unsigned rows, unsigned columns);
/* Returns how many bytes wait to be sent: whoever feeds a command pauses while that is much. */
size_t distem_exec_pending(const struct distem_exec *exec);

#ifdef __cplusplus
}
#endif

#endif
