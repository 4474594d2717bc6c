/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "distem/error.h"

static int ready_fd = -1; /* The detached child's end of the pipe to its parent. */
static int signal_fd = -1;

static char *pid_path(const char *run_dir)
{
    return g_build_filename(run_dir, "distemd.pid", NULL);
}

bool service_is_running(const char *run_dir, int *ret_pid)
{
    g_autofree char *path = pid_path(run_dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool running = flock(fd, LOCK_SH | LOCK_NB) < 0;
    char text[16] = "";
    *ret_pid = read(fd, text, sizeof text - 1) > 0 ? atoi(text) : 0;
    close(fd);
    return running;
}

bool service_lock(const char *run_dir, GError **error)
{
    g_autofree char *path = pid_path(run_dir);
    /* Stays open, and locked, as long as the process lives. */
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot open %s", path);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        char text[16] = "";
        ssize_t n = read(fd, text, sizeof text - 1);
        close(fd);
        return fail(error, DISTEM_ERROR_CONFLICT, 0, "another distemd runs with %s already (pid %s)", run_dir,
                    n > 0 ? g_strstrip(text) : "unknown");
    }
    g_autofree char *text = g_strdup_printf("%d\n", (int)getpid());
    if (ftruncate(fd, 0) < 0 || write(fd, text, strlen(text)) < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot write %s", path);
    }
    return true;
}

/* Prints what was added to the log since 'start'. */
static void show_log(const char *log_file, off_t start)
{
    FILE *log = fopen(log_file, "re");
    if (log && fseeko(log, start, SEEK_SET) == 0) {
        for (int c; (c = getc(log)) != EOF;) {
            putc(c, stderr);
        }
    }
    if (log) {
        fclose(log);
    }
}

/* Exits as the child says through 'fd'; returns when it has ended without a word. */
static void wait_for_child(int fd)
{
    char text[1024] = "";
    size_t size = 0;
    for (ssize_t n; size < sizeof text - 1 && (n = read(fd, text + size, sizeof text - 1 - size)) > 0;) {
        size += (size_t)n;
    }
    if (size == 1) {
        _exit(0);
    }
    if (size > 1) {
        fprintf(stderr, "distemd: %s\ndistemd: it runs, and goes on trying\n", text + 1);
        _exit(1);
    }
}

bool service_detach(const char *log_file, GError **error)
{
    int fds[2];
    int log = open(log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (log < 0 || pipe2(fds, O_CLOEXEC) < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot open the log file %s", log_file);
    }
    off_t start = lseek(log, 0, SEEK_END);
    pid_t pid = fork();
    if (pid < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot go to the background");
    }
    if (pid > 0) {
        close(fds[1]);
        wait_for_child(fds[0]);
        show_log(log_file, start);
        fprintf(stderr, "distemd: did not start; its log is %s\n", log_file);
        _exit(1);
    }
    setsid();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    close(null);
    close(log);
    close(fds[0]);
    ready_fd = fds[1];
    return true;
}

/* Sends "READY=1" to the socket that systemd names. */
static void notify_systemd(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof address.sun_path) {
        return;
    }
    memcpy(address.sun_path, path, strlen(path));
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (*path == '@') {
        address.sun_path[0] = '\0';
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        static const char message[] = "READY=1";
        sendto(fd, message, sizeof message - 1, MSG_NOSIGNAL, (struct sockaddr *)&address, size);
        close(fd);
    }
}

void service_ready(const char *reason)
{
    notify_systemd();
    if (ready_fd >= 0) {
        g_autofree char *message = g_strdup_printf("r%s", reason ? reason : "");
        ssize_t written = write(ready_fd, message, strlen(message));
        (void)written; /* A parent that has gone needs no word. */
        close(ready_fd);
        ready_fd = -1;
    }
}

static void on_signal(int number G_GNUC_UNUSED)
{
    uint64_t one = 1;
    int saved_errno = errno;
    ssize_t written = write(signal_fd, &one, sizeof one);
    (void)written;
    errno = saved_errno;
}

void service_catch_signals(void)
{
    signal_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
}

int service_fd(void)
{
    return signal_fd;
}
