/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "server-process.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "distem/error.h"

#define STOP_TIMEOUT_MS 5000
/* A switch needs a few descriptors for each of its ports. */
#define DESCRIPTORS 65536

/* Returns the path of a program, to be freed; NULL when there is none. */
static char *find_program(const char *name)
{
    static const char *const folders[] = {"/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/share/openvswitch"};
    char *path = g_find_program_in_path(name);
    for (unsigned i = 0; !path && i < G_N_ELEMENTS(folders); i++) {
        path = g_build_filename(folders[i], name, NULL);
        if (!g_file_test(path, G_FILE_TEST_IS_EXECUTABLE)) {
            g_clear_pointer(&path, g_free);
        }
    }
    return path;
}

/* Returns the last line of 'text' that is not empty, to be freed; NULL when there is none. */
static char *last_line(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
    for (unsigned i = g_strv_length(lines); i-- > 0;) {
        if (*g_strstrip(lines[i])) {
            return g_strdup(lines[i]);
        }
    }
    return NULL;
}

/* Runs in the child. */
static void raise_limits(void *data G_GNUC_UNUSED)
{
    struct rlimit limit;
    if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < DESCRIPTORS) {
        limit.rlim_cur = MIN(DESCRIPTORS, limit.rlim_max);
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

char *process_run(const char *const *argv, const char *dir, const char *log, GError **error)
{
    g_autofree char *path = find_program(argv[0]);
    if (!path) {
        fail(error, DISTEM_ERROR_UNSUPPORTED, 0,
             "the program %s is missing: install the Debian packages openvswitch-common and openvswitch-switch", argv[0]);
        return NULL;
    }
    g_autoptr(GPtrArray) command = g_ptr_array_new();
    g_ptr_array_add(command, path);
    for (unsigned i = 1; argv[i]; i++) {
        g_ptr_array_add(command, (void *)argv[i]);
    }
    g_ptr_array_add(command, NULL);
    g_auto(GStrv) env = g_get_environ();
    static const char *const variables[] = {"OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR"};
    for (unsigned i = 0; i < G_N_ELEMENTS(variables); i++) {
        env = g_environ_setenv(env, variables[i], dir, TRUE);
    }
    g_autofree char *output = NULL;
    g_autofree char *errors = NULL;
    g_autoptr(GError) problem = NULL;
    int status = 0;
    if (g_spawn_sync(NULL, (char **)command->pdata, env, 0, raise_limits, NULL, &output, &errors, &status, &problem) &&
        g_spawn_check_wait_status(status, &problem)) {
        return g_steal_pointer(&output);
    }
    g_autofree char *log_text = NULL;
    if (log) {
        (void)g_file_get_contents(log, &log_text, NULL, NULL);
    }
    g_autofree char *said = last_line(errors);
    g_autofree char *logged = last_line(log_text);
    fail(error, DISTEM_ERROR_SYSTEM, 0, "%s failed (%s)%s%s%s%s%s%s", argv[0], problem->message, said ? ": " : "", said ? said : "",
         log ? "; the last line of " : "", log ? log : "", log ? " is: " : "", log ? (logged ? logged : "(none)") : "");
    return NULL;
}

pid_t process_running(const char *pid_file)
{
    int fd = open(pid_file, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    bool locked = !fcntl(fd, F_GETLK, &lock) && lock.l_type != F_UNLCK;
    close(fd);
    return locked ? lock.l_pid : 0;
}

/* Connects to a Unix socket whose path may be longer than an address can hold. */
static int connect_socket(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = dir >= 0 ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", dir, name);
    if (fd >= 0 && (length >= (int)sizeof address.sun_path || connect(fd, (struct sockaddr *)&address, sizeof address))) {
        close(fd);
        fd = -1;
    }
    if (dir >= 0) {
        close(dir);
    }
    return fd;
}

bool process_ask(const char *socket_path, const char *method, const char *parameter, int timeout_ms)
{
    int fd = connect_socket(socket_path);
    if (fd < 0) {
        return false;
    }
    g_autofree char *quoted = parameter ? g_strdup_printf("\"%s\"", parameter) : g_strdup("");
    g_autofree char *request = g_strdup_printf("{\"id\":0,\"method\":\"%s\",\"params\":[%s]}", method, quoted);
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    char byte;
    bool answered = send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request) &&
                    poll(&waiting, 1, timeout_ms) == 1 && recv(fd, &byte, 1, MSG_DONTWAIT) == 1;
    close(fd);
    return answered;
}

/* Waits until nobody holds the pid file. */
static bool wait_for_end(const char *pid_file)
{
    gint64 deadline = g_get_monotonic_time() + STOP_TIMEOUT_MS * G_GINT64_CONSTANT(1000);
    while (process_running(pid_file)) {
        if (g_get_monotonic_time() > deadline) {
            return false;
        }
        g_usleep(5000);
    }
    return true;
}

bool process_stop(const char *pid_file, int signal, GError **error)
{
    pid_t pid = process_running(pid_file);
    if (pid) {
        if (signal && kill(pid, signal) && errno != ESRCH) {
            return fail(error, DISTEM_ERROR_SYSTEM, errno, "process %d of %s cannot be ended", (int)pid, pid_file);
        }
        if (!wait_for_end(pid_file)) {
            kill(pid, SIGKILL);
            if (!wait_for_end(pid_file)) {
                return fail(error, DISTEM_ERROR_SYSTEM, 0, "process %d of %s does not end", (int)pid, pid_file);
            }
        }
    }
    g_unlink(pid_file);
    return true;
}
