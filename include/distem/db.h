/* SPDX-License-Identifier: Apache-2.0 */
/* The Distem database (schema ovs/distem.ovsschema): the only state there is. This is a cached copy of it with change notification,
 * and a queue of transactions. All functions belong to the loop's thread; none blocks. */
#ifndef DISTEM_DB_H
#define DISTEM_DB_H 1

#include <stdbool.h>
#include <stdint.h>

#include "distem/platform.h"

struct db;

/* Connects (and reconnects for ever) to 'remote', "unix:PATH" or "tcp:HOST:PORT[,tcp:...]" for a cluster. With 'pnode' not NULL,
 * only what that pnode needs is monitored: its vnodes with their routes, the vnetworks that these are on with all their vifaces,
 * what all pnodes are, and how far it is itself. */
struct db *db_open(const char *remote, const char *pnode);
/* What has not ended yet is forgotten; its db_done functions are not called. */
void db_close(struct db *);

/* Receives changes, sends and finishes transactions; calls the db_done functions. */
void db_run(struct db *);
void db_wait(struct db *);

/* Says whether a first complete copy has arrived. Before that, the functions below see an empty database. */
bool db_is_ready(const struct db *);
/* Says whether the copy has all that a pnode needs: false for a moment after vnodes of it are on other vnetworks than before, until
 * the vifaces of these have arrived, too. Without 'pnode' the same as db_is_ready(). */
bool db_is_complete(const struct db *);
/* Says whether the connection is up now. */
bool db_is_connected(const struct db *);
/* Returns a number that changes whenever the copy did, or db_is_complete(). With 'pnode' in db_open(), how far that is does not
 * count. */
unsigned db_seqno(const struct db *);

/* Returns the platform in the database, or NULL when there is none. The caller frees it. */
struct platform *db_platform(const struct db *);
/* Returns the generation of the last committed change; it goes on rising when there is no platform. 0: nothing was ever stored. */
uint64_t db_generation(const struct db *);
/* Says whether the platform has traces. */
bool db_has_playbacks(const struct db *);
/* Returns when its traces start or have started, in ns since 1970; 0: that is open. */
int64_t db_playback_start(const struct db *);
/* Returns the pnodes, ordered by name: an array of struct pnode that the caller unrefs. With 'pnode' in db_open(), how far the
 * others are is not known, and 0. */
GPtrArray *db_pnodes(const struct db *);

/* A viface somewhere else, as far as a switch must know it. */
struct remote_viface {
    uint32_t id, vnetwork_id;
    struct mac_addr mac;
    struct ip_addr ipv4, ipv6;
    const char *pnode; /* Interned (g_intern_string). */
};
/* Returns the vifaces that are not on 'pnode' of the vnetworks that it has vifaces of: an array of struct remote_viface, ordered by
 * vnetwork and id, that the caller unrefs. */
GArray *db_remote_vifaces(const struct db *, const char *pnode);

/* Called once, from db_run(), when a transaction has ended; 'error' is NULL when the database has it. While the server does not
 * answer, transactions wait; one whose answer is lost is not done twice. They are done one after the other, in the order of the
 * calls. */
typedef void db_done(void *aux, const GError *error);

/* Replaces the platform by 'next' (NULL: none) in one transaction that writes only what differs; fails with DISTEM_ERROR_CONFLICT
 * when the database's generation is no longer 'generation'; the new one is generation + 1. 'next' is read before the call returns.
 * 'done' may be NULL. */
void db_store_platform(struct db *, const struct platform *next, uint64_t generation, db_done *done, void *aux);
/* Writes when the traces of the platform start. Storing another trace makes that open again; nothing else does. Fails with
 * DISTEM_ERROR_CONFLICT when the database's generation is no longer 'generation', which stays. */
void db_start_playbacks(struct db *, int64_t start, uint64_t generation, db_done *done, void *aux);
/* Writes pnode 'p' (only columns that changed; never 'draining', nor 'lost'), and adds it when its name is new. Fails with
 * DISTEM_ERROR_CONFLICT when the name belongs to a pnode of another identity. */
void db_introduce_pnode(struct db *, const struct pnode *p, db_done *done, void *aux);
/* Writes how far pnode 'p' is. Fails with DISTEM_ERROR_NOT_FOUND when it has been removed, or belongs to another identity now. */
void db_report_pnode(struct db *, const struct pnode *p, db_done *done, void *aux);
/* Sets pnode 'name's draining. Fails with DISTEM_ERROR_NOT_FOUND. */
void db_drain_pnode(struct db *, const char *name, bool draining, db_done *done, void *aux);
/* Removes the pnode with that name; fine when there is none. */
void db_remove_pnode(struct db *, const char *name, db_done *done, void *aux);
/* Writes the observed state (state, error, pid) of the vnodes in 'vnodes' (struct vnode, found by id; unknown ones are passed
 * over), in one transaction. */
void db_report_vnodes(struct db *, const GPtrArray *vnodes, db_done *done, void *aux);

#endif
