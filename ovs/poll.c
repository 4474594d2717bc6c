/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/poll.h"

#include "library.h"
#include "openvswitch/poll-loop.h"
#include "timeval.h"

void poll_wait_fd(int fd, short events)
{
    poll_fd_wait(fd, events);
}

void poll_wait_ms(int64_t ms)
{
    if (ms >= 0) {
        poll_timer_wait(ms);
    }
}

void poll_wait_until(int64_t ms)
{
    poll_timer_wait_until(ms);
}

void poll_wake_now(void)
{
    poll_immediate_wake();
}

void poll_block_once(void)
{
    library_init();
    poll_block();
}

int64_t poll_now_ms(void)
{
    return time_msec();
}
