/* SPDX-License-Identifier: Apache-2.0 */
/* Round-trip times by ICMP echo.
 *
 * Both instants are on one clock and near the wire: the monotonic time just before sendto(), and the kernel's time stamp of the
 * answer. The latter is real time, so the answer's age is taken off the monotonic time at which it is read: a step of the real
 * clock then matters only when it falls between the arrival and the reading of a packet.
 *
 * Echoes that are not measured come first: they make neighbours and flow tables along the way known. */
#include <config.h>

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include <linux/filter.h>
#include <linux/icmp.h>

#include "distem/error.h"
#include "distem/expect.h"
#include "distem/units.h"
#include "measure.h"
#include "socket.h"
#include "stats.h"

/* An echo, as RFC 792 and RFC 4443 agree on it, with our data. */
struct echo {
    uint8_t type, code;
    uint16_t checksum;
    uint16_t id;
    uint16_t sequence;
    uint64_t nonce;
    uint32_t index; /* Of the echo in 'sent', warm-up first. */
    uint32_t reserved;
};

G_STATIC_ASSERT(sizeof(struct echo) == EXPECT_ECHO);

struct rtt {
    struct measurement m;
    struct watch watch;
    struct timer timer;
    uint16_t id;
    uint64_t nonce;
    int last_error;  /* What ICMP or sending last complained of. */
    bool warm;       /* An unmeasured echo was answered. */
    unsigned n_warm; /* Unmeasured echoes sent. */
    unsigned n_sent; /* Measured ones. */
    unsigned n_answered;
    unsigned n_duplicates;
    int64_t *sent;  /* When each measured echo left; 0 when it was answered. */
    int64_t *times; /* The n_answered round-trip times. */
};

static struct rtt *rtt_of(struct measurement *m)
{
    return (struct rtt *)m;
}

static uint16_t checksum(const void *data, size_t size)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < size; i += 2) {
        uint16_t word;
        memcpy(&word, (const char *)data + i, 2);
        sum += word;
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum += sum >> 16;
    return (uint16_t)~sum;
}

/* Lets only answers with our id through, so that other traffic costs nothing. */
static bool set_filter(const struct rtt *r, GError **error)
{
    /* Raw IPv4 sockets see the IP header, IPv6 ones do not. */
    struct sock_filter program4[] = {
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
        BPF_STMT(BPF_LD | BPF_B | BPF_IND, offsetof(struct echo, type)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP_ECHOREPLY, 0, 3),
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, offsetof(struct echo, id)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohs(r->id), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_filter program6[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, offsetof(struct echo, type)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP6_ECHO_REPLY, 0, 3),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct echo, id)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohs(r->id), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    bool ipv4 = r->m.test->address[PROBE_TO].family == 4;
    /* By type even before the kernel copies a packet for us. */
    struct icmp_filter types4 = {.data = ~(1u << ICMP_ECHOREPLY)};
    struct icmp6_filter types6;
    ICMP6_FILTER_SETBLOCKALL(&types6);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &types6);
    struct sock_fprog program = {.len = ipv4 ? G_N_ELEMENTS(program4) : G_N_ELEMENTS(program6),
                                 .filter = ipv4 ? program4 : program6};
    int done = ipv4 ? setsockopt(r->watch.fd, SOL_RAW, ICMP_FILTER, &types4, sizeof types4)
                    : setsockopt(r->watch.fd, SOL_ICMPV6, ICMP6_FILTER, &types6, sizeof types6);
    return (!done && !setsockopt(r->watch.fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program)) ||
           fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot filter ICMP");
}

/* Sends echo number 'index'; returns when, or -1 with an error when no packet can leave. A full queue on the way counts as a loss.
 */
static int64_t send_echo(struct rtt *r, uint32_t index, GError **error)
{
    const struct probe_test *test = r->m.test;
    struct echo echo = {
        .type = test->address[PROBE_TO].family == 4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST,
        .id = r->id,
        .sequence = htons((uint16_t)index),
        .nonce = r->nonce,
        .index = index,
    };
    if (test->address[PROBE_TO].family == 4) {
        echo.checksum = checksum(&echo, sizeof echo);
    }
    /* What ICMP said of an earlier packet would be reported instead of sending this one. */
    int earlier = socket_take_errors(r->watch.fd);
    r->last_error = earlier ? earlier : r->last_error;
    int64_t now = loop_now();
    if (send(r->watch.fd, &echo, sizeof echo, 0) < 0) {
        if (errno != ENOBUFS && errno != EAGAIN && errno != EHOSTUNREACH) {
            socket_fail(error, errno, test->name[PROBE_FROM], &test->address[PROBE_TO]);
            return -1;
        }
        r->last_error = errno;
    }
    return now;
}

/* Handles an answer that arrived at 'arrival'. */
static void answered(struct rtt *r, uint32_t index, int64_t arrival)
{
    const struct probe_test *test = r->m.test;
    if (index < r->n_warm) {
        if (!r->warm) {
            r->warm = true;
            r->last_error = 0;
            /* Answers that may still be under way are not to meet the measured ones. */
            loop_timer_set(r->m.loop, &r->timer, loop_now() + (r->n_warm > 1 ? test->timeout : 0));
        }
        return;
    }
    index -= r->n_warm;
    if (index >= r->n_sent) {
        return;
    }
    if (!r->sent[index]) {
        r->n_duplicates++;
        return;
    }
    r->times[r->n_answered++] = arrival - r->sent[index];
    r->sent[index] = 0;
    if (r->n_answered == test->count) {
        loop_timer_set(r->m.loop, &r->timer, arrival);
    }
}

/* Returns the monotonic time at which 'message' arrived. */
static int64_t arrival_time(struct msghdr *message)
{
    int64_t now = loop_now();
    struct timespec real;
    clock_gettime(CLOCK_REALTIME, &real);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec stamp;
            memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
            int64_t age = (real.tv_sec - stamp.tv_sec) * NS_PER_S + real.tv_nsec - stamp.tv_nsec;
            /* Anything else is a clock that was set meanwhile. */
            return age >= 0 && age < NS_PER_S ? now - age : now;
        }
    }
    return now;
}

/* Takes what has come. */
static void read_answers(struct rtt *r)
{
    for (;;) {
        char buffer[sizeof(struct echo) + 60]; /* With the longest IP header. */
        char control[256];
        struct iovec data = {.iov_base = buffer, .iov_len = sizeof buffer};
        struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        ssize_t size = recvmsg(r->watch.fd, &message, 0);
        if (size < 0) {
            r->last_error = errno == EAGAIN ? r->last_error : errno;
            return;
        }
        size_t header = r->m.test->address[PROBE_TO].family == 4 ? (size_t)(buffer[0] & 15) * 4 : 0;
        struct echo echo;
        if ((size_t)size != header + sizeof echo) {
            continue;
        }
        memcpy(&echo, buffer + header, sizeof echo);
        if (echo.id == r->id && echo.nonce == r->nonce && echo.sequence == htons((uint16_t)echo.index)) {
            answered(r, echo.index, arrival_time(&message));
        }
    }
}

static void socket_ready(struct watch *watch, uint32_t events)
{
    struct rtt *r = G_STRUCT_MEMBER_P(watch, -(glong)offsetof(struct rtt, watch));
    if (events & EPOLLERR) {
        int problem = socket_take_errors(watch->fd);
        r->last_error = problem ? problem : r->last_error;
    }
    read_answers(r);
}

static void finish(struct rtt *r)
{
    const struct probe_test *test = r->m.test;
    if (!r->n_answered) {
        GError *error = NULL;
        fail(&error, DISTEM_ERROR_UNAVAILABLE, r->last_error, "none of %u echoes was answered", r->n_warm + r->n_sent);
        measurement_fail(&r->m, error);
        return;
    }
    struct stats stats;
    stats_of(r->times, r->n_answered, &stats);
    measurement_done(&r->m, json_pack("{sI sI sI s{sI sI sI sI sI}}", "sent", (json_int_t)test->count, "received",
                                      (json_int_t)r->n_answered, "duplicates", (json_int_t)r->n_duplicates, "rtt_ns", "min",
                                      (json_int_t)stats.min, "mean", (json_int_t)stats.mean, "max", (json_int_t)stats.max,
                                      "deviation", (json_int_t)stats.deviation, "median", (json_int_t)stats.median));
}

/* Sends the next echo, or ends after the last one's time. */
static void timer_fired(struct timer *timer)
{
    struct rtt *r = G_STRUCT_MEMBER_P(timer, -(glong)offsetof(struct rtt, timer));
    const struct probe_test *test = r->m.test;
    bool measured = r->warm;
    if (measured ? r->n_sent == test->count : r->n_warm == WARM_PACKETS) {
        /* What has come counts, even if this machine is late; the answer to an unmeasured echo has set the timer anew. */
        read_answers(r);
        if (r->warm == measured) {
            finish(r);
        }
        return;
    }
    GError *error = NULL;
    int64_t sent = send_echo(r, r->n_warm + r->n_sent, &error);
    if (sent < 0) {
        measurement_fail(&r->m, error);
        return;
    }
    int64_t pause;
    if (measured) {
        r->sent[r->n_sent++] = sent;
        pause = r->n_sent == test->count ? test->timeout : test->interval;
    } else {
        r->n_warm++;
        pause = test->timeout / WARM_PACKETS_PER_TIMEOUT;
    }
    loop_timer_set(r->m.loop, &r->timer, sent + pause);
}

static bool rtt_start(struct measurement *m, GError **error)
{
    struct rtt *r = rtt_of(m);
    const struct probe_test *test = m->test;
    bool ipv4 = test->address[PROBE_TO].family == 4;
    r->nonce = measurement_nonce();
    r->id = (uint16_t)r->nonce;
    r->sent = g_new0(int64_t, test->count);
    r->times = g_new0(int64_t, test->count);
    r->watch.ready = socket_ready;
    r->timer.fire = timer_fired;
    r->watch.fd = measurement_socket(m, SOCK_RAW, ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, error);
    if (r->watch.fd < 0 || !set_filter(r, error)) {
        return false;
    }
    int on = 1;
    if (setsockopt(r->watch.fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) ||
        setsockopt(r->watch.fd, ipv4 ? SOL_IP : SOL_IPV6, ipv4 ? IP_RECVERR : IPV6_RECVERR, &on, sizeof on)) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot prepare the socket");
    }
    struct endpoint to = endpoint_of(&test->address[PROBE_TO], 0);
    if (connect(r->watch.fd, (struct sockaddr *)&to.storage, to.length)) {
        return socket_fail(error, errno, test->name[PROBE_FROM], &test->address[PROBE_TO]);
    }
    loop_timer_set(m->loop, &r->timer, measurement_first(m));
    return loop_watch(m->loop, &r->watch, EPOLLIN, error);
}

static void rtt_stop(struct measurement *m)
{
    struct rtt *r = rtt_of(m);
    loop_close(&r->watch);
    loop_timer_clear(m->loop, &r->timer);
    g_clear_pointer(&r->sent, g_free);
    g_clear_pointer(&r->times, g_free);
}

const struct measurement_kind measurement_rtt = {
    .size = sizeof(struct rtt),
    .limit = measurement_packets_limit,
    .start = rtt_start,
    .stop = rtt_stop,
};
