/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "pump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

struct way {
    int from, to;
    bool ended;        /* 'from' sends no more. */
    bool broken;       /* 'to' takes no more. */
    size_t start, end; /* What of 'buffer' is still to be sent. */
    char buffer[RELAY_EARLY_MAX];
};

static bool is_passing(int errnum)
{
    return errnum == EAGAIN || errnum == EINTR;
}

/* Receives once, and sends once; never more, so that a flood one way does not keep signals from going the other. */
static void move(struct way *way)
{
    if (way->start == way->end && !way->ended && !way->broken) {
        ssize_t n = recv(way->from, way->buffer, sizeof way->buffer, 0);
        way->start = 0;
        way->end = n > 0 ? (size_t)n : 0;
        if (n == 0 || (n < 0 && !is_passing(errno))) {
            way->ended = true;
            shutdown(way->to, SHUT_WR);
        }
    }
    if (way->start != way->end) {
        ssize_t n = send(way->to, way->buffer + way->start, way->end - way->start, MSG_NOSIGNAL);
        if (n > 0) {
            way->start += (size_t)n;
        } else if (!is_passing(errno)) {
            way->broken = true;
            way->start = way->end;
        }
    }
}

/* What to wait for at a socket that 'in' comes from and 'out' goes to. */
static short wanted(const struct way *in, const struct way *out)
{
    bool reads = !in->ended && !in->broken && in->start == in->end;
    return (short)((reads ? POLLIN : 0) | (out->start != out->end ? POLLOUT : 0));
}

void relay_pump(int near, int far, bool hangs_up, const void *early, size_t size)
{
    static struct way there, back;
    there.from = back.to = near;
    there.to = back.from = far;
    memcpy(back.buffer, early, size);
    back.end = size;
    fcntl(near, F_SETFL, O_RDWR | O_NONBLOCK);
    fcntl(far, F_SETFL, O_RDWR | O_NONBLOCK);
    const short gone = (short)(POLLHUP | POLLERR | POLLNVAL | (hangs_up ? POLLRDHUP : 0));
    while (!back.ended && !back.broken) {
        short far_events = wanted(&back, &there);
        struct pollfd fds[] = {
            {.fd = near, .events = (short)(wanted(&there, &back) | (hangs_up ? POLLRDHUP : 0))},
            /* That it has ended is to be seen only when there is room for what it sent before. */
            {.fd = far_events ? far : -1, .events = far_events},
        };
        if (poll(fds, 2, -1) > 0 && fds[0].revents & gone) {
            return;
        }
        move(&there);
        move(&back);
    }
}
