/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "distem/error.h"
#include "distem/spawn.h"
#include "distem/vnode.h"

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
