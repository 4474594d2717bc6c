/* SPDX-License-Identifier: Apache-2.0 */
/* distem-init: process 1 of a vnode. Reaps what ends, and on SIGPWR, SIGTERM or SIGINT asks all processes to end, then goes. With
 * arguments it starts that command first. It is linked statically, as it runs in images of any kind. */
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long processes get after SIGTERM. Whoever stops the vnode may be less patient. */
#define GRACE_S 30

/* What programs expect in /run, which is new at each start. */
static void make_folders(void)
{
    umask(0);
    mkdir("/run/lock", 01777);
    mkdir("/run/sshd", 0755);
    mkdir("/run/shm", 01777);
    umask(022);
}

static void start(char **argv, const sigset_t *all)
{
    if (fork() == 0) {
        setsid();
        sigprocmask(SIG_UNBLOCK, all, NULL);
        execvp(argv[0], argv);
        _exit(errno == ENOENT ? 127 : 126);
    }
}

static void reap(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
}

/* Ends all other processes of the namespace, also those that were started from outside and are not our children. */
static void end_all(const sigset_t *all)
{
    kill(-1, SIGTERM);
    kill(-1, SIGCONT);
    struct timespec now, end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += GRACE_S;
    do {
        reap();
        /* Nobody is left: the usual case, at once. */
        if (kill(-1, 0) < 0) {
            return;
        }
        /* Wakes up for our children's ends, and looks now and then for the others'. */
        sigtimedwait(all, NULL, &(struct timespec){.tv_nsec = 10000000});
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec < end.tv_sec);
}

int main(int argc, char **argv)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    make_folders();
    if (argc > 1) {
        start(argv + 1, &all);
    }
    for (;;) {
        int number = sigwaitinfo(&all, NULL);
        reap();
        if (number == SIGPWR || number == SIGTERM || number == SIGINT) {
            end_all(&all);
            return 0;
        }
    }
}
