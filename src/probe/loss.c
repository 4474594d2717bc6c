/* SPDX-License-Identifier: Apache-2.0 */
/* Loss one way, by numbered UDP datagrams. Unmeasured ones come first until one arrives (or none has in a while: that may be the
 * answer), to make neighbours and flow tables along the way known. */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <linux/sock_diag.h>

#include "distem/error.h"
#include "distem/units.h"
#include "measure.h"
#include "socket.h"

#define BUFFER_SIZE (4 << 20)
#define READS_PER_TURN 64

/* How each datagram begins. */
struct head {
    uint64_t nonce;
    uint32_t index; /* From 0. */
    uint32_t measured;
};
G_STATIC_ASSERT(sizeof(struct head) == PROBE_SIZE_MIN);

struct loss {
    struct measurement m;
    struct watch source, sink;
    struct timer timer;
    uint64_t nonce;
    bool warm;       /* The warm-up is over. */
    unsigned n_warm; /* Unmeasured datagrams sent. */
    unsigned n_sent; /* Measured ones. */
    unsigned n_received, n_duplicates, n_reordered;
    uint32_t newest; /* The largest index received. */
    int64_t due;     /* When the next datagram is to be sent. */
    bool *received;  /* By index. */
    char *buffer;    /* Of the test's size. */
};

static struct loss *loss_of(struct measurement *m)
{
    return (struct loss *)m;
}

static void fail_loss(struct loss *l, int errnum)
{
    GError *error = NULL;
    socket_fail(&error, errnum, l->m.test->from, &l->m.test->to_address);
    measurement_fail(&l->m, error);
}

/* Returns how many datagrams the sink's socket had no room for. */
static uint32_t overflows(const struct loss *l)
{
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof memory;
    return getsockopt(l->sink.fd, SOL_SOCKET, SO_MEMINFO, memory, &length) ? 0 : memory[SK_MEMINFO_DROPS];
}

/* Handles a datagram that has arrived. */
static void received(struct loss *l, const struct head *head)
{
    if (head->nonce != l->nonce) {
        return;
    }
    if (!head->measured) {
        if (!l->warm) {
            l->warm = true;
            /* Others that may still be under way are not to meet the measured ones. */
            l->due = loop_now() + (l->n_warm > 1 ? l->m.test->timeout : 0);
            loop_timer_set(l->m.loop, &l->timer, l->due);
        }
        return;
    }
    if (head->index >= l->n_sent) {
        return;
    }
    if (l->received[head->index]) {
        l->n_duplicates++;
        return;
    }
    l->received[head->index] = true;
    l->n_received++;
    if (head->index < l->newest) {
        l->n_reordered++;
    } else {
        l->newest = head->index;
    }
    if (l->n_received == l->m.test->count) {
        loop_timer_set(l->m.loop, &l->timer, loop_now());
    }
}

/* Reads 'most' datagrams at most. */
static void read_sink(struct loss *l, unsigned most)
{
    for (unsigned i = 0; i < most; i++) {
        struct head head;
        ssize_t size = recv(l->sink.fd, &head, sizeof head, MSG_TRUNC);
        if (size < 0) {
            return;
        }
        if (size == l->m.test->size) {
            received(l, &head);
        }
    }
}

static void sink_ready(struct watch *watch, uint32_t events)
{
    (void)events;
    read_sink(G_STRUCT_MEMBER_P(watch, -(glong)offsetof(struct loss, sink)), READS_PER_TURN);
}

static void finish(struct loss *l)
{
    /* What has arrived counts, even if this machine is late. */
    read_sink(l, UINT_MAX);
    uint32_t lost_here = overflows(l);
    if (lost_here) {
        GError *error = NULL;
        fail(&error, DISTEM_ERROR_SYSTEM, 0, "this machine was too slow: %u datagrams arrived but could not be read", lost_here);
        measurement_fail(&l->m, error);
        return;
    }
    measurement_done(&l->m, json_pack("{sI sI sI sI}", "sent", (json_int_t)l->n_sent, "received", (json_int_t)l->n_received,
                                      "duplicates", (json_int_t)l->n_duplicates, "reordered", (json_int_t)l->n_reordered));
}

/* Sends the next datagram; returns 0 or an errno. What the way's first queue has no room for counts as sent: it is lost. */
static int send_datagram(struct loss *l)
{
    struct head head = {.nonce = l->nonce, .index = l->warm ? l->n_sent : l->n_warm, .measured = l->warm};
    memcpy(l->buffer, &head, sizeof head);
    if (send(l->source.fd, l->buffer, (size_t)l->m.test->size, 0) < 0 && errno != ENOBUFS) {
        return errno;
    }
    if (l->warm) {
        l->n_sent++;
    } else {
        l->n_warm++;
    }
    return 0;
}

/* Says when the next measured datagram is to be sent: on time, but never to make up for one that was late, since a burst would
 * fill queues that the pace does not. */
static int64_t next_due(struct loss *l, int64_t now)
{
    int64_t interval = l->m.test->interval;
    l->due = l->due + interval > now ? l->due + interval : now + interval;
    return l->due;
}

static void timer_fired(struct timer *timer)
{
    struct loss *l = G_STRUCT_MEMBER_P(timer, -(glong)offsetof(struct loss, timer));
    const struct probe_test *test = l->m.test;
    if (l->n_sent == test->count) {
        finish(l);
        return;
    }
    int64_t now = loop_now();
    if (!l->warm && l->n_warm == WARM_PACKETS) {
        l->warm = true;
        l->due = now;
    }
    int problem = send_datagram(l);
    /* The source's own buffer is full, or an earlier datagram was refused: the next attempt is this datagram's. */
    if (problem && problem != EAGAIN && problem != EHOSTUNREACH) {
        fail_loss(l, problem);
        return;
    }
    int64_t at = !l->warm                   ? now + test->timeout / WARM_PACKETS_PER_TIMEOUT
                 : l->n_sent == test->count ? now + test->timeout
                                            : next_due(l, now);
    loop_timer_set(l->m.loop, &l->timer, at);
}

/* Opens one end's socket, or returns -1 with an error. */
static int open_end(const char *netns, const char *name, const struct ip_addr *address, GError **error)
{
    int fd = socket_open(netns, name, address, SOCK_DGRAM, 0, error);
    if (fd < 0) {
        return -1;
    }
    /* No fragments: losing one of several would count as a loss of one. */
    int discover = IP_PMTUDISC_DO; /* IPV6_PMTUDISC_DO is the same. */
    int size = BUFFER_SIZE;
    if (setsockopt(fd, address->family == 4 ? SOL_IP : SOL_IPV6, address->family == 4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER,
                   &discover, sizeof discover) ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)) {
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot prepare a UDP socket in %s", name);
        close(fd);
        return -1;
    }
    return fd;
}

static bool loss_start(struct measurement *m, GError **error)
{
    struct loss *l = loss_of(m);
    const struct probe_test *test = m->test;
    l->source = (struct watch){.fd = -1};
    l->sink = (struct watch){.ready = sink_ready, .fd = -1};
    l->timer.fire = timer_fired;
    l->nonce = measurement_nonce();
    l->received = g_new0(bool, test->count);
    l->buffer = g_malloc0((size_t)test->size);
    l->sink.fd = open_end(test->to_netns, test->to, &test->to_address, error);
    if (l->sink.fd < 0) {
        return false;
    }
    l->source.fd = open_end(test->from_netns, test->from, &test->from_address, error);
    if (l->source.fd < 0) {
        return false;
    }
    struct endpoint to = endpoint_local(l->sink.fd);
    if (connect(l->source.fd, (struct sockaddr *)&to.storage, to.length)) {
        return socket_fail(error, errno, test->from, &test->to_address);
    }
    /* The sink hears nobody else. */
    struct endpoint from = endpoint_local(l->source.fd);
    if (connect(l->sink.fd, (struct sockaddr *)&from.storage, from.length)) {
        return socket_fail(error, errno, test->to, &test->from_address);
    }
    loop_timer_set(m->loop, &l->timer, measurement_first(m));
    return loop_watch(m->loop, &l->sink, EPOLLIN, error);
}

static void loss_stop(struct measurement *m)
{
    struct loss *l = loss_of(m);
    loop_close(&l->source);
    loop_close(&l->sink);
    loop_timer_clear(m->loop, &l->timer);
    g_clear_pointer(&l->received, g_free);
    g_clear_pointer(&l->buffer, g_free);
}

const struct measurement_kind measurement_loss = {
    .size = sizeof(struct loss),
    .limit = measurement_packets_limit,
    .start = loss_start,
    .stop = loss_stop,
};
