/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "terminal.h"

#define PENDING_MAX 262144 /* Bytes on their way to the vnode, from which on standard input has to wait. */

struct session {
    struct cli *cli;
    struct distem_exec *exec;
    bool tty;
    bool input_open;
    int signal_fd;
};

/* Makes signals that a command should get, and changes of the window's size, readable. */
static int open_signals(bool tty, sigset_t *ret_before)
{
    static const int forwarded[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP};
    sigset_t set;
    sigemptyset(&set);
    for (unsigned i = 0; i < G_N_ELEMENTS(forwarded); i++) {
        struct sigaction action;
        /* What is ignored, as SIGHUP is under nohup(1), stays so. */
        if (sigaction(forwarded[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN) {
            sigaddset(&set, forwarded[i]);
        }
    }
    if (tty) {
        sigaddset(&set, SIGWINCH);
    }
    sigprocmask(SIG_BLOCK, &set, ret_before);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void send_size(struct session *session)
{
    unsigned rows, columns;
    if (terminal_size(STDIN_FILENO, &rows, &columns)) {
        distem_exec_resize(session->exec, rows, columns);
    }
}

static void take_signals(struct session *session)
{
    struct signalfd_siginfo info;
    while (read(session->signal_fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGWINCH) {
            send_size(session);
        } else {
            distem_exec_signal(session->exec, (int)info.ssi_signo);
        }
    }
}

static void take_input(struct session *session)
{
    char buffer[65536];
    ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }
    distem_exec_write(session->exec, buffer, n > 0 ? (size_t)n : 0);
    session->input_open = n > 0;
}

/* Writes everything, also where the descriptor does not block. Returns false when nobody reads it any more. */
static bool write_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd pollfd = {.fd = fd, .events = POLLOUT};
            poll(&pollfd, 1, -1);
        } else if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        }
    }
    return true;
}

/* Takes all events that are there. Returns CLI_GO_ON's -1 while the command runs, else the exit code. */
static int take_events(struct session *session)
{
    struct cli *cli = session->cli;
    for (;;) {
        const void *data;
        size_t size;
        int exit_code;
        switch (distem_exec_next(session->exec, &data, &size, &exit_code, &cli->error)) {
        case DISTEM_EXEC_STDOUT:
            if (!write_all(STDOUT_FILENO, data, size)) {
                terminal_restore();
                cli_complain("cannot write to standard output: %s", g_strerror(errno));
                return CLI_EXEC_FAILED;
            }
            break;
        case DISTEM_EXEC_STDERR:
            write_all(STDERR_FILENO, data, size);
            break;
        case DISTEM_EXEC_NONE:
            return -1;
        case DISTEM_EXEC_EXIT:
            return exit_code;
        case DISTEM_EXEC_ERROR:
            terminal_restore();
            return cli_fail(cli);
        }
    }
}

static int run(struct session *session)
{
    for (;;) {
        int exit_code = take_events(session);
        if (exit_code >= 0) {
            return exit_code;
        }
        bool take_more = session->input_open && distem_exec_pending(session->exec) < PENDING_MAX;
        struct pollfd fds[] = {
            {.fd = distem_exec_fd(session->exec), .events = distem_exec_events(session->exec)},
            {.fd = session->signal_fd, .events = POLLIN},
            {.fd = take_more ? STDIN_FILENO : -1, .events = POLLIN},
        };
        if (poll(fds, G_N_ELEMENTS(fds), -1) < 0) {
            continue;
        }
        if (fds[1].revents) {
            take_signals(session);
        }
        if (fds[2].revents) {
            take_input(session);
        }
    }
}

int session_run(struct cli *cli, const char *vnode, const char *const *argv, bool tty)
{
    cli->exit_code = CLI_EXEC_FAILED;
    if (!cli_connect(cli)) {
        return CLI_EXEC_FAILED;
    }
    struct session session = {.cli = cli, .tty = tty, .input_open = true};
    session.exec = distem_exec(cli->client, vnode, argv, tty, &cli->error);
    if (!session.exec) {
        return cli_fail(cli);
    }
    sigset_t before;
    session.signal_fd = open_signals(tty, &before);
    if (tty) {
        send_size(&session);
        terminal_make_raw(STDIN_FILENO);
    }
    int exit_code = run(&session);
    terminal_restore();
    close(session.signal_fd);
    distem_exec_close(session.exec);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return exit_code;
}
