/* SPDX-License-Identifier: Apache-2.0 */
/* The action server of a pnode: what the coordinator asks of one machine that is no matter of the database. A REST server on the
 * daemon's loop; doc/rest.md has its routes. */
#ifndef DISTEM_PNODE_SERVER_H
#define DISTEM_PNODE_SERVER_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#define PNODE_SERVER_PORT 4568
#define PROBE_PROTOCOL "distem-probe" /* Upgrade of POST /probe: standard input and output of the program distem-probe. */

struct pnode_server_config {
    const char *address; /* To listen on, a literal. */
    uint16_t port;
    const char *name; /* The pnode's. */
    const char *run_dir;
    const char *state_dir;
    const char *worker_path; /* The program distem-vnode. */
    const char *probe_path;  /* The program distem-probe. */
};

/* What a coordinator that takes this machine in says. Valid during the call. */
struct pnode_join {
    const char *database; /* Remote for db_open(), "tcp:192.0.2.1:4569". */
    GHashTable *labels;   /* Name -> text. Never NULL; to be added to the machine's own. */
    uint32_t max_vnodes;  /* 0: no limit was named. */
    uint32_t max_vifaces;
};

struct pnode_server_calls {
    /* The machine, which belonged to nobody, is taken in: opens the database. Comes from pnode_server_run(). With an error, which
     * the coordinator's user gets to read, it goes on belonging to nobody. */
    bool (*join)(void *aux, const struct pnode_join *, GError **error);
    /* Returns what the switch of vnetwork 'id' does with 'flow', to be freed; or NULL with an error. NULL: not offered. */
    char *(*trace)(void *aux, uint32_t id, const char *flow, GError **error);
};

struct pnode_server;

/* Listens. Strings in 'config' and what 'calls' points to are copied. */
struct pnode_server *pnode_server_new(const struct pnode_server_config *config, const struct pnode_server_calls *calls, void *aux,
                                      GError **error);
/* Says which database the machine belongs to already, for a daemon that knows it without being asked to join; NULL: none. Until
 * then the server tells that it waits for a coordinator; afterwards it refuses others. */
void pnode_server_set_database(struct pnode_server *, const char *database);
void pnode_server_free(struct pnode_server *);
void pnode_server_run(struct pnode_server *);
void pnode_server_wait(struct pnode_server *);
/* Returns the port that is listened on. */
uint16_t pnode_server_port(const struct pnode_server *);

#endif
