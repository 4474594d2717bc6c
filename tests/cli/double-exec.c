/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "double.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/client/frames.h"
#include "distem/exec-protocol.h"

struct command {
    int socket;
    int input, output, errors; /* Ends of pipes, or the terminal; -1: closed. */
    int signals;               /* Tells of the command's end. */
    pid_t pid;
    struct frame_reader reader;
    GByteArray *pending; /* For 'input'. */
    bool input_ends;     /* ... after 'pending'. */
};

static void send_frame(int fd, uint8_t type, const void *data, size_t size)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    frame_append(out, type, data, size);
    for (size_t sent = 0; sent < out->len;) {
        ssize_t n = send(fd, out->data + sent, out->len - sent, MSG_NOSIGNAL);
        if (n <= 0) {
            _exit(1); /* The client has gone. */
        }
        sent += (size_t)n;
    }
}

static void start(struct command *command, const char *const *argv, bool tty)
{
    int in[2], out[2], err[2], terminal = -1;
    if (tty) {
        command->pid = forkpty(&terminal, NULL, NULL, NULL);
    } else {
        g_assert_true(pipe(in) == 0 && pipe(out) == 0 && pipe(err) == 0);
        command->pid = fork();
    }
    if (command->pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        if (!tty) {
            dup2(in[0], 0), dup2(out[1], 1), dup2(err[1], 2);
        }
        for (int fd = 3; fd < 64; fd++) {
            close(fd);
        }
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    if (tty) {
        command->input = command->output = terminal;
        command->errors = -1;
    } else {
        close(in[0]), close(out[1]), close(err[1]);
        fcntl(in[1], F_SETFL, O_NONBLOCK);
        command->input = in[1], command->output = out[0], command->errors = err[0];
    }
}

/* Writes what the command takes now. */
static void feed(struct command *command)
{
    ssize_t n = write(command->input, command->pending->data, command->pending->len);
    bool broken = n < 0 && errno != EAGAIN;
    g_byte_array_remove_range(command->pending, 0, broken ? command->pending->len : (guint)MAX(n, 0));
}

static void take_frame(struct command *command, const struct frame *frame)
{
    const uint8_t *p = frame->payload;
    if (frame->type == EXEC_STDIN) {
        g_byte_array_append(command->pending, p, (guint)frame->size);
        command->input_ends = !frame->size && command->input != command->output;
    } else if (frame->type == EXEC_SIGNAL) {
        kill(command->pid, *p);
    } else if (frame->type == EXEC_RESIZE) {
        struct winsize size = {.ws_row = (unsigned short)(p[0] << 8 | p[1]), .ws_col = (unsigned short)(p[2] << 8 | p[3])};
        ioctl(command->input, TIOCSWINSZ, &size);
    }
}

static void take_client(struct command *command)
{
    char buffer[65536];
    ssize_t n = recv(command->socket, buffer, sizeof buffer, 0);
    if (n <= 0) {
        kill(command->pid, SIGHUP);
        _exit(1);
    }
    frame_reader_feed(&command->reader, buffer, (size_t)n);
    struct frame frame;
    while (frame_reader_next(&command->reader, &frame) == 1) {
        take_frame(command, &frame);
    }
}

/* Passes on what the command wrote. */
static void take_output(struct command *command, int *fd, uint8_t type)
{
    char buffer[65536];
    ssize_t n = read(*fd, buffer, sizeof buffer);
    if (n > 0) {
        send_frame(command->socket, type, buffer, (size_t)n);
    } else {
        *fd = -1;
    }
}

static void serve(struct command *command)
{
    int status = -1;
    while (status < 0 || command->output >= 0 || command->errors >= 0) {
        struct pollfd fds[] = {
            {.fd = command->output, .events = POLLIN},
            {.fd = command->errors, .events = POLLIN},
            {.fd = command->socket, .events = command->pending->len < EXEC_PAYLOAD_MAX ? POLLIN : 0},
            {.fd = status < 0 ? command->signals : -1, .events = POLLIN},
            {.fd = command->pending->len ? command->input : -1, .events = POLLOUT},
        };
        poll(fds, G_N_ELEMENTS(fds), -1);
        if (fds[0].revents) {
            take_output(command, &command->output, EXEC_STDOUT);
        }
        if (fds[1].revents) {
            take_output(command, &command->errors, EXEC_STDERR);
        }
        if (fds[2].revents & POLLIN) {
            take_client(command);
        } else if (fds[2].revents) {
            kill(command->pid, SIGHUP);
            _exit(1);
        }
        if (fds[4].revents) {
            feed(command);
        }
        if (command->input_ends && !command->pending->len && command->input >= 0) {
            close(command->input);
            command->input = -1;
        }
        if (fds[3].revents && waitpid(command->pid, &status, WNOHANG) == 0) {
            status = -1;
        }
    }
    uint8_t code = (uint8_t)(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    send_frame(command->socket, EXEC_EXIT, &code, 1);
}

void double_exec(int fd, const char *const *argv, bool tty)
{
    if (fork() != 0) {
        return;
    }
    if (!strcmp(argv[0], "impossible")) {
        const char reason[] = "cannot run impossible: No such file or directory";
        send_frame(fd, EXEC_ERROR, reason, strlen(reason));
        _exit(0);
    }
    if (!strcmp(argv[0], "garbage")) {
        const char garbage[] = "o\xff\xff\xff\xff";
        (void)!write(fd, garbage, strlen(garbage));
        _exit(0);
    }
    if (!strcmp(argv[0], "vanish")) {
        _exit(0);
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    struct command command = {.socket = fd, .pending = g_byte_array_new()};
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    command.signals = signalfd(-1, &child, SFD_CLOEXEC);
    start(&command, argv, tty);
    serve(&command);
    _exit(0);
}
