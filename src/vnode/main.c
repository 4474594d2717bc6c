/* SPDX-License-Identifier: Apache-2.0 */
/* distem-vnode: the only program that links liblxc. Started by distemd, not by hand. */
#include <config.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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

int main(int argc, char **argv)
{
    /* Whoever is gone shows in the write. */
    signal(SIGPIPE, SIG_IGN);
    reset_limits();
    if (argc == 2 && !strcmp(argv[1], "worker")) {
        return worker_main();
    }
    if (argc > 6 && !strcmp(argv[1], "exec")) {
        return exec_main(argv + 2);
    }
    fprintf(stderr,
            "usage: distem-vnode worker\n"
            "       distem-vnode exec STATE_DIR ID NAME tty|pipe COMMAND [ARGUMENT]...   (with the socket as descriptor 3)\n");
    return EXIT_FAILURE;
}
