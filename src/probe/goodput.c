/* SPDX-License-Identifier: Apache-2.0 */
/* What TCP carries from one namespace to another, counted where it arrives.
 *
 * The rate is that between two instants at which the sink had read all that had arrived, with no hole before it ("settled"):
 * right after a segment came in order, and not in the middle of a retransmission. So neither the size of segments nor a loss near
 * the edge of the window shifts the result.
 *
 * Before the window the stream warms up: slow start, its losses, and what the shaper lets through at once after a pause are
 * over, and, where the bandwidth is known, the rate was reached once or had its time. */
#include <config.h>

#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <linux/sock_diag.h>

#include "distem/error.h"
#include "distem/units.h"
#include "measure.h"
#include "socket.h"

#define CONNECT_TIMEOUT (15 * NS_PER_S)
#define WINDOW_MIN (2 * NS_PER_S)
#define WINDOW_MAX (60 * NS_PER_S)
#define WINDOW_SEGMENTS 150
#define WARM_MIN (1 * NS_PER_S)
#define WARM_ROUND_TRIPS 10
#define WARM_SEGMENTS 20
/* How long the rate may take to be reached after the least warm-up: cubic needs 7 s from half of 20 Mbit/s times 170 ms. */
#define WARM_EXTRA (15 * NS_PER_S)
#define WARM_EXTRA_FAST (1 * NS_PER_S)
/* From here on the bandwidth may be more than the machine can do. */
#define FAST_BANDWIDTH INT64_C(500000000)
#define SLICE_MIN (NS_PER_S / 2)
#define SLICE_REACHED 0.98
#define FRAME_GUESS 1514
#define BUFFER_SIZE (16 << 20)
/* What the source's socket holds beyond what is under way: thousands of streams are to fit into memory. */
#define UNSENT_MAX (128 << 10)
#define SEND_SIZE (256 << 10)
#define READ_SIZE (1 << 20)
#define READS_PER_TURN 16

enum phase { PHASE_CONNECT, PHASE_WARM, PHASE_WINDOW };

/* How much had arrived at a time. */
struct mark {
    int64_t time;
    int64_t bytes;
    uint32_t retransmits; /* Only of the window's start. */
};

struct goodput {
    struct measurement m;
    struct watch listener, source, sink;
    struct timer timer; /* The latest end of the phase. */
    enum phase phase;
    bool late;            /* The warm-up's latest end has passed: what arrives next ends it, settled or not. */
    int64_t opened;       /* When the sink accepted. */
    double rate;          /* Payload bit/s expected; 0: not known. */
    int64_t warm;         /* The least warm-up, */
    int64_t slice_length; /* ... which is looked at in slices of this length. */
    int64_t window;       /* ns to measure. */
    int64_t bytes;        /* Arrived in order so far. */
    struct mark slice, start, last;
};

static const char payload[SEND_SIZE];
/* Never written to: MSG_TRUNC makes TCP drop what would go there. */
static char discarded[READ_SIZE];

static struct goodput *goodput_of(struct measurement *m)
{
    return (struct goodput *)m;
}

/* Returns how long 'n' full frames of 'frame' bytes take; 0 where the bandwidth is not known. */
static int64_t frames_time(const struct probe_test *test, unsigned n, unsigned frame)
{
    return test->bandwidth ? llround((double)n * frame * 8 / (double)test->bandwidth * (double)NS_PER_S) : 0;
}

static int64_t window_of(const struct probe_test *test)
{
    return test->duration ? test->duration : CLAMP(frames_time(test, WINDOW_SEGMENTS, FRAME_GUESS), WINDOW_MIN, WINDOW_MAX);
}

static int64_t warm_of(const struct probe_test *test, int64_t round_trip)
{
    return CLAMP(MAX(WARM_ROUND_TRIPS * round_trip, frames_time(test, WARM_SEGMENTS, FRAME_GUESS)), WARM_MIN, WINDOW_MAX);
}

static int64_t warm_extra(const struct probe_test *test)
{
    return test->bandwidth && test->bandwidth < FAST_BANDWIDTH ? WARM_EXTRA : WARM_EXTRA_FAST;
}

static int64_t connect_timeout(const struct probe_test *test)
{
    return test->timeout ? test->timeout : CONNECT_TIMEOUT;
}

static int64_t goodput_limit(const struct probe_test *test)
{
    /* All the phases' latest ends: see timer_fired(). */
    return connect_timeout(test) + WINDOW_MAX + warm_extra(test) + 4 * window_of(test) + 10 * NS_PER_S;
}

static void fail_goodput(struct goodput *g, int errnum, const char *what)
{
    GError *error = NULL;
    fail(&error, errnum ? DISTEM_ERROR_SYSTEM : DISTEM_ERROR_UNAVAILABLE, errnum, "%s", what);
    measurement_fail(&g->m, error);
}

static struct tcp_info source_info(const struct goodput *g)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    getsockopt(g->source.fd, IPPROTO_TCP, TCP_INFO, &info, &length);
    return info;
}

/* Says whether all that has arrived was read: nothing waits behind a hole. */
static bool is_settled(const struct goodput *g)
{
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof memory;
    return getsockopt(g->sink.fd, SOL_SOCKET, SO_MEMINFO, memory, &length) || !memory[SK_MEMINFO_RMEM_ALLOC];
}

/* Fills in what is known once the connection stands. */
static void begin_warm_up(struct goodput *g, int64_t now)
{
    const struct probe_test *test = g->m.test;
    struct tcp_info info = source_info(g);
    /* Ethernet, IP, TCP with the time stamp option. */
    unsigned frame = info.tcpi_snd_mss + 14 + (test->to_address.family == 4 ? 20 : 40) + 32;
    int64_t round_trip = info.tcpi_rtt * NS_PER_US;
    g->opened = now;
    g->rate = (double)test->bandwidth * info.tcpi_snd_mss / frame;
    g->warm = warm_of(test, round_trip);
    g->slice_length = MAX(MAX(SLICE_MIN, 2 * round_trip), frames_time(test, WARM_SEGMENTS, frame));
    g->window = window_of(test);
    g->slice = g->last = (struct mark){.time = now};
    g->phase = PHASE_WARM;
    loop_timer_set(g->m.loop, &g->timer, now + g->warm + warm_extra(test));
}

/* Says whether the warm-up is over at the settled time 'now'. */
static bool is_warm(struct goodput *g, int64_t now)
{
    if (now - g->slice.time < g->slice_length) {
        return false;
    }
    double rate = (double)(g->bytes - g->slice.bytes) * 8 / ((double)(now - g->slice.time) / NS_PER_S);
    g->slice = (struct mark){.time = now, .bytes = g->bytes};
    if (now - g->opened < g->warm || rate < SLICE_REACHED * g->rate) {
        return false;
    }
    /* A rate can be reached in slow start, which then loses a window. */
    struct tcp_info info = source_info(g);
    return info.tcpi_snd_ssthresh < INT32_MAX && info.tcpi_ca_state <= TCP_CA_Disorder;
}

static void begin_window(struct goodput *g, int64_t now)
{
    g->start = (struct mark){.time = now, .bytes = g->bytes, .retransmits = source_info(g).tcpi_total_retrans};
    g->phase = PHASE_WINDOW;
    loop_timer_set(g->m.loop, &g->timer, now + 2 * g->window);
}

static void finish(struct goodput *g)
{
    struct tcp_info info = source_info(g);
    int64_t bytes = g->last.bytes - g->start.bytes;
    int64_t duration = g->last.time - g->start.time;
    if (bytes <= 0) {
        g_autofree char *what = g_strdup_printf("the stream stalled after %" G_GINT64_FORMAT " bytes", g->bytes);
        fail_goodput(g, 0, what);
        return;
    }
    measurement_done(&g->m, json_pack("{sI sI sf sI sI sI}", "bytes", (json_int_t)bytes, "duration_ns", (json_int_t)duration,
                                      "goodput", (double)bytes * 8 / ((double)duration / NS_PER_S), "warm_up_ns",
                                      (json_int_t)(g->start.time - g->opened), "mss", (json_int_t)info.tcpi_snd_mss, "retransmits",
                                      (json_int_t)(info.tcpi_total_retrans - g->start.retransmits)));
}

/* Data has arrived by 'now'. */
static void arrived(struct goodput *g, int64_t now)
{
    bool settled = is_settled(g);
    if (g->phase == PHASE_WARM) {
        if (g->late || (settled && is_warm(g, now))) {
            begin_window(g, now);
        }
    } else {
        g->last = (struct mark){.time = now, .bytes = g->bytes};
        if (settled && now - g->start.time >= g->window) {
            finish(g);
        }
    }
}

static void sink_ready(struct watch *watch, uint32_t events)
{
    struct goodput *g = G_STRUCT_MEMBER_P(watch, -(glong)offsetof(struct goodput, sink));
    (void)events;
    int64_t before = g->bytes;
    for (int i = 0; i < READS_PER_TURN; i++) {
        ssize_t n = recv(watch->fd, discarded, sizeof discarded, MSG_TRUNC);
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            fail_goodput(g, n ? errno : 0, "the stream broke");
            return;
        }
        if (n < 0) {
            break;
        }
        g->bytes += n;
    }
    if (g->bytes > before) {
        arrived(g, loop_now());
    }
}

static void source_ready(struct watch *watch, uint32_t events)
{
    struct goodput *g = G_STRUCT_MEMBER_P(watch, -(glong)offsetof(struct goodput, source));
    const struct probe_test *test = g->m.test;
    if (events & (EPOLLERR | EPOLLHUP)) {
        GError *error = NULL;
        socket_fail(&error, socket_take_errors(watch->fd), test->from, &test->to_address);
        measurement_fail(&g->m, error);
        return;
    }
    /* One write a turn: the sink has its turn, too. */
    if (send(watch->fd, payload, sizeof payload, MSG_NOSIGNAL) < 0 && errno != EAGAIN) {
        fail_goodput(g, errno, "the stream broke");
    }
}

/* Takes the connection of the source, and no other. */
static void listener_ready(struct watch *watch, uint32_t events)
{
    struct goodput *g = G_STRUCT_MEMBER_P(watch, -(glong)offsetof(struct goodput, listener));
    (void)events;
    struct endpoint peer = {.length = sizeof peer.storage};
    int fd = accept4(watch->fd, (struct sockaddr *)&peer.storage, &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    struct endpoint expected = endpoint_local(g->source.fd);
    if (!endpoint_equal(&peer, &expected)) {
        close(fd);
        return;
    }
    loop_close(watch);
    g->sink.fd = fd;
    begin_warm_up(g, loop_now());
    GError *error = NULL;
    if (!loop_watch(g->m.loop, &g->sink, EPOLLIN, &error)) {
        measurement_fail(&g->m, error);
    }
}

static void timer_fired(struct timer *timer)
{
    struct goodput *g = G_STRUCT_MEMBER_P(timer, -(glong)offsetof(struct goodput, timer));
    if (g->phase == PHASE_CONNECT) {
        fail_goodput(g, 0, "no connection in time");
    } else if (g->phase == PHASE_WARM && !g->late) {
        g->late = true;
        loop_timer_set(g->m.loop, &g->timer, loop_now() + 2 * g->window);
    } else {
        finish(g);
    }
}

/* Opens one end's socket and sets what both ends need. Returns it or -1 with an error. */
static int open_end(const struct probe_test *test, const char *netns, const char *name, const struct ip_addr *address,
                    GError **error)
{
    int fd = socket_open(netns, name, address, SOCK_STREAM, 0, error);
    if (fd < 0) {
        return -1;
    }
    /* Closing throws away what is under way: sending it could take minutes. The buffers are what a fast and long way needs; the
     * kernel's own choice ends at 6 MB. */
    struct linger linger = {.l_onoff = 1};
    int size = BUFFER_SIZE;
    int unsent = UNSENT_MAX;
    int mss = (int)test->mss;
    if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) ||
        setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) ||
        setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent) ||
        (mss && setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof mss))) {
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot prepare a TCP socket in %s", name);
        close(fd);
        return -1;
    }
    return fd;
}

static bool goodput_start(struct measurement *m, GError **error)
{
    struct goodput *g = goodput_of(m);
    const struct probe_test *test = m->test;
    g->listener = (struct watch){.ready = listener_ready, .fd = -1};
    g->source = (struct watch){.ready = source_ready, .fd = -1};
    g->sink = (struct watch){.ready = sink_ready, .fd = -1};
    g->timer.fire = timer_fired;
    g->listener.fd = open_end(test, test->to_netns, test->to, &test->to_address, error);
    if (g->listener.fd < 0) {
        return false;
    }
    if (listen(g->listener.fd, 4)) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "%s cannot listen", test->to);
    }
    g->source.fd = open_end(test, test->from_netns, test->from, &test->from_address, error);
    if (g->source.fd < 0) {
        return false;
    }
    /* The link is measured, not what congestion control the vnode is set to; without cubic that has to do. */
    (void)setsockopt(g->source.fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", strlen("cubic"));
    struct endpoint to = endpoint_local(g->listener.fd);
    if (connect(g->source.fd, (struct sockaddr *)&to.storage, to.length) && errno != EINPROGRESS) {
        return socket_fail(error, errno, test->from, &test->to_address);
    }
    loop_timer_set(m->loop, &g->timer, loop_now() + connect_timeout(test));
    return loop_watch(m->loop, &g->listener, EPOLLIN, error) && loop_watch(m->loop, &g->source, EPOLLOUT, error);
}

static void goodput_stop(struct measurement *m)
{
    struct goodput *g = goodput_of(m);
    loop_close(&g->listener);
    loop_close(&g->source);
    loop_close(&g->sink);
    loop_timer_clear(m->loop, &g->timer);
}

const struct measurement_kind measurement_goodput = {
    .size = sizeof(struct goodput),
    .limit = goodput_limit,
    .start = goodput_start,
    .stop = goodput_stop,
};
