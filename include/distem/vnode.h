/* SPDX-License-Identifier: Apache-2.0 */
/* Vnodes as containers. The work is done by worker processes (`distem-vnode`, the only program that links liblxc), so that nothing
 * blocks the daemon's loop and containers inherit nothing from it. */
#ifndef DISTEM_VNODE_H
#define DISTEM_VNODE_H 1

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <glib.h>

#include "distem/platform.h"

struct vnode_runner;

/* What happened to a request. */
enum vnode_op { VNODE_OP_START, VNODE_OP_STOP, VNODE_OP_LIST };
struct vnode_result {
    enum vnode_op op;
    uint32_t vnode_id;
    pid_t pid;          /* After a start: the container's init, as seen from here. */
    GError *error;      /* NULL: it worked. */
    GArray *containers; /* VNODE_OP_LIST: of struct vnode_container. */
};
struct vnode_container {
    uint32_t vnode_id;
    pid_t pid; /* Of its init; 0: it does not run, but has files. */
};

/* Prepares for containers whose files are below 'state_dir' ("/var/lib/distem": writable layers, kept over a restart) and 'run_dir'
 * ("/run/distem": namespaces, sockets), with at most 'workers' processes of the program 'worker_path', started when first needed
 * and sent home when there is nothing to do. 'state_dir' has to be where overlayfs can write: not on an overlay itself, nor on NFS.
 */
struct vnode_runner *vnode_runner_new(const char *run_dir, const char *state_dir, const char *worker_path, unsigned workers);
/* Ends the workers; containers run on. */
void vnode_runner_free(struct vnode_runner *);
void vnode_runner_run(struct vnode_runner *);
void vnode_runner_wait(struct vnode_runner *);

/* Queue a request; its result comes through vnode_runner_next(). The order of requests for one vnode is kept, a list comes in
 * between at any time. What fails may be tried again at once: each request starts from whatever the last one left.
 * start: hostname = the vnode's name; joins the namespace 'netns', which is there; already running is success, whatever it was
 * started with. Image "host" is the machine's root file system (not what is mounted below it), read-only, below a private writable
 * layer; a directory is used the same way. Process 1 is always distem-init, never the image's own.
 * stop: SIGPWR to init, which sends SIGTERM to all, then SIGKILL after 'grace_ms'; not running is success; with 'forget' its
 * writable layer is deleted, too. list: all our containers, whether they run or not; waits until no process is
 * starting or stopping one, also none that an earlier daemon has left behind. */
void vnode_runner_start(struct vnode_runner *, const struct vnode *vnode, const char *netns);
void vnode_runner_stop(struct vnode_runner *, uint32_t vnode_id, unsigned grace_ms, bool forget);
void vnode_runner_list(struct vnode_runner *);
/* Returns the next result, to be freed with vnode_result_free(), or NULL. */
struct vnode_result *vnode_runner_next(struct vnode_runner *);
void vnode_result_free(struct vnode_result *);

/* Runs a command in a vnode: the connected socket 'fd' (which is duplicated; the caller closes its own, without shutdown()) is
 * handed to a process of its own that speaks the exec protocol on it until the command has ended (distem/exec-protocol.h). 'argv'
 * is NULL-terminated; with 'tty' it gets a terminal. Returns the process's pid, to be reaped by its number, or -1 with an error. */
pid_t vnode_exec(const char *worker_path, const char *state_dir, const struct vnode *vnode, const char *const *argv, bool tty,
                 int fd, GError **error);

/* Returns the path of a vnode's cgroup, relative to process 1's in each hierarchy: limits are set there. The caller frees it. */
char *vnode_cgroup(const char *run_dir, uint32_t vnode_id);

/* For `distem cleanup`, without a daemon: lists (and kills and deletes when 'remove') all our containers, their cgroups, mounts and
 * writable layers below the two folders. Returns an array of strings that name them, or NULL with an error. */
GPtrArray *vnode_purge(const char *run_dir, const char *state_dir, bool remove, GError **error);

#endif
