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
    bool starting;                     /* The start of the traces is on its way into the database. */
    unsigned starting_seqno;           /* Of the database when that was looked at last. */
    GPtrArray *joins;                  /* See joins_new(). */
    struct verification *verification; /* The last one; NULL: none yet. */
    unsigned verifications;            /* How many have been started. */
};

/* json.c: what is shown. All return new references. */
/* 'start' is that of the traces, see db_playback_start(). */
json_t *json_platform(const struct platform *, uint64_t generation, int64_t start, const GPtrArray *pnodes);
/* 'lost' are the names of lost pnodes. */
json_t *json_vnode(const struct vnode *, const struct platform *, GHashTable *lost);
json_t *json_viface(const struct viface *, const struct platform *);

/* json-pnode.c */
json_t *json_pnodes(const GPtrArray *pnodes, const struct platform *, uint64_t generation);
/* The lost pnodes and how many vnodes are on each. */
json_t *json_lost(const GPtrArray *pnodes, const struct platform *);
/* Returns the generation that every pnode has realised, those that are lost aside: 'generation' at most; 0 when none is there. */
uint64_t realised_generation(const GPtrArray *pnodes, uint64_t generation);
/* Returns the names of the pnodes that are lost, a set that borrows from 'pnodes'. */
GHashTable *lost_pnodes(const GPtrArray *pnodes);
/* Returns how many vnodes each pnode has: a table name -> number that borrows from 'platform' (NULL: an empty one). */
GHashTable *count_vnodes(const struct platform *platform);
/* Return null for "" and NULL, or for 0; others as they are. */
json_t *text_or_null(const char *text);
json_t *number_or_null(uint64_t number);

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
/* Stores 'next', as planned from 'current' (NULL: nothing) for 'pnodes', unless nothing changes or 'dry_run' is set, and replies;
 * also when one of 'pnodes' cannot emulate what it has there. */
void platform_commit(struct coordinator *, struct rest_request *, const struct platform *current, const struct platform *next,
                     const GPtrArray *pnodes, const GPtrArray *unreachable, bool dry_run);
/* replan.c */
rest_handler platform_replan;
/* Plans 'current' anew for 'pnodes'. Returns it, to be freed, or NULL with 'problems'. 'unreachable' as for plan(). */
struct platform *replan(const struct platform *current, const GPtrArray *pnodes, struct diagnostics *problems,
                        GPtrArray *unreachable);
/* pnodes.c */
rest_handler pnodes_list, pnode_delete;
/* Removes pnodes that were to be drained and are empty now. */
void pnodes_remove_empty(struct coordinator *, const GPtrArray *pnodes);
/* join.c */
rest_handler pnodes_post;
/* Returns the list of the machines that are being taken in, to be unreffed. */
GPtrArray *joins_new(void);
void joins_run(struct coordinator *);
void joins_wait(struct coordinator *);
/* vnodes.c */
rest_handler vnodes_list, vnode_get, vnode_run;
/* Reaps the helpers of vnode_run() that have ended. */
void vnodes_reap(struct coordinator *);
/* vifaces.c */
rest_handler vifaces_list, vifaces_patch, vifaces_put, viface_get, viface_patch, viface_put, matrix_get, matrix_patch;
/* playback.c: starts the traces. */
void playbacks_run(struct coordinator *);
/* trace.c */
rest_handler trace_start;
/* verify.c */
rest_handler verification_start, verification_get, calibration_start;
void verify_run(struct coordinator *);
void verify_wait(struct coordinator *);
void verification_free(struct verification *);

#endif
