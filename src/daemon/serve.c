/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "serve.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "distem/coordinator.h"
#include "distem/db.h"
#include "distem/error.h"
#include "distem/log.h"
#include "distem/pnode-daemon.h"
#include "distem/poll.h"
#include "distem/vswitch.h"

#include "role.h"
#include "service.h"

/* What this process is made of. */
struct parts {
    struct places places;
    struct server_keeper *keeper; /* Of the private database server; NULL: there is none. */
    char *trouble;                /* What was said of it last. */
    struct db *db;                /* The coordinator's; NULL without one. */
    struct coordinator *coordinator;
    struct pnode_role *pnode;
};

/* Returns 'file' in the folder that the environment variable 'variable' names (a build tree), else in 'installed'. */
static char *find_file(const char *variable, const char *installed, const char *file)
{
    const char *folder = getenv(variable);
    return g_build_filename(folder && *folder ? folder : installed, file, NULL);
}

/* Makes a folder, or takes one that is there if nobody else can change what is in it. */
static bool make_folder(const char *path, GError **error)
{
    struct stat st;
    if (g_mkdir_with_parents(path, 0755) < 0 || stat(path, &st) < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot make the folder %s", path);
    }
    if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH)) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "%s: a folder was expected that belongs to %s and nobody else can write to",
                    path, geteuid() ? "you" : "root");
    }
    return true;
}

/* Starts the private database server again when it has ended. */
static void keep_database(struct parts *parts)
{
    if (!parts->keeper) {
        return;
    }
    if (server_keeper_run(parts->keeper)) {
        log_warning("daemon", "the database server had ended and was started again", "pid=%d", (int)getpid());
    }
    const char *error = server_keeper_error(parts->keeper);
    if (error && g_strcmp0(error, parts->trouble)) {
        log_error("daemon", "the database server does not start", "error=\"%s\"", error);
    }
    g_free(parts->trouble);
    parts->trouble = g_strdup(error);
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

/* Says once that requests are answered from now on, or why not all is as it should be. */
static void tell_ready(const struct parts *parts, bool *told)
{
    const char *reason;
    if (!*told && (!parts->db || db_is_ready(parts->db)) && pnode_role_is_ready(parts->pnode, &reason)) {
        *told = true;
        service_ready(reason);
        log_info("daemon", "ready", "pid=%d", (int)getpid());
    }
}

/* Runs until a signal comes. */
static void loop(struct parts *parts)
{
    bool told = false;
    struct pollfd ended = {.fd = service_fd(), .events = POLLIN};
    while (poll(&ended, 1, 0) == 0) {
        keep_database(parts);
        if (parts->db) {
            db_run(parts->db);
        }
        pnode_role_run(parts->pnode);
        /* Until the pnode has introduced itself, the database tells of the time before: nobody is to see that. */
        bool answering = parts->coordinator && (!db_is_ready(parts->db) || pnode_role_is_introduced(parts->pnode));
        if (answering) {
            coordinator_run(parts->coordinator);
        }
        tell_ready(parts, &told);
        if (parts->keeper) {
            server_keeper_wait(parts->keeper);
        }
        if (parts->db) {
            db_wait(parts->db);
        }
        pnode_role_wait(parts->pnode);
        if (answering) {
            coordinator_wait(parts->coordinator);
        }
        poll_wait_fd(ended.fd, POLLIN);
        poll_block_once();
    }
}

/* Starts the private database server, for other machines too when requests of theirs are listened for. Returns its remote, to be
 * freed; NULL with an error. */
static char *start_database(struct parts *parts, const struct options *o, const char *address, GError **error)
{
    g_autofree char *file = g_build_filename(o->state_dir, "distem.db", NULL);
    g_autofree char *schema = find_file("DISTEM_DATADIR", PKGDATADIR, "distem.ovsschema");
    g_autofree char *listen = NULL;
    if (!g_str_has_prefix(address, "127.") && !g_str_equal(address, "::1")) {
        listen = strchr(address, ':') ? g_strdup_printf("ptcp:%d:[%s]", o->port + 2, address)
                                      : g_strdup_printf("ptcp:%d:%s", o->port + 2, address);
    }
    if (!server_ensure_db(o->run_dir, file, schema, listen, error)) {
        return NULL;
    }
    parts->keeper = server_keep_db(o->run_dir, file, schema, listen);
    return g_strdup_printf("unix:%s/distem-db.sock", o->run_dir);
}

static bool start_coordinator(struct parts *parts, const struct options *o, GError **error)
{
    const char *address = o->listen ? o->listen : "127.0.0.1";
    g_autofree char *remote = o->db ? g_strdup(o->db) : start_database(parts, o, address, error);
    if (!remote) {
        return false;
    }
    parts->db = db_open(remote, NULL);
    if (o->pnode && !(parts->pnode = pnode_role_own(o, &parts->places, parts->db, error))) {
        return false;
    }
    const struct coordinator_config config = {.address = address,
                                              .port = (uint16_t)o->port,
                                              .run_dir = o->run_dir,
                                              .state_dir = o->state_dir,
                                              .worker_path = parts->places.worker,
                                              .probe_path = parts->places.probe,
                                              .relay_path = parts->places.relay,
                                              .pnode = o->pnode ? parts->places.name : NULL,
                                              .database = o->db,
                                              .trace = o->pnode ? pnode_role_trace : NULL,
                                              .trace_aux = parts->pnode};
    parts->coordinator = coordinator_new(&config, parts->db, error);
    if (parts->coordinator) {
        log_info("daemon", "listening", "address=%s port=%d pnode=%s version=" PACKAGE_VERSION, address, o->port,
                 o->pnode ? parts->places.name : "-");
    }
    return parts->coordinator;
}

static void parts_clear(struct parts *parts)
{
    coordinator_free(parts->coordinator);
    pnode_role_free(parts->pnode);
    db_close(parts->db);
    server_keeper_free(parts->keeper);
    g_free(parts->trouble);
    g_free(parts->places.name);
    g_free(parts->places.worker);
    g_free(parts->places.probe);
    g_free(parts->places.relay);
}

bool serve(const struct options *o, GError **error)
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
    __attribute__((cleanup(parts_clear))) struct parts parts = {
        .places = {.name = o->name ? g_strdup(o->name) : pnode_default_name(),
                   .worker = find_file("DISTEM_LIBEXECDIR", PKGLIBEXECDIR, "distem-vnode"),
                   .probe = find_file("DISTEM_LIBEXECDIR", PKGLIBEXECDIR, "distem-probe"),
                   .relay = find_file("DISTEM_LIBEXECDIR", PKGLIBEXECDIR, "distem-relay")}};
    if (!o->coordinator) {
        parts.pnode = pnode_role_new(o, &parts.places, error);
    }
    if (o->coordinator ? !start_coordinator(&parts, o, error) : !parts.pnode) {
        return false;
    }
    loop(&parts);
    log_info("daemon", "ended by a signal; vnodes run on", "pid=%d", (int)getpid());
    return true;
}
