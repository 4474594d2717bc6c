/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "container.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lxc/lxccontainer.h>

#include "container-config.h"
#include "layout.h"
#include "lxc-log.h"
#include "process.h"
#include "remains.h"
#include "tree.h"

/* How long a container that another process is just starting or stopping is given, in s. */
#define SETTLE_TIMEOUT 10
/* How long the kernel may take to end what got SIGKILL, and lxc's monitor to clean up behind it, in ms. */
#define KILL_TIMEOUT 10000
#define MONITOR_TIMEOUT 10000
#define OPEN_TRIES 5

static void container_put(struct lxc_container **container)
{
    if (*container) {
        lxc_container_put(*container);
    }
}
#define AUTO_CONTAINER __attribute__((cleanup(container_put))) struct lxc_container *

struct lxc_container *container_open(const char *state_dir, uint32_t id, GError **error)
{
    g_autofree char *name = g_strdup_printf("%u", id);
    g_autofree char *containers = layout_containers(state_dir);
    struct lxc_container *container = lxc_container_new(name, containers);
    /* Lxc makes folders for its lock file, one after the other, while somebody else may remove them. */
    for (unsigned tries = 1; !container && tries < OPEN_TRIES; tries++) {
        container = lxc_container_new(name, containers);
    }
    if (!container) {
        fail(error, DISTEM_ERROR_SYSTEM, 0, "liblxc cannot open container %s in %s", name, containers);
    }
    return container;
}

static bool is_running(struct lxc_container *container)
{
    const char *state = container->state(container);
    return state && (!strcmp(state, "RUNNING") || !strcmp(state, "FROZEN"));
}

/* Starts the configured container in a child process and returns whether it runs. lxc moves whoever asks for a start into the
 * monitor's cgroup, and leaves it there. */
static bool start_in_child(struct lxc_container *container)
{
    pid_t child = fork();
    if (child == 0) {
        _exit(container->start(container, 0, NULL) ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    int status = -1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return child > 0 && status == 0;
}

static pid_t launch(struct lxc_container *container, const struct vnode_request *request, GError **error)
{
    g_autofree char *log = layout_file(request->state_dir, request->id, "log");
    if (truncate(log, 0) < 0 && errno != ENOENT) {
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot empty %s", log);
        return -1;
    }
    bool started =
        container->want_close_all_fds(container, true) && container->save_config(container, NULL) && start_in_child(container);
    pid_t pid = started ? container->init_pid(container) : -1;
    if (pid <= 0) {
        g_autofree char *text = NULL;
        g_file_get_contents(log, &text, NULL, NULL);
        g_autofree char *cause = text ? lxc_log_cause(text) : NULL;
        fail(error, DISTEM_ERROR_SYSTEM, 0, "cannot start vnode %s: %s (all of it in %s)", request->name,
             cause ? cause : "its init ended at once, or lxc gave no reason", log);
        return -1;
    }
    return pid;
}

/* Starts the container, of which nothing else may be there. */
static pid_t start_anew(struct lxc_container *container, const struct cgroups *cgroups, const struct vnode_request *request,
                        GError **error)
{
    pid_t pid = -1;
    if (remains_clear(cgroups, request->run_dir, request->state_dir, request->id, error) &&
        container_configure(container, cgroups, request, error)) {
        pid = launch(container, request, error);
    }
    if (pid < 0) {
        remains_clear(cgroups, request->run_dir, request->state_dir, request->id, NULL);
    }
    return pid;
}

pid_t container_start(const struct cgroups *cgroups, const struct vnode_request *request, GError **error)
{
    g_autofree char *folder = layout_container(request->state_dir, request->id);
    int lock = remains_lock(request->run_dir, request->id, error);
    if (lock < 0) {
        return -1;
    }
    pid_t pid = -1;
    AUTO_CONTAINER container = tree_make(folder, 0700, error) ? container_open(request->state_dir, request->id, error) : NULL;
    if (container) {
        if (g_strcmp0(container->state(container), "STOPPED")) {
            container->wait(container, "RUNNING|FROZEN|STOPPED", SETTLE_TIMEOUT);
        }
        pid = is_running(container) ? container->init_pid(container) : start_anew(container, cgroups, request, error);
    }
    close(lock);
    return pid;
}

/* Says whether 'pid' is number 1 in its pid namespace. */
static bool is_init(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)pid);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return false;
    }
    const char *line = strstr(text, "\nNSpid:");
    if (!line) {
        return false;
    }
    g_autofree char *numbers = g_strndup(line + 7, strcspn(line + 7, "\n"));
    const char *last = strrchr(g_strchomp(numbers), '\t');
    return last && !strcmp(last, "\t1");
}

/* Ends the container's init and everything with it. */
static void end_init(const struct cgroups *cgroups, const char *cgroup, unsigned grace_ms)
{
    g_autoptr(GArray) pids = cgroups_processes(cgroups, cgroup);
    for (unsigned i = 0; i < pids->len; i++) {
        pid_t pid = g_array_index(pids, pid_t, i);
        int pidfd = process_open(pid);
        if (pidfd >= 0 && is_init(pid)) {
            process_signal(pidfd, SIGPWR);
            if (!process_wait(pidfd, (int)MIN(grace_ms, INT_MAX))) {
                process_signal(pidfd, SIGKILL);
                process_wait(pidfd, KILL_TIMEOUT);
            }
        }
        if (pidfd >= 0) {
            close(pidfd);
        }
    }
}

bool container_stop(const struct cgroups *cgroups, const struct vnode_request *request, GError **error)
{
    int lock = remains_lock(request->run_dir, request->id, error);
    if (lock < 0) {
        return false;
    }
    g_autofree char *cgroup = vnode_cgroup(request->run_dir, request->id);
    g_autofree char *monitor_cgroup = layout_monitor_cgroup(request->run_dir, request->id);
    /* The monitor cleans up when init has ended, and is given the time for it. */
    g_autoptr(GArray) monitors = cgroups_processes(cgroups, monitor_cgroup);
    int monitor = monitors->len ? process_open(g_array_index(monitors, pid_t, 0)) : -1;
    end_init(cgroups, cgroup, request->grace_ms);
    if (monitor >= 0) {
        process_wait(monitor, MONITOR_TIMEOUT);
        close(monitor);
    }
    g_autofree char *folder = layout_container(request->state_dir, request->id);
    bool ok = remains_clear(cgroups, request->run_dir, request->state_dir, request->id, error) &&
              (!request->forget || tree_remove(folder, error));
    close(lock);
    return ok;
}

GArray *container_list(const char *run_dir, const char *state_dir, GError **error)
{
    int lock = remains_wait(run_dir, error);
    if (lock < 0) {
        return NULL;
    }
    close(lock);
    g_autofree char *folder = layout_containers(state_dir);
    GArray *list = g_array_new(FALSE, FALSE, sizeof(struct vnode_container));
    DIR *dir = opendir(folder);
    if (!dir) {
        if (errno == ENOENT) {
            return list;
        }
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot read %s", folder);
        g_array_unref(list);
        return NULL;
    }
    const struct dirent *entry;
    while ((entry = readdir(dir))) {
        struct vnode_container r = {0};
        if (!layout_parse_id(entry->d_name, &r.vnode_id)) {
            continue;
        }
        AUTO_CONTAINER container = container_open(state_dir, r.vnode_id, NULL);
        pid_t pid = container && is_running(container) ? container->init_pid(container) : 0;
        r.pid = MAX(pid, 0);
        g_array_append_val(list, r);
    }
    closedir(dir);
    return list;
}
