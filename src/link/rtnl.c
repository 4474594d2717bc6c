/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "rtnl.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <netlink/errno.h>
#include <netlink/netlink.h>

#include "distem/error.h"

/* Answers of a whole chunk must fit the receive buffer, where each counts with about 1 KiB. */
#define CHUNK_MESSAGES 64
#define CHUNK_BYTES 65536
#define RECEIVE_BUFFER 524288

struct request {
    struct nl_msg *message;
    char *what;
    bool *failed; /* See rtnl_note_failures(). */
    struct rtnl_options options;
};

struct rtnl {
    struct nl_sock *socket;
    GPtrArray *queue; /* Of struct request. */
    bool *failed;     /* Of requests that are queued now. */
};

static void request_free(void *data)
{
    struct request *request = data;
    nlmsg_free(request->message);
    g_free(request->what);
    g_free(request);
}

struct rtnl *rtnl_open(GError **error)
{
    struct rtnl *rtnl = g_new0(struct rtnl, 1);
    rtnl->queue = g_ptr_array_new_with_free_func(request_free);
    rtnl->socket = nl_socket_alloc();
    int err = rtnl->socket ? nl_connect(rtnl->socket, NETLINK_ROUTE) : -NLE_NOMEM;
    if (err < 0) {
        fail(error, DISTEM_ERROR_SYSTEM, 0, "opening route netlink failed: %s", nl_geterror(err));
        rtnl_close(rtnl);
        return NULL;
    }
    int fd = nl_socket_get_fd(rtnl->socket), on = 1, size = RECEIVE_BUFFER;
    /* All three only improve on what works without. */
    (void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
    (void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    return rtnl;
}

void rtnl_close(struct rtnl *rtnl)
{
    if (rtnl) {
        g_ptr_array_unref(rtnl->queue);
        nl_socket_free(rtnl->socket);
        g_free(rtnl);
    }
}

struct nl_msg *rtnl_message(int type, int flags, const void *header, size_t size, size_t room)
{
    struct nl_msg *message = nlmsg_alloc_size(NLMSG_HDRLEN + NLMSG_ALIGN(size) + room);
    if (!message || !nlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, type, 0, NLM_F_REQUEST | NLM_F_ACK | flags) ||
        nlmsg_append(message, (void *)header, size, NLMSG_ALIGNTO) < 0) {
        g_error("out of memory for a netlink message");
    }
    return message;
}

void rtnl_put(struct nl_msg *message, int type, const void *data, size_t size)
{
    if (nla_put(message, type, (int)size, data) < 0) {
        g_error("netlink message without room for attribute %d of %zu bytes", type, size);
    }
}

void rtnl_put_u8(struct nl_msg *message, int type, uint8_t value)
{
    rtnl_put(message, type, &value, sizeof value);
}

void rtnl_put_u32(struct nl_msg *message, int type, uint32_t value)
{
    rtnl_put(message, type, &value, sizeof value);
}

void rtnl_put_string(struct nl_msg *message, int type, const char *value)
{
    rtnl_put(message, type, value, strlen(value) + 1);
}

struct nlattr *rtnl_nest(struct nl_msg *message, int type)
{
    struct nlattr *nest = nla_nest_start(message, type);
    if (!nest) {
        g_error("netlink message without room for nest %d", type);
    }
    return nest;
}

void rtnl_queue(struct rtnl *rtnl, struct nl_msg *message, const struct rtnl_options *options, const char *format, ...)
{
    struct request *request = g_new0(struct request, 1);
    va_list args;
    va_start(args, format);
    request->what = g_strdup_vprintf(format, args);
    va_end(args);
    request->message = message;
    request->failed = rtnl->failed;
    if (options) {
        request->options = *options;
    }
    g_ptr_array_add(rtnl->queue, request);
}

void rtnl_note_failures(struct rtnl *rtnl, bool *failed)
{
    rtnl->failed = failed;
}

static void note_failure(const struct request *request)
{
    if (request->failed) {
        *request->failed = true;
    }
}

/* Returns the kernel's sentence about a failure, or NULL. */
static const char *extended_ack(struct nlmsghdr *header)
{
    struct nlmsgerr *e = nlmsg_data(header);
    if (!(header->nlmsg_flags & NLM_F_ACK_TLVS)) {
        return NULL;
    }
    size_t size = sizeof *e + (header->nlmsg_flags & NLM_F_CAPPED ? 0 : e->msg.nlmsg_len - NLMSG_HDRLEN);
    struct nlattr *message = nlmsg_find_attr(header, (int)NLMSG_ALIGN(size), NLMSGERR_ATTR_MSG);
    return message ? nla_get_string(message) : NULL;
}

/* Turns the negative acknowledgement in 'header' of 'request' into an error, unless it is tolerated. */
static bool refused(const struct request *request, struct nlmsghdr *header, GError **error)
{
    const struct nlmsgerr *e = nlmsg_data(header);
    int err = -e->error;
    const char *sentence = extended_ack(header);
    if (!err || request->options.tolerated == RTNL_ANY_ERROR || err == request->options.tolerated) {
        return true;
    }
    note_failure(request);
    if (request->options.module && (err == ENOENT || err == EOPNOTSUPP)) {
        return fail(error, DISTEM_ERROR_UNSUPPORTED, 0, "%s failed: this kernel lacks the module %s", request->what,
                    request->options.module);
    }
    if (sentence) {
        return fail(error, DISTEM_ERROR_SYSTEM, err, "%s failed: %s", request->what, sentence);
    }
    return fail(error, DISTEM_ERROR_SYSTEM, err, "%s failed", request->what);
}

/* Reads one datagram into '*ret_buffer', which the caller frees. Returns its size, 0 at the end, < 0 with an error. */
static int receive(struct rtnl *rtnl, unsigned char **ret_buffer, GError **error)
{
    struct sockaddr_nl from;
    int size = nl_recv(rtnl->socket, &from, ret_buffer, NULL);
    if (size <= 0) {
        fail(error, DISTEM_ERROR_SYSTEM, 0, "reading route netlink failed: %s", size ? nl_geterror(size) : "end of file");
        return -1;
    }
    return size;
}

/* Reads the answers of 'count' requests from 'first' on, whose sequence numbers start at 'sequence'. The first refusal clears '*ok'
 * and becomes the error. Returns false when not all answers can be had. */
static bool read_answers(struct rtnl *rtnl, unsigned first, unsigned count, uint32_t sequence, bool *ok, GError **error)
{
    for (unsigned done = 0; done < count;) {
        unsigned char *buffer = NULL;
        int rest = receive(rtnl, &buffer, *ok ? error : NULL);
        if (rest < 0) {
            return false;
        }
        for (struct nlmsghdr *h = (struct nlmsghdr *)buffer; nlmsg_ok(h, rest); h = nlmsg_next(h, &rest)) {
            if (h->nlmsg_seq - sequence >= count) {
                continue;
            }
            const struct request *request = rtnl->queue->pdata[first + h->nlmsg_seq - sequence];
            if (h->nlmsg_type == NLMSG_ERROR) {
                done++;
                *ok = refused(request, h, *ok ? error : NULL) && *ok;
            } else if (request->options.answer) {
                request->options.answer(h, request->options.aux);
            }
        }
        free(buffer);
    }
    return true;
}

/* Sends requests from 'first' on, as many as fit a chunk. Returns how many, or 0 with an error. */
static unsigned send_chunk(struct rtnl *rtnl, unsigned first, uint32_t *ret_sequence, GError **error)
{
    struct iovec parts[CHUNK_MESSAGES];
    unsigned count = 0;
    size_t bytes = 0;
    while (count < CHUNK_MESSAGES && first + count < rtnl->queue->len) {
        struct request *request = rtnl->queue->pdata[first + count];
        struct nlmsghdr *header = nlmsg_hdr(request->message);
        size_t size = NLMSG_ALIGN(header->nlmsg_len);
        if (count && bytes + size > CHUNK_BYTES) {
            break;
        }
        header->nlmsg_seq = nl_socket_use_seq(rtnl->socket);
        header->nlmsg_pid = nl_socket_get_local_port(rtnl->socket);
        header->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
        *ret_sequence = header->nlmsg_seq - count;
        parts[count++] = (struct iovec){header, size};
        bytes += size;
    }
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    struct msghdr datagram = {.msg_name = &kernel, .msg_namelen = sizeof kernel, .msg_iov = parts, .msg_iovlen = count};
    ssize_t sent;
    do {
        sent = sendmsg(nl_socket_get_fd(rtnl->socket), &datagram, 0);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        fail(error, DISTEM_ERROR_SYSTEM, errno, "sending to route netlink failed");
        return 0;
    }
    return count;
}

bool rtnl_flush(struct rtnl *rtnl, GError **error)
{
    bool ok = true, broken = false;
    for (unsigned first = 0; first < rtnl->queue->len && !broken;) {
        uint32_t sequence = 0;
        unsigned count = send_chunk(rtnl, first, &sequence, ok ? error : NULL);
        broken = !count || !read_answers(rtnl, first, count, sequence, &ok, error);
        for (unsigned i = first; broken && i < rtnl->queue->len; i++) {
            note_failure(rtnl->queue->pdata[i]);
        }
        first += count;
    }
    rtnl_discard(rtnl);
    return ok && !broken;
}

void rtnl_discard(struct rtnl *rtnl)
{
    g_ptr_array_set_size(rtnl->queue, 0);
}

/* Returns the errno that a dump ended with: by a message of its own, or in the last one. */
static int dump_errno(const struct nlmsghdr *h)
{
    if (h->nlmsg_type == NLMSG_ERROR) {
        return -((const struct nlmsgerr *)nlmsg_data(h))->error;
    }
    return h->nlmsg_type == NLMSG_DONE && nlmsg_datalen(h) >= (int)sizeof(int) ? -*(const int *)nlmsg_data(h) : 0;
}

/* Adds copies of the answers of the dump that was asked for with 'seq' to 'answers'; what may be left of an earlier one, which
 * failed, is passed over. Sets '*ret_again' when it was interrupted. */
static bool read_dump(struct rtnl *rtnl, uint32_t seq, GPtrArray *answers, bool *ret_again, GError **error)
{
    for (bool done = false; !done;) {
        unsigned char *buffer = NULL;
        int rest = receive(rtnl, &buffer, error);
        if (rest < 0) {
            return false;
        }
        for (struct nlmsghdr *h = (struct nlmsghdr *)buffer; nlmsg_ok(h, rest); h = nlmsg_next(h, &rest)) {
            if (h->nlmsg_seq != seq) {
                continue;
            }
            *ret_again |= (h->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
            int err = dump_errno(h);
            if (err) {
                free(buffer);
                return fail(error, DISTEM_ERROR_SYSTEM, err, "listing by route netlink failed");
            }
            if (h->nlmsg_type == NLMSG_DONE) {
                done = true;
                break;
            }
            g_ptr_array_add(answers, g_memdup2(h, h->nlmsg_len));
        }
        free(buffer);
    }
    return true;
}

GPtrArray *rtnl_dump(struct rtnl *rtnl, int type, GError **error)
{
    g_autoptr(GPtrArray) answers = g_ptr_array_new_with_free_func(g_free);
    for (bool again = true; again;) {
        again = false;
        g_ptr_array_set_size(answers, 0);
        /* The largest of the headers of links, addresses and routes, all zero. */
        struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
        const struct tcmsg qdisc = {.tcm_family = AF_UNSPEC};
        struct nl_msg *message = type == RTM_GETQDISC
                                     ? rtnl_message(type, NLM_F_DUMP, &qdisc, sizeof qdisc, 0)
                                     : rtnl_message(type, NLM_F_DUMP, &header, sizeof header, NLA_HDRLEN + sizeof(uint32_t));
        if (type == RTM_GETLINK) {
            rtnl_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
        }
        nlmsg_hdr(message)->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
        int err = nl_send_auto(rtnl->socket, message);
        uint32_t seq = nlmsg_hdr(message)->nlmsg_seq;
        nlmsg_free(message);
        if (err < 0) {
            fail(error, DISTEM_ERROR_SYSTEM, 0, "sending to route netlink failed: %s", nl_geterror(err));
            return NULL;
        }
        if (!read_dump(rtnl, seq, answers, &again, error)) {
            return NULL;
        }
    }
    return g_steal_pointer(&answers);
}
