/* SPDX-License-Identifier: Apache-2.0 */
/* Loss one way, by numbered UDP datagrams, counted where they arrive. Unmeasured ones come first until one arrives (or none has in
 * a while: that may be the answer), to make neighbours and flow tables along the way known. */
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

#define BUFFER_SIZE (4 << 20)
#define READS_PER_TURN 64

/* How each datagram begins. */
struct head {
    uint64_t nonce;
    uint32_t index; /* From 0. */
    uint32_t measured;
};
G_STATIC_ASSERT(sizeof(struct head) == PROBE_SIZE_MIN);

struct source {
    struct measurement m;
    struct watch socket; /* Never waited for. */
    struct timer timer;
    uint64_t nonce;
    bool warm;       /* The warm-up is over. */
    unsigned n_warm; /* Unmeasured datagrams sent. */
    unsigned n_sent; /* Measured ones. */
    int64_t due;     /* When the next datagram is to be sent. */
    char *buffer;    /* Of the test's size. */
};

struct sink {
    struct measurement m;
    struct watch socket;
    uint64_t nonce;
    bool warm;     /* An unmeasured datagram has arrived. */
    bool finished; /* "from" knows the figures. */
    unsigned n_received, n_duplicates, n_reordered;
    uint32_t newest; /* The largest index received. */
    bool *received;  /* By index. */
};

static struct source *source_of(struct measurement *m)
{
    return (struct source *)m;
}

static struct sink *sink_of(struct measurement *m)
{
    return (struct sink *)m;
}

static json_int_t integer(const json_t *message, const char *key)
{
    return json_integer_value(json_object_get(message, key));
}

/* Opens the socket of an end, or returns -1 with an error. */
static int open_end(const struct measurement *m, GError **error)
{
    int fd = measurement_socket(m, SOCK_DGRAM, 0, error);
    if (fd < 0) {
        return -1;
    }
    /* No fragments: losing one of several would count as a loss of one. */
    int discover = IP_PMTUDISC_DO; /* IPV6_PMTUDISC_DO is the same. */
    int size = BUFFER_SIZE;
    bool ipv4 = m->test->address[PROBE_FROM].family == 4;
    if (setsockopt(fd, ipv4 ? SOL_IP : SOL_IPV6, ipv4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, &discover, sizeof discover) ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)) {
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot prepare a UDP socket in %s", m->test->name[m->end]);
        close(fd);
        return -1;
    }
    return fd;
}

/* Connects 'fd' to the other end, so that it hears nobody else. Returns false after ending the measurement. */
static bool connect_end(struct measurement *m, int fd, const json_t *message)
{
    struct endpoint peer = measurement_peer(m, message);
    if (connect(fd, (struct sockaddr *)&peer.storage, peer.length) == 0) {
        return true;
    }
    GError *error = NULL;
    socket_fail(&error, errno, m->test->name[m->end], &m->test->address[!m->end]);
    measurement_fail(m, error);
    return false;
}

/* Sends the next datagram; returns 0 or an errno. What the way's first queue has no room for counts as sent: it is lost. */
static int send_datagram(struct source *s)
{
    struct head head = {.nonce = s->nonce, .index = s->warm ? s->n_sent : s->n_warm, .measured = s->warm};
    memcpy(s->buffer, &head, sizeof head);
    if (send(s->socket.fd, s->buffer, (size_t)s->m.test->size, 0) < 0 && errno != ENOBUFS) {
        return errno;
    }
    if (s->warm) {
        s->n_sent++;
    } else {
        s->n_warm++;
    }
    return 0;
}

/* Says when the next measured datagram is to be sent: on time, but never to make up for one that was late, since a burst would
 * fill queues that the pace does not. */
static int64_t next_due(struct source *s, int64_t now)
{
    int64_t interval = s->m.test->interval;
    s->due = s->due + interval > now ? s->due + interval : now + interval;
    return s->due;
}

static void timer_fired(struct timer *timer)
{
    struct source *s = G_STRUCT_MEMBER_P(timer, -(glong)offsetof(struct source, timer));
    const struct probe_test *test = s->m.test;
    if (s->n_sent == test->count) {
        measurement_tell(&s->m, json_pack("{sI}", "sent", (json_int_t)s->n_sent));
        return;
    }
    int64_t now = loop_now();
    if (!s->warm && s->n_warm == WARM_PACKETS) {
        s->warm = true;
        s->due = now;
    }
    int problem = send_datagram(s);
    /* The source's own buffer is full, or an earlier datagram was refused: the next attempt is this datagram's. */
    if (problem && problem != EAGAIN && problem != EHOSTUNREACH) {
        GError *error = NULL;
        socket_fail(&error, problem, test->name[PROBE_FROM], &test->address[PROBE_TO]);
        measurement_fail(&s->m, error);
        return;
    }
    int64_t at = !s->warm                   ? now + test->timeout / WARM_PACKETS_PER_TIMEOUT
                 : s->n_sent == test->count ? now + test->timeout
                                            : next_due(s, now);
    loop_timer_set(s->m.loop, &s->timer, at);
}

static bool source_start(struct measurement *m, GError **error)
{
    struct source *s = source_of(m);
    s->timer.fire = timer_fired;
    s->buffer = g_malloc0((size_t)m->test->size);
    s->socket.fd = open_end(m, error);
    if (s->socket.fd < 0) {
        return false;
    }
    struct endpoint local = endpoint_local(s->socket.fd);
    measurement_tell(m, json_pack("{sI}", "port", (json_int_t)endpoint_port(&local)));
    return true;
}

static void source_told(struct measurement *m, const json_t *message)
{
    struct source *s = source_of(m);
    if (json_object_get(message, "port")) {
        s->nonce = (uint64_t)integer(message, "nonce");
        if (connect_end(m, s->socket.fd, message)) {
            loop_timer_set(m->loop, &s->timer, measurement_first(m));
        }
    } else if (json_object_get(message, "warm") && !s->warm) {
        s->warm = true;
        /* Others that may still be under way are not to meet the measured ones. */
        s->due = loop_now() + (s->n_warm > 1 ? m->test->timeout : 0);
        loop_timer_set(m->loop, &s->timer, s->due);
    } else if (json_object_get(message, "received")) {
        measurement_done(m, json_pack("{sI sI sI sI}", "sent", (json_int_t)s->n_sent, "received", integer(message, "received"),
                                      "duplicates", integer(message, "duplicates"), "reordered", integer(message, "reordered")));
    }
}

static void source_stop(struct measurement *m)
{
    struct source *s = source_of(m);
    loop_close(&s->socket);
    loop_timer_clear(m->loop, &s->timer);
    g_clear_pointer(&s->buffer, g_free);
}

const struct measurement_kind measurement_loss_source = {
    .size = sizeof(struct source),
    .limit = measurement_packets_limit,
    .start = source_start,
    .told = source_told,
    .stop = source_stop,
};

/* Handles a datagram that has arrived. */
static void received(struct sink *s, const struct head *head)
{
    if (head->nonce != s->nonce) {
        return;
    }
    if (!head->measured) {
        if (!s->warm) {
            s->warm = true;
            measurement_tell(&s->m, json_pack("{sb}", "warm", 1));
        }
        return;
    }
    if (head->index >= s->m.test->count) {
        return;
    }
    if (s->received[head->index]) {
        s->n_duplicates++;
        return;
    }
    s->received[head->index] = true;
    s->n_received++;
    if (head->index < s->newest) {
        s->n_reordered++;
    } else {
        s->newest = head->index;
    }
}

/* Reads 'most' datagrams at most. */
static void read_sink(struct sink *s, unsigned most)
{
    for (unsigned i = 0; i < most; i++) {
        struct head head;
        ssize_t size = recv(s->socket.fd, &head, sizeof head, MSG_TRUNC);
        if (size < 0) {
            return;
        }
        if (size == s->m.test->size) {
            received(s, &head);
        }
    }
}

/* Returns how many datagrams the socket had no room for. */
static uint32_t overflows(const struct sink *s)
{
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof memory;
    return getsockopt(s->socket.fd, SOL_SOCKET, SO_MEMINFO, memory, &length) ? 0 : memory[SK_MEMINFO_DROPS];
}

/* Counts what has arrived by now and tells it. */
static void finish(struct sink *s)
{
    if (s->finished) {
        return;
    }
    s->finished = true;
    read_sink(s, UINT_MAX);
    uint32_t lost_here = overflows(s);
    if (lost_here) {
        GError *error = NULL;
        fail(&error, DISTEM_ERROR_SYSTEM, 0, "this machine was too slow: %u datagrams arrived but could not be read", lost_here);
        measurement_fail(&s->m, error);
        return;
    }
    measurement_tell(&s->m, json_pack("{sI sI sI}", "received", (json_int_t)s->n_received, "duplicates",
                                      (json_int_t)s->n_duplicates, "reordered", (json_int_t)s->n_reordered));
}

static void sink_ready(struct watch *watch, uint32_t events)
{
    struct sink *s = G_STRUCT_MEMBER_P(watch, -(glong)offsetof(struct sink, socket));
    (void)events;
    read_sink(s, READS_PER_TURN);
    if (s->n_received == s->m.test->count) {
        finish(s);
    }
}

static bool sink_start(struct measurement *m, GError **error)
{
    struct sink *s = sink_of(m);
    s->nonce = measurement_nonce();
    s->received = g_new0(bool, m->test->count);
    s->socket.ready = sink_ready;
    s->socket.fd = open_end(m, error);
    return s->socket.fd >= 0 && loop_watch(m->loop, &s->socket, EPOLLIN, error);
}

static void sink_told(struct measurement *m, const json_t *message)
{
    struct sink *s = sink_of(m);
    if (json_object_get(message, "port")) {
        if (connect_end(m, s->socket.fd, message)) {
            struct endpoint local = endpoint_local(s->socket.fd);
            measurement_tell(m, json_pack("{sI sI}", "port", (json_int_t)endpoint_port(&local), "nonce", (json_int_t)s->nonce));
        }
    } else if (json_object_get(message, "sent")) {
        finish(s);
    }
}

static void sink_stop(struct measurement *m)
{
    struct sink *s = sink_of(m);
    loop_close(&s->socket);
    g_clear_pointer(&s->received, g_free);
}

const struct measurement_kind measurement_loss_sink = {
    .size = sizeof(struct sink),
    .limit = measurement_packets_limit,
    .start = sink_start,
    .told = sink_told,
    .stop = sink_stop,
};
