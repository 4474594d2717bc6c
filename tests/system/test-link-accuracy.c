/* SPDX-License-Identifier: Apache-2.0 */
/* That links keep their word, in numbers: latency, rate, queue, loss, jitter against what was asked for. Only for a clock that is
 * exact (LAB_EXACT). */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>

#include "distem/delay-table.h"
#include "distem/expect.h"
#include "distem/units.h"

#include "link-world.h"

#define PORT 4000
#define HEADERS 42 /* Ethernet, IPv4, UDP. */
#define AROUND 24  /* What Ethernet adds on the wire. */

/* n1 and n2 with a UDP socket each, joined and used once, so that neighbours know each other. */
struct pair {
    struct world *world;
    struct impairment *output, *input; /* On the way from n1 to n2: of n1, of n2. */
    int n1, n2;
};

static const struct ip_addr *address(const struct vnode *vnode)
{
    return &vnode_viface(vnode, 0)->ipv4;
}

static void apply(struct pair *pair)
{
    world_apply_vnode(pair->world, pair->world->n1);
    world_apply_vnode(pair->world, pair->world->n2);
}

static struct pair pair_open(void)
{
    struct pair pair = {.world = world_new()};
    struct world *world = pair.world;
    pair.output = &vnode_viface(world->n1, 0)->output;
    pair.input = &vnode_viface(world->n2, 0)->input;
    world_apply(world);
    world_connect(world);
    pair.n1 = world_socket(world, world->n1, 4, PORT);
    pair.n2 = world_socket(world, world->n2, 4, PORT);
    int on = 1;
    g_assert_cmpint(setsockopt(pair.n2, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on), ==, 0);
    for (unsigned i = 0; i < 3; i++) {
        world_flight(pair.n1, pair.n2, address(world->n2), PORT);
        world_flight(pair.n2, pair.n1, address(world->n1), PORT);
    }
    return pair;
}

static void pair_close(struct pair *pair)
{
    close(pair->n1);
    close(pair->n2);
    world_free(pair->world);
}

/* Sets the way from n1 to n2 to 'impairment', once by n1's output and once by n2's input, and calls 'check' each time. */
static void both_sides(const struct impairment *impairment, void (*check)(struct pair *, const void *), const void *aux)
{
    for (unsigned side = 0; side < 2; side++) {
        struct pair pair = pair_open();
        *(side ? pair.input : pair.output) = *impairment;
        apply(&pair);
        g_test_message("by %s:", side ? "input" : "output");
        check(&pair, aux);
        pair_close(&pair);
    }
}

static int compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* Returns the median of some round trips. */
static int64_t round_trip(struct pair *pair)
{
    int64_t times[7];
    for (unsigned i = 0; i < G_N_ELEMENTS(times); i++) {
        times[i] = world_flight(pair->n1, pair->n2, address(pair->world->n2), PORT) +
                   world_flight(pair->n2, pair->n1, address(pair->world->n1), PORT);
    }
    qsort(times, G_N_ELEMENTS(times), sizeof *times, compare_times);
    return times[G_N_ELEMENTS(times) / 2];
}

static void test_rtt(void)
{
    static const int64_t latencies[] = {100 * NS_PER_US, NS_PER_MS, 10 * NS_PER_MS, 100 * NS_PER_MS, 1000 * NS_PER_MS};
    struct pair pair = pair_open();
    int64_t base = round_trip(&pair);
    for (unsigned side = 0; side < 3; side++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(latencies); i++) {
            pair.output->latency = side != 1 ? latencies[i] / (side == 2 ? 2 : 1) : 0;
            pair.input->latency = side != 0 ? latencies[i] / (side == 2 ? 2 : 1) : 0;
            apply(&pair);
            int64_t error = round_trip(&pair) - base - latencies[i];
            g_test_message("%s %.1f ms: %+.3f us", (const char *[]){"output", "input", "both"}[side],
                           (double)latencies[i] / NS_PER_MS, (double)error / NS_PER_US);
            g_assert_cmpint(ABS(error), <=, MAX(20 * NS_PER_US, latencies[i] / 500));
        }
    }
    pair_close(&pair);
}

/* Takes datagrams until none has come for 'quiet_ms'; returns when the kernel got each. */
static GArray *take_arrivals(int socket, int quiet_ms)
{
    GArray *times = g_array_new(FALSE, FALSE, sizeof(int64_t));
    struct pollfd event = {.fd = socket, .events = POLLIN};
    while (poll(&event, 1, quiet_ms) > 0) {
        char data[2048], control[256];
        struct iovec vector = {data, sizeof data};
        struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        g_assert_cmpint(recvmsg(socket, &message, 0), >, 0);
        const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        struct timespec time;
        g_assert_nonnull(header);
        memcpy(&time, CMSG_DATA(header), sizeof time);
        int64_t ns = time.tv_sec * NS_PER_S + time.tv_nsec;
        g_array_append_val(times, ns);
    }
    return times;
}

static int64_t arrival(const GArray *times, unsigned i)
{
    return g_array_index(times, int64_t, i);
}

static void send_burst(struct pair *pair, unsigned count, unsigned counted)
{
    for (unsigned i = 0; i < count; i++) {
        world_send(pair->n1, address(pair->world->n2), PORT, i, counted - AROUND - HEADERS);
    }
}

/* Sends 'count' frames at 'rate' bit/s, a few each millisecond: a processor that does nothing but send delivers late. */
static void send_paced(struct pair *pair, unsigned count, unsigned counted, double rate)
{
    int64_t start = world_now();
    for (unsigned sent = 0; sent < count;) {
        unsigned due = (unsigned)((double)(world_now() - start) / NS_PER_S * rate / 8 / counted) + 1;
        if (due > sent) {
            due = MIN(due, count);
            send_burst(pair, due - sent, counted);
            sent = due;
        }
        g_usleep(1000);
    }
}

/* In each 10 ms passes what the rate lets pass, but for one frame, and what passes at once at the start. */
static bool windows_hold(struct pair *pair, const struct impairment *impairment)
{
    enum { FRAME = 1538, WINDOW = 10 };
    double bytes = (double)impairment->bandwidth / 8 * WINDOW / 1000;
    unsigned frames = (unsigned)(20 * bytes / FRAME), windows = 0;
    send_paced(pair, frames, FRAME, 1.2 * (double)impairment->bandwidth);
    g_autoptr(GArray) times = take_arrivals(pair->n2, 500);
    g_assert_cmpuint(times->len, ==, frames);
    double least = INFINITY, most = 0;
    /* A window starts with each frame, and counts those that come within it. */
    for (unsigned first = 0, last = 0; first < frames; first++) {
        if (arrival(times, first) - arrival(times, 0) < 2 * NS_PER_MS * WINDOW) {
            continue; /* The sender gets ahead first. */
        }
        while (last < frames && arrival(times, last) - arrival(times, first) < WINDOW * NS_PER_MS) {
            last++;
        }
        if (last == frames) {
            break;
        }
        double passed = (double)(last - first) * FRAME;
        least = MIN(least, passed);
        most = MAX(most, passed);
        windows++;
    }
    g_test_message("%.0f bytes in 10 ms: %.0f to %.0f in %u windows", bytes, least, most, windows);
    g_assert_cmpuint(windows, >, 5);
    return least >= 0.99 * bytes - FRAME && most <= 1.01 * bytes + (double)shaping_burst(impairment, WORLD_MTU);
}

/* Now and then the kernel itself is busy for longer than a burst can make up for. */
static void check_windows(struct pair *pair, const void *aux)
{
    g_assert_true(windows_hold(pair, aux) || windows_hold(pair, aux) || windows_hold(pair, aux));
}

static void test_windows(void)
{
    static const uint64_t rates[] = {10000000, 100000000, 200000000};
    for (unsigned i = 0; i < G_N_ELEMENTS(rates); i++) {
        struct impairment impairment = {.bandwidth = rates[i], .queue = 30 << 20};
        both_sides(&impairment, check_windows, &impairment);
    }
}

/* 128 bytes take 250 ms at 4096 bit/s; those before a frame have to be through, and the frame itself starts at once. */
static void check_low_rate(struct pair *pair, const void *aux G_GNUC_UNUSED)
{
    send_burst(pair, 20, 128);
    g_autoptr(GArray) times = take_arrivals(pair->n2, 1000);
    g_assert_cmpuint(times->len, ==, 20);
    for (unsigned i = 1; i < times->len; i++) {
        int64_t gap = arrival(times, i) - arrival(times, i - 1);
        g_assert_cmpint(ABS(gap - 250 * NS_PER_MS), <, 20 * NS_PER_US);
    }
}

static void test_low_rate(void)
{
    struct impairment impairment = {.bandwidth = 4096, .queue = 20, .queue_unit = QUEUE_PACKETS};
    both_sides(&impairment, check_low_rate, NULL);
    impairment.latency = 100 * NS_PER_MS;
    both_sides(&impairment, check_low_rate, NULL);
}

/* Behind a bandwidth and a latency a frame takes both, also when the link is idle. */
static void check_lone_frames(struct pair *pair, const void *aux)
{
    enum { SIZE = 64 + HEADERS + AROUND }; /* Of what world_flight() sends. */
    const struct impairment *impairment = aux;
    int64_t expected = impairment->latency + SIZE * INT64_C(8) * NS_PER_S / (int64_t)impairment->bandwidth;
    int64_t least = INT64_MAX, tolerance = MAX(100 * NS_PER_US, expected / 500);
    /* The kernel's own frames come in between, and take long at a low rate. */
    for (unsigned i = 0; i < 40 && (i < 7 || least > expected + tolerance); i++) {
        least = MIN(least, world_flight(pair->n1, pair->n2, address(pair->world->n2), PORT));
    }
    g_test_message("%.3f ms of %.3f", (double)least / NS_PER_MS, (double)expected / NS_PER_MS);
    g_assert_cmpint(ABS(least - expected), <=, tolerance);
}

static void test_lone_frames(void)
{
    static const uint64_t rates[] = {4096, 56000, 1000000, 100000000, 10000000000};
    for (unsigned i = 0; i < G_N_ELEMENTS(rates); i++) {
        struct impairment impairment = {.bandwidth = rates[i], .latency = 10 * NS_PER_MS};
        both_sides(&impairment, check_lone_frames, &impairment);
    }
}

/* What is lost has taken bandwidth before: of a link that is sent too much, the rest arrives. */
static void check_lossy_rate(struct pair *pair, const void *aux)
{
    enum { FRAME = 1000, COUNT = 10000 };
    const struct impairment *impairment = aux;
    double bandwidth = (double)impairment->bandwidth, share = 1 - (double)impairment->loss / PPB_ONE;
    send_paced(pair, COUNT, FRAME, 2 * bandwidth);
    g_autoptr(GArray) times = take_arrivals(pair->n2, 500);
    g_assert_cmpuint(times->len, >, COUNT / 4);
    double measured = (times->len - 1) * 8.0 * FRAME * NS_PER_S / (double)(arrival(times, times->len - 1) - arrival(times, 0));
    g_test_message("%.4f of the bandwidth arrives, expected %.2f", measured / bandwidth, share);
    g_assert_cmpfloat(fabs(measured / bandwidth - share), <, 0.02);
}

static void test_lossy_rate(void)
{
    struct impairment impairment = {.bandwidth = 10000000, .loss = PPB_ONE / 10, .queue = 50, .queue_unit = QUEUE_PACKETS};
    both_sides(&impairment, check_lossy_rate, &impairment);
}

/* Receives all that comes; returns its numbers as runs of those that follow each other: " 0-39 41-80". */
static char *receive_runs(struct pair *pair)
{
    GString *runs = g_string_new(NULL);
    uint32_t number, last = 0;
    while (world_receive(pair->n2, 3000, &number)) {
        if (!runs->len) {
            g_string_append_printf(runs, " %u", number);
        } else if (number != last + 1) {
            g_string_append_printf(runs, "-%u %u", last, number);
        }
        last = number;
    }
    g_string_append_printf(runs, "-%u", last);
    return g_string_free(runs, FALSE);
}

/* Whatever changes while frames wait or are on their way, all of them arrive, one after the other. */
static void test_live_changes(void)
{
    static const struct impairment steps[] = {
        {.latency = 50000000},
        {.latency = 50000000, .bandwidth = 10000000},
        {.bandwidth = 10000000},
        {.latency = 20000000, .bandwidth = 2000000},
        {.latency = 5000000, .bandwidth = 20000000},
        {.latency = 5000000},
        {.bandwidth = 5000000},
        {.latency = 10000000, .bandwidth = 5000000},
        {.latency = 30000000, .jitter = 20000000, .keep_order = true, .bandwidth = 5000000, .framing = FRAMING_IP},
        {.latency = 1000000},
    };
    enum { FRAMES = 40 };
    for (unsigned side = 0; side < 2; side++) {
        struct pair pair = pair_open();
        uint32_t sent = 0;
        for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
            *(side ? pair.input : pair.output) = steps[i];
            apply(&pair);
            for (unsigned k = 0; k < FRAMES; k++) {
                world_send(pair.n1, address(pair.world->n2), PORT, sent++, 200);
            }
        }
        g_autofree char *runs = receive_runs(&pair), *whole = g_strdup_printf(" 0-%u", sent - 1);
        g_test_message("by %s:%s", side ? "input" : "output", runs);
        g_assert_cmpstr(runs, ==, whole);
        pair_close(&pair);
    }
}

/* What a burst leaves behind is one frame that is sent at once and as many as the queue holds. */
struct queue_case {
    struct impairment impairment;
    unsigned frame, expected; /* As counted; frames that pass. */
};

static void check_queue(struct pair *pair, const void *aux)
{
    const struct queue_case *queue = aux;
    send_burst(pair, 60, queue->frame);
    g_autoptr(GArray) times = take_arrivals(pair->n2, 3000);
    g_test_message("%u of 60 frames of %u bytes", times->len, queue->frame);
    g_assert_cmpuint(times->len, ==, queue->expected);
}

static void test_queues(void)
{
    static const struct queue_case cases[] = {
        {{.bandwidth = 64000, .queue = 10, .queue_unit = QUEUE_PACKETS}, 1538, 11},
        {{.bandwidth = 64000, .queue = 10, .queue_unit = QUEUE_PACKETS}, 100, 11},
        {{.bandwidth = 64000, .queue = 10, .queue_unit = QUEUE_PACKETS, .latency = NS_PER_S}, 1000, 11},
        {{.bandwidth = 64000, .queue = 10, .queue_unit = QUEUE_PACKETS, .duplication = PPB_ONE}, 1000, 22},
        {{.bandwidth = 64000, .queue = 20000}, 1000, 21},
        {{.bandwidth = 64000, .queue = 20000, .latency = 300 * NS_PER_MS}, 1000, 21},
        {{.bandwidth = 64000, .queue = NS_PER_S, .queue_unit = QUEUE_TIME}, 1000, 9},
        {{.bandwidth = 64000, .queue = 10, .queue_unit = QUEUE_PACKETS, .framing = FRAMING_IP}, 1000, 11},
        {{.bandwidth = 64000, .queue = 2120, .framing = FRAMING_IP, .cell_payload = 48, .cell_size = 53}, 38 + 96, 21},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        both_sides(&cases[i].impairment, check_queue, &cases[i]);
    }
}

/* A managed queue also drops what it could hold, when it waits for too long; each kind works at all. */
static void check_managed(struct pair *pair, const void *aux)
{
    unsigned least = *(const unsigned *)aux;
    send_burst(pair, 60, 1000);
    g_autoptr(GArray) times = take_arrivals(pair->n2, 3000);
    g_assert_cmpuint(times->len, >=, least);
    g_assert_cmpuint(times->len, <=, 10);
}

static void test_managed_queues(void)
{
    struct impairment impairment = {.bandwidth = 64000, .queue = 10, .queue_unit = QUEUE_PACKETS, .aqm = AQM_CODEL};
    both_sides(&impairment, check_managed, &(unsigned){5});
    impairment.aqm = AQM_FQ_CODEL;
    both_sides(&impairment, check_managed, &(unsigned){5});
    impairment.aqm = AQM_PIE;
    impairment.queue = 9; /* It needs longer than this burst to start dropping early. */
    both_sides(&impairment, check_managed, &(unsigned){10});
}

/* Says whether 'count' of 'n' is within the middle 99 % of what the binomial distribution gives. */
static bool is_likely(double p, unsigned n, unsigned count)
{
    return fabs(count - n * p) <= 2.576 * sqrt(n * p * (1 - p)) + 0.5;
}

static unsigned count_lost(struct pair *pair, unsigned n)
{
    unsigned arrived = 0;
    for (unsigned sent = 0; sent < n; sent += 1000) {
        send_burst(pair, 1000, 100 + AROUND);
        g_autoptr(GArray) times = take_arrivals(pair->n2, 20);
        arrived += times->len;
    }
    return n - arrived;
}

static void test_loss(void)
{
    enum { COUNT = 20000 };
    static const uint32_t losses[] = {PPB_ONE / 1000, PPB_ONE / 100, PPB_ONE / 10, PPB_ONE / 2};
    struct pair pair = pair_open();
    for (unsigned i = 0; i < 2 * G_N_ELEMENTS(losses); i++) {
        uint32_t loss = losses[i / 2];
        double p = loss / (double)PPB_ONE;
        pair.output->loss = i % 2 ? loss : 0;
        pair.input->loss = i % 2 ? 0 : loss;
        apply(&pair);
        unsigned lost = count_lost(&pair, COUNT);
        g_test_message("%u lost of %u by %s, expected %.0f", lost, COUNT, i % 2 ? "output" : "input", p * COUNT);
        /* One of a hundred is outside by chance; two in a row are not. */
        g_assert_true(is_likely(p, COUNT, lost) || is_likely(p, COUNT, count_lost(&pair, COUNT)));
    }
    pair_close(&pair);
}

/* Models with bursts deviate more than independent losses. */
static void test_loss_models(void)
{
    static const struct impairment cases[] = {
        {.loss = PPB_ONE / 10, .loss_correlation = PPB_ONE / 2},
        {.gilbert_enter = PPB_ONE / 20,
         .gilbert_leave = PPB_ONE / 5,
         .gilbert_bad_loss = PPB_ONE / 2,
         .gilbert_good_loss = PPB_ONE / 50},
        {.markov_p13 = PPB_ONE / 50,
         .markov_p31 = PPB_ONE / 5,
         .markov_p32 = PPB_ONE / 5,
         .markov_p23 = PPB_ONE / 4,
         .markov_p14 = PPB_ONE / 50},
    };
    struct pair pair = pair_open();
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        *pair.output = cases[i];
        apply(&pair);
        double loss = count_lost(&pair, 20000) / 20000.0;
        g_test_message("model %u: %.4f lost, expected %.4f", i, loss, impairment_loss(&cases[i]));
        g_assert_cmpfloat(fabs(loss / impairment_loss(&cases[i]) - 1), <, 0.2);
    }
    pair_close(&pair);
}

/* Mean and deviation of one-way times. */
static void check_jitter(struct pair *pair, const void *aux)
{
    enum { SAMPLES = 4000 };
    double sum = 0, squares = 0, expected = *(const double *)aux;
    for (unsigned i = 0; i < SAMPLES; i++) {
        double time = (double)world_flight(pair->n1, pair->n2, address(pair->world->n2), PORT) / NS_PER_MS;
        sum += time;
        squares += time * time;
    }
    double mean = sum / SAMPLES, deviation = sqrt(squares / SAMPLES - mean * mean);
    g_test_message("mean %.3f ms, deviation %.3f ms", mean, deviation);
    g_assert_cmpfloat(fabs(mean / 20 - 1), <, 0.05);
    g_assert_cmpfloat(fabs(deviation / expected - 1), <, 0.05);
}

static void test_jitter(void)
{
    struct impairment impairment = {.latency = 20 * NS_PER_MS, .jitter = 4 * NS_PER_MS, .distribution = DISTRIBUTION_NORMAL};
    both_sides(&impairment, check_jitter, &(double){4});
    impairment.distribution = DISTRIBUTION_UNIFORM;
    both_sides(&impairment, check_jitter, &(double){4 / sqrt(3)});
    /* A user's table, a little one and one of the most numbers: 18 ms three times and 26 ms once, or all the same time apart. */
    const struct delay_table *table = delay_table_read("few", "-4096 -4096 -4096 12288", NULL);
    impairment.distribution = table->id;
    both_sides(&impairment, check_jitter, &(double){sqrt(12)});
    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; i < DELAY_TABLE_MOST; i++) {
        g_string_append_printf(text, "%d\n", i * 2 - DELAY_TABLE_MOST);
    }
    impairment.distribution = delay_table_read("many", text->str, NULL)->id;
    both_sides(&impairment, check_jitter, &(double){8 / sqrt(3)});
}

/* With keep_order nothing overtakes, however much it varies. */
static void test_keep_order(void)
{
    struct pair pair = pair_open();
    pair.output->latency = pair.output->jitter = 10 * NS_PER_MS;
    for (unsigned keep = 0; keep < 2; keep++) {
        unsigned late = 0, count = 0;
        uint32_t number, highest = 0;
        pair.output->keep_order = keep;
        apply(&pair);
        send_burst(&pair, 500, 200);
        while (world_receive(pair.n2, 200, &number)) {
            count++;
            late += number < highest;
            highest = MAX(highest, number);
        }
        g_assert_cmpuint(count, ==, 500);
        g_assert_true(keep ? !late : late > 100);
    }
    pair_close(&pair);
}

static int tcp_socket(struct pair *pair, const struct vnode *vnode)
{
    g_autofree char *path = link_netns_path(pair->world->manager, vnode->id);
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), netns = open(path, O_RDONLY | O_CLOEXEC);
    g_assert_cmpint(setns(netns, CLONE_NEWNET), ==, 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(setns(home, CLONE_NEWNET), ==, 0);
    close(netns);
    close(home);
    return fd;
}

/* Moves bytes over TCP from n1 to n2 for 'duration' ns after 'warm_up' ns, with buffers of 'buffer' bytes (0: as the kernel likes);
 * returns bit/s, and how often a segment was sent again. */
static double tcp_goodput(struct pair *pair, int64_t warm_up, int64_t duration, int buffer, unsigned *ret_again)
{
    static char data[1 << 20];
    int listener = tcp_socket(pair, pair->world->n2), client = tcp_socket(pair, pair->world->n1);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    memcpy(&to.sin_addr, address(pair->world->n2)->bytes, sizeof to.sin_addr);
    if (buffer) {
        g_assert_cmpint(setsockopt(listener, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer), ==, 0);
        g_assert_cmpint(setsockopt(client, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer), ==, 0);
    }
    g_assert_cmpint(bind(listener, (struct sockaddr *)&to, sizeof to), ==, 0);
    g_assert_cmpint(listen(listener, 1), ==, 0);
    g_assert_cmpint(connect(client, (struct sockaddr *)&to, sizeof to), ==, 0);
    int server = accept(listener, NULL, NULL);
    g_assert_cmpint(server, >=, 0);
    int64_t start = 0, now = world_now(), begin = now, received = 0, first = 0, last = 0;
    while (!start || now - start < duration) {
        struct pollfd events[] = {{.fd = server, .events = POLLIN}, {.fd = client, .events = POLLOUT}};
        g_assert_cmpint(poll(events, 2, 60000), >, 0);
        if (events[1].revents & POLLOUT) {
            (void)!send(client, data, sizeof data, MSG_DONTWAIT);
        }
        ssize_t got = recv(server, data, sizeof data, MSG_DONTWAIT);
        now = world_now();
        if (got > 0 && start) {
            received += got;
            last = now;
        } else if (got > 0 && now - begin >= warm_up) {
            start = first = now;
        }
    }
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    g_assert_cmpint(getsockopt(client, SOL_TCP, TCP_INFO, &info, &size), ==, 0);
    *ret_again = info.tcpi_total_retrans;
    close(server);
    close(client);
    close(listener);
    return (double)received * 8 * NS_PER_S / (double)(last - first);
}

static void check_goodput(struct pair *pair, const void *aux)
{
    const struct impairment *impairment = aux;
    double expected = expect_goodput(impairment, WORLD_MTU, 4);
    /* Enough frames that a hole which is filled at either end does not matter. */
    int64_t duration = CLAMP((int64_t)(1e8 / (double)impairment->bandwidth * (double)NS_PER_S), NS_PER_S, 300 * NS_PER_S);
    unsigned again;
    double measured = tcp_goodput(pair, MAX(duration / 4, 10 * impairment->latency), duration, 0, &again);
    g_test_message("%.4f Mbit/s of %.4f (%+.2f %%)", measured / 1e6, expected / 1e6, 100 * (measured / expected - 1));
    g_assert_cmpfloat(fabs(measured / expected - 1), <, 0.01);
}

static void test_goodput(void)
{
    static const struct impairment cases[] = {
        {.bandwidth = 56000},
        {.bandwidth = 1000000},
        {.bandwidth = 10000000},
        {.bandwidth = 10000000, .framing = FRAMING_IP},
        {.bandwidth = 10000000, .overhead = 8, .framing = FRAMING_IP, .cell_payload = 48, .cell_size = 53},
        {.bandwidth = 100000000},
        {.bandwidth = 100000000, .latency = 100 * NS_PER_MS},
        {.bandwidth = 500000000},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        both_sides(&cases[i], check_goodput, &cases[i]);
    }
}

/* Frames in flight take no room in the queue: TCP fills a long fat link, and nothing is lost while what it may send at most is less
 * than what both hold. */
static void test_long_fat_link(void)
{
    enum { BUFFER = 25000000, MTU = 9000 };
    struct impairment impairment = {.bandwidth = 1000000000, .latency = 100 * NS_PER_MS};
    for (unsigned side = 0; side < 2; side++) {
        struct pair pair = pair_open();
        unsigned again;
        vnode_viface(pair.world->n1, 0)->vnetwork->mtu = MTU;
        *(side ? pair.input : pair.output) = impairment;
        world_apply(pair.world);
        world_connect(pair.world); /* A bridge has the least MTU of its ports. */
        double expected = expect_goodput(&impairment, MTU, 4);
        double measured = tcp_goodput(&pair, 3 * NS_PER_S, NS_PER_S, BUFFER, &again);
        g_test_message("by %s: %.2f Mbit/s of %.2f (%+.2f %%), %u segments sent again", side ? "input" : "output", measured / 1e6,
                       expected / 1e6, 100 * (measured / expected - 1), again);
        g_assert_cmpfloat(fabs(measured / expected - 1), <, 0.01);
        g_assert_cmpuint(again, ==, 0);
        pair_close(&pair);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* What the kernel puts off while there is much to do, it does in a thread, which must not wait for this program. */
    g_assert_cmpint(sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0}), ==, 0);
    if (!getenv("LAB_EXACT") || geteuid() != 0 || !world_isolate() || !world_has_netem()) {
        g_print("1..0 # SKIP needs root, netem and an exact clock\n");
        return 0;
    }
    g_test_add_func("/accuracy/rtt", test_rtt);
    g_test_add_func("/accuracy/goodput", test_goodput);
    g_test_add_func("/accuracy/long-fat-link", test_long_fat_link);
    g_test_add_func("/accuracy/windows", test_windows);
    g_test_add_func("/accuracy/low-rate", test_low_rate);
    g_test_add_func("/accuracy/lone-frames", test_lone_frames);
    g_test_add_func("/accuracy/lossy-rate", test_lossy_rate);
    g_test_add_func("/accuracy/live-changes", test_live_changes);
    g_test_add_func("/accuracy/queues", test_queues);
    g_test_add_func("/accuracy/managed-queues", test_managed_queues);
    g_test_add_func("/accuracy/loss", test_loss);
    g_test_add_func("/accuracy/loss-models", test_loss_models);
    g_test_add_func("/accuracy/jitter", test_jitter);
    g_test_add_func("/accuracy/keep-order", test_keep_order);
    return g_test_run();
}
