/* SPDX-License-Identifier: Apache-2.0 */
/* distemd: coordinator and pnode of one machine. Its state is in the database and on the machine; ended at any moment and started
 * again it goes on where it was. */
#include <config.h>

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "distem/coordinator.h"
#include "distem/db.h"
#include "distem/error.h"
#include "distem/ip.h"
#include "distem/log.h"
#include "distem/pnode-daemon.h"
#include "distem/poll.h"
#include "distem/vswitch.h"
#include "service.h"

#define WORKERS 4

struct options {
    char *listen, *db, *run_dir, *state_dir, *log_level, *name;
    int port;
    gboolean detach, doctor, cleanup, dry_run, json, version;
};

/* Returns 'file' in the folder that the environment variable 'variable' names (a build tree), else in 'installed'. */
static char *find_file(const char *variable, const char *installed, const char *file)
{
    const char *folder = getenv(variable);
    return g_build_filename(folder && *folder ? folder : installed, file, NULL);
}

static bool read_options(int *argc, char ***argv, struct options *o, GError **error)
{
    const GOptionEntry entries[] = {
        {"listen", 0, 0, G_OPTION_ARG_STRING, &o->listen, "Address for the REST API [127.0.0.1]", "ADDRESS"},
        {"port", 0, 0, G_OPTION_ARG_INT, &o->port, "Port for the REST API [4567]", "PORT"},
        {"db", 0, 0, G_OPTION_ARG_STRING, &o->db, "Distem database [a private ovsdb-server]", "REMOTE"},
        {"name", 0, 0, G_OPTION_ARG_STRING, &o->name, "This machine's name as a pnode [its host name]", "NAME"},
        {"run-dir", 0, 0, G_OPTION_ARG_FILENAME, &o->run_dir, "Folder for what a reboot ends [" RUNDIR "]", "DIR"},
        {"state-dir", 0, 0, G_OPTION_ARG_FILENAME, &o->state_dir, "Folder for what lasts [" STATEDIR "]", "DIR"},
        {"log-level", 0, 0, G_OPTION_ARG_STRING, &o->log_level, "error, warning, info or debug [info]", "LEVEL"},
        {"detach", 0, 0, G_OPTION_ARG_NONE, &o->detach, "Run in the background, once requests are answered", NULL},
        {"doctor", 0, 0, G_OPTION_ARG_NONE, &o->doctor, "Show what this machine has and lacks, and exit", NULL},
        {"cleanup", 0, 0, G_OPTION_ARG_NONE, &o->cleanup, "Remove what distem left behind on this machine, and exit", NULL},
        {"dry-run", 0, 0, G_OPTION_ARG_NONE, &o->dry_run, "With --cleanup: only list it", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &o->json, "With --doctor and --cleanup: print JSON", NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &o->version, "Print the version, and exit", NULL},
        {0},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_set_summary(context, "Distem's daemon: builds the platform that `distem up` describes on this machine.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, error)) {
        return false;
    }
    enum log_level level;
    struct ip_addr address;
    if (*argc > 1) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "unexpected argument \"%s\": distemd takes options only", (*argv)[1]);
    }
    if (o->log_level) {
        if (!log_level_parse(o->log_level, &level, error)) {
            return false;
        }
        log_set_level(level);
    }
    if (o->port < 1 || o->port > 65535) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "--port=%d: expected a number from 1 to 65535", o->port);
    }
    return ip_addr_parse(o->listen, &address, error);
}

/* Makes a folder, or takes one that is there if nobody else can change what is in it. */
static bool make_folder(const char *path, GError **error)
{
    struct stat st;
    if (g_mkdir_with_parents(path, 0755) < 0 || stat(path, &st) < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot make the folder %s", path);
    }
    if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH)) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "%s: a folder was expected that belongs to root and only root can write to",
                    path);
    }
    return true;
}

/* Starts the private database server again when it has ended. 'trouble' is what was logged last. */
static void keep_database(struct server_keeper *keeper, char **trouble)
{
    if (!keeper) {
        return;
    }
    if (server_keeper_run(keeper)) {
        log_warning("daemon", "the database server had ended and was started again", "pid=%d", (int)getpid());
    }
    const char *error = server_keeper_error(keeper);
    if (error && g_strcmp0(error, *trouble)) {
        log_error("daemon", "the database server does not start", "error=\"%s\"", error);
    }
    g_free(*trouble);
    *trouble = g_strdup(error);
}

/* Each vnode takes a descriptor, each command that runs in one a few. */
static void raise_descriptors(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* Runs until a signal comes. */
static void loop(struct server_keeper *keeper, struct db *db, struct pnode_daemon *pnode, struct coordinator *coordinator)
{
    bool ready = false;
    g_autofree char *trouble = NULL;
    struct pollfd ended = {.fd = service_fd(), .events = POLLIN};
    while (poll(&ended, 1, 0) == 0) {
        keep_database(keeper, &trouble);
        db_run(db);
        pnode_daemon_run(pnode);
        /* Until the pnode has introduced itself, the database tells of the time before: nobody is to see that. */
        bool answering = !db_is_ready(db) || pnode_daemon_is_introduced(pnode);
        if (answering) {
            coordinator_run(coordinator);
        }
        if (!ready && answering && db_is_ready(db)) {
            ready = true;
            service_ready();
            log_info("daemon", "ready", "pid=%d", (int)getpid());
        }
        if (keeper) {
            server_keeper_wait(keeper);
        }
        db_wait(db);
        pnode_daemon_wait(pnode);
        if (answering) {
            coordinator_wait(coordinator);
        }
        poll_wait_fd(ended.fd, POLLIN);
        poll_block_once();
    }
}

/* Builds the parts, in the order in which they need each other, and runs them. */
static bool serve(const struct options *o, GError **error)
{
    /* Neither the caller's 0, nor his 077 with which users in the vnodes could not read /etc/hosts. */
    umask(022);
    if (!make_folder(o->run_dir, error) || !make_folder(o->state_dir, error)) {
        return false;
    }
    g_autofree char *log_file = g_build_filename(o->state_dir, "distemd.log", NULL);
    if ((o->detach && !service_detach(log_file, error)) || !service_lock(o->run_dir, error)) {
        return false;
    }
    service_catch_signals();
    raise_descriptors();
    struct server_keeper *keeper = NULL;
    g_autofree char *remote = g_strdup(o->db);
    if (!remote) {
        g_autofree char *file = g_build_filename(o->state_dir, "distem.db", NULL);
        g_autofree char *schema = find_file("DISTEM_DATADIR", PKGDATADIR, "distem.ovsschema");
        if (!server_ensure_db(o->run_dir, file, schema, NULL, error)) {
            return false;
        }
        keeper = server_keep_db(o->run_dir, file, schema, NULL);
        remote = g_strdup_printf("unix:%s/distem-db.sock", o->run_dir);
    }
    g_autofree char *name = o->name ? g_strdup(o->name) : pnode_default_name();
    g_autofree char *worker = find_file("DISTEM_LIBEXECDIR", PKGLIBEXECDIR, "distem-vnode");
    g_autofree char *probe = find_file("DISTEM_LIBEXECDIR", PKGLIBEXECDIR, "distem-probe");
    g_autofree char *relay = find_file("DISTEM_LIBEXECDIR", PKGLIBEXECDIR, "distem-relay");
    const struct pnode_config pnode_config = {
        .name = name, .run_dir = o->run_dir, .state_dir = o->state_dir, .worker_path = worker, .workers = WORKERS};
    const struct coordinator_config coordinator_config = {.address = o->listen,
                                                          .port = (uint16_t)o->port,
                                                          .run_dir = o->run_dir,
                                                          .state_dir = o->state_dir,
                                                          .worker_path = worker,
                                                          .probe_path = probe,
                                                          .relay_path = relay,
                                                          .pnode = name,
                                                          .database = o->db};
    struct db *db = db_open(remote, NULL);
    struct pnode_daemon *pnode = pnode_daemon_new(&pnode_config, db, error);
    struct coordinator *coordinator = pnode ? coordinator_new(&coordinator_config, db, error) : NULL;
    if (coordinator) {
        log_info("daemon", "listening", "address=%s port=%d pnode=%s version=" PACKAGE_VERSION, o->listen, o->port, name);
        loop(keeper, db, pnode, coordinator);
        log_info("daemon", "ended by a signal; vnodes run on", "pid=%d", (int)getpid());
    }
    bool ok = coordinator != NULL;
    coordinator_free(coordinator);
    pnode_daemon_free(pnode);
    db_close(db);
    server_keeper_free(keeper);
    return ok;
}

static int cleanup(const struct options *o)
{
    int pid;
    if (!o->dry_run && service_is_running(o->run_dir, &pid)) {
        fprintf(
            stderr,
            "distem: distemd runs (pid %d) and would build again what is cleaned up: use `distem down`, or end the daemon first\n",
            pid);
        return 1;
    }
    return pnode_cleanup(o->run_dir, o->state_dir, o->dry_run, o->json);
}

static void options_clear(struct options *o)
{
    g_free(o->listen);
    g_free(o->db);
    g_free(o->run_dir);
    g_free(o->state_dir);
    g_free(o->log_level);
    g_free(o->name);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "C.UTF-8");
    __attribute__((cleanup(options_clear))) struct options o = {
        .listen = g_strdup("127.0.0.1"), .port = 4567, .run_dir = g_strdup(RUNDIR), .state_dir = g_strdup(STATEDIR)};
    g_autoptr(GError) error = NULL;
    if (!read_options(&argc, &argv, &o, &error)) {
        fprintf(stderr, "distemd: %s\nTry `distemd --help`.\n", error->message);
        return 2;
    }
    if (o.version) {
        puts("distemd " PACKAGE_VERSION);
        return 0;
    }
    if (o.doctor) {
        return pnode_doctor(o.json);
    }
    if (geteuid() != 0) {
        fputs("distemd: needs to be root: it makes network namespaces, devices and containers\n", stderr);
        return 1;
    }
    if (o.cleanup) {
        return cleanup(&o);
    }
    if (!serve(&o, &error)) {
        fprintf(stderr, "distemd: %s\n", error->message);
        return 1;
    }
    return 0;
}
