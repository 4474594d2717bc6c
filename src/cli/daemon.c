/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "daemon.h"

#include <errno.h>
#include <unistd.h>

/* Returns the path of distemd: what DISTEM_DAEMON names, the installed one, one beside this program, or one in PATH. NULL: there is
 * none. */
static char *find_daemon(void)
{
    const char *named = g_getenv("DISTEM_DAEMON");
    if (named && *named) {
        return g_strdup(named);
    }
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = self ? g_path_get_dirname(self) : NULL;
    g_autofree char *neighbour = folder ? g_build_filename(folder, "..", "sbin", "distemd", NULL) : NULL;
    const char *const candidates[] = {SBINDIR "/distemd", neighbour};
    for (unsigned i = 0; i < G_N_ELEMENTS(candidates); i++) {
        if (candidates[i] && access(candidates[i], X_OK) == 0) {
            return g_strdup(candidates[i]);
        }
    }
    return g_find_program_in_path("distemd");
}

int daemon_exec(const char *const *argv)
{
    g_autofree char *path = find_daemon();
    if (!path) {
        cli_complain("the program distemd is neither in " SBINDIR
                     " nor in PATH: install it, or say where it is with DISTEM_DAEMON");
        return CLI_FAILED;
    }
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_ptr_array_add(words, path);
    for (; *argv; argv++) {
        g_ptr_array_add(words, (gpointer)*argv);
    }
    g_ptr_array_add(words, NULL);
    execv(path, (char *const *)words->pdata);
    cli_complain("cannot run %s: %s", path, g_strerror(errno));
    return CLI_FAILED;
}
