/* SPDX-License-Identifier: Apache-2.0 */
/* Private servers. Each has its files in one folder: NAME.pid, NAME.log, NAME.ctl (control), NAME.sock (database servers). */
#include <config.h>

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "distem/error.h"
#include "distem/vswitch.h"
#include "server-process.h"

#define MACHINE_RUN_DIR "/run/openvswitch"
#define SWITCH_SCHEMA "/usr/share/openvswitch/vswitch.ovsschema"
#define ANSWER_MS 2000
/* What a server that has just been started needs until it answers, on a busy machine. */
#define START_MS 10000
/* ovs-vswitchd 3.1.0 counts the machine's CPUs wrongly during the first ten seconds of uptime: it then starts with no threads for
 * packets that match no flow, and loses them all for good. */
#define MIN_UPTIME_S 11.0

/* The files of a server. */
struct server {
    const char *dir;
    char *pid, *log, *ctl, *sock;
};

static void server_clear(struct server *server)
{
    g_free(server->pid);
    g_free(server->log);
    g_free(server->ctl);
    g_free(server->sock);
}

#define AUTO_SERVER __attribute__((cleanup(server_clear))) struct server

/* Names the files of server 'name' in 'dir', whose socket is called 'socket'. */
static struct server server_files(const char *dir, const char *name, const char *socket)
{
    return (struct server){
        .dir = dir,
        .pid = g_strdup_printf("%s/%s.pid", dir, name),
        .log = g_strdup_printf("%s/%s.log", dir, name),
        .ctl = g_strdup_printf("%s/%s.ctl", dir, name),
        .sock = g_strdup_printf("%s/%s", dir, socket),
    };
}

static struct server db_server(const char *run_dir)
{
    return server_files(run_dir, "distem-db", "distem-db.sock");
}

static struct server switch_db_server(const char *dir)
{
    return server_files(dir, "ovsdb-server", "db.sock");
}

static struct server switch_server(const char *dir)
{
    return server_files(dir, "ovs-vswitchd", "ovs-vswitchd.ctl");
}

/* Runs a program for a server whose output does not matter. */
static bool run(const struct server *server, GError **error, const char *const *argv)
{
    g_autofree char *output = process_run(argv, server->dir, NULL, error);
    return output;
}

#define RUN(SERVER, ERROR, ...) run(SERVER, ERROR, (const char *const[]){__VA_ARGS__, NULL})

static bool make_folder(const char *dir, GError **error)
{
    return !g_mkdir_with_parents(dir, 0755) || fail(error, DISTEM_ERROR_SYSTEM, errno, "the folder %s cannot be made", dir);
}

/* Says whether the process that holds the pid file answers, or will soon: whoever started it may have been killed in the middle. */
static bool answers(const struct server *server, const char *socket, const char *method)
{
    gint64 deadline = g_get_monotonic_time() + START_MS * G_GINT64_CONSTANT(1000);
    bool answered = false;
    while (!(answered = process_ask(socket, method, NULL, ANSWER_MS)) && process_running(server->pid) &&
           g_get_monotonic_time() < deadline) {
        g_usleep(20000);
    }
    return answered;
}

/* Starts the server with the command 'argv'. It is started, too, when somebody else was a moment quicker. */
static bool start(const struct server *server, const char *const *argv, const char *socket, const char *method, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autofree char *output = process_run(argv, server->dir, server->log, &problem);
    if (output || (process_running(server->pid) && answers(server, socket, method))) {
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

/* Makes the database file, whole or not at all. */
static bool create_file(const struct server *server, const char *db_file, const char *schema_file, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(db_file);
    g_autofree char *half = g_strdup_printf("%s.new", db_file);
    g_autofree char *half_lock = g_strdup_printf("%s/.%s.new.~lock~", folder, strrchr(db_file, '/') + 1);
    if (!make_folder(folder, error)) {
        return false;
    }
    g_unlink(half);
    bool ok = RUN(server, error, "ovsdb-tool", "create", half, schema_file);
    g_unlink(half_lock);
    if (ok && g_rename(half, db_file)) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "%s cannot be renamed to %s", half, db_file);
    }
    return ok;
}

/* Brings a database to the schema: that of the running server ('tool' ovsdb-client, 'where' its remote) or a file (ovsdb-tool). */
static bool convert(const struct server *server, const char *tool, const char *where, const char *schema_file, GError **error)
{
    g_autofree char *needs =
        process_run((const char *const[]){tool, "needs-conversion", where, schema_file, NULL}, server->dir, NULL, error);
    return needs && (!g_str_has_prefix(needs, "yes") || RUN(server, error, tool, "convert", where, schema_file));
}

/* Makes sure that a database server runs on 'db_file'. */
static bool ensure_database(const struct server *server, const char *db_file, const char *schema_file, GError **error)
{
    g_autofree char *remote = g_strdup_printf("unix:%s", server->sock);
    pid_t pid = process_running(server->pid);
    if (pid) {
        return answers(server, server->sock, "echo")
                   ? convert(server, "ovsdb-client", remote, schema_file, error)
                   : fail(error, DISTEM_ERROR_UNAVAILABLE, 0, "ovsdb-server (process %d) does not answer on %s; its log is %s",
                          (int)pid, server->sock, server->log);
    }
    if (!make_folder(server->dir, error)) {
        return false;
    }
    if (!(g_file_test(db_file, G_FILE_TEST_EXISTS) ? convert(server, "ovsdb-tool", db_file, schema_file, error)
                                                   : create_file(server, db_file, schema_file, error))) {
        return false;
    }
    g_unlink(server->sock);
    g_autofree char *pid_option = g_strdup_printf("--pidfile=%s", server->pid);
    g_autofree char *log_option = g_strdup_printf("--log-file=%s", server->log);
    g_autofree char *ctl_option = g_strdup_printf("--unixctl=%s", server->ctl);
    g_autofree char *remote_option = g_strdup_printf("--remote=p%s", remote);
    const char *const argv[] = {"ovsdb-server", "--detach", "--no-chdir", "-vconsole:off",
                                "-vsyslog:off", pid_option, log_option,   ctl_option,
                                remote_option,  db_file,    NULL};
    return start(server, argv, server->sock, "echo", error);
}

static char *listen_note(const char *run_dir)
{
    return g_strdup_printf("%s/distem-db.listen", run_dir);
}

/* Makes the server listen on 'listen' (NULL: on its socket only), and no longer on what an earlier call named, which a file tells.
 */
static bool set_listen(const struct server *server, const char *listen, GError **error)
{
    g_autofree char *path = listen_note(server->dir);
    g_autofree char *before = NULL;
    g_file_get_contents(path, &before, NULL, NULL);
    if (before && g_strcmp0(before, listen) != 0) {
        process_ask(server->ctl, "ovsdb-server/remove-remote", before, ANSWER_MS);
        g_unlink(path);
    }
    if (!listen) {
        return true;
    }
    if (!g_file_set_contents(path, listen, -1, error)) {
        return false;
    }
    return process_ask(server->ctl, "ovsdb-server/add-remote", listen, ANSWER_MS) ||
           fail(error, DISTEM_ERROR_SYSTEM, 0, "ovsdb-server cannot listen on %s; its log is %s", listen, server->log);
}

bool server_ensure_db(const char *run_dir, const char *db_file, const char *schema_file, const char *listen, GError **error)
{
    AUTO_SERVER server = db_server(run_dir);
    return ensure_database(&server, db_file, schema_file, error) && set_listen(&server, listen, error);
}

/* Waits until the machine has been up long enough for ovs-vswitchd. */
static void wait_for_uptime(void)
{
    g_autofree char *text = NULL;
    double missing = g_file_get_contents("/proc/uptime", &text, NULL, NULL) ? MIN_UPTIME_S - g_ascii_strtod(text, NULL) : 0;
    if (missing > 0) {
        g_usleep((gulong)(missing * G_USEC_PER_SEC));
    }
}

static bool start_switch(const struct server *server, const char *remote, GError **error)
{
    /* Where the module is missing there is the switch's own datapath, "netdev". */
    (void)RUN(server, NULL, "modprobe", "-q", "openvswitch");
    wait_for_uptime();
    g_unlink(server->ctl);
    g_autofree char *pid_option = g_strdup_printf("--pidfile=%s", server->pid);
    g_autofree char *log_option = g_strdup_printf("--log-file=%s", server->log);
    g_autofree char *ctl_option = g_strdup_printf("--unixctl=%s", server->ctl);
    const char *const argv[] = {"ovs-vswitchd", "--detach", "--no-chdir", "-vconsole:off", "-vsyslog:off",
                                pid_option,     log_option, ctl_option,   remote,          NULL};
    return start(server, argv, server->ctl, "version", error);
}

bool server_ensure_vswitch(const char *run_dir, GError **error)
{
    g_autofree char *dir = g_strdup_printf("%s/ovs", run_dir);
    g_autofree char *db_file = g_strdup_printf("%s/conf.db", dir);
    AUTO_SERVER database = switch_db_server(dir);
    AUTO_SERVER server = switch_server(dir);
    g_autofree char *remote = g_strdup_printf("unix:%s", database.sock);
    g_autofree char *remote_option = g_strdup_printf("--db=%s", remote);
    if (!ensure_database(&database, db_file, SWITCH_SCHEMA, error)) {
        return false;
    }
    pid_t pid = process_running(server.pid);
    if (pid) {
        return answers(&server, server.ctl, "version") ||
               fail(error, DISTEM_ERROR_UNAVAILABLE, 0, "ovs-vswitchd (process %d) does not answer on %s; its log is %s", (int)pid,
                    server.ctl, server.log);
    }
    return RUN(&database, error, "ovs-vsctl", remote_option, "--no-wait", "init") && start_switch(&server, remote, error);
}

/* Says whether process 'pid' has the same network interfaces as this one. */
static bool is_in_own_netns(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/ns/net", (int)pid);
    struct stat own, its;
    return stat("/proc/self/ns/net", &own) == 0 && stat(path, &its) == 0 && own.st_dev == its.st_dev && own.st_ino == its.st_ino;
}

bool server_machine_vswitch(void)
{
    pid_t pid = process_running(MACHINE_RUN_DIR "/ovs-vswitchd.pid");
    g_autofree char *ctl = g_strdup_printf(MACHINE_RUN_DIR "/ovs-vswitchd.%d.ctl", (int)pid);
    return pid && is_in_own_netns(pid) && process_ask(ctl, "version", NULL, ANSWER_MS) &&
           process_ask(MACHINE_RUN_DIR "/db.sock", "echo", NULL, ANSWER_MS);
}

/* Ends a database server and removes its sockets. */
static bool stop_database(const struct server *server, GError **error)
{
    if (!process_stop(server->pid, SIGTERM, error)) {
        return false;
    }
    g_unlink(server->ctl);
    g_unlink(server->sock);
    return true;
}

bool server_stop_db(const char *run_dir, GError **error)
{
    AUTO_SERVER server = db_server(run_dir);
    g_autofree char *note = listen_note(run_dir);
    g_unlink(note);
    return stop_database(&server, error);
}

bool server_stop_vswitch(const char *run_dir, GError **error)
{
    g_autofree char *dir = g_strdup_printf("%s/ovs", run_dir);
    AUTO_SERVER database = switch_db_server(dir);
    AUTO_SERVER server = switch_server(dir);
    /* With a signal alone it would leave its datapath in the kernel. */
    bool told = process_running(server.pid) && process_ask(server.ctl, "exit", "--cleanup", ANSWER_MS);
    if (!process_stop(server.pid, told ? 0 : SIGTERM, error)) {
        return false;
    }
    g_unlink(server.ctl);
    return stop_database(&database, error);
}
