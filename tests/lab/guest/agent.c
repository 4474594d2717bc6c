/* SPDX-License-Identifier: Apache-2.0
 *
 * Process 1 of a lab machine.
 *
 * It starts one session process per virtio-serial port "lab.0", "lab.1", ... and reaps what is
 * orphaned. A session runs the commands that the host asks for on its port, one at a time, and
 * never polls: an idle machine must not burn the host's time, in exact time least of all.
 *
 * From the host come frames {type, length (32 bits, little endian), payload}:
 *   R  run: a nonce of 16 bytes, then strings that each end in NUL: the folder to run in, when to
 *      start ("SECONDS PERIOD": at that uptime; if it is past, at the next multiple of PERIOD, or
 *      at once if that is 0), the terminal's size ("ROWS COLUMNS", or empty for none), the number
 *      of environment entries, the entries, the arguments
 *   I  input for the terminal          W  the terminal's new size, "ROWS COLUMNS"
 * To the host go the nonce, bare, so that it can skip what an earlier client left unread, and then
 *   O  standard output    E  standard error    X  the exit status, 4 bytes, little endian
 *
 * When the host closes the port, the command is killed with its process group.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NONCE 16
#define HEADER 5
#define REQUEST_MAX (4u << 20)
#define CHUNK 65536
#define MAX_PORTS 30

struct session {
    int port;          /* the virtio-serial port */
    int signals;       /* signalfd of SIGCHLD and SIGIO */
    bool connected;    /* the host has the port open */
    unsigned char *in; /* what came in and is not yet a whole frame */
    size_t in_len;
    pid_t pid;  /* the running command, or 0 */
    bool ended; /* ... has ended with this status */
    int status;
    int out, err; /* its output pipes, or -1; with a terminal, out is the terminal */
    bool terminal;
};

static void say(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    fputs("lab agent: ", stderr);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    va_end(ap);
}

static uint32_t get32(const unsigned char *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put32(unsigned char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = v >> (8 * i);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- the port ---- */

static int open_port(int index)
{
    const char *class = "/sys/class/virtio-ports";
    char wanted[32];

    snprintf(wanted, sizeof wanted, "lab.%d\n", index);
    /* The ports appear one after the other, once the driver has talked to the device. */
    for (int tries = 0; tries < 500; tries++) {
        DIR *dir = opendir(class);
        struct dirent *e;
        char path[512], name[32];
        int fd = -1;

        while (dir && fd < 0 && (e = readdir(dir))) {
            FILE *f;
            bool ours;

            snprintf(path, sizeof path, "%s/%s/name", class, e->d_name);
            f = fopen(path, "re");
            if (!f)
                continue;
            ours = fgets(name, sizeof name, f) && !strcmp(name, wanted);
            fclose(f);
            if (!ours)
                continue;
            snprintf(path, sizeof path, "/dev/%s", e->d_name);
            fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        }
        if (dir)
            closedir(dir);
        if (fd >= 0)
            return fd;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return -1;
}

static bool port_is_connected(const struct session *s)
{
    struct pollfd p = {.fd = s->port, .events = POLLIN};

    return poll(&p, 1, 0) >= 0 && !(p.revents & POLLHUP);
}

static bool port_write(struct session *s, const void *data, size_t len)
{
    const char *p = data;

    while (len) {
        ssize_t n = write(s->port, p, len);

        if (n > 0) {
            p += n;
            len -= n;
            continue;
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;

        struct pollfd w = {.fd = s->port, .events = POLLOUT};

        poll(&w, 1, -1);
        if (w.revents & POLLHUP)
            return false;
    }
    return true;
}

static bool send_frame(struct session *s, char type, const void *data, size_t len)
{
    unsigned char frame[HEADER + CHUNK];

    frame[0] = type;
    put32(frame + 1, len);
    memcpy(frame + HEADER, data, len);
    return port_write(s, frame, HEADER + len);
}

/* ---- the command ---- */

struct request {
    const unsigned char *nonce;
    const char *cwd;
    const char *when;
    const char *size;
    char **env;
    char **argv;
};

/* Cuts the payload of a run frame into a request; its vectors stay allocated until the next one. */
static bool parse_request(unsigned char *payload, size_t len, struct request *r)
{
    static char **strings;
    size_t n = 0, envs;
    char *p = (char *)payload + NONCE, *end = (char *)payload + len;

    if (len < NONCE || (len > NONCE && end[-1] != '\0'))
        return false;
    free(strings);
    strings = calloc(len + 2, sizeof *strings);
    if (!strings)
        return false;
    for (; p < end; p += strlen(p) + 1)
        strings[n++] = p;
    if (n < 5)
        return false;
    envs = strtoul(strings[3], NULL, 10);
    if (envs > n - 5)
        return false;
    r->nonce = payload;
    r->cwd = strings[0];
    r->when = strings[1];
    r->size = strings[2];
    /* The entries move down over the count, which has been read: that frees the slot for the NULL
     * that ends them. */
    memmove(strings + 3, strings + 4, envs * sizeof *strings);
    strings[3 + envs] = NULL;
    r->env = strings + 3;
    r->argv = strings + 4 + envs;
    return true;
}

static void set_size(int terminal, const char *size)
{
    struct winsize w = {0};

    if (sscanf(size, "%hu %hu", &w.ws_row, &w.ws_col) == 2)
        ioctl(terminal, TIOCSWINSZ, &w);
}

static void wait_until(const char *when)
{
    struct timespec now, until = {0};
    unsigned seconds = 0, period = 0;

    sscanf(when, "%u %u", &seconds, &period);
    clock_gettime(CLOCK_BOOTTIME, &now);
    until.tv_sec = seconds;
    if (period && now.tv_sec >= until.tv_sec)
        until.tv_sec = now.tv_sec - now.tv_sec % period + period;
    clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &until, NULL);
}

static void __attribute__((noreturn)) run_child(const struct request *r, int in, int out, int err)
{
    extern char **environ;
    sigset_t none;

    setsid();
    if (r->size[0])
        ioctl(in, TIOCSCTTY, 0);
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(126);
    wait_until(r->when);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (chdir(r->cwd)) {
        dprintf(2, "lab: cannot enter the folder %s in the machine: %s\n", r->cwd, strerror(errno));
        _exit(126);
    }
    environ = r->env;
    execvp(r->argv[0], r->argv);

    int why = errno;

    dprintf(2, "lab: cannot run %s in the machine: %s\n", r->argv[0], strerror(why));
    _exit(why == ENOENT ? 127 : 126);
}

static bool spawn(struct session *s, const struct request *r)
{
    int in = -1, out[2] = {-1, -1}, err[2] = {-1, -1};
    bool ok;

    s->terminal = r->size[0] != '\0';
    if (s->terminal) {
        int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

        ok = master >= 0 && !grantpt(master) && !unlockpt(master);
        in = ok ? open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
        ok = in >= 0;
        set_size(master, r->size);
        out[0] = master;
    } else {
        in = open("/dev/null", O_RDONLY | O_CLOEXEC);
        ok = in >= 0 && !pipe2(out, O_CLOEXEC) && !pipe2(err, O_CLOEXEC);
    }
    if (ok) {
        s->pid = fork();
        if (s->pid == 0)
            run_child(r, in, s->terminal ? in : out[1], s->terminal ? in : err[1]);
        ok = s->pid > 0;
    }
    close_fd(&in);
    close_fd(&out[1]);
    close_fd(&err[1]);
    if (!ok) {
        say("cannot start a command: %s", strerror(errno));
        close_fd(&out[0]);
        close_fd(&err[0]);
        s->pid = 0;
        return false;
    }
    s->ended = false;
    s->out = out[0];
    s->err = err[0];
    fcntl(s->out, F_SETFL, O_NONBLOCK);
    if (s->err >= 0)
        fcntl(s->err, F_SETFL, O_NONBLOCK);
    return true;
}

/* Ends the running command, whose client has gone. */
static void drop(struct session *s)
{
    if (s->pid && !s->ended) {
        /* The child leads its own group as soon as it has called setsid(). */
        kill(-s->pid, SIGKILL);
        kill(s->pid, SIGKILL);
        while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    s->pid = 0;
    s->ended = false;
    close_fd(&s->out);
    close_fd(&s->err);
}

/* Sends what can be read now, CHUNK bytes at most; closes the pipe at its end. False: nothing left. */
static bool relay(struct session *s, int *fd, char type)
{
    char buf[CHUNK];
    ssize_t n;

    if (*fd < 0)
        return false;
    n = read(*fd, buf, sizeof buf);
    if (n > 0)
        return send_frame(s, type, buf, n);
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
        close_fd(fd);
    return false;
}

static void finish(struct session *s)
{
    unsigned char code[4];

    /* What the command wrote is in the pipes; whoever still holds them open is not waited for. */
    for (int i = 0; i < 64 && relay(s, &s->out, 'O'); i++)
        ;
    for (int i = 0; i < 64 && relay(s, &s->err, 'E'); i++)
        ;
    /* The host may end the machine as soon as it has the status. */
    sync();
    put32(code, WIFSIGNALED(s->status) ? 128 + WTERMSIG(s->status) : WEXITSTATUS(s->status));
    send_frame(s, 'X', code, sizeof code);
    drop(s);
}

/* ---- the session ---- */

static void handle_frame(struct session *s, char type, unsigned char *payload, size_t len)
{
    struct request r;
    char size[32];

    switch (type) {
    case 'R':
        drop(s);
        if (!parse_request(payload, len, &r)) {
            say("a request that is not one was ignored");
            return;
        }
        if (port_write(s, r.nonce, NONCE) && !spawn(s, &r))
            send_frame(s, 'X', "\175\0\0", 4);
        return;
    case 'I':
        for (size_t done = 0; s->pid && s->terminal && s->out >= 0 && done < len;) {
            ssize_t n = write(s->out, payload + done, len - done);

            if (n < 0)
                break; /* a terminal that nobody reads drops its input, as a real one does */
            done += n;
        }
        return;
    case 'W':
        snprintf(size, sizeof size, "%.*s", (int)len, (char *)payload);
        if (s->pid && s->terminal && s->out >= 0)
            set_size(s->out, size);
        return;
    default:
        say("a frame of unknown type %d was ignored", type);
    }
}

static void read_port(struct session *s)
{
    ssize_t n = read(s->port, s->in + s->in_len, HEADER + REQUEST_MAX - s->in_len);

    if (n <= 0)
        return;
    s->in_len += n;
    while (s->in_len >= HEADER) {
        size_t len = get32(s->in + 1);

        if (len > REQUEST_MAX) {
            say("a frame of %zu bytes was ignored", len);
            s->in_len = 0;
            return;
        }
        if (s->in_len < HEADER + len)
            return;
        handle_frame(s, s->in[0], s->in + HEADER, len);
        s->in_len -= HEADER + len;
        memmove(s->in, s->in + HEADER + len, s->in_len);
    }
}

static void take_signals(struct session *s)
{
    struct signalfd_siginfo si;

    while (read(s->signals, &si, sizeof si) == sizeof si)
        if (si.ssi_signo == SIGIO)
            s->connected = port_is_connected(s);
    if (s->pid && !s->ended && waitpid(s->pid, &s->status, WNOHANG) == s->pid)
        s->ended = true;
}

static void __attribute__((noreturn)) session(int index)
{
    struct session s = {.port = open_port(index), .out = -1, .err = -1};
    sigset_t set;

    s.in = malloc(HEADER + REQUEST_MAX);
    if (s.port < 0 || !s.in) {
        say("port lab.%d cannot be opened", index);
        _exit(1);
    }
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGIO);
    sigprocmask(SIG_BLOCK, &set, NULL);
    s.signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);

    /* While the host has the port closed, poll() reports that at once and for ever; SIGIO tells of
     * the change, so that nothing has to be asked again and again. */
    fcntl(s.port, F_SETOWN, getpid());
    fcntl(s.port, F_SETFL, O_NONBLOCK | O_ASYNC);
    s.connected = port_is_connected(&s);

    for (;;) {
        struct pollfd p[] = {
            {.fd = s.signals, .events = POLLIN},
            {.fd = s.connected ? s.port : -1, .events = POLLIN},
            {.fd = s.out, .events = POLLIN},
            {.fd = s.err, .events = POLLIN},
        };

        if (poll(p, 4, -1) < 0 && errno != EINTR)
            _exit(1);
        if (p[1].revents & POLLHUP) {
            s.connected = false;
            s.in_len = 0;
            drop(&s);
        } else if (p[1].revents) {
            read_port(&s);
        } else {
            if (p[2].revents)
                relay(&s, &s.out, 'O');
            if (p[3].revents)
                relay(&s, &s.err, 'E');
        }
        take_signals(&s);
        if (s.ended)
            finish(&s);
    }
}

static pid_t start_session(int index)
{
    pid_t pid = fork();

    if (pid == 0)
        session(index);
    return pid;
}

int main(int argc, char **argv)
{
    int ports = argc > 1 ? atoi(argv[1]) : 1;
    pid_t pids[MAX_PORTS];
    /* As on a machine with a service manager: programs that need many files may raise their limit. */
    struct rlimit files = {.rlim_cur = 1024, .rlim_max = 1048576};

    if (ports < 1 || ports > MAX_PORTS)
        ports = 1;
    setrlimit(RLIMIT_NOFILE, &files);
    for (int i = 0; i < ports; i++)
        pids[i] = start_session(i);
    for (;;) {
        pid_t pid = wait(NULL);

        for (int i = 0; pid > 0 && i < ports; i++)
            if (pids[i] == pid)
                pids[i] = start_session(i);
    }
}
