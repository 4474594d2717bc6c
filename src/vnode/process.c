/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "process.h"

#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <glib.h>

int process_open(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

void process_signal(int pidfd, int signal_number)
{
    syscall(SYS_pidfd_send_signal, pidfd, signal_number, NULL, 0);
}

bool process_wait(int pidfd, int timeout_ms)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    for (;;) {
        int n = poll(&p, 1, timeout_ms);
        if (n >= 0 || errno != EINTR) {
            return n > 0;
        }
        timeout_ms = (int)MAX(0, (deadline - g_get_monotonic_time()) / 1000);
    }
}
