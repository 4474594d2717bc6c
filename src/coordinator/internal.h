/* SPDX-License-Identifier: Apache-2.0 */
/* The coordinator's resources: one file each; all share this. */
#ifndef COORDINATOR_INTERNAL_H
#define COORDINATOR_INTERNAL_H 1

#include <jansson.h>

#include "distem/coordinator.h"
#include "distem/expect.h"
#include "distem/rest.h"

struct verification;

struct coordinator {
    struct coordinator_config config; /* Its strings are ours. */
    struct db *db;
    struct rest_server *server;
    GArray *children;     /* pid_t of exec helpers, to be reaped. */
    GPtrArray *questions; /* See peers.h. */
    GHashTable *signs;    /* See watch_new(). */
    int64_t next_watch;
    struct verification *verification; /* The last one; NULL: none yet. */
    unsigned verifications;            /* How many have been started. */
};

/* json.c: what is shown. All return new references. */
json_t *json_platform(const struct platform *, uint64_t generation, const GPtrArray *pnodes);
json_t *json_vnode(const struct vnode *);
json_t *json_pnodes(const GPtrArray *pnodes, const struct platform *);
/* Says whether every pnode has realised 'generation'. */
uint64_t realised_generation(const GPtrArray *pnodes, uint64_t generation);

/* Checks that the database has answered; else replies with 503 and returns false. */
bool require_database(struct coordinator *, struct rest_request *);
/* Returns the platform, to be freed; else replies with 404 (or 503) and returns NULL. */
struct platform *require_platform(struct coordinator *, struct rest_request *);

/* watch.c */

/* Returns what is known of when pnodes were heard of, to be unreffed. */
GHashTable *watch_new(void);
void watch_run(struct coordinator *);
void watch_wait(struct coordinator *);
/* Returns db_pnodes() with 'lost' set for those that have not been heard of for long. The caller unrefs it. */
GPtrArray *coordinator_pnodes(struct coordinator *);
/* Returns the pnode with that name, or NULL. */
const struct pnode *find_pnode(const GPtrArray *pnodes, const char *name);

/* platform.c */
rest_handler platform_put, platform_get, platform_delete, platform_topology, platform_progress, topology_check;
/* vnodes.c */
rest_handler vnodes_list, vnode_get, vnode_run, pnodes_list;
/* Reaps the helpers of vnode_run() that have ended. */
void vnodes_reap(struct coordinator *);
/* trace.c */
rest_handler trace_start;
/* verify.c */
rest_handler verification_start, verification_get;
void verify_run(struct coordinator *);
void verify_wait(struct coordinator *);
void verification_free(struct verification *);

#endif
