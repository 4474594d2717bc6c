/* SPDX-License-Identifier: Apache-2.0 */
/* The coordinator's part of distemd: serves the REST API (doc/rest.md), plans, and writes plans to the Distem database. It keeps no
 * state of its own but running verifications. */
#ifndef DISTEM_COORDINATOR_H
#define DISTEM_COORDINATOR_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "distem/db.h"

struct coordinator_config {
    const char *address; /* To listen on, a literal. */
    uint16_t port;
    const char *run_dir; /* As in struct pnode_config. */
    const char *state_dir;
    const char *worker_path; /* The program distem-vnode. */
    const char *probe_path;  /* The program distem-probe. */
    const char *relay_path;  /* The program distem-relay. */
    const char *pnode;       /* Name of the pnode that this process is, too; NULL: none. */
    const char *database; /* Remote of a database that other machines reach, too; NULL: a private one, on 'address' and port + 2. */
    /* Asks that pnode's switch, as vswitch_trace() does; NULL: there is none. */
    char *(*trace)(void *aux, uint32_t vnetwork_id, const char *flow, GError **error);
    void *trace_aux;
};

struct coordinator;

/* Listens. 'db' must outlive the result; strings in 'config' are copied. */
struct coordinator *coordinator_new(const struct coordinator_config *config, struct db *db, GError **error);
void coordinator_free(struct coordinator *);
void coordinator_run(struct coordinator *);
void coordinator_wait(struct coordinator *);

#endif
