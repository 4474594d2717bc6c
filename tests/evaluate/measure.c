/* SPDX-License-Identifier: Apache-2.0 */
/* What the evaluation runs in vnodes to measure the network between them. It knows nothing of Distem and shares no code with
 * distem-probe, so that the one can tell on the other. Times are nanoseconds; all vnodes of one machine share its clock.
 *
 *      distem-measure echo PORT                                    sends UDP datagrams back
 *      distem-measure rtt ADDRESS PORT COUNT INTERVAL              "sent rtt" of each datagram, -1 when it did not come back
 *      distem-measure take PORT COUNT QUIET                        "number sent arrived" of each datagram, until none came for
 * QUIET distem-measure send ADDRESS PORT COUNT SIZE INTERVAL        datagrams whose Ethernet frames have SIZE bytes distem-measure
 * sink PORT WARM-UP WINDOW                     "bytes time" that TCP brought in WINDOW after WARM-UP distem-measure flood ADDRESS
 * PORT                           TCP until the sink has had enough
 *
 * Those that wait for others print "ready" when they can be reached. */
#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define DATAGRAM_MAX 9000
#define HEADERS 42 /* Ethernet, IPv4, UDP. */
#define BUFFER_SIZE (16 << 20)
#define RTT_TIMEOUT_MS 5000

/* What a datagram carries at its start. */
struct mark {
    int64_t sent;
    uint32_t number;
};

struct arrival {
    struct mark mark;
    int64_t arrived;
};

static char data[1 << 20];

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "distem-measure: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static void wait_until(int64_t time)
{
    struct timespec until = {.tv_sec = time / NS_PER_S, .tv_nsec = time % NS_PER_S};
    while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
}

/* A whole number of at least 0. */
static int64_t number(const char *text)
{
    char *end = NULL;
    errno = 0;
    int64_t value = strtoll(text, &end, 10);
    if (errno || end == text || *end || value < 0) {
        errno = EINVAL;
        die(text);
    }
    return value;
}

static struct sockaddr_in address(const char *host, const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number(port))};
    if (host && inet_pton(AF_INET, host, &to.sin_addr) != 1) {
        errno = EINVAL;
        die(host);
    }
    return to;
}

static int make_socket(int type)
{
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), size = BUFFER_SIZE, on = 1;
    if (fd < 0) {
        die("socket");
    }
    /* Root may go beyond the limits. TCP is left to size its buffers itself. */
    if (type == SOCK_DGRAM && (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0 ||
                               setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)) {
        die("buffer size");
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) {
        die("SO_REUSEADDR");
    }
    return fd;
}

static int bound(int type, const char *port)
{
    int fd = make_socket(type);
    struct sockaddr_in here = address(NULL, port);
    if (bind(fd, (struct sockaddr *)&here, sizeof here) < 0) {
        die("bind");
    }
    return fd;
}

static int connected(int type, const char *host, const char *port)
{
    int fd = make_socket(type);
    struct sockaddr_in to = address(host, port);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
        die("connect");
    }
    return fd;
}

static void say_ready(void)
{
    puts("ready");
    fflush(stdout);
}

static bool readable(int fd, int timeout_ms)
{
    struct pollfd event = {.fd = fd, .events = POLLIN};
    return poll(&event, 1, timeout_ms) > 0;
}

static void echo(char **argv)
{
    int fd = bound(SOCK_DGRAM, argv[0]);
    say_ready();
    for (;;) {
        struct sockaddr_in from;
        socklen_t size = sizeof from;
        ssize_t got = recvfrom(fd, data, sizeof data, 0, (struct sockaddr *)&from, &size);
        if (got < 0 || sendto(fd, data, (size_t)got, 0, (struct sockaddr *)&from, size) < 0) {
            die("echo");
        }
    }
}

/* Returns the round-trip time of one datagram; those of earlier ones that come late are passed over. */
static int64_t round_trip(int fd, uint32_t count, int64_t *ret_sent)
{
    struct mark mark = {.sent = now(), .number = count}, back = {0};
    *ret_sent = mark.sent;
    if (send(fd, &mark, sizeof mark, 0) < 0) {
        die("send");
    }
    while (readable(fd, RTT_TIMEOUT_MS)) {
        if (recv(fd, &back, sizeof back, 0) == sizeof back && back.number == count) {
            return now() - mark.sent;
        }
    }
    return -1;
}

static void rtt(char **argv)
{
    int fd = connected(SOCK_DGRAM, argv[0], argv[1]);
    int64_t count = number(argv[2]), interval = number(argv[3]), sent = 0;
    /* The neighbours get to know each other, and the programs are in memory. */
    for (uint32_t i = 0; i < 3; i++) {
        round_trip(fd, UINT32_MAX - i, &sent);
    }
    int64_t start = now() + NS_PER_MS;
    for (uint32_t i = 0; i < count; i++) {
        wait_until(start + i * interval);
        int64_t time = round_trip(fd, i, &sent);
        printf("%" PRId64 " %" PRId64 "\n", sent, time);
        /* A round trip may take longer than the interval. */
        while (start + (i + 1) * interval < now()) {
            start += interval;
        }
    }
}

/* Receives one datagram, with the kernel's time of its arrival. */
static struct arrival arrival_get(int fd)
{
    struct arrival arrival = {0};
    char control[256];
    struct iovec vector = {&arrival.mark, sizeof arrival.mark};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(fd, &message, 0) < (ssize_t)sizeof arrival.mark) {
        die("receive");
    }
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header || header->cmsg_type != SCM_TIMESTAMPNS) {
        errno = ENODATA;
        die("time of arrival");
    }
    struct timespec time;
    memcpy(&time, CMSG_DATA(header), sizeof time);
    arrival.arrived = time.tv_sec * NS_PER_S + time.tv_nsec;
    return arrival;
}

static void take(char **argv)
{
    int fd = bound(SOCK_DGRAM, argv[0]), on = 1, quiet_ms = (int)(number(argv[2]) / NS_PER_MS);
    if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0) {
        die("SO_TIMESTAMPNS");
    }
    /* What is duplicated comes twice. Nothing is written as long as something may come. */
    size_t most = 2 * (size_t)number(argv[1]), count = 0;
    struct arrival *arrivals = calloc(most + 1, sizeof *arrivals);
    if (!arrivals) {
        die("memory");
    }
    say_ready();
    while (count < most && readable(fd, count ? quiet_ms : -1)) {
        arrivals[count++] = arrival_get(fd);
    }
    for (size_t i = 0; i < count; i++) {
        printf("%" PRIu32 " %" PRId64 " %" PRId64 "\n", arrivals[i].mark.number, arrivals[i].mark.sent, arrivals[i].arrived);
    }
    free(arrivals);
}

static void send_datagrams(char **argv)
{
    int fd = connected(SOCK_DGRAM, argv[0], argv[1]);
    int64_t count = number(argv[2]), size = number(argv[3]) - HEADERS, interval = number(argv[4]), start = now() + NS_PER_MS;
    if (size < (int64_t)sizeof(struct mark) || size > DATAGRAM_MAX) {
        errno = ERANGE;
        die(argv[3]);
    }
    for (uint32_t i = 0; i < count; i++) {
        /* Sleeping takes its time, too: what is due is sent in one go. */
        if (start + i * interval > now() + 20000) {
            wait_until(start + i * interval);
        }
        struct mark mark = {.sent = now(), .number = i};
        memcpy(data, &mark, sizeof mark);
        if (send(fd, data, (size_t)size, 0) < 0) {
            die("send");
        }
    }
}

/* The window starts and ends with an arrival: what had come before is not counted. */
static void sink(char **argv)
{
    int listener = bound(SOCK_STREAM, argv[0]);
    int64_t warm_up = number(argv[1]), window = number(argv[2]);
    if (listen(listener, 1) < 0) {
        die("listen");
    }
    say_ready();
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        die("accept");
    }
    int64_t opened = now(), start = 0, last = 0, bytes = 0;
    while (!start || last - start < window) {
        ssize_t got = recv(fd, data, sizeof data, 0);
        if (got <= 0) {
            die("the stream ended too early");
        }
        last = now();
        if (start) {
            bytes += got;
        } else if (last - opened >= warm_up) {
            start = last;
        }
    }
    printf("%" PRId64 " %" PRId64 "\n", bytes, last - start);
}

static void flood(char **argv)
{
    int fd = connected(SOCK_STREAM, argv[0], argv[1]);
    while (send(fd, data, 256 << 10, 0) > 0) {
    }
}

/* Round trips are not to wait for what else the machine has to do. But what the kernel puts off while there is much to do, it does
 * in a thread, which must not wait for those that make it much. */
static const struct mode {
    const char *name;
    int arguments;
    void (*run)(char **argv);
    int policy;
} modes[] = {
    {"echo", 1, echo, SCHED_FIFO},           {"rtt", 4, rtt, SCHED_FIFO},   {"take", 3, take, SCHED_IDLE},
    {"send", 5, send_datagrams, SCHED_IDLE}, {"sink", 3, sink, SCHED_IDLE}, {"flood", 2, flood, SCHED_IDLE},
};

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        const struct mode *mode = &modes[i];
        if (argc > 1 && strcmp(argv[1], mode->name) == 0 && argc == mode->arguments + 2) {
            struct sched_param param = {.sched_priority = mode->policy == SCHED_FIFO};
            if (sched_setscheduler(0, mode->policy, &param) < 0 || prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0) < 0) {
                die("scheduling");
            }
            mode->run(argv + 2);
            return 0;
        }
    }
    fputs("usage: distem-measure echo|rtt|take|send|sink|flood ARGUMENTS, see tests/evaluate/measure.c\n", stderr);
    return 2;
}
