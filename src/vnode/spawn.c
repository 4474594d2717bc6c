/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include "distem/error.h"
#include "distem/vnode.h"

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

pid_t vnode_exec(const char *worker_path, const char *state_dir, const struct vnode *vnode, const char *const *argv, bool tty,
                 int fd, GError **error)
{
    if (!argv[0]) {
        fail(error, DISTEM_ERROR_INVALID, 0, "vnode %s: there is no command to run", vnode->name);
        return -1;
    }
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) {
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot open /dev/null");
        return -1;
    }
    g_autofree char *id = g_strdup_printf("%u", vnode->id);
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    const char *const first[] = {worker_path, "exec", state_dir, id, vnode->name, tty ? "tty" : "pipe"};
    for (unsigned i = 0; i < G_N_ELEMENTS(first); i++) {
        g_ptr_array_add(all, (gpointer)first[i]);
    }
    for (unsigned i = 0; argv[i]; i++) {
        g_ptr_array_add(all, (gpointer)argv[i]);
    }
    g_ptr_array_add(all, NULL);
    pid_t pid = spawn_process(worker_path, (const char *const *)all->pdata, (int[]){null, null, STDERR_FILENO, fd}, 4, error);
    close(null);
    return pid;
}
