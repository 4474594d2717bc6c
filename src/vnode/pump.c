/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "pump.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "distem/exec-protocol.h"
#include "process.h"

/* How long a command gets between SIGHUP and SIGKILL when its client has gone. */
#define HANGUP_GRACE_MS 2000
/* How long SIGKILL may take, and a client to take a last message. */
#define PATIENCE_MS 10000

/* ^D: what the end of input is on a terminal. */
static const uint8_t end_of_input[] = {4};

struct pump {
    int socket;
    struct command *command;

    struct exec_reader reader;
    const uint8_t *input; /* Not yet taken by the command. */
    size_t input_length;

    uint8_t output[EXEC_HEADER_SIZE + EXEC_PAYLOAD_MAX]; /* A frame on its way to the client. */
    size_t output_start, output_end;
    bool errors_first; /* Who is asked first; they take turns. */

    bool hung_up; /* Nobody is listening, or talks nonsense. */
};

static void close_end(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

/* Waits until 'fd' takes more; returns false when it will not. */
static bool wait_writable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    return poll(&p, 1, PATIENCE_MS) > 0 && !(p.revents & (POLLERR | POLLHUP));
}

/* Sends a last, small frame. */
static void send_frame(int socket, enum exec_frame type, const void *payload, size_t length)
{
    uint8_t frame[EXEC_HEADER_SIZE + 1024];
    length = MIN(length, sizeof frame - EXEC_HEADER_SIZE);
    exec_header_write(frame, type, length);
    memcpy(frame + EXEC_HEADER_SIZE, payload, length);
    for (size_t sent = 0, all = EXEC_HEADER_SIZE + length; sent < all;) {
        ssize_t n = send(socket, frame + sent, all - sent, MSG_NOSIGNAL);
        if (n > 0) {
            sent += (size_t)n;
        } else if (!(n < 0 && (errno == EINTR || (errno == EAGAIN && wait_writable(socket))))) {
            return;
        }
    }
}

void pump_send_error(int socket, const char *message)
{
    send_frame(socket, EXEC_ERROR, message, strlen(message));
}

/* Sends what is ready of the frame. */
static void flush(struct pump *pump)
{
    while (pump->output_start < pump->output_end && !pump->hung_up) {
        ssize_t n = send(pump->socket, pump->output + pump->output_start, pump->output_end - pump->output_start, MSG_NOSIGNAL);
        if (n > 0) {
            pump->output_start += (size_t)n;
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            pump->hung_up = true;
        }
    }
}

static bool output_is_empty(const struct pump *pump)
{
    return pump->output_start == pump->output_end;
}

/* Reads from '*fd' into a frame. Returns false when there is nothing now or, with '*fd' closed, ever. */
static bool fill_from(struct pump *pump, int *fd, enum exec_frame type)
{
    if (*fd < 0) {
        return false;
    }
    ssize_t n;
    do {
        n = read(*fd, pump->output + EXEC_HEADER_SIZE, EXEC_PAYLOAD_MAX);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        exec_header_write(pump->output, type, (size_t)n);
        pump->output_start = 0;
        pump->output_end = EXEC_HEADER_SIZE + (size_t)n;
        return true;
    }
    /* A terminal that nobody has open any more says EIO. */
    if (n == 0 || errno != EAGAIN) {
        close_end(fd);
    }
    return false;
}

/* Takes the next piece of output. Returns false when there is none now. */
static bool fill(struct pump *pump)
{
    struct command *command = pump->command;
    pump->errors_first = !pump->errors_first;
    return (pump->errors_first && fill_from(pump, &command->errors, EXEC_STDERR)) ||
           fill_from(pump, &command->output, EXEC_STDOUT) || fill_from(pump, &command->errors, EXEC_STDERR);
}

/* Gives the command what it takes of its input. */
static void feed(struct pump *pump)
{
    while (pump->input_length) {
        ssize_t n = pump->command->input < 0 ? -1 : write(pump->command->input, pump->input, pump->input_length);
        if (n > 0) {
            pump->input += n;
            pump->input_length -= (size_t)n;
        } else if (pump->command->input >= 0 && errno == EAGAIN) {
            return;
        } else if (pump->command->input < 0 || errno != EINTR) {
            /* It reads no more; that is its business. */
            close_end(&pump->command->input);
            pump->input_length = 0;
        }
    }
}

static void send_signal(const struct pump *pump, int number)
{
    pid_t group = pump->command->pid;
    if (pump->command->tty) {
        pid_t front = tcgetpgrp(pump->command->output);
        group = front > 0 ? front : group;
    }
    kill(-group, number);
}

/* Acts on a frame; returns whether it makes sense. */
static bool take_frame(struct pump *pump, uint8_t type, const uint8_t *payload, size_t length)
{
    switch (type) {
    case EXEC_STDIN:
        if (length) {
            pump->input = payload;
            pump->input_length = length;
        } else if (pump->command->tty) {
            pump->input = end_of_input;
            pump->input_length = sizeof end_of_input;
        } else {
            close_end(&pump->command->input);
        }
        return true;
    case EXEC_RESIZE:
        if (length == 4 && pump->command->tty) {
            struct winsize size = {.ws_row = (unsigned short)(payload[0] << 8 | payload[1]),
                                   .ws_col = (unsigned short)(payload[2] << 8 | payload[3])};
            ioctl(pump->command->output, TIOCSWINSZ, &size);
        }
        return length == 4;
    case EXEC_SIGNAL:
        if (length != 1 || payload[0] == 0 || payload[0] >= NSIG) {
            return false;
        }
        send_signal(pump, payload[0]);
        return true;
    default:
        return false;
    }
}

/* Acts on all frames that are there, but those behind input that the command does not take. */
static void take_frames(struct pump *pump)
{
    feed(pump);
    while (!pump->input_length && !pump->hung_up) {
        uint8_t type;
        const uint8_t *payload;
        size_t length;
        enum exec_reader_state state = exec_reader_next(&pump->reader, &type, &payload, &length);
        if (state == EXEC_READER_MORE) {
            return;
        }
        if (state == EXEC_READER_INVALID || !take_frame(pump, type, payload, length)) {
            pump_send_error(pump->socket, "the client sent a frame that is not of the protocol " EXEC_PROTOCOL);
            pump->hung_up = true;
            return;
        }
        feed(pump);
    }
}

static void receive(struct pump *pump)
{
    size_t size;
    uint8_t *space = exec_reader_space(&pump->reader, &size);
    ssize_t n = recv(pump->socket, space, size, 0);
    if (n > 0) {
        exec_reader_added(&pump->reader, (size_t)n);
        take_frames(pump);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        pump->hung_up = true;
    }
}

/* Carries until the command has ended or the client hung up. */
static void carry(struct pump *pump)
{
    struct command *command = pump->command;
    enum { SOCKET, INPUT, OUTPUT, ERRORS, PROCESS, POLLS };
    while (!pump->hung_up) {
        bool ready = output_is_empty(pump);
        struct pollfd p[POLLS] = {
            [SOCKET] = {.fd = pump->socket, .events = POLLRDHUP},
            [INPUT] = {.fd = pump->input_length ? command->input : -1, .events = POLLOUT},
            [OUTPUT] = {.fd = ready ? command->output : -1, .events = POLLIN},
            [ERRORS] = {.fd = ready ? command->errors : -1, .events = POLLIN},
            [PROCESS] = {.fd = command->pidfd, .events = POLLIN},
        };
        p[SOCKET].events |= (short)((ready ? 0 : POLLOUT) | (pump->input_length ? 0 : POLLIN));
        if (poll(p, POLLS, -1) < 0) {
            continue;
        }
        if (p[SOCKET].revents & (POLLRDHUP | POLLHUP | POLLERR)) {
            pump->hung_up = true;
            return;
        }
        if (p[SOCKET].revents & POLLIN) {
            receive(pump);
        }
        if (p[INPUT].revents) {
            take_frames(pump);
        }
        if ((p[OUTPUT].revents || p[ERRORS].revents) && fill(pump)) {
            flush(pump);
        }
        if (p[SOCKET].revents & POLLOUT) {
            flush(pump);
        }
        if (p[PROCESS].revents) {
            return;
        }
    }
}

/* Sends what the command has left behind. */
static void drain(struct pump *pump)
{
    while (!pump->hung_up) {
        if (output_is_empty(pump) && !fill(pump)) {
            return;
        }
        flush(pump);
        if (!output_is_empty(pump)) {
            struct pollfd p = {.fd = pump->socket, .events = POLLOUT | POLLRDHUP};
            if (poll(&p, 1, -1) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR))) {
                pump->hung_up = true;
            }
        }
    }
}

static void end_command(struct command *command)
{
    /* Its terminal goes away, too. */
    close_end(&command->input);
    close_end(&command->output);
    close_end(&command->errors);
    kill(-command->pid, SIGHUP);
    kill(-command->pid, SIGCONT);
    process_wait(command->pidfd, HANGUP_GRACE_MS);
    kill(-command->pid, SIGKILL);
    process_wait(command->pidfd, PATIENCE_MS);
}

void pump_run(int socket, struct command *command)
{
    struct pump *pump = g_new0(struct pump, 1);
    pump->socket = socket;
    pump->command = command;
    carry(pump);
    if (!pump->hung_up) {
        drain(pump);
    }
    if (pump->hung_up) {
        end_command(command);
    }
    siginfo_t end = {0};
    waitid(P_PID, (id_t)command->pid, &end, WEXITED | WNOHANG);
    if (!pump->hung_up) {
        uint8_t code = (uint8_t)(end.si_code == CLD_EXITED ? end.si_status : 128 + end.si_status);
        send_frame(socket, EXEC_EXIT, &code, 1);
    }
    close_end(&command->input);
    close_end(&command->output);
    close_end(&command->errors);
    close_end(&command->pidfd);
    g_free(pump);
}
