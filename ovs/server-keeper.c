/* SPDX-License-Identifier: Apache-2.0 */
/* Private servers that are started again when they end. */
#include <config.h>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "distem/poll.h"
#include "distem/vswitch.h"
#include "server-process.h"

/* Pauses between starts: of a server that ends again and again, and of one that does not start at all. */
#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 30000
#define SERVERS_MAX 2

struct server_keeper {
    char *run_dir;
    char *db_file, *schema_file; /* NULL: the switch is kept. */
    char *listen;                /* NULL: on its socket only. */
    char *pid_files[SERVERS_MAX];
    int pidfds[SERVERS_MAX]; /* -1: not known to run. */
    unsigned count;
    int64_t retry_at; /* Monotonic ms. */
    int64_t pause;
    char *error; /* Why the last start failed; NULL: it did not. */
};

static void forget_processes(struct server_keeper *keeper)
{
    for (unsigned i = 0; i < keeper->count; i++) {
        if (keeper->pidfds[i] >= 0) {
            close(keeper->pidfds[i]);
            keeper->pidfds[i] = -1;
        }
    }
}

static void find_processes(struct server_keeper *keeper)
{
    forget_processes(keeper);
    for (unsigned i = 0; i < keeper->count; i++) {
        pid_t pid = process_running(keeper->pid_files[i]);
        keeper->pidfds[i] = pid ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    }
}

static struct server_keeper *keeper_new(const char *run_dir)
{
    struct server_keeper *keeper = g_new0(struct server_keeper, 1);
    keeper->run_dir = g_strdup(run_dir);
    keeper->pause = PAUSE_MIN_MS;
    return keeper;
}

static void add_server(struct server_keeper *keeper, const char *pid_file)
{
    keeper->pid_files[keeper->count] = g_build_filename(keeper->run_dir, pid_file, NULL);
    keeper->pidfds[keeper->count++] = -1;
}

struct server_keeper *server_keep_db(const char *run_dir, const char *db_file, const char *schema_file, const char *listen)
{
    struct server_keeper *keeper = keeper_new(run_dir);
    keeper->db_file = g_strdup(db_file);
    keeper->schema_file = g_strdup(schema_file);
    keeper->listen = g_strdup(listen);
    add_server(keeper, "distem-db.pid");
    find_processes(keeper);
    return keeper;
}

struct server_keeper *server_keep_vswitch(const char *run_dir)
{
    struct server_keeper *keeper = keeper_new(run_dir);
    add_server(keeper, "ovs/ovsdb-server.pid");
    add_server(keeper, "ovs/ovs-vswitchd.pid");
    find_processes(keeper);
    return keeper;
}

void server_keeper_free(struct server_keeper *keeper)
{
    if (keeper) {
        forget_processes(keeper);
        for (unsigned i = 0; i < keeper->count; i++) {
            g_free(keeper->pid_files[i]);
        }
        g_free(keeper->run_dir);
        g_free(keeper->db_file);
        g_free(keeper->schema_file);
        g_free(keeper->listen);
        g_free(keeper->error);
        g_free(keeper);
    }
}

static bool all_run(const struct server_keeper *keeper)
{
    for (unsigned i = 0; i < keeper->count; i++) {
        struct pollfd ended = {.fd = keeper->pidfds[i], .events = POLLIN};
        if (keeper->pidfds[i] < 0 || poll(&ended, 1, 0) != 0) {
            return false;
        }
    }
    return true;
}

bool server_keeper_run(struct server_keeper *keeper)
{
    if (all_run(keeper) || poll_now_ms() < keeper->retry_at) {
        return false;
    }
    g_autoptr(GError) error = NULL;
    bool ok = keeper->db_file ? server_ensure_db(keeper->run_dir, keeper->db_file, keeper->schema_file, keeper->listen, &error)
                              : server_ensure_vswitch(keeper->run_dir, &error);
    find_processes(keeper);
    g_free(keeper->error);
    keeper->error = ok ? NULL : g_strdup(error->message);
    keeper->pause = ok ? PAUSE_MIN_MS : MIN(keeper->pause * 2, PAUSE_MAX_MS);
    keeper->retry_at = poll_now_ms() + keeper->pause;
    return ok;
}

void server_keeper_wait(struct server_keeper *keeper)
{
    if (!all_run(keeper)) {
        poll_wait_until(keeper->retry_at);
        return;
    }
    for (unsigned i = 0; i < keeper->count; i++) {
        poll_wait_fd(keeper->pidfds[i], POLLIN);
    }
}

const char *server_keeper_error(const struct server_keeper *keeper)
{
    return keeper->error;
}
