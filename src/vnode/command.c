/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lxc/attach_options.h>
#include <lxc/lxccontainer.h>

#include "distem/error.h"
#include "lxc-log.h"
#include "process.h"

/* What the process inside needs to know. */
struct inside {
    char **argv;
    bool tty;
    int report; /* Socket: "" with the terminal's master, or a sentence, comes out of it, once. */
};

/* Sends 'text' and, unless it is -1, a descriptor. */
static void report(int socket, const char *text, int fd)
{
    char control[CMSG_SPACE(sizeof fd)] = {0};
    /* A message has at least one byte. */
    struct iovec data = {.iov_base = (char *)(*text ? text : "\n"), .iov_len = *text ? strlen(text) : 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    sendmsg(socket, &message, MSG_NOSIGNAL);
}

/* Makes a terminal in the container's own /dev/pts the controlling one. Returns its master, or -1. */
static int make_terminal(void)
{
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) {
        return -1;
    }
    int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) < 0) {
        return -1;
    }
    for (int fd = 0; fd <= 2; fd++) {
        if (dup2(slave, fd) < 0) {
            return -1;
        }
    }
    if (slave > 2) {
        close(slave);
    }
    return master;
}

static void set_environment(bool tty)
{
    clearenv();
    setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
    setenv("HOME", "/root", 1);
    setenv("USER", "root", 1);
    setenv("LOGNAME", "root", 1);
    setenv("LANG", "C.UTF-8", 1);
    setenv("container", "lxc", 1);
    if (tty) {
        setenv("TERM", "xterm-256color", 1);
    }
}

/* Runs in the container, in the process that becomes the command. */
static int run_inside(void *payload)
{
    const struct inside *inside = payload;
    int master = -1;
    setsid();
    if (inside->tty && (master = make_terminal()) < 0) {
        g_autofree char *text = g_strdup_printf("cannot make a terminal in the vnode: %s", g_strerror(errno));
        report(inside->report, text, -1);
        return EXIT_FAILURE;
    }
    report(inside->report, "", master);
    set_environment(inside->tty);
    for (int i = 1; i < NSIG; i++) {
        signal(i, SIG_DFL);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(inside->argv[0], inside->argv);
    int errnum = errno;
    fprintf(stderr, "%s: %s\n", inside->argv[0], errnum == ENOENT ? "command not found" : g_strerror(errnum));
    return errnum == ENOENT ? 127 : 126;
}

/* Waits for the report. On success '*ret_master' is the terminal's master or -1. */
static bool read_report(int socket, int *ret_master, GError **error)
{
    char text[512], control[CMSG_SPACE(sizeof(int))];
    struct iovec data = {.iov_base = text, .iov_len = sizeof text - 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t n;
    do {
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, 0, "the process that was to become the command ended too early");
    }
    text[n] = '\0';
    if (text[0] != '\n') {
        return fail(error, DISTEM_ERROR_SYSTEM, 0, "%s", text);
    }
    *ret_master = -1;
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    if (c && c->cmsg_type == SCM_RIGHTS) {
        memcpy(ret_master, CMSG_DATA(c), sizeof *ret_master);
    }
    return true;
}

static void close_all(int *fds, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
            fds[i] = -1;
        }
    }
}

int command_catch_log(void)
{
    int fd = memfd_create("lxc-log", MFD_CLOEXEC);
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    lxc_log_init(&(struct lxc_log){.file = path, .level = "ERROR", .quiet = true});
    return fd;
}

/* Starts the process in the container. 'theirs' are its standard descriptors. */
static bool attach(struct lxc_container *container, int log, struct inside *inside, const int theirs[3], pid_t *ret_pid,
                   GError **error)
{
    lxc_attach_options_t options = LXC_ATTACH_OPTIONS_DEFAULT;
    char root[] = "/";
    /* The containers are not confined by a security module. */
    options.attach_flags &= ~LXC_ATTACH_LSM;
    options.env_policy = LXC_ATTACH_CLEAR_ENV;
    options.initial_cwd = root;
    options.stdin_fd = theirs[0];
    options.stdout_fd = theirs[1];
    options.stderr_fd = theirs[2];
    bool ok = container->attach(container, run_inside, inside, &options, ret_pid) == 0;
    if (!ok) {
        char text[16384];
        ssize_t n = MAX(0, pread(log, text, sizeof text - 1, 0));
        text[n] = '\0';
        g_autofree char *cause = lxc_log_cause(text);
        fail(error, DISTEM_ERROR_SYSTEM, 0, "cannot enter the vnode's container: %s", cause ? cause : "lxc gave no reason");
    }
    return ok;
}

bool command_start(struct lxc_container *container, int log, char **argv, bool tty, struct command *ret, GError **error)
{
    /* Reports, then standard input, output, error output: ours and theirs. */
    enum { REPORT_OURS, REPORT_THEIRS, IN_THEIRS, IN_OURS, OUT_OURS, OUT_THEIRS, ERR_OURS, ERR_THEIRS, FDS };
    int fds[FDS] = {-1, -1, -1, -1, -1, -1, -1, -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds + REPORT_OURS) < 0 || pipe2(fds + IN_THEIRS, O_CLOEXEC) < 0 ||
        pipe2(fds + OUT_OURS, O_CLOEXEC) < 0 || pipe2(fds + ERR_OURS, O_CLOEXEC) < 0) {
        int errnum = errno;
        close_all(fds, FDS);
        return fail(error, DISTEM_ERROR_SYSTEM, errnum, "cannot make pipes for the command");
    }
    struct command command = {.tty = tty, .pidfd = -1};
    struct inside inside = {.argv = argv, .tty = tty, .report = fds[REPORT_THEIRS]};
    bool attached =
        attach(container, log, &inside, (const int[]){fds[IN_THEIRS], fds[OUT_THEIRS], fds[ERR_THEIRS]}, &command.pid, error);
    close_all(fds + REPORT_THEIRS, 1);
    close_all(fds + IN_THEIRS, 1);
    close_all(fds + OUT_THEIRS, 1);
    close_all(fds + ERR_THEIRS, 1);
    int master = -1;
    if (!attached || !read_report(fds[REPORT_OURS], &master, error)) {
        if (attached) {
            waitpid(command.pid, NULL, 0);
        }
        close_all(fds, FDS);
        return false;
    }
    close_all(fds + REPORT_OURS, 1);
    if (tty) {
        close_all(fds, FDS);
        fds[IN_OURS] = master;
        fds[OUT_OURS] = fcntl(master, F_DUPFD_CLOEXEC, 3);
    }
    for (unsigned i = 0; i < FDS; i++) {
        if (fds[i] >= 0) {
            fcntl(fds[i], F_SETFL, O_RDWR | O_NONBLOCK);
        }
    }
    command.pidfd = process_open(command.pid);
    command.input = fds[IN_OURS];
    command.output = fds[OUT_OURS];
    command.errors = fds[ERR_OURS];
    *ret = command;
    return true;
}
