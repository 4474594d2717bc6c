/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon and its worker processes say to each other: one JSON object a line, a request and then its answer.
 *   {"op": "start", "id": 3, "name": "n1", "netns": "/run/distem/netns/3", "image": "host", "memory": 0,
 *    "run_dir": "/run/distem", "state_dir": "/var/lib/distem"}          -> {"pid": 4711}
 *   {"op": "stop", "id": 3, "grace_ms": 1000, "forget": true, ...}      -> {}
 *   {"op": "list", ...}                                                 -> {"running": [{"id": 3, "pid": 4711}]}
 *   whatever fails                               -> {"error": {"code": "system", "message": "..."}} */
#ifndef VNODE_REQUEST_H
#define VNODE_REQUEST_H 1

#include <stddef.h>

#include "distem/error.h"
#include "distem/vnode.h"

/* No path or name of a request is longer, and so no request either than the pipe's buffer. */
#define REQUEST_STRING_MAX 4096

struct vnode_request {
    enum vnode_op op;
    uint32_t id; /* 0 for a list. */
    char *run_dir, *state_dir;

    /* VNODE_OP_START. */
    char *name, *netns, *image;
    uint64_t memory;

    /* VNODE_OP_STOP. */
    unsigned grace_ms;
    bool forget;
};

/* Frees what is in it; it is empty again. */
void vnode_request_clear(struct vnode_request *);
/* Declares a request that is cleared when it goes out of scope. */
#define AUTO_REQUEST __attribute__((cleanup(vnode_request_clear))) struct vnode_request

/* Writes a request as a line with its newline, which the caller frees; NULL when it would not be read back: a path that is
 * not UTF-8, not absolute, too long ... */
char *vnode_request_format(const struct vnode_request *, GError **error);
/* Reads a line of 'length' bytes. '*ret' is written on success only and then to be cleared. */
bool vnode_request_parse(const char *line, size_t length, struct vnode_request *ret, GError **error);

/* Frees what is in a result. */
void vnode_result_clear(struct vnode_result *);

/* Writes an answer as a line with its newline, which the caller frees. */
char *vnode_answer_format(const struct vnode_result *);
/* Reads an answer into 'result', whose op and id are set already. An answer that makes no sense becomes result->error. */
void vnode_answer_parse(const char *line, size_t length, struct vnode_result *result);

#endif
