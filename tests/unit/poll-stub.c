/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of distem/poll.h over poll(2), for tests of modules that need it without Open vSwitch. */
#include <config.h>

#include "distem/poll.h"

#include <poll.h>

#include <glib.h>

static struct pollfd fds[64];
static unsigned n_fds;
static int64_t timeout_ms = -1;

void poll_wait_fd(int fd, short events)
{
    g_assert_cmpuint(n_fds, <, G_N_ELEMENTS(fds));
    fds[n_fds++] = (struct pollfd){.fd = fd, .events = events};
}

void poll_wait_ms(int64_t ms)
{
    if (ms >= 0 && (timeout_ms < 0 || ms < timeout_ms)) {
        timeout_ms = ms;
    }
}

void poll_wait_until(int64_t ms)
{
    poll_wait_ms(MAX(0, ms - poll_now_ms()));
}

void poll_wake_now(void)
{
    poll_wait_ms(0);
}

void poll_block_once(void)
{
    poll(fds, n_fds, (int)MIN(timeout_ms, G_MAXINT));
    n_fds = 0;
    timeout_ms = -1;
}

int64_t poll_now_ms(void)
{
    return g_get_monotonic_time() / 1000;
}
