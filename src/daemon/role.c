/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "role.h"

#include <string.h>

#include "distem/error.h"
#include "distem/ip.h"
#include "distem/log.h"
#include "distem/pnode-daemon.h"
#include "distem/pnode-server.h"
#include "distem/poll.h"

#include "membership.h"

#define WORKERS 4
/* A database that does not answer for so long is worth a line. */
#define PATIENCE_MS 10000
#define LISTEN_DEFAULT "127.0.0.1"

struct pnode_role {
    const struct options *options;
    const struct places *places;
    struct db *db;
    bool own_db; /* 'db' is ours to close. */
    struct pnode_daemon *pnode;
    struct pnode_server *server;   /* NULL: the coordinator in this process needs none. */
    char *listen;                  /* What the server listens on. */
    struct membership *membership; /* With the coordinator that has taken it in; NULL: none, or the options name one. */
    int64_t away_at;               /* Monotonic ms: the database does not answer since; 0: it does. */
    bool away;                     /* That has been logged. */
};

static bool is_global(const char *address)
{
    static const char *const others[] = {"127.", "::1", "0.0.0.0", "::"};
    for (unsigned i = 0; i < G_N_ELEMENTS(others); i++) {
        if (i == 0 ? g_str_has_prefix(address, others[i]) : g_str_equal(address, others[i])) {
            return false;
        }
    }
    return true;
}

/* Returns the address that this machine has for the first server of 'remote', to be freed; NULL when that is a socket in a folder,
 * or with an error. */
static char *source_for(const char *remote, GError **error)
{
    g_auto(GStrv) first = g_strsplit(remote, ",", 2);
    const char *colon = first[0] ? strchr(first[0], ':') : NULL;
    if (!colon || g_str_has_prefix(first[0], "unix:")) {
        return NULL;
    }
    g_autofree char *host = NULL;
    uint16_t port;
    struct ip_addr there, here;
    char text[IP_TEXT_SIZE];
    if (!options_parse_host(colon + 1, &host, &port, error) || !pnode_source_address(host, &there, &here, error)) {
        return NULL;
    }
    return g_strdup(ip_format(&here, text));
}

/* Opens the database 'remote' (NULL: it is open) and becomes a pnode in it. */
static bool become(struct pnode_role *role, const char *remote, const char *underlay, const char *address, GError **error)
{
    const struct options *o = role->options;
    const struct membership *membership = role->membership;
    g_autoptr(GHashTable) labels = g_hash_table_new(g_str_hash, g_str_equal);
    const GHashTable *sources[] = {o->labels, membership ? membership->labels : NULL};
    for (unsigned i = 0; i < G_N_ELEMENTS(sources) && sources[i]; i++) {
        GHashTableIter iter;
        gpointer name, text;
        g_hash_table_iter_init(&iter, (GHashTable *)sources[i]);
        while (g_hash_table_iter_next(&iter, &name, &text)) {
            g_hash_table_insert(labels, name, text);
        }
    }
    const struct pnode_config config = {
        .name = role->places->name,
        .run_dir = o->run_dir,
        .state_dir = o->state_dir,
        .worker_path = role->places->worker,
        .workers = WORKERS,
        .underlay = underlay,
        .address = address,
        .labels = labels,
        .max_vnodes = membership && membership->max_vnodes ? membership->max_vnodes : (uint32_t)o->max_vnodes,
        .max_vifaces = membership && membership->max_vifaces ? membership->max_vifaces : (uint32_t)o->max_vifaces,
        .known = membership && membership->registered,
    };
    if (remote) {
        role->db = db_open(remote, role->places->name);
        role->own_db = true;
        role->away_at = 0; /* Counts from the first turn: what follows may take long. */
        role->away = false;
    }
    role->pnode = pnode_daemon_new(&config, role->db, error);
    if (!role->pnode && role->own_db) {
        g_clear_pointer(&role->db, db_close);
    }
    return role->pnode;
}

/* The same as a pnode of another machine's database, as which it has a way there. */
static bool become_member(struct pnode_role *role, const char *remote, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autofree char *source = source_for(remote, &problem);
    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    const char *underlay = role->options->underlay ? role->options->underlay : source && is_global(source) ? source : NULL;
    /* A coordinator elsewhere cannot call an address that is no address there. */
    bool any = g_str_equal(role->listen, "0.0.0.0") || g_str_equal(role->listen, "::");
    const char *called = is_global(role->listen) || !source || !is_global(source) ? role->listen : any ? source : NULL;
    if (!called) {
        log_warning("daemon", "the coordinator cannot call this machine: commands cannot be run in its vnodes",
                    "listen=%s hint=\"--listen=%s\"", role->listen, source);
    }
    g_autofree char *address = NULL;
    if (called) {
        address = strchr(called, ':') ? g_strdup_printf("[%s]:%u", called, pnode_server_port(role->server))
                                      : g_strdup_printf("%s:%u", called, pnode_server_port(role->server));
    }
    if (!become(role, remote, underlay, address, error)) {
        return false;
    }
    pnode_server_set_database(role->server, remote);
    return true;
}

static bool join(void *aux, const struct pnode_join *said, GError **error)
{
    struct pnode_role *role = aux;
    struct membership *membership = role->membership = membership_new(said->database);
    membership->max_vnodes = said->max_vnodes;
    membership->max_vifaces = said->max_vifaces;
    GHashTableIter iter;
    gpointer name, text;
    g_hash_table_iter_init(&iter, said->labels);
    while (g_hash_table_iter_next(&iter, &name, &text)) {
        g_hash_table_insert(membership->labels, g_strdup(name), g_strdup(text));
    }
    if (membership_save(membership, role->options->state_dir, error) && become_member(role, said->database, error)) {
        return true;
    }
    membership_forget(role->options->state_dir, NULL);
    g_clear_pointer(&role->membership, membership_free);
    return false;
}

char *pnode_role_trace(void *aux, uint32_t vnetwork_id, const char *flow, GError **error)
{
    const struct pnode_role *role = aux;
    if (!role->pnode) {
        fail(error, DISTEM_ERROR_CONFLICT, 0, "this machine belongs to no coordinator yet");
        return NULL;
    }
    return pnode_daemon_trace(role->pnode, vnetwork_id, flow, error);
}

struct pnode_role *pnode_role_own(const struct options *o, const struct places *places, struct db *db, GError **error)
{
    struct pnode_role *role = g_new0(struct pnode_role, 1);
    role->options = o;
    role->places = places;
    role->db = db;
    const char *underlay = o->underlay ? o->underlay : o->listen && is_global(o->listen) ? o->listen : NULL;
    if (!become(role, NULL, underlay, NULL, error)) {
        pnode_role_free(role);
        return NULL;
    }
    return role;
}

/* Returns the remote that the options name, to be freed; NULL: none, or with an error. */
static char *named_remote(const struct options *o, GError **error)
{
    if (o->db || !o->coordinator_host) {
        return g_strdup(o->db);
    }
    struct ip_addr there, here;
    char text[IP_TEXT_SIZE];
    if (!pnode_source_address(o->coordinator_host, &there, &here, error)) {
        return NULL;
    }
    const char *host = ip_format(&there, text);
    return there.family == 6 ? g_strdup_printf("tcp:[%s]:%d", host, o->coordinator_port + 2)
                             : g_strdup_printf("tcp:%s:%d", host, o->coordinator_port + 2);
}

/* Opens the action server. With a coordinator that the options name it has to be where that one can call it; else only what is said
 * is listened on. */
static bool listen_for_actions(struct pnode_role *role, const char *remote, GError **error)
{
    static const struct pnode_server_calls calls = {.join = join, .trace = pnode_role_trace};
    const struct options *o = role->options;
    g_autoptr(GError) problem = NULL;
    char *source = o->listen || !remote ? NULL : source_for(remote, &problem);
    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    role->listen = source ? source : g_strdup(o->listen ? o->listen : LISTEN_DEFAULT);
    const struct pnode_server_config config = {.address = role->listen,
                                               .port = (uint16_t)(o->port + 1),
                                               .name = role->places->name,
                                               .run_dir = o->run_dir,
                                               .state_dir = o->state_dir,
                                               .worker_path = role->places->worker,
                                               .probe_path = role->places->probe};
    role->server = pnode_server_new(&config, &calls, role, error);
    return role->server;
}

static bool start(struct pnode_role *role, GError **error)
{
    const struct options *o = role->options;
    g_autoptr(GError) problem = NULL;
    g_autofree char *remote = named_remote(o, &problem);
    if (!remote && !problem) {
        role->membership = membership_load(o->state_dir, &problem);
    }
    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    if (!listen_for_actions(role, remote, error)) {
        return false;
    }
    const char *database = remote ? remote : role->membership ? role->membership->database : NULL;
    log_info("daemon", database ? "a pnode" : "a pnode that waits for a coordinator", "name=%s listen=%s port=%u database=%s",
             role->places->name, role->listen, pnode_server_port(role->server), database ? database : "-");
    return !database || become_member(role, database, error);
}

struct pnode_role *pnode_role_new(const struct options *o, const struct places *places, GError **error)
{
    struct pnode_role *role = g_new0(struct pnode_role, 1);
    role->options = o;
    role->places = places;
    if (!start(role, error)) {
        pnode_role_free(role);
        return NULL;
    }
    return role;
}

void pnode_role_free(struct pnode_role *role)
{
    if (role) {
        pnode_server_free(role->server);
        pnode_daemon_free(role->pnode);
        if (role->own_db) {
            db_close(role->db);
        }
        membership_free(role->membership);
        g_free(role->listen);
        g_free(role);
    }
}

/* Somebody has removed this machine from the platform, and its share is gone. */
static void leave(struct pnode_role *role)
{
    g_autoptr(GError) error = NULL;
    if (!membership_forget(role->options->state_dir, &error)) {
        log_warning("daemon", "cannot forget the coordinator", "error=\"%s\"", error->message);
    }
    g_clear_pointer(&role->membership, membership_free);
    g_clear_pointer(&role->pnode, pnode_daemon_free);
    g_clear_pointer(&role->db, db_close);
    role->own_db = false;
    pnode_server_set_database(role->server, NULL);
    log_info("daemon", "this machine belongs to no coordinator any more, and waits for one", "name=%s", role->places->name);
}

/* Notes that the database has this machine now: should it be removed while no daemon runs, the next one knows. */
static void note_registration(struct pnode_role *role)
{
    struct membership *membership = role->membership;
    g_autoptr(GError) error = NULL;
    if (membership && !membership->registered && pnode_daemon_is_registered(role->pnode)) {
        membership->registered = true;
        if (!membership_save(membership, role->options->state_dir, &error)) {
            log_warning("daemon", "cannot note that this machine is registered", "error=\"%s\"", error->message);
        }
    }
}

static void watch_connection(struct pnode_role *role)
{
    bool connected = db_is_connected(role->db);
    if (connected && role->away) {
        log_info("daemon", "the coordinator's database answers again", "name=%s", role->places->name);
    }
    role->away = role->away && !connected;
    role->away_at = connected ? 0 : role->away_at ? role->away_at : poll_now_ms();
    if (!connected && !role->away && poll_now_ms() >= role->away_at + PATIENCE_MS) {
        role->away = true;
        log_warning("daemon", "the coordinator's database does not answer; this machine goes on trying", "name=%s",
                    role->places->name);
    }
}

void pnode_role_run(struct pnode_role *role)
{
    if (!role) {
        return;
    }
    if (role->server) {
        pnode_server_run(role->server);
    }
    if (!role->pnode) {
        return;
    }
    if (role->own_db) {
        db_run(role->db);
        watch_connection(role);
    }
    pnode_daemon_run(role->pnode);
    note_registration(role);
    if (role->own_db && pnode_daemon_is_removed(role->pnode)) {
        leave(role);
    }
}

void pnode_role_wait(struct pnode_role *role)
{
    if (!role) {
        return;
    }
    if (role->server) {
        pnode_server_wait(role->server);
    }
    if (!role->pnode) {
        return;
    }
    if (role->own_db) {
        db_wait(role->db);
        if (role->away_at && !role->away) {
            poll_wait_until(role->away_at + PATIENCE_MS);
        }
    }
    pnode_daemon_wait(role->pnode);
}

bool pnode_role_is_introduced(const struct pnode_role *role)
{
    return !role || !role->pnode || pnode_daemon_is_introduced(role->pnode);
}

bool pnode_role_is_ready(const struct pnode_role *role, const char **ret_reason)
{
    *ret_reason = NULL;
    if (pnode_role_is_introduced(role)) {
        *ret_reason = role && role->pnode ? pnode_daemon_refusal(role->pnode) : NULL;
        return true;
    }
    if (role->away) {
        *ret_reason = "the coordinator's database does not answer";
    }
    return role->away;
}
