/* SPDX-License-Identifier: Apache-2.0 */
/* The daemons' one loop: each module has X_run(), which does what can be done without blocking, and X_wait(), which says what to
 * wake up for; main calls every run, then every wait, then poll_block_once(). This is Open vSwitch's poll loop without its headers.
 */
#ifndef DISTEM_POLL_H
#define DISTEM_POLL_H 1

#include <stdbool.h>
#include <stdint.h>

/* The next poll_block_once() returns when 'fd' is readable ('events' has POLLIN) or writable (POLLOUT). */
void poll_wait_fd(int fd, short events);
/* ... at the latest after 'ms' milliseconds (negative: ignored). */
void poll_wait_ms(int64_t ms);
/* ... at the monotonic time 'ms' as given by poll_now_ms(). */
void poll_wait_until(int64_t ms);
/* ... at once. */
void poll_wake_now(void);
/* Waits for whatever was asked for since the last call. */
void poll_block_once(void);
/* Returns the monotonic time in ms, read anew once a turn. */
int64_t poll_now_ms(void);

#endif
