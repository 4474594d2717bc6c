/* SPDX-License-Identifier: Apache-2.0 */
/* Route netlink in batches. Requests are queued with a description each, sent many per system call, and their answers read
 * afterwards; a failure is the kernel's own sentence (extended acknowledgement) behind the description. */
#ifndef LINK_RTNL_H
#define LINK_RTNL_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>
#include <netlink/msg.h>

/* A route netlink socket. It belongs to the network namespace that it was opened in, wherever the process goes later. */
struct rtnl;

/* Opens a socket in the current network namespace. NULL with an error. */
struct rtnl *rtnl_open(GError **error);
/* Closes it and drops what is queued; NULL is fine. */
void rtnl_close(struct rtnl *);
/* Declares a pointer that is closed when it goes out of scope. */
static inline void rtnl_close_pointer(struct rtnl **p)
{
    rtnl_close(*p);
}
#define AUTO_RTNL __attribute__((cleanup(rtnl_close_pointer))) struct rtnl *

/* Takes an answer that is not an acknowledgement. 'header' is valid during the call only. */
typedef void rtnl_answer(struct nlmsghdr *header, void *aux);

#define RTNL_ANY_ERROR (-1)

/* What may be said about a request besides its description; all zero is fine. */
struct rtnl_options {
    const char *module;  /* Kernel module that the request needs; named when the kernel does not know what is asked. */
    int tolerated;       /* errno that counts as success; RTNL_ANY_ERROR: each of them (for reading what may not be there). */
    rtnl_answer *answer; /* Gets each answer; NULL: they are ignored. */
    void *aux;           /* For 'answer'. */
};

/* Returns a message of 'type' with NLM_F_REQUEST | NLM_F_ACK | 'flags' that starts with 'header', which has 'size' bytes, and has
 * room for 'room' bytes of attributes. */
struct nl_msg *rtnl_message(int type, int flags, const void *header, size_t size, size_t room);

/* Append an attribute. The message must have room. */
void rtnl_put(struct nl_msg *, int type, const void *data, size_t size);
void rtnl_put_u8(struct nl_msg *, int type, uint8_t);
void rtnl_put_u32(struct nl_msg *, int type, uint32_t);
void rtnl_put_string(struct nl_msg *, int type, const char *);
/* Opens a nest of attributes, to be closed with nla_nest_end(). */
struct nlattr *rtnl_nest(struct nl_msg *, int type);

/* Queues 'message', which the socket takes over. 'options' may be NULL and is copied. The formatted description completes "...
 * failed": "setting netem on dv12 (input of n1:if0)". */
void rtnl_queue(struct rtnl *, struct nl_msg *message, const struct rtnl_options *options, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* Has '*failed', which must stay until the flush, set when a request fails that is queued from now on; NULL: nothing. */
void rtnl_note_failures(struct rtnl *, bool *failed);

/* Sends all that is queued, in order, and reads all answers. All goes on after a request that failed; the first failure is the
 * error. DISTEM_ERROR_UNSUPPORTED when a request's 'module' is missing, else DISTEM_ERROR_SYSTEM. The queue is empty afterwards. */
bool rtnl_flush(struct rtnl *, GError **error);

/* Drops all that is queued. */
void rtnl_discard(struct rtnl *);

/* Returns the answers of the dump of 'type' (RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETQDISC): struct nlmsghdr with what
 * follows it, in an array that the caller unrefs. NULL with an error. Starts again when the dump was interrupted by a change. */
GPtrArray *rtnl_dump(struct rtnl *, int type, GError **error);

#endif
