/* SPDX-License-Identifier: Apache-2.0 */
/* What TCP carries from one vnode to another, counted where it arrives.
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

struct source {
    struct measurement m;
    struct watch stream;
    uint32_t retransmits; /* When the window began. */
};

enum phase { PHASE_CONNECT, PHASE_WARM, PHASE_WINDOW, PHASE_FINISHED };

/* How much had arrived at a time. */
struct mark {
    int64_t time;
    int64_t bytes;
};

struct sink {
    struct measurement m;
    struct watch listener, stream;
    struct endpoint source;
    struct timer timer; /* The latest end of the phase. */
    enum phase phase;
    bool asked, steady;   /* Whether the source is past slow start, and its answer. */
    bool late;            /* The warm-up's latest end has passed: what arrives next ends it, settled or not. */
    int64_t opened;       /* When the connection was accepted. */
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

static struct source *source_of(struct measurement *m)
{
    return (struct source *)m;
}

static struct sink *sink_of(struct measurement *m)
{
    return (struct sink *)m;
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
    /* All the phases' latest ends: see sink_timer_fired(). */
    return connect_timeout(test) + WINDOW_MAX + warm_extra(test) + 4 * window_of(test) + 10 * NS_PER_S;
}

static void fail_goodput(struct measurement *m, int errnum, const char *what)
{
    GError *error = NULL;
    fail(&error, errnum ? DISTEM_ERROR_SYSTEM : DISTEM_ERROR_UNAVAILABLE, errnum, "%s", what);
    measurement_fail(m, error);
}

static struct tcp_info stream_info(const struct watch *stream)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    getsockopt(stream->fd, IPPROTO_TCP, TCP_INFO, &info, &length);
    return info;
}

/* Opens an end's socket and sets what both ends need. Returns it or -1 with an error. */
static int open_end(const struct measurement *m, GError **error)
{
    int fd = measurement_socket(m, SOCK_STREAM, 0, error);
    if (fd < 0) {
        return -1;
    }
    /* Closing throws away what is under way: sending it could take minutes. The buffers are what a fast and long way needs; the
     * kernel's own choice ends at 6 MB. */
    struct linger linger = {.l_onoff = 1};
    int size = BUFFER_SIZE;
    int unsent = UNSENT_MAX;
    int mss = (int)m->test->mss;
    if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) ||
        setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) ||
        setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent) ||
        (mss && setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof mss))) {
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot prepare a TCP socket in %s", m->test->name[m->end]);
        close(fd);
        return -1;
    }
    return fd;
}

static void tell_port(struct measurement *m, const struct watch *watch)
{
    struct endpoint local = endpoint_local(watch->fd);
    measurement_tell(m, json_pack("{sI}", "port", (json_int_t)endpoint_port(&local)));
}

static void fail_source(struct source *s, int errnum)
{
    GError *error = NULL;
    socket_fail(&error, errnum, s->m.test->name[PROBE_FROM], &s->m.test->address[PROBE_TO]);
    measurement_fail(&s->m, error);
}

static void source_ready(struct watch *watch, uint32_t events)
{
    struct source *s = G_STRUCT_MEMBER_P(watch, -(glong)offsetof(struct source, stream));
    if (events & (EPOLLERR | EPOLLHUP)) {
        fail_source(s, socket_take_errors(watch->fd));
        return;
    }
    /* One write a turn: the sink has its turn, too. */
    if (send(watch->fd, payload, sizeof payload, MSG_NOSIGNAL) < 0 && errno != EAGAIN) {
        fail_goodput(&s->m, errno, "the stream broke");
    }
}

static bool source_start(struct measurement *m, GError **error)
{
    struct source *s = source_of(m);
    s->stream.ready = source_ready;
    s->stream.fd = open_end(m, error);
    if (s->stream.fd < 0) {
        return false;
    }
    /* The link is measured, not what congestion control the vnode is set to; without cubic that has to do. */
    (void)setsockopt(s->stream.fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", strlen("cubic"));
    tell_port(m, &s->stream);
    return true;
}

static void connect_source(struct source *s, const struct endpoint *to)
{
    GError *error = NULL;
    if (connect(s->stream.fd, (struct sockaddr *)&to->storage, to->length) && errno != EINPROGRESS) {
        fail_source(s, errno);
    } else if (!loop_watch(s->m.loop, &s->stream, EPOLLOUT, &error)) {
        measurement_fail(&s->m, error);
    }
}

/* Ends with the figures of the sink. */
static void finish_source(struct source *s, const json_t *message)
{
    struct tcp_info info = stream_info(&s->stream);
    json_int_t bytes = json_integer_value(json_object_get(message, "bytes"));
    json_int_t duration = json_integer_value(json_object_get(message, "duration_ns"));
    measurement_done(&s->m, json_pack("{sI sI sf sO* sI sI}", "bytes", bytes, "duration_ns", duration, "goodput",
                                      duration > 0 ? (double)bytes * 8 / ((double)duration / NS_PER_S) : 0.0, "warm_up_ns",
                                      json_object_get(message, "warm_up_ns"), "mss", (json_int_t)info.tcpi_snd_mss, "retransmits",
                                      (json_int_t)(info.tcpi_total_retrans - s->retransmits)));
}

static void source_told(struct measurement *m, const json_t *message)
{
    struct source *s = source_of(m);
    if (json_object_get(message, "port")) {
        struct endpoint to = measurement_peer(m, message);
        connect_source(s, &to);
    } else if (json_object_get(message, "ask")) {
        /* A rate can be reached in slow start, which then loses a window. */
        struct tcp_info info = stream_info(&s->stream);
        bool steady = info.tcpi_snd_ssthresh < INT32_MAX && info.tcpi_ca_state <= TCP_CA_Disorder;
        measurement_tell(m, json_pack("{sb}", "steady", steady));
    } else if (json_object_get(message, "window")) {
        s->retransmits = stream_info(&s->stream).tcpi_total_retrans;
    } else if (json_object_get(message, "bytes")) {
        finish_source(s, message);
    }
}

static void source_stop(struct measurement *m)
{
    loop_close(&source_of(m)->stream);
}

const struct measurement_kind measurement_goodput_source = {
    .size = sizeof(struct source),
    .limit = goodput_limit,
    .start = source_start,
    .told = source_told,
    .stop = source_stop,
};

/* Says whether all that has arrived was read: nothing waits behind a hole. */
static bool is_settled(const struct sink *s)
{
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof memory;
    return getsockopt(s->stream.fd, SOL_SOCKET, SO_MEMINFO, memory, &length) || !memory[SK_MEMINFO_RMEM_ALLOC];
}

/* Fills in what is known once the connection stands. */
static void begin_warm_up(struct sink *s, int64_t now)
{
    const struct probe_test *test = s->m.test;
    struct tcp_info info = stream_info(&s->stream);
    /* Ethernet, IP, TCP with the time stamp option. The sink could send the same segments as the source. */
    unsigned frame = info.tcpi_snd_mss + 14 + (test->address[PROBE_TO].family == 4 ? 20 : 40) + 32;
    int64_t round_trip = info.tcpi_rtt * NS_PER_US;
    s->opened = now;
    s->rate = (double)test->bandwidth * info.tcpi_snd_mss / frame;
    s->warm = warm_of(test, round_trip);
    s->slice_length = MAX(MAX(SLICE_MIN, 2 * round_trip), frames_time(test, WARM_SEGMENTS, frame));
    s->window = window_of(test);
    s->slice = s->last = (struct mark){.time = now};
    s->phase = PHASE_WARM;
    loop_timer_set(s->m.loop, &s->timer, now + s->warm + warm_extra(test));
}

/* Ends a slice of the warm-up at the settled time 'now': asks the source whether that was all, when the rate is reached. */
static void end_slice(struct sink *s, int64_t now)
{
    if (now - s->slice.time < s->slice_length || s->asked) {
        return;
    }
    double rate = (double)(s->bytes - s->slice.bytes) * 8 / ((double)(now - s->slice.time) / NS_PER_S);
    s->slice = (struct mark){.time = now, .bytes = s->bytes};
    if (now - s->opened >= s->warm && rate >= SLICE_REACHED * s->rate) {
        s->asked = true;
        measurement_tell(&s->m, json_pack("{sb}", "ask", 1));
    }
}

static void begin_window(struct sink *s, int64_t now)
{
    s->start = (struct mark){.time = now, .bytes = s->bytes};
    s->phase = PHASE_WINDOW;
    measurement_tell(&s->m, json_pack("{sb}", "window", 1));
    loop_timer_set(s->m.loop, &s->timer, now + 2 * s->window);
}

static void finish_sink(struct sink *s)
{
    int64_t bytes = s->last.bytes - s->start.bytes;
    if (bytes <= 0) {
        g_autofree char *what = g_strdup_printf("the stream stalled after %" G_GINT64_FORMAT " bytes", s->bytes);
        fail_goodput(&s->m, 0, what);
        return;
    }
    s->phase = PHASE_FINISHED;
    loop_timer_clear(s->m.loop, &s->timer);
    measurement_tell(&s->m,
                     json_pack("{sI sI sI}", "bytes", (json_int_t)bytes, "duration_ns", (json_int_t)(s->last.time - s->start.time),
                               "warm_up_ns", (json_int_t)(s->start.time - s->opened)));
}

/* Data has arrived by 'now'. */
static void arrived(struct sink *s, int64_t now)
{
    bool settled = is_settled(s);
    if (s->phase == PHASE_WARM) {
        if (s->late || (settled && s->steady)) {
            begin_window(s, now);
        } else if (settled) {
            end_slice(s, now);
        }
    } else if (s->phase == PHASE_WINDOW) {
        s->last = (struct mark){.time = now, .bytes = s->bytes};
        if (settled && now - s->start.time >= s->window) {
            finish_sink(s);
        }
    }
}

static void stream_ready(struct watch *watch, uint32_t events)
{
    struct sink *s = G_STRUCT_MEMBER_P(watch, -(glong)offsetof(struct sink, stream));
    (void)events;
    int64_t before = s->bytes;
    for (int i = 0; i < READS_PER_TURN; i++) {
        ssize_t n = recv(watch->fd, discarded, sizeof discarded, MSG_TRUNC);
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            if (s->phase == PHASE_FINISHED) {
                loop_close(watch);
            } else {
                fail_goodput(&s->m, n ? errno : 0, "the stream broke");
            }
            return;
        }
        if (n < 0) {
            break;
        }
        s->bytes += n;
    }
    if (s->bytes > before) {
        arrived(s, loop_now());
    }
}

/* Takes the connection of the source, and no other. */
static void listener_ready(struct watch *watch, uint32_t events)
{
    struct sink *s = G_STRUCT_MEMBER_P(watch, -(glong)offsetof(struct sink, listener));
    (void)events;
    struct endpoint peer = {.length = sizeof peer.storage};
    int fd = accept4(watch->fd, (struct sockaddr *)&peer.storage, &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    if (!endpoint_equal(&peer, &s->source)) {
        close(fd);
        return;
    }
    loop_close(watch);
    s->stream.fd = fd;
    begin_warm_up(s, loop_now());
    GError *error = NULL;
    if (!loop_watch(s->m.loop, &s->stream, EPOLLIN, &error)) {
        measurement_fail(&s->m, error);
    }
}

static void sink_timer_fired(struct timer *timer)
{
    struct sink *s = G_STRUCT_MEMBER_P(timer, -(glong)offsetof(struct sink, timer));
    if (s->phase == PHASE_CONNECT) {
        fail_goodput(&s->m, 0, "no connection in time");
    } else if (s->phase == PHASE_WARM && !s->late) {
        s->late = true;
        loop_timer_set(s->m.loop, &s->timer, loop_now() + 2 * s->window);
    } else {
        finish_sink(s);
    }
}

static bool sink_start(struct measurement *m, GError **error)
{
    struct sink *s = sink_of(m);
    s->listener = (struct watch){.ready = listener_ready, .fd = -1};
    s->stream = (struct watch){.ready = stream_ready, .fd = -1};
    s->timer.fire = sink_timer_fired;
    s->listener.fd = open_end(m, error);
    if (s->listener.fd < 0) {
        return false;
    }
    return listen(s->listener.fd, 4) == 0 || fail(error, DISTEM_ERROR_SYSTEM, errno, "%s cannot listen", m->test->name[PROBE_TO]);
}

static void sink_told(struct measurement *m, const json_t *message)
{
    struct sink *s = sink_of(m);
    GError *error = NULL;
    if (json_object_get(message, "port") && s->phase == PHASE_CONNECT && s->listener.fd >= 0) {
        s->source = measurement_peer(m, message);
        if (!loop_watch(m->loop, &s->listener, EPOLLIN, &error)) {
            measurement_fail(m, error);
            return;
        }
        loop_timer_set(m->loop, &s->timer, loop_now() + connect_timeout(m->test));
        tell_port(m, &s->listener);
    } else if (json_object_get(message, "steady")) {
        s->asked = false;
        s->steady = json_is_true(json_object_get(message, "steady"));
    }
}

static void sink_stop(struct measurement *m)
{
    struct sink *s = sink_of(m);
    loop_close(&s->listener);
    loop_close(&s->stream);
    loop_timer_clear(m->loop, &s->timer);
}

const struct measurement_kind measurement_goodput_sink = {
    .size = sizeof(struct sink),
    .limit = goodput_limit,
    .start = sink_start,
    .told = sink_told,
    .stop = sink_stop,
};
