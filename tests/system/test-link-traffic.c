/* SPDX-License-Identifier: Apache-2.0 */
/* What vnodes' networks do to traffic: forwarding, rates, queues, latency, loss; and that changing them live loses nothing. Times
 * are held to tight bounds only where a clock is exact (LAB_EXACT). */
#include <config.h>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <math.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib.h>

#include "distem/units.h"

#include "link-world.h"

#define PORT 4000
#define HEADERS 42 /* Ethernet, IPv4, UDP. */

static bool exact_time;

/* Packets that arrived. */
struct arrivals {
    unsigned count, late; /* Late: after one that was sent later. */
    int64_t last;         /* When the last one came, ns. */
};

static const struct ip_addr *address(const struct vnode *vnode, int family)
{
    const struct viface *viface = vnode_viface(vnode, 0);
    return family == 4 ? &viface->ipv4 : &viface->ipv6;
}

/* Takes all that comes until nothing has come for 'quiet_ms'. */
static struct arrivals collect(int socket, int quiet_ms)
{
    struct arrivals arrivals = {0};
    uint32_t number, highest = 0;
    while (world_receive(socket, quiet_ms, &number)) {
        arrivals.last = world_now();
        arrivals.count++;
        arrivals.late += number < highest;
        highest = MAX(highest, number);
    }
    return arrivals;
}

static void send_many(int socket, const struct vnode *to, unsigned count, size_t frame)
{
    for (unsigned i = 1; i <= count; i++) {
        world_send(socket, address(to, 4), PORT, i, frame - HEADERS);
    }
}

/* n1 and n2 with a socket each, joined and used once, so that neighbours know each other. */
static void open_pair(struct world *world, int *ret_n1, int *ret_n2)
{
    world_apply(world);
    world_connect(world);
    *ret_n1 = world_socket(world, world->n1, 4, PORT);
    *ret_n2 = world_socket(world, world->n2, 4, PORT);
    world_flight(*ret_n1, *ret_n2, address(world->n2, 4), PORT);
    world_flight(*ret_n2, *ret_n1, address(world->n1, 4), PORT);
}

static void close_pair(struct world *world, int n1, int n2)
{
    close(n1);
    close(n2);
    world_free(world);
}

static void test_forwarding(void)
{
    struct world *world = world_new();
    world_apply(world);
    world_connect(world);
    for (int family = 4; family <= 6; family += 2) {
        int n1 = world_socket(world, world->n1, family, PORT), n3 = world_socket(world, world->n3, family, PORT);
        world_flight(n1, n3, address(world->n3, family), PORT);
        world_flight(n3, n1, address(world->n1, family), PORT);
        close(n1);
        close(n3);
    }
    world_free(world);
}

/* Sends 1000 frames at once through 'impairment', which limits to 8 Mbit/s, and measures the rate they come out with. */
static void check_rate(struct world *world, struct impairment *impairment)
{
    enum { COUNT = 1000, FRAME = 1000 };
    int n1, n2;
    *impairment = (struct impairment){.bandwidth = 8000000, .queue = 4000000};
    open_pair(world, &n1, &n2);
    int64_t start = world_now();
    send_many(n1, world->n2, COUNT, FRAME);
    struct arrivals arrivals = collect(n2, 500);
    g_assert_cmpuint(arrivals.count, ==, COUNT);
    g_assert_cmpuint(arrivals.late, ==, 0);
    /* The last one comes when those before it are through; the burst passes at once. */
    double ahead = (double)(shaping_burst(impairment, WORLD_MTU) - shaping_frame(impairment, WORLD_MTU));
    double bits = 8 * ((COUNT - 1) * (double)impairment_counted(impairment, FRAME) - ahead);
    double rate = bits / ((double)(arrivals.last - start) / NS_PER_S);
    g_test_message("%.3f Mbit/s of 8", rate / 1e6);
    g_assert_cmpfloat(fabs(rate / 8e6 - 1), <, exact_time ? 0.01 : 0.15);
    close_pair(world, n1, n2);
}

static void test_output_rate(void)
{
    struct world *world = world_new();
    check_rate(world, &vnode_viface(world->n1, 0)->output);
}

static void test_input_rate(void)
{
    struct world *world = world_new();
    check_rate(world, &vnode_viface(world->n2, 0)->input);
}

static void test_queue(void)
{
    struct world *world = world_new();
    int n1, n2;
    vnode_viface(world->n1, 0)->output = (struct impairment){.bandwidth = 100000, .queue = 20000, .burst = 2000};
    open_pair(world, &n1, &n2);
    send_many(n1, world->n2, 100, 1000);
    struct arrivals arrivals = collect(n2, 500);
    /* 20 in the queue, 2 in the burst, and what the link sends meanwhile: one each 80 ms. */
    g_assert_cmpuint(arrivals.count, >=, 20);
    g_assert_cmpuint(arrivals.count, <=, 25);
    close_pair(world, n1, n2);
}

/* What waits for a bandwidth survives its change. */
static void test_live_rate(void)
{
    struct world *world = world_new();
    struct impairment *output = &vnode_viface(world->n1, 0)->output;
    int n1, n2;
    *output = (struct impairment){.bandwidth = 100000, .queue = 1000000};
    open_pair(world, &n1, &n2);
    send_many(n1, world->n2, 200, 1000);
    int64_t start = world_now();
    output->bandwidth = 10000000;
    world_apply_vnode(world, world->n1);
    struct arrivals arrivals = collect(n2, 1000);
    g_assert_cmpuint(arrivals.count, ==, 200);
    g_assert_cmpuint(arrivals.late, ==, 0);
    g_assert_cmpint(arrivals.last - start, <, 5 * NS_PER_S);
    close_pair(world, n1, n2);
}

/* Opens a socket that sees all frames of the host's device 'name'. */
static int open_capture(const char *name)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(0x0003));
    struct sockaddr_ll where = {.sll_family = AF_PACKET, .sll_protocol = htons(0x0003), .sll_ifindex = (int)if_nametoindex(name)};
    g_assert_cmpint(bind(fd, (struct sockaddr *)&where, sizeof where), ==, 0);
    return fd;
}

/* However large the blocks are that a vnode hands to its kernel, frames that leave it have the size of frames. */
static void test_segments(void)
{
    struct world *world = world_new();
    int n1, n2, size = 1000, blocks = 0;
    ssize_t largest = 0, got;
    static uint8_t data[20000];
    open_pair(world, &n1, &n2);
    int capture = open_capture("dv11");
    g_assert_cmpint(setsockopt(n1, SOL_UDP, UDP_SEGMENT, &size, sizeof size), ==, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    memcpy(&to.sin_addr, address(world->n2, 4)->bytes, sizeof to.sin_addr);
    g_assert_cmpint(sendto(n1, data, sizeof data, 0, (struct sockaddr *)&to, sizeof to), ==, sizeof data);
    struct pollfd event = {.fd = capture, .events = POLLIN};
    while (poll(&event, 1, 500) > 0) {
        got = recv(capture, data, sizeof data, MSG_TRUNC);
        largest = MAX(largest, got);
        blocks += got == size + HEADERS;
    }
    g_assert_cmpint(blocks, ==, 20);
    g_assert_cmpint(largest, <=, size + HEADERS);
    close(capture);
    close_pair(world, n1, n2);
}

/* Checks that a flight takes 'expected' ns. */
static void check_flight(int from, int to, const struct vnode *vnode, int family, int64_t expected)
{
    int64_t time = world_flight(from, to, address(vnode, family), PORT);
    g_test_message("%.3f ms of %.3f", (double)time / NS_PER_MS, (double)expected / NS_PER_MS);
    g_assert_cmpint(time, >=, expected);
    g_assert_cmpint(time - expected, <, exact_time ? NS_PER_MS / 4 : 20 * NS_PER_MS);
}

static void test_latency(void)
{
    struct world *world = world_new();
    vnode_viface(world->n1, 0)->output.latency = 20 * NS_PER_MS;
    vnode_viface(world->n2, 0)->input.latency = 10 * NS_PER_MS + 123456;
    vnode_viface(world->n2, 0)->output.latency = 5 * NS_PER_MS;
    vnode_viface(world->n2, 0)->output.bandwidth = 1000000;
    world_apply(world);
    world_connect(world);
    for (int family = 4; family <= 6; family += 2) {
        int n1 = world_socket(world, world->n1, family, PORT), n2 = world_socket(world, world->n2, family, PORT);
        world_flight(n1, n2, address(world->n2, family), PORT);
        for (unsigned i = 0; i < 5; i++) {
            check_flight(n1, n2, world->n2, family, 30 * NS_PER_MS + 123456);
            /* Its own time on the wire, too: 64 bytes and the headers of UDP, IP and Ethernet, and what else a wire carries. */
            check_flight(n2, n1, world->n1, family,
                         5 * NS_PER_MS + (64 + 8 + (family == 4 ? 20 : 40) + 38) * INT64_C(8) * NS_PER_US);
        }
        close(n1);
        close(n2);
    }
    world_free(world);
}

/* Frames in flight survive all that is changed around them, but for a bandwidth that is taken away while they wait for it. */
static void test_live_latency(void)
{
    static const struct impairment steps[] = {
        {.bandwidth = 10000000},
        {.latency = 50000000, .bandwidth = 10000000},
        {.latency = 20000000, .jitter = 1000000, .distribution = DISTRIBUTION_PARETO, .bandwidth = 20000000},
        {.latency = 20000000, .bandwidth = 20000000, .queue = 1000000},
        {.bandwidth = 5000000},
    };
    struct world *world = world_new();
    struct impairment *output = &vnode_viface(world->n1, 0)->output;
    int n1, n2;
    output->latency = 100 * NS_PER_MS;
    open_pair(world, &n1, &n2);
    for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
        send_many(n1, world->n2, 50, 200);
        *output = steps[i];
        world_apply_vnode(world, world->n1);
        g_assert_cmpuint(collect(n2, 300).count, ==, 50);
    }
    close_pair(world, n1, n2);
}

/* A latency alone drops nothing, however fast frames come. */
static void test_many_in_flight(void)
{
    struct world *world = world_new();
    int n1, n2;
    vnode_viface(world->n1, 0)->output.latency = NS_PER_S;
    open_pair(world, &n1, &n2);
    send_many(n1, world->n2, 20000, 64);
    struct arrivals arrivals = collect(n2, 3000);
    g_assert_cmpuint(arrivals.count, ==, 20000);
    g_assert_cmpuint(arrivals.late, ==, 0);
    close_pair(world, n1, n2);
}

static void test_loss(void)
{
    static const struct {
        struct impairment impairment;
        unsigned least, most; /* Of 2000. */
    } cases[] = {
        {{.loss = PPB_ONE / 10, .loss_correlation = PPB_ONE / 2}, 1695, 1905},
        {{.loss = PPB_ONE / 10}, 1740, 1860},
        {{.loss = PPB_ONE, .loss_correlation = PPB_ONE}, 0, 0},
        {{.duplication = PPB_ONE}, 4000, 4000},
        {{.duplication = PPB_ONE, .bandwidth = 1000000000}, 4000, 4000},
        {{.corruption = PPB_ONE}, 0, 300}, /* Checksums find a wrong bit, but in the source MAC. */
        {{.latency = 1000}, 2000, 2000},
    };
    struct world *world = world_new();
    int n1, n2;
    open_pair(world, &n1, &n2);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        vnode_viface(world->n1, 0)->output = cases[i].impairment;
        world_apply_vnode(world, world->n1);
        send_many(n1, world->n2, 2000, 100);
        unsigned count = collect(n2, 300).count;
        g_test_message("case %u: %u of 2000", i, count);
        g_assert_cmpuint(count, >=, cases[i].least);
        g_assert_cmpuint(count, <=, cases[i].most);
    }
    close_pair(world, n1, n2);
}

static void test_reordering(void)
{
    struct world *world = world_new();
    int n1, n2;
    vnode_viface(world->n1, 0)->output = (struct impairment){.latency = 50 * NS_PER_MS, .reordering = PPB_ONE / 4};
    open_pair(world, &n1, &n2);
    send_many(n1, world->n2, 1000, 100);
    struct arrivals arrivals = collect(n2, 300);
    g_assert_cmpuint(arrivals.count, ==, 1000);
    g_assert_cmpuint(arrivals.late, >, 500); /* A quarter is not delayed; the others come after them. */
    close_pair(world, n1, n2);
}

/* Checks mean and deviation of latencies with a jitter of 'jitter' ns. */
static void check_jitter(enum distribution distribution, int64_t jitter, double deviation_expected)
{
    enum { SAMPLES = 1500 };
    struct world *world = world_new();
    double sum = 0, squares = 0;
    int n1, n2;
    vnode_viface(world->n1, 0)->output =
        (struct impairment){.latency = 20 * NS_PER_MS, .jitter = jitter, .distribution = distribution};
    open_pair(world, &n1, &n2);
    for (unsigned i = 0; i < SAMPLES; i++) {
        double time = (double)world_flight(n1, n2, address(world->n2, 4), PORT) / NS_PER_MS;
        sum += time;
        squares += time * time;
    }
    double mean = sum / SAMPLES, deviation = sqrt(squares / SAMPLES - mean * mean);
    g_test_message("%s: mean %.3f ms, deviation %.3f ms", distribution_name(distribution), mean, deviation);
    g_assert_cmpfloat(fabs(mean - 20.1), <, 0.3);
    g_assert_cmpfloat(fabs(deviation / deviation_expected - 1), <, 0.15);
    close_pair(world, n1, n2);
}

static void test_jitter(void)
{
    check_jitter(DISTRIBUTION_NORMAL, 2 * NS_PER_MS, 2);
    check_jitter(DISTRIBUTION_PARETO, 2 * NS_PER_MS, 2);
    check_jitter(DISTRIBUTION_PARETONORMAL, 2 * NS_PER_MS, 2);
    check_jitter(DISTRIBUTION_UNIFORM, 2 * NS_PER_MS, 1.1547);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (geteuid() != 0 || !world_isolate()) {
        g_print("1..0 # SKIP only root may make network namespaces\n");
        return 0; /* Automake's TAP driver takes any other status for an error. */
    }
    exact_time = getenv("LAB_EXACT") != NULL;
    g_test_add_func("/traffic/forwarding", test_forwarding);
    g_test_add_func("/traffic/output-rate", test_output_rate);
    g_test_add_func("/traffic/input-rate", test_input_rate);
    g_test_add_func("/traffic/queue", test_queue);
    g_test_add_func("/traffic/live-rate", test_live_rate);
    g_test_add_func("/traffic/segments", test_segments);
    if (world_has_netem()) {
        g_test_add_func("/traffic/latency", test_latency);
        g_test_add_func("/traffic/live-latency", test_live_latency);
        g_test_add_func("/traffic/many-in-flight", test_many_in_flight);
        g_test_add_func("/traffic/loss", test_loss);
        g_test_add_func("/traffic/reordering", test_reordering);
    }
    if (world_has_netem() && exact_time) {
        g_test_add_func("/traffic/jitter", test_jitter);
    }
    return g_test_run();
}
