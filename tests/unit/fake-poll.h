/* SPDX-License-Identifier: Apache-2.0 */
/* distem/poll.h over poll(2), with a clock that tests can put forward. */
#ifndef TESTS_FAKE_POLL_H
#define TESTS_FAKE_POLL_H 1

#include "distem/poll.h"

/* poll_now_ms() is 'ms' later from now on. */
void fake_poll_advance(int64_t ms);

#endif
