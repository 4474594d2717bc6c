/* SPDX-License-Identifier: Apache-2.0 */
/* distem-vnode: the only program that links liblxc. Started by distemd, not by hand. */
#include <config.h>

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "exec.h"
#include "worker.h"

/* Vnodes start from what is usual, not from what the daemon has set for itself. Where this fails, it was less already. */
static void reset_limits(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = MIN(1024, files.rlim_max);
        files.rlim_max = MIN(524288, files.rlim_max);
        setrlimit(RLIMIT_NOFILE, &files);
    }
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t written = write(fd, "0", 1);
        (void)written;
        close(fd);
    }
    umask(022);
}

/* Goes on as a copy of this program in memory that nobody can write to: a process in a vnode could write to the program that enters
 * it (/proc/PID/exe), and so to the machine's file. Returns only if that is done already, or fails. */
static bool become_copy(char **argv)
{
    int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (own < 0 || fstat(own, &st) < 0) {
        return false;
    }
    if (fcntl(own, F_GET_SEALS) > 0) {
        close(own);
        return true;
    }
    int copy = memfd_create("distem-vnode", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    off_t left = st.st_size;
    for (ssize_t n; left && (n = sendfile(copy, own, NULL, (size_t)left)) > 0;) {
        left -= n;
    }
    if (left || fcntl(copy, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0) {
        return false;
    }
    fexecve(copy, argv, environ);
    return false;
}

int main(int argc, char **argv)
{
    /* Whoever is gone shows in the write. */
    signal(SIGPIPE, SIG_IGN);
    reset_limits();
    if (argc == 2 && !strcmp(argv[1], "worker")) {
        return worker_main();
    }
    if (argc > 6 && !strcmp(argv[1], "exec")) {
        if (!become_copy(argv)) {
            perror("distem-vnode: cannot run from memory");
            return EXIT_FAILURE;
        }
        return exec_main(argv + 2);
    }
    fprintf(stderr,
            "usage: distem-vnode worker\n"
            "       distem-vnode exec STATE_DIR ID NAME tty|pipe COMMAND [ARGUMENT]...   (with the socket as descriptor 3)\n");
    return EXIT_FAILURE;
}
