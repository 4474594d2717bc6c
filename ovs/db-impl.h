/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the database share: db.c (connection and queue), db-follow.c (what a pnode monitors), db-read.c (rows ->
 * structs), db-write.c (structs -> rows). */
#ifndef OVS_DB_IMPL_H
#define OVS_DB_IMPL_H 1

#include <glib.h>

#include "distem/db.h"
#include "distem/error.h"
#include "ovs/distem-idl.h"
#include "ovsdb-idl.h"
#include "smap.h"

struct db {
    struct ovsdb_idl *idl;
    struct ovsdb_idl_index *vnodes_by_id;
    GQueue requests;           /* Of struct request: the head is being worked on. */
    struct ovsdb_idl_txn *txn; /* The head's, while it is on its way; NULL. */
    unsigned txn_seqno;        /* The copy's seqno when 'txn' was made. */
    int64_t retry_at;          /* ms: the head waits until then or for a change; 0: it does not wait. */

    /* Of db-follow.c; nothing without 'pnode'. */
    char *pnode;          /* Whose share is monitored; NULL: all is. */
    GHashTable *followed; /* Set of ids: the vnetworks asked for. */
    struct ovsdb_idl_condition vifaces_monitored, vnetworks_monitored;
    bool is_following; /* What was asked for has not arrived. */
    unsigned answers;  /* Number of the conditions' last answer that was not the one awaited. */
    bool resyncs;      /* The connection broke before the answer: 'resync_seqno' is the copy's last seqno without the rows. */
    unsigned resync_seqno;
    unsigned completions; /* How often what was asked for has arrived. */

    struct matrix_read *matrix;
};

/* The latency matrix as it was read last, and of what. To read, or to write, a million values takes a while, and they rarely
 * change. */
struct matrix_read {
    struct smap rows;
    struct matrix *matrix; /* NULL: there was none. */
};

struct request;

/* Adds what 'request' asks for to the open transaction of 'db', by comparing with the rows. Returns false with an error when it
 * cannot be asked for (any more). */
typedef bool request_write(struct db *, struct ovsdb_idl_txn *, const struct request *, GError **);

/* A transaction that is wanted. Each kind uses some of the members behind 'aux'. */
struct request {
    request_write *write;
    db_done *done;
    void *aux;
    bool refused; /* Once, which may mean that somebody else was quicker: the next try sees in the copy what was done. */

    struct platform *platform;
    uint64_t generation;
    char *change; /* Random; marks the generation that this request made, should the connection break before the answer. */
    struct pnode *pnode;
    char *name;
    bool draining;
    int64_t start;
    GArray *reports; /* Of struct report. */
};

/* Observed state of a vnode. */
struct report {
    uint32_t id;
    enum vnode_state state;
    int32_t pid;
    char *error;
};

request_write db_write_playback_start, db_write_platform, db_write_pnode, db_write_pnode_state, db_write_draining,
    db_write_remove_pnode, db_write_reports;

/* Says whether the root row has the latency matrix that was read last. */
bool db_has_matrix_read(const struct distemrec_platform *, const struct matrix_read *);
/* Returns the root row or NULL. */
const struct distemrec_platform *db_root(const struct db *);
/* Returns the ids of the vnetworks that 'pnode' has vifaces of, as a set that the caller unrefs. */
GHashTable *db_own_vnetworks(const struct db *, const char *pnode);

/* Restricts what is monitored to the share of 'pnode', before the connection. */
void db_follow_start(struct db *, const char *pnode);
void db_follow_stop(struct db *);
/* Asks for the vifaces of the vnetworks that the pnode has come to, after each ovsdb_idl_run(); 'before' is the copy's seqno before
 * that. */
void db_follow(struct db *, unsigned before);

#endif
