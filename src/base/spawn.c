/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/spawn.h"

#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include "distem/error.h"

pid_t spawn_process(const char *path, const char *const *argv, const int *fds, unsigned count, GError **error)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    int errnum = 0;
    for (unsigned i = 0; i < count && !errnum; i++) {
        errnum = posix_spawn_file_actions_adddup2(&actions, fds[i], (int)i);
    }
    pid_t pid = -1;
    if (!errnum) {
        /* The prototype is older than const; the strings are not written to. */
        errnum = posix_spawn(&pid, path, &actions, &attributes, (char *const *)argv, environ);
    }
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (errnum) {
        fail(error, DISTEM_ERROR_SYSTEM, errnum, "cannot start %s", path);
        return -1;
    }
    return pid;
}
