/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "fake-poll.h"

#include <poll.h>

#include <glib.h>

static struct pollfd fds[256];
static unsigned fds_count;
static int64_t timeout_ms = -1;
static int64_t advanced_ms;

void fake_poll_advance(int64_t ms)
{
    advanced_ms += ms;
}

void poll_wait_fd(int fd, short events)
{
    g_assert_cmpuint(fds_count, <, G_N_ELEMENTS(fds));
    fds[fds_count++] = (struct pollfd){.fd = fd, .events = events};
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
    poll(fds, fds_count, (int)MIN(timeout_ms, G_MAXINT));
    fds_count = 0;
    timeout_ms = -1;
}

int64_t poll_now_ms(void)
{
    return g_get_monotonic_time() / 1000 + advanced_ms;
}
